-- A table of campaigns that was dropped and made again: the ids of a table of sends without a foreign key are those of the
-- one that is there.
create table users (id bigint primary key);
insert into users select generate_series(1, 4);
select from goals.track_users('users');
create table campaigns (id int primary key, title text);
select from goals.track_messages('campaigns', id => 'id', name => 'title');
create table sends (campaign_id int, user_id bigint);
select from goals.track_receipts('sends', message => 'campaign_id', user_key => 'user_id');
insert into campaigns values (1, 'Before');
insert into sends values (1, 1);
drop table campaigns;
create table campaigns (id int primary key, title text);
select from goals.track_messages('campaigns', id => 'id', name => 'title');
insert into campaigns values (1, 'After');
insert into sends values (1, 2), (1, 3);
select message, sent from goals.message_stats order by message;
select problem from goals.health();
