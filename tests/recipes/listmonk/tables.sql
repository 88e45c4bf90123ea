-- listmonk: subscribers, lists and campaigns, with the columns that matter here. Nothing is stored per recipient.
create type list_optin as enum ('single', 'double');
create type subscriber_status as enum ('enabled', 'disabled', 'blocklisted');
create type subscription_status as enum ('unconfirmed', 'confirmed', 'unsubscribed');
create type campaign_status as enum ('draft', 'running', 'scheduled', 'paused', 'cancelled', 'finished');
create type campaign_type as enum ('regular', 'optin');
create type bounce_type as enum ('soft', 'hard', 'complaint');

create table subscribers (
    id         serial primary key,
    uuid       uuid not null unique default gen_random_uuid(),
    email      text not null unique,
    name       text not null,
    attribs    jsonb not null default '{}',
    status     subscriber_status not null default 'enabled',
    created_at timestamptz default now(),
    updated_at timestamptz default now()
);
create unique index on subscribers (lower(email));
create table lists (
    id    serial primary key,
    name  text not null,
    optin list_optin not null default 'single'
);
create table subscriber_lists (
    subscriber_id int references subscribers on delete cascade on update cascade,
    list_id       int references lists on delete cascade on update cascade,
    meta          jsonb not null default '{}',
    status        subscription_status not null default 'unconfirmed',
    created_at    timestamptz default now(),
    updated_at    timestamptz default now(),
    primary key (subscriber_id, list_id)
);
create table campaigns (
    id                 serial primary key,
    uuid               uuid not null unique default gen_random_uuid(),
    name               text not null,
    subject            text not null,
    send_at            timestamptz,
    status             campaign_status not null default 'draft',
    type               campaign_type default 'regular',
    messenger          text not null default 'email',
    to_send            int not null default 0,
    sent               int not null default 0,
    max_subscriber_id  int not null default 0,
    last_subscriber_id int not null default 0,
    started_at         timestamptz,
    created_at         timestamptz default now()
);
create table campaign_lists (
    campaign_id int not null references campaigns on delete cascade on update cascade,
    list_id     int references lists on delete set null on update cascade,
    list_name   text not null default '',
    unique (campaign_id, list_id)
);
create table campaign_views (
    id            bigserial primary key,
    campaign_id   int not null references campaigns on delete cascade on update cascade,
    subscriber_id int references subscribers on delete set null on update cascade,
    created_at    timestamptz default now()
);
create table links (id serial primary key, url text not null unique);
create table link_clicks (
    id            bigserial primary key,
    campaign_id   int references campaigns on delete cascade on update cascade,
    link_id       int not null references links on delete cascade on update cascade,
    subscriber_id int references subscribers on delete set null on update cascade,
    created_at    timestamptz default now()
);
create table bounces (
    id            serial primary key,
    subscriber_id int not null references subscribers on delete cascade on update cascade,
    campaign_id   int references campaigns on delete set null on update cascade,
    type          bounce_type not null default 'hard',
    source        text not null default '',
    meta          jsonb not null default '{}',
    created_at    timestamptz default now()
);

-- 70 subscribers. Everyone is on list 1, two thirds of the later ones have confirmed list 2.
insert into lists (name, optin) values ('Customers', 'single'), ('News', 'double'), ('Partners', 'single');
insert into links (url) values ('https://example.org/plans'), ('https://example.org/news');
insert into subscribers (email, name, status, attribs, created_at)
select format('sub%s@example.org', n), 'Subscriber ' || n,
       case when n % 13 = 0 then 'blocklisted' else 'enabled' end::subscriber_status,
       case when n % 10 = 0 then jsonb_build_object('plan', 'pro', 'plan_since', now() - interval '60 days')
            else '{"plan": "free"}' end, now() - interval '90 days'
from generate_series(1, 70) n;
insert into subscriber_lists (subscriber_id, list_id, status, updated_at)
select id, 1,
       case when id % 11 = 0 or status = 'blocklisted' then 'unsubscribed' else 'unconfirmed' end::subscription_status,
       now() - interval '90 days' from subscribers;
insert into subscriber_lists (subscriber_id, list_id, status, meta, updated_at)
select id, 2, case when id % 3 = 0 then 'unconfirmed' else 'confirmed' end::subscription_status,
       case when id % 3 = 0 then '{}' else '{"optin_ip": "192.0.2.1"}' end::jsonb, now() - interval '90 days'
from subscribers where id > 15 and status <> 'blocklisted';
insert into campaigns (name, subject, status, to_send, sent, started_at, created_at)
values ('January news', 'News of January', 'finished', 34, 34, now() - interval '20 days', now() - interval '20 days');
insert into campaign_lists (campaign_id, list_id, list_name) values (1, 2, 'News');

-- what the mail server notes: listmonk itself keeps only numbers
create table mail_log (campaign_id int, subscriber_id int, at timestamptz);
insert into mail_log
select 1, subscriber_id, now() - interval '20 days' from subscriber_lists
where list_id = 2 and status = 'confirmed';
-- and what listmonk exports for a person before it deletes them
create table exported_views (like campaign_views);
create table exported_lists (like subscriber_lists);
