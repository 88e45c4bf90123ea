-- At most 100,000 rows of a campaigns table are messages. What is beyond is none, and health() says so.
create table users (id bigint primary key, plan text);
insert into users select n, 'free' from generate_series(1, 10) n;
select from goals.track_users('users');
create table campaigns (id int primary key, title text);
create table mails (campaign int, user_id bigint);
select from goals.track_messages('campaigns', 'id', 'title');
select from goals.track_receipts('mails', message => 'campaign', user_key => 'user_id');
-- as if they had been rows
insert into goals.message (kind, users_source_id, source_id, row_key, like_message_id)
select m.kind, m.users_source_id, m.source_id, 'row ' || g, m.message_id
from goals.message m, generate_series(1, 99999) g where m.source_id is not null;
insert into campaigns values (1, 'The last one'), (2, 'One too many');
insert into campaigns values (3, 'One more');
insert into mails values (1, 1), (2, 2);
select message, sent from goals.message_stats;
select problem, object, hint from goals.health() order by 1;
-- a name may change still
update campaigns set title = 'The last one of all' where id = 1;
select message, sent from goals.message_stats;
-- the same for rows that exist
select from goals.track_messages('campaigns', 'id', 'title');
select message, sent from goals.message_stats;
select problem, object from goals.health() order by 1;
-- and where there is room again
delete from goals.message where row_key = 'row 1';
\c
insert into campaigns values (4, 'Fits again'), (5, 'Does not');
select message, sent from goals.message_stats order by 1;
