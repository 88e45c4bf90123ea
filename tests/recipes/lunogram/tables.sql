-- Lunogram: the database of the subjects, with the columns that matter here. Campaigns are in the database of the
-- management, so what names them here refers to nothing.
create function set_updated_at() returns trigger language plpgsql as $$ begin
    new.updated_at := current_timestamp;
    return new;
end $$;
create function increment_version() returns trigger language plpgsql as $$ begin
    new.version := old.version + 1;
    return new;
end $$;
create table users (
    id              uuid primary key default gen_random_uuid(),
    project_id      uuid not null,
    anonymous_id    varchar(255) default gen_random_uuid()::text,
    external_id     varchar(255),
    email           varchar(255),
    data            jsonb not null default '{}',
    created_at      timestamptz not null default current_timestamp,
    updated_at      timestamptz not null default current_timestamp,
    unsubscribe_ids uuid[] not null default '{}',
    version         int not null default 0
);
create unique index on users (project_id, anonymous_id);
create unique index on users (project_id, external_id);
create trigger set_updated_at_users before update on users for each row execute function set_updated_at();
create trigger increment_version_users before update on users for each row execute function increment_version();
create table events (
    id         uuid primary key default gen_random_uuid(),
    project_id uuid not null,
    name       varchar(255) not null,
    unique (project_id, name)
);
create table user_events (
    id         uuid primary key default gen_random_uuid(),
    user_id    uuid not null references users on delete cascade,
    event_id   uuid not null references events on delete cascade,
    data       jsonb,
    created_at timestamptz not null default current_timestamp
);
create table user_inbox_messages (
    id             uuid primary key default gen_random_uuid(),
    project_id     uuid not null,
    user_id        uuid not null references users on delete cascade,
    external_id    text,
    channel        text not null check (channel in ('inbox', 'email', 'sms', 'push')),
    campaign_id    uuid,
    broadcast_id   uuid,
    content        jsonb not null default '{}',
    data           jsonb not null default '{}',
    source         text,
    scheduled_at   timestamptz not null default now(),
    sent_at        timestamptz,
    expires_at     timestamptz,
    read_at        timestamptz,
    archived_at    timestamptz,
    failed_at      timestamptz,
    failure_reason text,
    created_at     timestamptz not null default now(),
    updated_at     timestamptz not null default now(),
    deleted_at     timestamptz
);
create unique index on user_inbox_messages (project_id, user_id, channel, external_id) where external_id is not null;
create trigger set_updated_at_user_inbox_messages before update on user_inbox_messages
for each row execute function set_updated_at();

-- project 1 has 60 users, project 2 has 10; the number of a user is at the end of the uuid
insert into users (id, project_id, external_id, email, data)
select ('0198aaaa-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid,
       case when n <= 60 then '0198bbbb-0000-7000-8000-000000000001'
            else '0198bbbb-0000-7000-8000-000000000002' end::uuid,
       'u' || n, format('u%s@example.org', n),
       case when n % 15 = 0 then jsonb_build_object('plan', 'pro', 'plan_since', now() - interval '80 days')
            else '{}' end
from generate_series(1, 70) n;
insert into events (id, project_id, name) values
    ('0198eeee-0000-7000-8000-000000000001', '0198bbbb-0000-7000-8000-000000000001', 'order_completed'),
    ('0198eeee-0000-7000-8000-000000000002', '0198bbbb-0000-7000-8000-000000000001', 'cart_filled'),
    ('0198eeee-0000-7000-8000-000000000003', '0198bbbb-0000-7000-8000-000000000001', 'unsubscribed'),
    ('0198eeee-0000-7000-8000-000000000004', '0198bbbb-0000-7000-8000-000000000002', 'order_completed');
-- what was sent and bought before
insert into user_inbox_messages (project_id, user_id, channel, campaign_id, source, sent_at)
select project_id, id, 'email', '0198cccc-0000-7000-8000-000000000001', 'campaign', now() - interval '3 days'
from users where external_id in ('u59', 'u60');
insert into user_events (user_id, event_id, data, created_at)
select id, '0198eeee-0000-7000-8000-000000000001', '{"total": 7}', now() - interval '2 days'
from users where right(external_id, 1) = '4';
