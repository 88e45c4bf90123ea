-- record_engagements() records what can be placed, and names what cannot: nothing in a set makes it fail.
create table users (id bigint primary key, plan text);
insert into users select n, 'free' from generate_series(1, 50) n;
create table accounts (name text primary key, plan text);
insert into accounts values ('anna'), ('7'), ('10');
select from goals.track_users('users');
select from goals.track_users('accounts');
select from goals.create_message('m', users => 'users');
select from goals.create_message('n', users => 'users');
select from goals.create_message('a', users => 'accounts');
select from goals.create_message('held back', users => 'users');
select from goals.set_control_group('held back', 0.5);
select goals.record_sent('m', array[1, 2, 3]::bigint[], sent_at => now() - interval '1 day');
select goals.record_sent('m', 4::bigint, ref => 'mail-4', sent_at => now() - interval '1 day') as four \gset
select goals.record_sent('held back', 5::bigint, variant => 'control', ref => 'held') as held \gset
select goals.record_sent('a', 'anna', ref => 'mail-a') > 0 as recorded;
-- One ref for several: of two messages of one user, of two users, of one user twice by two transactions
select goals.record_sent('m', 6::bigint, ref => 'both') as both_m \gset
select goals.record_sent('n', 6::bigint, ref => 'both') as both_n \gset
select goals.record_sent('m', 7::bigint, ref => 'batch') as seven \gset
select goals.record_sent('m', 8::bigint, ref => 'batch') as eight \gset
select goals.record_sent('a', '7', ref => 'batch') as account_seven \gset

create function attempt(items jsonb) returns table (recorded bigint, item jsonb, reason text, value text) language sql as $$
    select r.recorded, s -> 'item', s ->> 'reason', s ->> 'value'
    from goals.record_engagements(items) r left join lateral jsonb_array_elements(r.skipped) s on true
$$;

-- No array
select * from goals.record_engagements(null);
select * from goals.record_engagements('null');
select * from goals.record_engagements('{"message": "m", "user": 1, "kind": "opened"}');
select * from goals.record_engagements('"x"');
select * from goals.record_engagements('[]');
-- No objects
select * from attempt('[null, 1, "x", true, [], [{"message": "m", "user": 1, "kind": "opened"}], {}]');
-- Kinds
select * from attempt('[{"message": "m", "user": 1}, {"message": "m", "user": 1, "kind": null}, {"message": "m", "user": 1, "kind": "Opened"},
    {"message": "m", "user": 1, "kind": "withdrawn"}, {"message": "m", "user": 1, "kind": ["opened"]}, {"message": "m", "user": 1, "kind": {"a": 1}},
    {"message": "m", "user": 1, "kind": ""}, {"message": "m", "user": 1, "kind": 7}, {"message": "m", "user": 1, "kind": true}]');
-- Times
select * from attempt('[{"message": "m", "user": 1, "kind": "opened", "at": "yesterday evening"}, {"message": "m", "user": 1, "kind": "opened", "at": ""},
    {"message": "m", "user": 1, "kind": "opened", "at": {}}, {"message": "m", "user": 1, "kind": "opened", "at": true},
    {"message": "m", "user": 1, "kind": "opened", "at": "2026-02-30T00:00:00Z"}, {"message": "m", "user": 1, "kind": "opened", "at": "-infinity"},
    {"message": "m", "user": 1, "kind": "opened", "at": "infinity"}, {"message": "m", "user": 1, "kind": "opened", "at": "2222-01-01T00:00:00Z"},
    {"message": "m", "user": 1, "kind": "opened", "at": 1e300}, {"message": "m", "user": 1, "kind": "opened", "at": 1700000000000},
    {"message": "m", "user": 1, "kind": "opened", "at": "99999999999999999999"}, {"message": "m", "user": 1, "kind": "opened", "at": 0}]');
select * from attempt(jsonb_build_array(jsonb_build_object('message', 'm', 'user', 1, 'kind', 'opened', 'at', repeat('2026-01-01 ', 20000))));
-- Machines
select * from attempt('[{"message": "m", "user": 1, "kind": "opened", "machine": "yes"}, {"message": "m", "user": 1, "kind": "opened", "machine": 1}]');
-- Who and what
select * from attempt('[{"kind": "opened"}, {"kind": "opened", "message": "m"}, {"kind": "opened", "user": 1}, {"kind": "opened", "message": "mm", "user": 1},
    {"kind": "opened", "message": 1, "user": 1}, {"kind": "opened", "message": [], "user": 1}, {"kind": "opened", "message": "m", "user": 99},
    {"kind": "opened", "message": "m", "user": "x"}, {"kind": "opened", "message": "m", "user": 1.5}, {"kind": "opened", "message": "m", "user": {}},
    {"kind": "opened", "message": "m", "user": "9"}, {"kind": "opened", "message": "m", "user": 1, "at": "2020-01-01T00:00:00Z"},
    {"kind": "opened", "message": "held back", "user": 5}, {"kind": "opened", "ref": "held"}, {"kind": "opened", "message": "a", "user": "bob"}]');
select * from attempt(jsonb_build_array(jsonb_build_object('kind', 'opened', 'receipt', :held), jsonb_build_object('kind', 'opened', 'receipt', :held::text)));
select * from attempt('[{"kind": "opened", "receipt": 0}, {"kind": "opened", "receipt": -1}, {"kind": "opened", "receipt": 1.5}, {"kind": "opened", "receipt": "x"},
    {"kind": "opened", "receipt": ""}, {"kind": "opened", "receipt": 99999999999999999999}, {"kind": "opened", "receipt": true}, {"kind": "opened", "receipt": [1]},
    {"kind": "opened", "ref": "mail-5"}, {"kind": "opened", "ref": ""}, {"kind": "opened", "ref": {}}, {"kind": "opened", "ref": false}]');
