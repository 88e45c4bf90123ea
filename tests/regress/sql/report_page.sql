-- The page is made of what goals.report_data() returns, and of nothing else.
create table users (id bigint primary key, plan text);
insert into users select i, 'free' from generate_series(1, 40) i;
select from goals.track_users('users');
select from goals.create_message('m', channel => 'email');
select from goals.set_goal('m', 'plan', 'is any of', '{pro,"two words"}', '36 hours');
select count(*) from goals.record_sent('m', array(select id::text from users)) r;
update users set plan = 'two words' where id <= 10;
-- What the page says, without its style and tags
create function words(page text) returns setof text language sql as $$
    select w from regexp_split_to_table(regexp_replace(page, '<style>.*</style>', ''), '<[^>]*>\s*') w where w ~ '[a-z0-9]'
$$;
select w from words(goals.report('m')) with ordinality x (w, n) where n < 12 and w !~ 'UTC' or w ~ '^(25|1 day)' order by n;
-- Times are of the session's time zone
set timezone to 'Asia/Kathmandu';
select count(*) from words(goals.report('m')) w where w ~ '^\d+ \w+ \d{4}, \d\d:\d\d UTC\+05:45$';
reset timezone;
-- In every interval style the same
select count(distinct md5(regexp_replace(page, '\d+ \w+ \d{4}, \d\d:\d\d', '', 'g')))
from (values ('iso_8601'), ('sql_standard'), ('postgres_verbose')) v (style),
     lateral (select set_config('intervalstyle', style, false)) c, lateral (select goals.report('m') where c is not null) p (page);
reset intervalstyle;
-- Anything else is an error that says what is wrong
create function refused(figures jsonb) returns text language plpgsql as $$
begin
    return goals_internal.report_page(figures::text);
exception when invalid_parameter_value then
    return regexp_replace(sqlerrm, ' at line 1 column \d+$', '');
end
$$;
select refused('{}');
select refused(goals.report_data('m') #- '{goals,0,sent}');
select refused(jsonb_set(goals.report_data('m'), '{goals,0,sent}', '"many"'));
select refused(jsonb_set(goals.report_data('m'), '{variants,0,rate}', '"high"'));
select refused(jsonb_set(goals.report_data('m'), '{variants,0,verdict}', '"good"'));
select refused(jsonb_set(goals.report_data('m'), '{as_of}', '"soon"'));
select goals_internal.report_page('no json');
select goals_internal.report_page(null);
-- More variants than a page takes
select refused(jsonb_set(goals.report_data('m'), '{variants}',
    (select jsonb_agg(jsonb_set(v, '{variant}', to_jsonb(i::text)))
     from jsonb_array_elements(goals.report_data('m') -> 'variants') v, generate_series(1, 1001) i)));
