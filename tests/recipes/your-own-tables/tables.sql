-- An application that sends its own mail: a queue that a worker empties, clicks that the redirect writes, orders, and
-- one subscription per user. There are 60 users and the mail and orders of a week.
create table users (
    id         bigint generated always as identity primary key,
    email      text not null unique,
    name       text,
    created_at timestamptz not null default now()
);
create table subscriptions (
    user_id    bigint primary key references users on delete cascade,
    plan       text not null default 'free',
    seats      int not null default 1,
    created_at timestamptz not null default clock_timestamp()
);
create table emails (
    id        bigint generated always as identity primary key,
    user_id   bigint not null references users on delete cascade,
    template  text not null,
    status    text not null default 'queued' check (status in ('queued', 'sent', 'failed', 'bounced')),
    error     text,
    queued_at timestamptz not null default now(),
    sent_at   timestamptz,   -- the last attempt, whatever came of it
    opened_at timestamptz
);
create table email_clicks (
    id         bigint generated always as identity primary key,
    email_id   bigint not null references emails on delete cascade,
    url        text not null,
    clicked_at timestamptz not null default clock_timestamp()
);
create table orders (
    id         bigint generated always as identity primary key,
    user_id    bigint references users on delete set null,   -- null: a guest
    status     text not null default 'cart',
    total      numeric(10, 2) not null default 0,
    created_at timestamptz not null default now(),
    paid_at    timestamptz
);

-- the application's own log of plans, and the table into which a nightly job moves mail
create table plan_log (user_id bigint, plan text, at timestamptz);
create function log_plan() returns trigger language plpgsql as $$ begin
    if tg_op = 'INSERT' or new.plan <> old.plan then
        insert into plan_log
        values (new.user_id, new.plan, case tg_op when 'INSERT' then new.created_at else clock_timestamp() end);
    end if;
    return null;
end $$;
create trigger log_plan after insert or update on subscriptions for each row execute function log_plan();
create table emails_archive (like emails);

insert into users (email, name, created_at)
select format('user%s@example.org', n), 'User ' || n, now() - interval '40 days' from generate_series(1, 60) n;
insert into subscriptions (user_id, plan, created_at)
select id, case when id % 12 = 0 then 'pro' else 'free' end, now() - interval '30 days' from users where id % 5 <> 0;
insert into emails (user_id, template, status, queued_at, sent_at)
select id, 'weekly digest', 'sent', now() - interval '7 days', now() - interval '7 days' from users;
insert into orders (user_id, status, total, created_at, paid_at)
select id, 'paid', 5, now() - interval '9 days', now() - interval '8 days' from users where id % 4 = 0;
