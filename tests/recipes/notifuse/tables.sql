-- Notifuse: the database of one workspace, with the columns that matter here. Rows refer to each other without foreign
-- keys, and Notifuse's own triggers write a timeline.
create table contacts (
    email           varchar(255) primary key,
    external_id     varchar(255),
    first_name      varchar(255),
    custom_string_1 varchar(255),   -- here: the plan
    custom_number_1 decimal,
    created_at      timestamptz not null default current_timestamp,
    updated_at      timestamptz not null default current_timestamp
);
create table broadcasts (
    id               varchar(255) primary key,
    workspace_id     varchar(32) not null,
    name             varchar(255) not null,
    status           varchar(20) not null,
    winning_template varchar(32),
    created_at       timestamptz not null,
    started_at       timestamptz
);
create table message_history (
    id               varchar(255) primary key,
    contact_email    varchar(255) not null,
    broadcast_id     varchar(255),
    automation_id    varchar(36),
    template_id      varchar(32) not null,
    template_version int not null default 1,
    channel          varchar(20) not null default 'email',
    status_info      varchar(255),
    message_data     jsonb not null default '{}',
    sent_at          timestamptz not null,
    delivered_at     timestamptz,
    failed_at        timestamptz,
    opened_at        timestamptz,
    clicked_at       timestamptz,
    bounced_at       timestamptz,
    complained_at    timestamptz,
    unsubscribed_at  timestamptz,
    created_at       timestamptz not null default current_timestamp,
    updated_at       timestamptz not null default current_timestamp
);
create table contact_segments (
    email      varchar(255) not null,
    segment_id varchar(32) not null,
    version    int not null,
    matched_at timestamptz not null,
    primary key (email, segment_id)
);
create table custom_events (
    event_name  varchar(100) not null,
    external_id varchar(255) not null,
    email       varchar(255) not null,
    properties  jsonb not null default '{}',
    occurred_at timestamptz not null,
    source      varchar(50) not null default 'api',
    goal_name   varchar(100),
    goal_type   varchar(20),
    goal_value  decimal(15, 2),
    deleted_at  timestamptz,
    created_at  timestamptz default now(),
    updated_at  timestamptz default now(),
    primary key (event_name, external_id)
);
create table contact_timeline (
    id          uuid primary key default gen_random_uuid(),
    email       varchar(255) not null,
    kind        varchar(50) not null,
    entity_id   varchar(255),
    changes     jsonb,
    created_at  timestamptz not null
);

create function track_contact_changes() returns trigger language plpgsql as $$ begin
    if old.custom_string_1 is distinct from new.custom_string_1 then
        insert into contact_timeline (email, kind, changes, created_at)
        values (new.email, 'contact.updated', jsonb_build_object('plan', new.custom_string_1), clock_timestamp());
    end if;
    return new;
end $$;
create trigger contact_changes_trigger after update on contacts for each row execute function track_contact_changes();
create function track_segment_changes() returns trigger language plpgsql as $$ begin
    insert into contact_timeline (email, kind, entity_id, created_at)
    values (new.email, 'segment.joined', new.segment_id, clock_timestamp());
    return new;
end $$;
create trigger segment_changes_trigger after insert on contact_segments
for each row execute function track_segment_changes();

insert into contacts (email, first_name, custom_string_1)
select format('c%s@example.org', n), 'Contact ' || n, case when n % 8 = 0 then 'pro' else 'free' end
from generate_series(1, 64) n;
insert into contact_timeline (email, kind, changes, created_at)
select email, 'contact.updated', jsonb_build_object('plan', custom_string_1), now() - interval '90 days' from contacts;
insert into broadcasts
values ('b0', 'shop', 'January', 'processed', null, now() - interval '30 days', now() - interval '30 days');
insert into message_history (id, contact_email, broadcast_id, template_id, sent_at)
select 'h0-' || email, email, 'b0', 't0', now() - interval '30 days' from contacts;
insert into custom_events (event_name, external_id, email, occurred_at, goal_type, goal_value)
select 'order', 'old-' || email, email, now() - interval '31 days', 'purchase', 10
from contacts where custom_string_1 = 'pro';
alter table contact_segments disable trigger user;
insert into contact_segments select email, 'vip', 1, now() from contacts where custom_string_1 = 'pro';
alter table contact_segments enable trigger user;
