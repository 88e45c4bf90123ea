-- As `php artisan make:notifications-table` and Laravel Cashier make them, and a table of invoices. Times are UTC, to
-- the second.
create table users (
    id         bigserial primary key,
    name       character varying(255) not null,
    email      character varying(255) not null unique,
    created_at timestamp(0) without time zone,
    updated_at timestamp(0) without time zone
);
create table teams (id bigserial primary key, name character varying(255) not null);

create table notifications (
    id              uuid primary key,
    type            character varying(255) not null,
    notifiable_type character varying(255) not null,
    notifiable_id   bigint not null,
    data            json not null,
    read_at         timestamp(0) without time zone,
    created_at      timestamp(0) without time zone,
    updated_at      timestamp(0) without time zone
);
create index on notifications (notifiable_type, notifiable_id);

create table subscriptions (
    id            bigserial primary key,
    user_id       bigint not null,
    type          character varying(255) not null,
    stripe_id     character varying(255) not null unique,
    stripe_status character varying(255) not null,
    stripe_price  character varying(255),
    quantity      integer,
    trial_ends_at timestamp(0) without time zone,
    ends_at       timestamp(0) without time zone,
    created_at    timestamp(0) without time zone,
    updated_at    timestamp(0) without time zone
);
create table invoices (
    id         bigserial primary key,
    user_id    bigint not null,
    total      numeric(10, 2) not null,
    paid_at    timestamp(0) without time zone,
    created_at timestamp(0) without time zone,
    updated_at timestamp(0) without time zone
);

-- what the webhooks of Stripe said, as the application keeps it
create table webhook_calls (stripe_id text, stripe_status text, at timestamptz default clock_timestamp());

insert into users (name, email) select 'User ' || n, 'user' || n || '@example.org' from generate_series(1, 80) n;
insert into teams (name) select 'Team ' || n from generate_series(1, 9) n;
insert into subscriptions (user_id, type, stripe_id, stripe_status, stripe_price)
select id, 'default', 'sub_' || id, case when id <= 4 then 'active' else 'trialing' end, 'price_basic' from users
    where id <= 60;
insert into invoices (user_id, total) select id, id * 10 from users where id > 40;
-- from before
insert into notifications (id, type, notifiable_type, notifiable_id, data, created_at)
select gen_random_uuid(), 'App\Notifications\TrialEnding', 'App\Models\User', id, '{}',
    now() at time zone 'UTC' - interval '1 hour'
from users where id <= 12;
