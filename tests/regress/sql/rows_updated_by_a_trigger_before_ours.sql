-- A trigger of the application that fires before the extension's updates the row that it fires for: what the row has
-- become counts, as if the update came later.
create table users (id bigint primary key);
insert into users select generate_series(1, 9);
select from goals.track_users('users');
create table campaigns (id int primary key, title text);
select from goals.track_messages('campaigns', id => 'id', name => 'title');
create table sends (id int primary key, campaign_id int references campaigns, user_id bigint, opened_at timestamptz, clicked_at timestamptz, failed_at timestamptz);
select from goals.track_receipts('sends', message => 'campaign_id', user_key => 'user_id', opened_at => 'opened_at', clicked_at => 'clicked_at', failed_at => 'failed_at');
create function name_it() returns trigger language plpgsql as $$ begin
    update campaigns set title = 'Campaign ' || new.id where id = new.id;
    update campaigns set title = title || '!' where id = new.id;
    return null;
end $$;
create function deliver() returns trigger language plpgsql as $$ begin
    case new.user_id
        when 1 then update sends set failed_at = clock_timestamp() where id = new.id;
        when 2 then update sends set opened_at = clock_timestamp() where id = new.id;
        when 3 then
            update sends set opened_at = clock_timestamp() where id = new.id;
            update sends set clicked_at = clock_timestamp() where id = new.id;
        when 4 then
            update sends set failed_at = clock_timestamp() where id = new.id;
            update sends set failed_at = null where id = new.id;
        when 5 then delete from sends where id = new.id;
        when 6 then
            begin
                update sends set opened_at = clock_timestamp() where id = new.id;
                raise exception 'taken back';
            exception when others then null;
            end;
        when 7 then update sends set user_id = 8 where id = new.id;
        else null;
    end case;
    return null;
end $$;
create trigger name_it after insert on campaigns for each row execute function name_it();
create trigger deliver after insert on sends for each row execute function deliver();
insert into campaigns values (5, 'draft');
insert into sends select n, 5, n from generate_series(1, 7) n;
select message, sent, opened, clicked from goals.message_stats;
select user_key from goals.receipt r where not exists (select from goals.engagement e where e.receipt_id = r.receipt_id and e.kind = 'w') order by receipt_id;
-- In order, if the extension's fires first
alter trigger name_it on campaigns rename to zz;
alter trigger deliver on sends rename to zz;
insert into campaigns values (6, 'draft');
insert into sends select n + 10, 6, n from generate_series(1, 7) n;
select message, sent, opened, clicked from goals.message_stats order by message;
select count(*) from goals.verify();
select * from goals.health();
