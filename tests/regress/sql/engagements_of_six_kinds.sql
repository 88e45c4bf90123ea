-- A message can be delivered, bounced, opened, clicked, complained about and unsubscribed by: by message and user, with every
-- type of key, and by receipt. Every report is kept.
create table users (id bigint primary key, plan text);
create table people (id uuid primary key, plan text);
create table accounts (name text primary key, plan text);
insert into users select n, 'free' from generate_series(1, 9) n;
insert into people values ('6f1c1f6e-0000-4000-8000-000000000001', 'free');
insert into accounts values ('anna', 'free');
select from goals.track_users('users');
select from goals.track_users('people');
select from goals.track_users('accounts');
select from goals.create_message('m', users => 'users');
select from goals.create_message('p', users => 'people');
select from goals.create_message('a', users => 'accounts');
select clock_timestamp() as "then" \gset
select goals.record_sent('m', 1::bigint, sent_at => :'then'::timestamptz - interval '2 days') as first \gset
select from goals.record_sent('m', 2::bigint, sent_at => :'then'::timestamptz - interval '2 days');
select from goals.record_sent('p', '6f1c1f6e-0000-4000-8000-000000000001'::uuid);
select from goals.record_sent('a', 'anna');
create view recorded as
    select r.user_key, e.kind, count(*), count(*) filter (where e.machine) as of_machines,
        min(e.at) >= min(r.sent_at) as after_sending
    from goals.engagement e join goals.receipt r using (receipt_id) group by 1, 2;

do $$
declare done text;
begin
    foreach done in array '{delivered,bounced,opened,clicked,complained,unsubscribed}'::text[] loop
        execute format('select goals.record_%s($1, $2)', done) using 'm', 2::bigint;
        execute format('select goals.record_%s($1, $2)', done) using 'm', '2'::text;
        execute format('select goals.record_%s($1, $2)', done) using 'p', '6f1c1f6e-0000-4000-8000-000000000001'::uuid;
        execute format('select goals.record_%s($1, $2)', done) using 'a', 'anna'::text;
        execute format('select goals.record_%s($1)', done) using (select min(receipt_id) from goals.receipt);
        -- the parameters by name
        execute format('select goals.record_%s(receipt_id => $1, %1$s_at => $2)', done)
            using (select min(receipt_id) from goals.receipt), clock_timestamp() - interval '1 day';
        execute format('select goals.record_%s(message => $1, user_key => $2, %1$s_at => $3)', done)
            using 'm', 1::bigint, clock_timestamp() - interval '1 day';
    end loop;
end $$;
select * from recorded order by user_key collate "C", kind::text collate "C";
-- The time is the one given; without one it is now; never before the sending.
select from goals.record_bounced(:first, :'then'::timestamptz - interval '25 hours');
select from goals.record_bounced(:first, :'then'::timestamptz - interval '9 days');
select at - :'then' as at from goals.engagement where receipt_id = :first and kind = 'b' and at < :'then'::timestamptz - interval '1 day' order by 1;

-- An open or click of a machine is one by its parameter. NULL is no machine; what was before has none.
select from goals.record_opened('m', 2::bigint, machine => true);
select from goals.record_engagements(jsonb_build_array(jsonb_build_object('receipt', :first, 'kind', 'clicked', 'machine', true)));
select from goals.record_clicked('m', '2', machine => null);
select kind, machine, count(*) from goals.engagement e where kind in ('o', 'c') group by 1, 2 order by 1, 2;

-- Without types, as drivers send them
prepare by_receipt as select goals.record_delivered($1, $2);
execute by_receipt(:'first', '2026-01-01T00:00:00Z');
select count(*) from goals.engagement e join goals.receipt r using (receipt_id) where receipt_id = :first and kind = 'd' and at = sent_at;

-- What cannot be recorded
select goals.record_delivered('m', 3::bigint);
select goals.record_bounced('m', 99::bigint);
select goals.record_complained('mm', 1::bigint);
select goals.record_complained('7', '7');
select goals.record_unsubscribed(0);
select goals.record_unsubscribed(null::bigint);
select goals.record_delivered('m', null::text);
select goals.record_delivered('m', 1::bigint, null);
select goals.record_bounced('m', 1::bigint, now() + interval '1 hour');
select goals.record_complained('m', 1::bigint, '-infinity');
select from goals.create_message('held back', users => 'users');
select from goals.set_control_group('held back', 0.5);
select goals.record_sent('held back', 1::bigint, variant => 'control') as held \gset
select goals.record_delivered('held back', 1::bigint);
select goals.record_unsubscribed(:held);

-- None of the other kinds opens a window, and all of them go with the receipt.
select from goals.set_goal('m', 'plan', 'is', 'pro', '1 day', goal => 'opened', after => 'opened');
select from goals.record_sent('m', 4::bigint);
select from goals.record_delivered('m', 4::bigint), goals.record_bounced('m', 4::bigint), goals.record_complained('m', 4::bigint),
    goals.record_unsubscribed('m', 4::bigint);
update users set plan = 'pro' where id = 4;
select count(*) from goals.match_log;
select from goals.record_opened('m', 4::bigint);
update users set plan = 'free' where id = 4;
update users set plan = 'pro' where id = 4;
select count(*) from goals.match_log;
select goals.forget_user(4::bigint, 'users');
select count(*) from goals.engagement e where not exists (select from goals.receipt r where r.receipt_id = e.receipt_id);
