-- As the migrations of backstage/laravel-mails make them, the users of Laravel, and a table of orders. Times are UTC,
-- to the second.
create table users (
    id                bigserial primary key,
    name              character varying(255) not null,
    email             character varying(255) not null unique,
    email_verified_at timestamp(0) without time zone,
    created_at        timestamp(0) without time zone,
    updated_at        timestamp(0) without time zone
);
create table mails (
    id              bigserial primary key,
    uuid            character varying(255),
    mailer          character varying(255) not null,
    transport       character varying(255),
    stream_id       character varying(255),
    mail_class      character varying(255),
    subject         character varying(255),
    "from"          jsonb,
    reply_to        jsonb,
    "to"            jsonb,
    cc              jsonb,
    bcc             jsonb,
    html            text,
    text            text,
    opens           bigint not null default 0,
    clicks          bigint not null default 0,
    tags            jsonb,
    sent_at         timestamp(0) without time zone,
    resent_at       timestamp(0) without time zone,
    accepted_at     timestamp(0) without time zone,
    delivered_at    timestamp(0) without time zone,
    last_opened_at  timestamp(0) without time zone,
    last_clicked_at timestamp(0) without time zone,
    complained_at   timestamp(0) without time zone,
    soft_bounced_at timestamp(0) without time zone,
    hard_bounced_at timestamp(0) without time zone,
    unsubscribed_at timestamp(0) without time zone,
    created_at      timestamp(0) without time zone,
    updated_at      timestamp(0) without time zone
);
create index on mails (uuid);
create index on mails (mail_class);
create table mail_events (
    id          bigserial primary key,
    mail_id     bigint not null references mails on delete cascade,
    type        character varying(255) not null,
    link        text,
    payload     jsonb,
    created_at  timestamp(0) without time zone,
    updated_at  timestamp(0) without time zone,
    occurred_at timestamp(0) without time zone
);
create table mailables (
    mail_id       bigint not null references mails on delete cascade,
    mailable_type character varying(255) not null,
    mailable_id   bigint not null
);

create table orders (
    id         bigserial primary key,
    user_id    bigint not null,
    total      numeric(10, 2) not null,
    paid_at    timestamp(0) without time zone,
    created_at timestamp(0) without time zone
);

insert into users (name, email, email_verified_at)
select 'User ' || n, 'user' || n || '@example.org', case when n % 5 = 0 then now() end from generate_series(1, 70) n;
insert into orders (user_id, total) select id, id + 0.99 from users where id <= 40;
-- a mail from before
insert into mails (uuid, mailer, mail_class, "to", sent_at, created_at)
select 'before-' || id, 'smtp', 'App\Mail\CartReminder', jsonb_build_object(email, name),
    now() at time zone 'UTC', now() at time zone 'UTC'
from users where id <= 6;
