-- What is said of a tracked table, and is or becomes untrue: refused, warned of, or shown by goals.health().
create type state as enum ('queued', 'sent');
create table users (id int primary key, email text unique);
create table admins (id int primary key);
create table profiles (user_id int primary key references users);
insert into users select n, n || '@example.org' from generate_series(1, 9) n;
select from goals.track_users('users');
select from goals.create_message('m');

-- A foreign key says that the column has other keys.
create table mails (id int primary key, message text, admin_id int references admins, profile_id int references profiles (user_id), address text references users (email));
select from goals.track_receipts('mails', message => 'message', user_key => 'admin_id');
select from goals.track_events('profiles', user_key => 'user_id', named => 'profile made');
select from goals.track_receipts('mails', message => 'message', user_key => 'profile_id');
select from goals.track_receipts('mails', message => 'message', user_key => 'address', user_by => 'email');
select from goals.untrack('mails');
select from goals.track_events('mails', user_key => 'admin_id', event => 'message');
select from goals.track_membership('mails', user_key => 'admin_id', list => 'message');
select from goals.track_engagements('mails', 'opened', message => 'message', user_key => 'admin_id');
-- Whatever the columns of a polymorphic table are called
create table prisma (id int primary key, "recipientId" int, "recipientType" text, name text);
create table django (id int primary key, object_id int, content_type_id int, name text);
create table odoo (id int primary key, res_id int, model text, name text);
select from goals.track_events('prisma', user_key => 'recipientId', event => 'name');
select from goals.track_events('django', user_key => 'object_id', event => 'name');
select from goals.track_events('odoo', user_key => 'res_id', event => 'name');
select from goals.track_events('django', user_key => 'object_id', event => 'name', "only" => '{"content_type_id": 7}');

-- Several rows of one user, or of one campaign
create table accounts (user_id int, plan text, closed_at timestamptz);
create unique index on accounts (user_id) where closed_at is null;
\set VERBOSITY verbose
select from goals.track_attributes('accounts', user_key => 'user_id');
\set VERBOSITY default
create table campaigns (tenant int, id int, title text, primary key (tenant, id));
select from goals.track_messages('campaigns', id => 'id', name => 'title');

-- Values are written as the column writes them.
create table log (
    id int primary key, user_id int, name text default 'logged', u uuid, z timestamptz, t timestamp, d date, h time, i interval, a inet, c char(5), j jsonb,
    l text[], b boolean, n numeric);
select from goals.track_events('log', user_key => 'user_id', event => 'name', "only" => '{
    "u": "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11", "z": "2026-11-30 13:00:00+01", "t": "2026-11-30 12:00", "d": "2026-11-30", "h": "12:00", "i": "24:00:00",
    "a": "10.0.0.1/32", "c": "ab   ", "j": "{\"a\":1}", "l": "{a,\"b\"}", "b": true, "n": 1.50}');
select jsonb_pretty(options -> 'only') as stored from goals.source where relation = 'log'::regclass;
select from goals.set_goal('m', event => 'logged', time_limit => '1 day');
select from goals.record_sent('m', 1);
insert into log values (1, 1, default, 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '2026-11-30 12:00+00', '2026-11-30 12:00', '2026-11-30', '12:00', '1 day', '10.0.0.1', 'ab',
    '{"a": 1}', array['a', 'b'], true, 1.5);
select user_key from goals.matches('m');
\set VERBOSITY verbose
select from goals.track_events('log', user_key => 'user_id', event => 'name', "only" => '{"u": "none"}');
select from goals.track_events('log', user_key => 'user_id', event => 'name', "only" => '{"z": ["2026-11-30", "yesterday-ish"]}');
select from goals.track_events('log', user_key => 'user_id', event => 'name', "only" => '{"j": "x"}');
select from goals.track_events('log', user_key => 'user_id', event => 'name', "only" => '{"id": 3000000000}');
select from goals.track_events('log', user_key => 'user_id', event => 'name', "only" => '{"id": [1, 1.5]}');
\set VERBOSITY default

-- A value that the column no longer has
create table sends (id int primary key, message text, user_id int, status state);
create table members (id int primary key, user_id int, list text, status state);
create table opens (id int primary key, message text, user_id int, what state);
create table issues (id int primary key, status state);
create table orders (id int primary key, user_id int, status text);
create table settings (user_id int primary key, theme text);
create unique index settings_one on settings (user_id);
alter table settings drop constraint settings_pkey;
select from goals.track_receipts('sends', message => 'message', user_key => 'user_id', "only" => '{"status": "sent"}');
select from goals.track_membership('members', user_key => 'user_id', list => 'list', status => 'status', member => '{"status": "sent"}');
select from goals.track_engagements('opens', 'what', message => 'message', user_key => 'user_id', kinds => '{"sent": "opened"}');
select from goals.track_messages('issues', id => 'id', "only" => '{"status": "sent"}');
select from goals.track_events('orders', user_key => 'user_id', named => 'order', "only" => '{"status": "sent"}');
select from goals.track_attributes('settings', user_key => 'user_id');
select problem, object, detail from goals.health();
alter type state rename value 'sent' to 'delivered';
alter table orders alter status type int using 1;
drop index settings_one;
select problem, object, detail from goals.health() order by object;

-- What a goal asks of the rows of a table whose own columns are the properties
create table baskets (id int primary key, user_id int, plan text, total numeric, doc jsonb);
select from goals.track_events('baskets', user_key => 'user_id', named => 'basket filled');
select from goals.set_goal('m', event => 'basket filled', properties => '{"plan": "pro"}', value_from => 'total', time_limit => '1 day', goal => 'pro basket');
select from goals.set_goal('m', event => 'basket filled', value_from => 'doc.total', time_limit => '1 day', goal => 'basket');
select object, detail from goals.health() where problem = 'broken goal';
alter table baskets rename total to amount;
select object, detail from goals.health() where problem = 'broken goal';
alter table baskets rename plan to tier;
alter table baskets drop column doc;
select object, detail from goals.health() where problem = 'broken goal';

-- An infinite time is none yet.
create table letters (id int primary key, message text, user_id int, opened_at timestamptz default '-infinity', clicked_at timestamp default 'infinity');
select from goals.track_receipts('letters', message => 'message', user_key => 'user_id', opened_at => 'opened_at', clicked_at => 'clicked_at', time_zone => 'UTC');
select from goals.create_message('letter');
insert into letters values (1, 'letter', 1), (2, 'letter', 2);
select sent, opened, clicked from goals.message_stats where message = 'letter';
update letters set opened_at = now() where id = 1;
update letters set clicked_at = now() at time zone 'UTC' where id = 2;
select sent, opened, clicked from goals.message_stats where message = 'letter';

-- A table of attributes that gets another name keeps theirs.
alter table settings rename to preferences;
create unique index on preferences (user_id);
select from goals.track_attributes('preferences', user_key => 'user_id');
select options ->> 'prefix' as prefix from goals.source where relation = 'preferences'::regclass;
-- The hint names them.
select from goals.set_goal('m', attribute => 'preferences.theme', operator => 'is', value => 'dark', time_limit => '1 day', goal => 'dark');
