-- As the generators of ahoy_email and ahoy make them in a Rails application. Its sessions are in UTC.
create table users (
    id         bigserial primary key,
    email      character varying not null,
    plan       character varying not null default 'free',
    created_at timestamp(6) without time zone not null default (now() at time zone 'UTC')
);
create table admins (id bigserial primary key, email character varying not null);

create table ahoy_messages (
    id        bigserial primary key,
    user_type character varying,
    user_id   bigint,
    "to"      character varying,
    mailer    character varying,
    subject   text,
    sent_at   timestamp(6) without time zone,
    campaign  character varying
);
create index on ahoy_messages (user_type, user_id);
create index on ahoy_messages (campaign);
create table ahoy_clicks (id bigserial primary key, campaign character varying, token character varying);

create table ahoy_visits (
    id           bigserial primary key,
    visit_token  character varying unique,
    user_id      bigint,
    utm_campaign character varying,
    started_at   timestamp(6) without time zone
);
create table ahoy_events (
    id         bigserial primary key,
    visit_id   bigint,
    user_id    bigint,
    name       character varying,
    properties jsonb,
    time       timestamp(6) without time zone
);

insert into users (email) select 'user' || n || '@example.org' from generate_series(1, 60) n;
insert into admins (email) select 'admin' || n || '@example.org' from generate_series(1, 5) n;
-- mail and events from before
insert into ahoy_messages (user_type, user_id, mailer, sent_at)
select 'User', id, 'TrialMailer#ends_soon', now() at time zone 'UTC' - interval '1 day' from users where id <= 10;
insert into ahoy_events (user_id, name, properties, time)
select id, 'Subscribed', '{"amount": 5}', now() at time zone 'UTC' - interval '1 hour' from users where id <= 3;
