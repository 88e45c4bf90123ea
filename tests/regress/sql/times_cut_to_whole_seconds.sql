-- A time cut to whole seconds belongs to the receipt of that second, and is never before its sending: by call and in sets.
create table users (id bigint primary key, plan text);
insert into users select n, 'free' from generate_series(1, 9) n;
select from goals.track_users('users');
select from goals.create_message('m');
select date_trunc('second', clock_timestamp()) - interval '1 day' as second \gset
-- 1 was sent the message within the second, and an hour before.
select goals.record_sent('m', 1::bigint, sent_at => :'second'::timestamptz - interval '1 hour') as before \gset
select goals.record_sent('m', 1::bigint, sent_at => :'second'::timestamptz + interval '0.4 seconds') as within \gset
select from goals.record_opened('m', 1::bigint, :'second');
select receipt_id = :within as within, at - :'second' as at from goals.engagement;
-- A time with a fraction is exact.
select from goals.record_clicked('m', 1::bigint, :'second'::timestamptz + interval '0.399999 seconds');
select from goals.record_clicked('m', 1::bigint, :'second'::timestamptz + interval '0.4 seconds');
select from goals.record_clicked('m', 1::bigint, :'second'::timestamptz - interval '1 second');
select receipt_id = :within as within, at - :'second' as at from goals.engagement where kind = 'c' order by at;
-- The last moment of the second is in it, the first of the next one is not.
select goals.record_sent('m', 2::bigint, sent_at => :'second'::timestamptz + interval '0.999999 seconds') as last \gset
select from goals.record_delivered('m', 2::bigint, :'second');
select goals.record_sent('m', 3::bigint, sent_at => :'second'::timestamptz + interval '1 second') as next \gset
select from goals.record_delivered('m', 3::bigint, :'second');
-- Of two of that second it is the latest.
select goals.record_sent('m', 4::bigint, sent_at => :'second'::timestamptz + interval '0.1 seconds') as one \gset
select goals.record_sent('m', 4::bigint, sent_at => :'second'::timestamptz + interval '0.2 seconds') as other \gset
select from goals.record_bounced('m', 4::bigint, :'second');
-- In sets: as text, as a number, as digits, as a number with a fraction, which is exact.
select goals.record_sent('m', 5::bigint, sent_at => :'second'::timestamptz + interval '0.5 seconds') as set \gset
select recorded, jsonb_pretty(skipped) as skipped from goals.record_engagements(jsonb_build_array(
    jsonb_build_object('message', 'm', 'user', 5, 'kind', 'delivered', 'at', to_char(:'second'::timestamptz at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')),
    jsonb_build_object('message', 'm', 'user', 5, 'kind', 'opened', 'at', extract(epoch from :'second'::timestamptz)::bigint),
    jsonb_build_object('message', 'm', 'user', 5, 'kind', 'clicked', 'at', extract(epoch from :'second'::timestamptz)::bigint::text),
    jsonb_build_object('message', 'm', 'user', 5, 'kind', 'complained', 'at', extract(epoch from :'second'::timestamptz) + 0.4)));
select user_key, kind, receipt_id in (:last, :next, :other, :set) as in_the_second, at - :'second' as at
from goals.engagement e join goals.receipt r using (receipt_id) where user_key <> '1' order by user_key, kind::text;
-- Before 2000, and without a receipt
select goals.record_opened('m', 6::bigint, '1999-12-31 23:59:59+00');
