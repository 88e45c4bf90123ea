-- As the migrations of Noticed 2 make them in a Rails application, and a table of comments. Its sessions are in UTC.
create table users (
    id         bigserial primary key,
    name       character varying not null,
    plan       character varying not null default 'trial',
    created_at timestamp(6) without time zone not null default (now() at time zone 'UTC')
);
create table teams (id bigserial primary key, name character varying not null);

create table noticed_events (
    id                  bigserial primary key,
    type                character varying,
    record_type         character varying,
    record_id           bigint,
    params              jsonb,
    created_at          timestamp(6) without time zone not null,
    updated_at          timestamp(6) without time zone not null,
    notifications_count integer
);
create index on noticed_events (record_type, record_id);
create table noticed_notifications (
    id             bigserial primary key,
    type           character varying,
    event_id       bigint not null,
    recipient_type character varying not null,
    recipient_id   bigint not null,
    read_at        timestamp(6) without time zone,
    seen_at        timestamp(6) without time zone,
    created_at     timestamp(6) without time zone not null,
    updated_at     timestamp(6) without time zone not null
);
create index on noticed_notifications (event_id);
create index on noticed_notifications (recipient_type, recipient_id);

create table comments (
    id         bigserial primary key,
    user_id    bigint references users on delete cascade,
    post_id    bigint not null,
    body       text not null,
    created_at timestamp(6) without time zone not null,
    updated_at timestamp(6) without time zone not null
);
create table plan_changes (user_id bigint, plan character varying, at timestamptz);

insert into users (name, plan) select 'user ' || n, case when n % 10 = 0 then 'pro' else 'trial' end
    from generate_series(1, 70) n;
insert into teams (name) select 'team ' || n from generate_series(1, 6) n;
-- from before
insert into noticed_events (type, created_at, updated_at)
    values ('NewCommentNotifier', now() at time zone 'UTC', now() at time zone 'UTC');
insert into noticed_notifications (type, event_id, recipient_type, recipient_id, created_at, updated_at)
select 'NewCommentNotifier::Notification', 1, 'User', id, now() at time zone 'UTC', now() at time zone 'UTC' from users
    where id <= 15;
