-- The schema of one source, as Segment and RudderStack load it: one row per call, one table per event. The loaders
-- make no keys.
create schema shop;
create table shop.users (
    id          text,
    email       text,
    plan        text,
    received_at timestamptz,
    uuid_ts     timestamptz
);
create table shop.identifies (
    id                 text,
    anonymous_id       text,
    user_id            text,
    email              text,
    plan               text,
    original_timestamp timestamptz,
    sent_at            timestamptz,
    received_at        timestamptz,
    timestamp          timestamptz
);
create table shop.tracks
    (id text, anonymous_id text, user_id text, event text, event_text text, received_at timestamptz,
        timestamp timestamptz);
create table shop.order_completed (
    id           text,
    anonymous_id text,
    user_id      text,
    event        text,
    event_text   text,
    order_id     text,
    revenue      numeric,
    coupon       text,
    received_at  timestamptz,
    timestamp    timestamptz
);
-- the events of an e-mail tool, by the common names
create table shop.email_delivered (
    id            text,
    user_id       text,
    email_id      text,
    email_subject text,
    campaign_id   text,
    campaign_name text,
    received_at   timestamptz,
    timestamp     timestamptz
);
create table shop.email_opened (like shop.email_delivered);
create table shop.email_link_clicked (like shop.email_delivered, link_url text);
create table shop.email_marked_as_spam (like shop.email_delivered);
create table shop.unsubscribed (like shop.email_delivered);

insert into shop.users (id, email, plan, received_at)
select 'u' || n, 'user' || n || '@example.org', case when n % 10 = 0 then 'pro' else 'free' end, now()
    from generate_series(1, 70) n;
insert into shop.email_delivered (id, user_id, campaign_name, received_at, timestamp)
select 'before-' || n, 'u' || n, 'Spring sale', now(), now() - interval '1 hour' from generate_series(1, 8) n;
