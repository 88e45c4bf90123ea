-- Chatwoot: contacts, conversations, messages and one-off campaigns, with the columns that matter here. Rails writes
-- times in UTC into columns without zone. There are no foreign keys.
set timezone = 'UTC';
create table contacts (
    id                serial primary key,
    account_id        int not null,
    name              varchar default '',
    email             varchar,
    phone_number      varchar,
    identifier        varchar,
    custom_attributes jsonb default '{}',
    last_activity_at  timestamp,
    created_at        timestamp not null default now(),
    updated_at        timestamp not null default now()
);
create unique index on contacts (email, account_id);
create table conversations (
    id                   serial primary key,
    account_id           int not null,
    inbox_id             int not null,
    status               int not null default 0,   -- 0 open, 1 resolved, 2 pending, 3 snoozed
    contact_id           bigint,
    campaign_id          bigint,
    contact_last_seen_at timestamp,
    created_at           timestamp not null default now(),
    updated_at           timestamp not null default now()
);
create table messages (
    id              serial primary key,
    content         text,
    account_id      int not null,
    conversation_id int not null,
    message_type    int not null,   -- 0 incoming, 1 outgoing, 2 activity
    private         boolean not null default false,
    sender_type     varchar,        -- Contact, User, AgentBot
    sender_id       bigint,
    created_at      timestamp not null default now(),
    updated_at      timestamp not null default now()
);
create table campaigns (
    id              serial primary key,
    display_id      int not null,
    title           varchar not null,
    message         text not null,
    account_id      bigint not null,
    inbox_id        bigint not null,
    campaign_type   int not null default 0,   -- 0 ongoing, 1 one-off
    campaign_status int not null default 0,
    scheduled_at    timestamp,
    started_at      timestamp(6),
    created_at      timestamp not null default now()
);
create table campaign_recipients (
    id            bigserial primary key,
    account_id    bigint not null,
    campaign_id   bigint not null,
    contact_id    bigint not null,
    inbox_id      bigint not null,
    source_id     varchar,
    status        int not null default 0,   -- 0 pending, 1 sent, 2 delivered, 3 read, 4 failed, 5 skipped
    error_title   varchar,
    sent_at       timestamp(6),
    delivered_at  timestamp(6),
    read_at       timestamp(6),
    failed_at     timestamp(6),
    created_at    timestamp(6) not null default now(),
    updated_at    timestamp(6) not null default now(),
    unique (campaign_id, contact_id)
);

insert into contacts (account_id, name, email, phone_number, custom_attributes)
select 1, 'Contact ' || n, format('k%s@example.org', n), '+4930' || 1000 + n,
       case when n % 9 = 0 then jsonb_build_object('plan', 'pro', 'plan_since', now() - interval '50 days')
            else '{}' end
from generate_series(1, 65) n;
insert into campaigns (display_id, title, message, account_id, inbox_id, campaign_type, campaign_status) values
    (1, 'Welcome on the price page', 'Any questions?', 1, 1, 0, 0), (2, 'January', 'News', 1, 2, 1, 1);
insert into campaign_recipients (account_id, campaign_id, contact_id, inbox_id, status, sent_at, delivered_at)
select 1, 2, id, 2, 2, now() - interval '20 days', now() - interval '20 days' from contacts where id % 2 = 0;
-- conversations that are open
insert into conversations (account_id, inbox_id, contact_id) select 1, 1, id from contacts where id % 5 = 0;
