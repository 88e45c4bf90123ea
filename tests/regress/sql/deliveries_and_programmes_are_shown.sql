-- What else happens to a message, and the messages of a programme, in the bar and in the report.
create table users (id bigint primary key, plan text);
insert into users select n, 'free' from generate_series(1, 400) n;
select from goals.track_users('users');
select from goals.create_message('everything we write', kind => 'programme');
select from goals.create_message('onboarding', kind => 'programme', part_of => 'everything we write');
select from goals.create_message('day 1', kind => 'one_off', channel => 'e-mail', part_of => 'onboarding');
select from goals.create_message('a reminder whose name is longer than a line of the bar has room for', part_of => 'onboarding');
select from goals.create_message('day 3', part_of => 'onboarding');
select from goals.set_goal('day 1', 'plan', 'is changed', time_limit => '7 days');
select from goals.set_goal('onboarding', 'plan', 'is changed', time_limit => '30 days');
select from goals.set_control_group('onboarding', 0.1);
-- Entries of 10 into all, 8 into the series, and 2 held out of that
create function entered(programme text, of_users text, variant text = null) returns bigint language sql as $$
    with made as (
        insert into goals.receipt (receipt_id, sent_at, users_source_id, revision_id, variant_id, user_key, flags)
        select nextval('goals.receipt_id_seq'), now() - interval '1 hour', m.users_source_id, r.revision_id, v.variant_id, u.id, 2
        from goals.message m join goals.revision r using (message_id)
        left join goals.variant v on v.message_id = m.message_id and v.name = entered.variant
        cross join users u
        where m.name = programme and u.id <@ of_users::int8range
              and r.revision_id = (select max(x.revision_id) from goals.revision x where x.message_id = m.message_id)
        returning 1)
    select count(*) from made
$$;
create view bar as select m.name, b.ordinality as no, b.bar
    from goals.message m, goals.stats_bar(m.name) with ordinality b (bar, ordinality);
\t on
\pset format unaligned
-- Nothing yet
select bar from bar order by name, no;
select entered('everything we write', '[1,10]'), entered('onboarding', '[1,8]'), entered('onboarding', '[9,10]', 'control');
select count(*) from (select goals.record_sent('day 1', id) from users where id <= 8) x;
update users set plan = 'pro' where id in (2, 9);
select bar from bar where name = 'day 1' order by no;
-- What did not bounce was delivered, as long as no delivery is reported.
create function engaged(of_users text, kind text, by_machine boolean = null) returns bigint language sql as $$
    with made as (
        insert into goals.engagement (engagement_id, receipt_id, at, kind, machine)
        select nextval('goals.engagement_id_seq'), r.receipt_id, now(), engaged.kind::"char", by_machine
        from goals.receipt r join goals.revision v using (revision_id) join goals.message m on m.message_id = v.message_id
        where m.name = 'day 1' and r.user_key::bigint <@ of_users::int8range
        returning 1)
    select count(*) from made
$$;
select engaged('[1,1]', 'b');
select bar from bar where name = 'day 1' order by no;
select goals.report_data('day 1') -> 'totals';
select engaged('[2,7]', 'd'), engaged('[3,3]', 'p'), engaged('[3,4]', 'u'), engaged('[2,3]', 'o'), engaged('[5,7]', 'o', true), engaged('[7,7]', 'c', true);
select bar from bar where name = 'day 1' order by no;
select goals.report_data('day 1') -> 'totals';
select goals.report_data('day 1') #> '{goals,0,delivered}';
-- Programmes: their goals as of any message, and their messages as steps. A message is sent to a person as often as it is.
select count(*) from (select goals.record_sent('day 3', id) from users cross join generate_series(1, 1000) where id = 1) x;
select bar from bar where name in ('onboarding', 'everything we write') order by name, no;
select jsonb_pretty(goals.report_data('onboarding') -> 'parts');
select goals.report_data('everything we write') -> 'parts' ->> 0;
select name, goals.report_data(name) -> 'message' ->> 'part_of', jsonb_typeof(goals.report_data(name) -> 'parts') from goals.message order by 1;
-- The same once all is rolled up
create table before as select * from bar;
select from goals.roll_up();
select count(*) from (table before except table bar) x;
-- Every line has 80 columns.
select distinct length(bar) from bar;
-- The report says the same in words.
create function words(page text) returns text language sql as $$
    select string_agg(w, '|' order by n) from regexp_split_to_table(regexp_replace(page, '<style>.*</style>', ''), '<[^>]*>\s*')
        with ordinality x (w, n) where w ~ '[a-z0-9]' and w !~ 'UTC'
$$;
select substring(words(goals.report('day 1')) from '^.*Created');
select substring(words(goals.report('day 1')) from 'What else is known.*Small print');
select substring(words(goals.report('onboarding')) from '^.*Created');
select substring(words(goals.report('onboarding')) from 'Messages of the programme.*primary one\.');
-- A message that is dropped is no step any more, and one whose programme is dropped is part of none.
select from goals.drop_message('day 3');
select bar from bar where name = 'onboarding' order by no;
select goals.report_data('onboarding') #>> '{parts,1,name}', jsonb_array_length(goals.report_data('onboarding') -> 'parts');
select from goals.drop_message('everything we write');
select bar from bar where name = 'onboarding' and no = 1;
select from goals.drop_message('onboarding');
select bar from bar where name = 'day 1' and no = 1;
select goals.report_data('day 1') -> 'message' ->> 'part_of' is null;
