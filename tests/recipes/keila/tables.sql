-- Keila: contacts, campaigns and messages, with the columns that matter here, beside a table of orders of the shop that
-- uses it. Times are timestamp(0) in UTC. Campaign 1 was sent before pg_goals came; five of its messages are queued.
set timezone = 'UTC';
create extension citext;

create table projects (id bigserial primary key, name varchar(255));
create table contacts (
    id          bigserial primary key,
    project_id  bigint references projects on delete cascade,
    email       citext,
    external_id varchar(40),
    first_name  varchar(255),
    status      smallint not null default 1,   -- 1 active, 2 unsubscribed, 3 unreachable
    data        jsonb,
    inserted_at timestamp(0) not null default now(),
    updated_at  timestamp(0) not null default now()
);
create unique index on contacts (email, project_id);
create unique index on contacts (external_id, project_id);
create table mailings_campaigns (
    id            bigserial primary key,
    project_id    bigint references projects on delete cascade,
    subject       varchar(255) not null,
    scheduled_for timestamp(0),
    sent_at       timestamp(0),
    inserted_at   timestamp(0) not null default now()
);
create table messages (
    id                      bigserial primary key,
    project_id              bigint references projects on delete cascade,
    campaign_id             bigint references mailings_campaigns on delete cascade,
    contact_id              bigint references contacts on delete set null,
    recipient_email         citext,
    status                  smallint default 0,   -- 0 unrendered, 1 ready, 2 queued, 10 sent, -1 failed
    receipt                 varchar(255),
    queued_at               timestamp(0),
    sent_at                 timestamp(0),
    opened_at               timestamp(0),
    clicked_at              timestamp(0),
    failed_at               timestamp(0),
    soft_bounce_received_at timestamp(0),
    hard_bounce_received_at timestamp(0),
    complaint_received_at   timestamp(0),
    unsubscribed_at         timestamp(0),
    inserted_at             timestamp(0) not null default now(),
    updated_at              timestamp(0) not null default now()
);
create table shop_orders (
    id         bigint generated always as identity primary key,
    email      text not null,
    total      numeric(10, 2) not null,
    created_at timestamptz not null default clock_timestamp(),
    placed_at  timestamptz
);

insert into projects (name) values ('Shop'), ('Blog');
insert into contacts (project_id, email, external_id, data)
select 1, format('Person%s@example.org', n), 'p' || n,
       case when n % 10 = 0 then jsonb_build_object('plan', 'pro', 'plan_since', now() - interval '60 days')
            else '{"plan": "free"}' end
from generate_series(1, 60) n;
insert into contacts (project_id, email, data)
select 2, format('person%s@example.org', n), '{}' from generate_series(1, 20) n;
insert into mailings_campaigns (project_id, subject, sent_at) values (1, 'Winter sale', now() - interval '9 days');
insert into messages (project_id, campaign_id, contact_id, recipient_email, status, queued_at, sent_at)
select 1, 1, id, email, case when id <= 55 then 10 else 2 end, now() - interval '9 days',
       case when id <= 55 then now() - interval '9 days' end
from contacts where project_id = 1;
insert into shop_orders (email, total, placed_at)
select lower(email), 9, now() - interval '20 days' from contacts where project_id = 1 and id % 3 = 0;
