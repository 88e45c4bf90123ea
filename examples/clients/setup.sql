-- What the examples in this folder start from: a shop's customers, tracked, and a role that may set up, send and read.
-- Run it as a superuser in a database of its own, after the roles of docs/operations.md ("Roles"), with `-v owner=NAME` for the role
-- that the application connects as, which exists already.
\set ON_ERROR_STOP on
create table customers (
    id        bigint primary key,
    email     text not null,
    plan      text not null default 'free',
    sessions  integer not null default 0,
    balance   numeric(12, 2) not null default 0,
    score     double precision not null default 0,
    settings  jsonb not null default '{}',
    tags      text[] not null default '{}',
    active    boolean not null default true,
    signed_up timestamptz not null,
    born      date
);
-- values that do not survive a careless round trip unchanged in their text: 10.10, 0.1 + 0.2, key order, 1.0 in a document, an instant of another zone
insert into customers (id, email, plan, sessions, balance, score, settings, tags, active, signed_up, born)
select n, 'Customer' || n || '@example.org', case when n = 9 then 'pro' else 'free' end, n % 3, n * 10.10, 0.1::float8 + 0.2::float8 * n,
       '{"theme": "light", "zoom": 1.0, "a list": [1, "two", null], "größe": {"b": 1, "a": 2.50}}', array['a', 'b "quoted"', 'ü'], n % 2 = 0,
       '2024-03-31 01:59:59.999+02'::timestamptz + n * interval '1 day', case when n % 4 > 0 then date '1990-02-28' + n::int end
from generate_series(1, 30) n;

-- notes each UPDATE that names every column, whatever it sets them to: so the tests know which clients save whole objects
create table whole_saves (customer bigint not null);
create function note_whole_save() returns trigger language plpgsql as
    $$ begin insert into whole_saves values (new.id); return null; end $$;
create trigger note_whole_save after update of born on customers for each row execute function note_whole_save();

alter table customers owner to :"owner";
alter table whole_saves owner to :"owner";

create extension if not exists pg_goals;
select goals.track_users('customers');
grant goals_admin to :"owner";
