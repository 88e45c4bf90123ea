-- As the migrations of Solidus make them. Times are UTC.
create table spree_users (
    id          serial primary key,
    email       character varying,
    login_count integer not null default 0,
    created_at  timestamp(6) without time zone not null default (now() at time zone 'UTC'),
    updated_at  timestamp(6) without time zone not null default (now() at time zone 'UTC')
);
create table spree_orders (
    id            serial primary key,
    number        character varying(32),
    item_total    numeric(10, 2) not null default 0.0,
    total         numeric(10, 2) not null default 0.0,
    state         character varying,
    user_id       integer,
    completed_at  timestamp without time zone,
    payment_state character varying,
    email         character varying,
    created_at    timestamp(6) without time zone,
    updated_at    timestamp(6) without time zone,
    currency      character varying,
    guest_token   character varying,
    canceled_at   timestamp without time zone,
    item_count    integer default 0
);
create index on spree_orders (user_id);
create table spree_state_changes (
    id             serial primary key,
    name           character varying,
    previous_state character varying,
    stateful_id    integer,
    user_id        integer,
    stateful_type  character varying,
    next_state     character varying,
    created_at     timestamp(6) without time zone,
    updated_at     timestamp(6) without time zone
);

-- carts, of users and of guests, and orders that are complete
insert into spree_users (email) select 'user' || n || '@example.org' from generate_series(1, 60) n;
insert into spree_orders (number, state, user_id, email, total, item_total, currency, item_count, created_at)
select 'R' || 1000 + id, 'cart', id, email, 10 + id, 10 + id, case when id % 3 = 0 then 'USD' else 'EUR' end, 1,
    now() at time zone 'UTC' from spree_users;
insert into spree_orders (number, state, email, total, currency, item_count, guest_token, created_at)
select 'R' || 2000 + n, 'cart', 'user' || n || '@example.org', 200, 'EUR', 1, md5(n::text), now() at time zone 'UTC'
    from generate_series(11, 16) n;
insert into spree_orders (number, state, user_id, email, total, currency, completed_at, created_at)
select 'R' || 3000 + id, 'complete', id, email, 30, 'EUR', now() at time zone 'UTC' - interval '2 days',
    now() at time zone 'UTC'
from spree_users where id <= 5;
