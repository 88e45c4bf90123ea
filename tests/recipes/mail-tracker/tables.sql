-- As the migrations of jdavidbakr/mail-tracker make them, the users of Laravel, and a table of lessons. Times are
-- UTC, to the second.
create table users (
    id                bigserial primary key,
    name              character varying(255) not null,
    email             character varying(255) not null unique,
    email_verified_at timestamp(0) without time zone,
    created_at        timestamp(0) without time zone,
    updated_at        timestamp(0) without time zone
);
create table sent_emails (
    id              serial primary key,
    hash            character(32) not null unique,
    headers         text,
    sender_name     character varying(255),
    sender_email    character varying(255),
    recipient_name  character varying(255),
    recipient_email character varying(255),
    subject         character varying(255),
    content         text,
    opens           integer,
    clicks          integer,
    message_id      character varying(255),
    meta            text,
    created_at      timestamp(0) without time zone,
    updated_at      timestamp(0) without time zone,
    opened_at       timestamp(0) without time zone,
    clicked_at      timestamp(0) without time zone
);
create index on sent_emails (message_id);
create table sent_emails_url_clicked (
    id            serial primary key,
    sent_email_id integer not null references sent_emails on delete cascade,
    url           text,
    hash          character(32) not null,
    clicks        integer not null default 1,
    created_at    timestamp(0) without time zone,
    updated_at    timestamp(0) without time zone
);

create table lessons (
    id          bigserial primary key,
    user_id     bigint not null references users on delete cascade,
    course      character varying(255) not null,
    finished_at timestamp(0) without time zone,
    created_at  timestamp(0) without time zone
);

insert into users (name, email, email_verified_at)
select 'User ' || n, 'user' || n || '@example.org', case when n % 7 = 0 then now() end from generate_series(1, 75) n;
insert into lessons (user_id, course) select id, case when l = 4 then 'piano' else 'guitar' end
    from users, generate_series(1, 4) l;
-- a mail from before, of which the mailer has said nothing yet
insert into sent_emails (hash, headers, recipient_email, subject, message_id, created_at)
select md5('before' || id), '', email, 'Verify Email Address', gen_random_uuid(), now() at time zone 'UTC' from users
    where id <= 3;
update sent_emails set message_id = 'before-' || id where id <= 2;
