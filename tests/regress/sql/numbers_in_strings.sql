-- A json string that is a plain decimal number is that number for value_from and for the operators that only numbers
-- have. For value_from a text column is too.
create table users (id bigint primary key, doc jsonb, raw json, amount text, price varchar(20), fixed char(12),
    n int default 0, mood text);
insert into users (id) select generate_series(1, 99);
select from goals.track_users('users');
create table log (user_id bigint, name text, at timestamptz, data jsonb);
select from goals.track_events('log', user_key => 'user_id', event => 'name', occurred_at => 'at',
    properties => 'data');

-- Properties of events
select from goals.create_message('rev');
select from goals.set_goal('rev', event => 'order', value_from => 'amount', time_limit => '7 days');
select goals.record_sent('rev', array(select n::text from generate_series(30, 45) n));
insert into log values (30, 'order', clock_timestamp(), '{"amount": "19.99"}'),
    (31, 'order', clock_timestamp(), '{"amount": 19.99}'), (32, 'order', clock_timestamp(), '{"amount": "-007.50"}');
select from goals.record_event(33::bigint, 'order', '{"amount": "0.01"}');
select user_key, new_value, worth from goals.matches('rev') order by user_key;
-- In plain notation only
insert into log select 34 + i, 'order', clock_timestamp(), jsonb_build_object('amount', amount)
    from unnest(array['', ' 1', '1,50', '1e3', '+1', '.5', '5.', 'NaN', '€5', '0x10']) with ordinality u (amount, i);
select count(*), count(worth) from goals.matches('rev');
-- A jsonb that is a string of JSON stays the string that it is.
insert into log values (34, 'order', clock_timestamp(), to_jsonb('{"amount": 19.99}'::text));
select matched, worth from goals.message_stats where message = 'rev';

-- Attributes: the operators of numbers, in jsonb and json alike
select from goals.create_message('m');
select count(goals.set_goal('m', c || '.n', o, v, '1 day', goal => concat_ws(' ', o, v, c)))
from (values ('greater than', '5'), ('less than', '5'), ('at least', '5'), ('at most', '5'), ('is increased', null),
             ('is decreased', null), ('is increased by', '2'), ('is', '5'), ('is not', '5'), ('is any of', '{5,6}'),
             ('is changed', null), ('contains', '5')) x (o, v),
     unnest(array['doc', 'raw']) c;
create function step(old jsonb, new jsonb) returns table (matched text, held_already text)
    language plpgsql set client_min_messages = warning as $$
begin
    update users set doc = jsonb_build_object('n', old), raw = json_build_object('n', old) where id = 1;
    perform goals.record_sent('m', '1');
    update users set doc = jsonb_build_object('n', new), raw = json_build_object('n', new) where id = 1;
    if exists (select from (select left(goal, -4) as goal, verdict from goals.explain('m', '1') where goal like '% doc'
                            except select left(goal, -4), verdict from goals.explain('m', '1')
                                where goal like '% raw') x) then
        raise exception 'json and jsonb differ';
    end if;
    return query select coalesce(string_agg(left(e.goal, -4), ', ' order by e.goal)
                                 filter (where e.verdict = 'matched'), '-'),
                        coalesce(string_agg(left(e.goal, -4), ', ' order by e.goal)
                                 filter (where e.verdict like 'already%'), '-')
                 from goals.explain('m', '1') e where e.goal like '% doc';
    perform goals.forget_user('1');
end $$;
select old, new, s.*
from (values ('"4"', '"5.0"'), ('4', '"6"'), ('"4"', '6'), ('"10"', '"9"'), ('null', '"5"'), ('"5"', '5'),
             ('"x"', '"7"'), ('""', '"7"'), ('"7"', '""'), ('"1"', '"4e0"'), ('true', '"6"'), ('[4]', '"6"'),
             ('"\u0034"', '"\u0036"')) v (old, new),
     step(old::jsonb, new::jsonb) s;
-- Digits behind escapes, in a json
update users set raw = '{"n": "\u0031"}' where id = 2;
select goals.record_sent('m', 2::bigint) > 0 as sent;
update users set raw = '{"n": "\u0033\u002e5"}' where id = 2;
select goal, old_value, new_value from goals.matches('m')
    where user_key = '2' and goal like '%increased%' order by goal;

-- Columns of text as worth
select from goals.create_message('worth');
select count(goals.set_goal('worth', 'n', 'is increased', time_limit => '1 day', goal => c, value_from => c))
    from unnest(array['amount', 'price', 'fixed', 'doc.n', 'raw.n']) c;
select goals.record_sent('worth', array['50', '51', '52']);
update users set n = 1, amount = '19.99', price = '5', fixed = '7.5', doc = '{"n": "1.5"}', raw = '{"n": "2"}'
    where id = 50;
update users set amount = '20', price = 'free', fixed = '1', doc = '{"n": "1.5"}', raw = '{"n": ""}' where id = 51;
update users set n = 1, amount = '29.99', price = '5', fixed = '3', doc = '{"n": 2}', raw = '{"n": "2"}' where id = 51;
update users set n = 1, amount = '1e3', price = '', fixed = '1 ', doc = '{"n": "1."}', raw = null where id = 52;
select user_key, goal, worth from goals.matches('worth') order by user_key, goal;
-- Not of other types that are read as text
select from goals.set_goal('worth', 'n', 'is increased', time_limit => '1 day', value_from => 'id', goal => 'a key');
create type level as enum ('1', '2');
alter table users alter mood type level using null;
select from goals.set_goal('worth', 'n', 'is increased', time_limit => '1 day', value_from => 'mood');
select from goals.verify();