-- Long and odd texts are cut, and come back as they were.
select * from attempt(jsonb_build_array(jsonb_build_object('kind', 'opened', 'ref', repeat('x', 100000)), jsonb_build_object('kind', E'"\\\n\té', 'ref', 'x'),
    jsonb_build_object('kind', 'opened', 'message', 'm', 'user', repeat('é', 61))));
select count(*) from goals.engagement;

-- What can be placed: by a number, by digits; a user by both; a key in another spelling. The first of receipt and ref that is given counts.
select * from attempt(jsonb_build_array(
    jsonb_build_object('receipt', :four, 'kind', 'delivered'), jsonb_build_object('receipt', :four::text, 'kind', 'bounced', 'ref', null, 'user', 99),
    '{"ref": "mail-4", "kind": "opened"}'::jsonb, '{"ref": "mail-4", "kind": "clicked", "at": null, "machine": null, "message": null, "receipt": null}'::jsonb,
    '{"message": "m", "user": 4, "kind": "complained"}'::jsonb, '{"message": "m", "user": " 4 ", "kind": "unsubscribed"}'::jsonb));
select kind, receipt_id = :four as four, at > now() - interval '1 minute' as now from goals.engagement order by engagement_id;
delete from goals.engagement;
-- A ref that is not enough, and what narrows it
select * from attempt('[{"ref": "both", "kind": "opened"}, {"ref": "both", "user": 6, "kind": "opened"}, {"ref": "both", "message": "n", "kind": "opened"},
    {"ref": "both", "message": "m", "user": "6", "kind": "clicked"}, {"ref": "both", "message": "m", "user": "7", "kind": "opened"},
    {"ref": "both", "message": "a", "kind": "opened"}, {"ref": "both", "message": "x", "kind": "opened"}, {"ref": "batch", "kind": "opened"},
    {"ref": "batch", "message": "m", "kind": "opened"}, {"ref": "batch", "user": 8, "kind": "opened"}, {"ref": "batch", "user": 7, "kind": "opened"},
    {"ref": "batch", "message": "a", "kind": "clicked"}, {"ref": "batch", "user": "x", "kind": "opened"}]');
select kind, case receipt_id when :both_m then 'm' when :both_n then 'n' when :eight then 'eight' when :account_seven then 'account' end as of
from goals.engagement order by engagement_id;
delete from goals.engagement;

-- Duplicates are kept, in the order given; the earliest counts when reading.
select * from attempt('[{"ref": "mail-4", "kind": "delivered"}, {"ref": "mail-4", "kind": "delivered"}, {"kind": "x"}, {"ref": "mail-4", "kind": "delivered"}]');
-- A hundred thousand at once, of which every tenth cannot be placed.
select r.recorded, jsonb_array_length(r.skipped), r.skipped -> 0 as first, r.skipped -> -1 as last from (select jsonb_agg(
    case when n % 10 = 0 then jsonb_build_object('ref', 'mail ' || n, 'kind', 'opened') else jsonb_build_object('message', 'm', 'user', n % 4 + 1, 'kind', 'opened') end) items
    from generate_series(1, 100000) n) i, goals.record_engagements(i.items) r;
-- More than a hundred thousand that cannot be placed are counted.
select r.recorded, jsonb_array_length(r.skipped), r.skipped -> -2 as last, r.skipped -> -1 as more
from (select jsonb_agg(n) items from generate_series(1, 100123) n) i, goals.record_engagements(i.items) r;

-- Not only in a statement of its own
do $$ declare r record; begin
    for i in 1..3 loop select * into r from goals.record_engagements('[{"ref": "mail-4", "kind": "delivered"}, {"message": "m", "user": 99, "kind": "opened"}, {"at": "x", "kind": "opened"}]');
        raise info '%', r; end loop; end $$;
-- What is rolled back was not recorded; a read-only transaction records nothing.
select count(*) from goals.engagement where kind = 'd';
begin; select recorded from goals.record_engagements('[{"ref": "mail-4", "kind": "delivered"}, {"kind": "opened", "ref": "mail-4", "at": "x"}]'); rollback;
select count(*) from goals.engagement where kind = 'd';
begin read only; select * from goals.record_engagements('[]'); rollback;
-- Users who are forgotten, gone, or whose table is gone
select goals.forget_user(4::bigint, 'users');
select * from attempt(jsonb_build_array(jsonb_build_object('receipt', :four, 'kind', 'opened'), '{"ref": "mail-4", "kind": "opened"}'::jsonb,
    '{"message": "m", "user": 4, "kind": "opened"}'::jsonb));
delete from users where id = 4;
select * from attempt('[{"message": "m", "user": 4, "kind": "opened"}]');
select from goals.drop_message('n');
select * from attempt(jsonb_build_array(jsonb_build_object('receipt', :both_n, 'kind', 'opened'), '{"ref": "both", "kind": "clicked"}'::jsonb));
drop table accounts;
select * from attempt('[{"ref": "mail-a", "kind": "opened"}, {"message": "a", "user": "anna", "kind": "opened"}, {"ref": "mail-a", "user": "anna", "kind": "opened"}]');
-- What is left to fail: a table of the extension is gone.
alter table goals.engagement rename to engagement_away;
select * from goals.record_engagements('[{"message": "m", "user": 1, "kind": "opened"}]');
alter table goals.engagement_away rename to engagement;
select recorded from goals.record_engagements('[{"message": "m", "user": 1, "kind": "opened"}]');
