-- Rows may name a message by the id that it has in the application's tables: known_as.
create table users (id bigint primary key, plan text);
insert into users select n, 'free' from generate_series(1, 30) n;
select from goals.track_users('users');
create table by_text (template text, user_id bigint);
create table by_number (template int, user_id bigint);
create table by_uuid (template uuid, user_id bigint);
select from goals.track_receipts('by_text', message => 'template', user_key => 'user_id');
select from goals.track_receipts('by_number', message => 'template', user_key => 'user_id');
select from goals.track_receipts('by_uuid', message => 'template', user_key => 'user_id');

select from goals.create_message('number', known_as => '7');
select from goals.create_message('padded', known_as => '012');
select from goals.create_message('uuid', known_as => 'A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11');
select from goals.create_message('word', known_as => 'welcome_v2');
select from goals.create_message('8');
insert into by_text values ('7', 1), ('007', 2), ('number', 3), ('welcome_v2', 4), ('word', 5), ('012', 6), ('12', 7),
    ('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 8), ('A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11', 9);
insert into by_number values (7, 11), (12, 12), (8, 13), (9, 14);
insert into by_uuid values ('a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 21), ('{A0EEBC999C0B4EF8BB6D6BB9BD380A11}', 22);
select m.name, string_agg(r.user_key, ' ' order by r.receipt_id) as users
from goals.receipt r join goals.revision v using (revision_id) join goals.message m on m.message_id = v.message_id
group by m.name order by m.name;
-- What no message is known as is shown as it stands there.
select problem, object from goals.health() order by object;

-- An id comes before a name.
select from goals.create_message('spring', known_as => 'autumn');
select from goals.create_message('autumn', known_as => 'spring');
insert into by_text values ('spring', 1), ('autumn', 2), ('autumn', 3);
select message, sent from goals.message_stats where message in ('spring', 'autumn') order by 1;
-- The id stays with a message that gets another name, and is free when it is dropped.
select from goals.rename_message('word', 'words');
insert into by_text values ('welcome_v2', 10);
select sent from goals.message_stats where message = 'words';
select from goals.create_message('another', known_as => 'welcome_v2');
select from goals.drop_message('words');
insert into by_text values ('welcome_v2', 11);
select problem, object from goals.health() where object like 'welcome%';
select from goals.create_message('another', known_as => 'welcome_v2');
insert into by_text values ('welcome_v2', 12);
select sent from goals.message_stats where message = 'another';
select problem, object from goals.health() where object like 'welcome%';

-- Calls take names only.
select goals.record_sent('7', 1::bigint);
-- What is refused.
select from goals.create_message('more', known_as => '7');
select from goals.create_message('more', known_as => '');
select from goals.create_message('more', known_as => repeat('x', 1001));
select from goals.create_message('number', known_as => 'n');
-- A message that is there is left as it is.
select goals.create_message('number', kind => 'one_off', known_as => 'n', if_not_exists => true) = m.message_id as same,
    m.kind, m.known_as from goals.message m where m.name = 'number';
select goals.create_message('new', if_not_exists => true) = max(message_id) + 1 as made from goals.message;
select goals.create_message('newer', known_as => '7', if_not_exists => true);
