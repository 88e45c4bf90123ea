-- A person is assigned by the key under which the person was first known: a changed key deals nobody anew, nor does a merge.
create table users (id bigint primary key, n int not null default 0);
insert into users select generate_series(1, 200);
select from goals.track_users('users');
select from goals.create_message('test');
select from goals.add_variant('test', 'a');
select from goals.add_variant('test', 'b');
select from goals.set_control_group('test', 0.3);
select from goals.create_message('other');
select from goals.add_variant('other', 'x');
select from goals.add_variant('other', 'y');
select from goals.create_message('series', kind => 'programme');
select from goals.set_control_group('series', 0.5);
select from goals.create_message('part', part_of => 'series');
create table before as
    select id, goals.assign('test', id) as test, goals.assign('other', id) as other, goals.assign('series', id) as series, goals.assign('part', id) as part from users;
select count(*) from goals.deliver('test', array(select id from users));
-- Keys of those who are known change, twice, once to and fro. (Others are not known: they have no receipt yet.)
update users set id = id + 1000;
update users set id = id + 1000 where id <= 1100;
update users set id = id - 1000 where id > 1150 and id <= 1200;
create table now as select u.id, b.id as first from users u join before b on b.id = case when u.id > 1000 then (u.id - 1) % 1000 + 1 else u.id end;
select count(*), count(*) filter (where id = first) as back from now;
create function dealt_anew() returns table (what text, people bigint) language sql as $$
    select x.what, count(*) filter (where x.now is distinct from x.was)
    from now n join before b on b.id = n.first
    cross join lateral (values ('assign test', goals.assign('test', n.id), b.test), ('assign other', goals.assign('other', n.id), b.other),
                               ('assign series', goals.assign('series', n.id), b.series), ('assign part', goals.assign('part', n.id), b.part)) x (what, now, was)
    group by x.what order by x.what $$;
select * from dealt_anew();
select count(*) filter (where d.variant is distinct from b.test) as test
from goals.deliver('test', array(select id from users)) d join now n on n.id = d.user_key::bigint join before b on b.id = n.first;
select count(*) filter (where (d.d).variant is distinct from b.other) as other
from (select n.first, goals.deliver('other', n.id) as d from now n where n.first % 2 = 0 offset 0) d join before b on b.id = d.first;
select goals.record_sent('other', array(select id from now where first % 2 = 1));
select o.user_key from goals_internal.ledger o join now n on n.id = o.user_key::bigint join before b on b.id = n.first left join goals.variant v using (variant_id)
where o.goal_id is null and o.message_id = (select message_id from goals.message where name = 'other') and v.name is distinct from b.other;
-- A row of a tracked table, and a programme.
create table sends (id bigint primary key, what text, who bigint);
select from goals.track_receipts('sends', 'what', 'who');
insert into sends select first, 'part', id from now where first > 180;
select count(*) filter (where d.variant is distinct from case when b.part = 'held out' then 'held out' end) as part
from goals.deliver('part', array(select id from now where first <= 180)) d join now n on n.id = d.user_key::bigint join before b on b.id = n.first;
select count(*) filter (where (v.name is null) <> (b.series <> 'control')) as entries
from goals.receipt r join goals.message m on m.name = 'series' join goals.revision w on w.revision_id = r.revision_id and w.message_id = m.message_id
join now n on n.id = r.user_key::bigint join before b on b.id = n.first left join goals.variant v on v.variant_id = r.variant_id where n.first <= 180;
select * from goals.verify();
-- Called in a loop, where nothing outlives a call.
do $$ begin for i in 1..20 loop perform goals.deliver('test', array(select id from users)); end loop; end $$;
-- Of two who turn out to be one, the one into whom the other is merged keeps what that one had; also when the key changes again.
select i.id as into_id, i.first as into_first, f.id as from_id from now f, now i where f.first = 3 and i.first = 4 \gset
select goals.merge_users(:'from_id', :'into_id') > 0 as merged;
select goals.assign('test', :into_id) = b.test as kept, goals.assign('test', :from_id) = b.test as as_well from before b where b.id = :into_first;
update users set id = 5000 where id = :into_id;
select goals.assign('test', 5000) = b.test as kept, goals.assign('test', :from_id) = b.test as as_well from before b where b.id = :into_first;
-- Who takes a key is somebody else.
insert into users values (:into_id);
select goals.assign('test', :into_id) = (select goals.assign('test', u.id) from (values (:into_id)) u (id)) as consistent;
drop table users, sends, before, now;
drop function dealt_anew();
