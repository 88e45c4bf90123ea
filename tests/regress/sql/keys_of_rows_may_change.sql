-- A row of a table of sends stays known when its primary key changes: tables partitioned by time have the time of sending in it.
create table users (id bigint primary key, n int default 0);
insert into users select generate_series(1, 9);
select from goals.track_users('users');
select from goals.create_message('m');
select from goals.set_goal('m', 'n', 'is increased', time_limit => '30 days');
create table emails (id bigint generated always as identity, template text, user_id bigint, sent_at timestamptz, opened_at timestamptz,
    primary key (id, sent_at)) partition by range (sent_at);
create table emails_default partition of emails default;
select from goals.track_receipts('emails', 'template', 'user_id', 'sent_at', 'opened_at');
-- The time of the provider, twice; the open belongs to that row.
insert into emails (template, user_id, sent_at) values ('m', 1, now() - interval '7 days'), ('m', 1, clock_timestamp());
update emails set sent_at = sent_at - interval '2 s' where id = 2;
update emails set sent_at = sent_at - interval '3 s' where id = 2;
update emails set opened_at = clock_timestamp() where id = 2;
select sent_at > now() - interval '1 day' as new, opened_at is not null as opened from goals.explain('m', 1) order by 1;
-- Inserted again with the new key, and with the old one, in other transactions.
create temp table aside as select * from emails_default;
delete from emails_default;
insert into emails overriding system value select * from aside;
delete from emails_default where id = 2;
insert into emails overriding system value select id, template, user_id, sent_at + interval '5 s', opened_at from aside where id = 2;
select sent, opened from goals.message_stats;
-- With a change of the user as well it is as it was.
update emails set id = default, user_id = 2 where id = 1;
select sent, opened from goals.message_stats;

-- The name of the message may change too: rows that carry the old one are opened.
insert into emails (template, user_id, sent_at) values ('m', 3, clock_timestamp());
select from goals.rename_message('m', 'renamed');
update emails set opened_at = clock_timestamp() where user_id = 3;
select opened_at is not null as opened from goals.explain('renamed', 3);
select goals.forget_user(1);
select count(*) from goals.reference;

-- What is empty is no ref.
select goals.record_sent('renamed', 4, ref => '');
select * from goals.deliver('renamed', 4, ref => '');
select goals.record_event(4, 'x', event_id => '');
select * from goals.verify();
select problem, object from goals.health();
-- Keys of lists and documents.
create table listed (k int[] primary key, template text, user_id bigint);
create table documented (k jsonb, n int, template text, user_id bigint, primary key (k, n));
select from goals.track_receipts('listed', 'template', 'user_id');
select from goals.track_receipts('documented', 'template', 'user_id');
insert into listed values ('{1,2}', 'renamed', 8), ('{12}', 'renamed', 8);
delete from listed;
insert into listed values ('{1,2}', 'renamed', 8), ('{12}', 'renamed', 8);
insert into documented values ('{"a": 1}', 1, 'renamed', 9), ('{"a": 1}', 2, 'renamed', 9);
delete from documented;
insert into documented values ('{"a":1}', 1, 'renamed', 9), ('{"a":1}', 2, 'renamed', 9);
select user_key, count(*) from goals.receipt where user_key in ('8', '9') group by 1 order by 1;
