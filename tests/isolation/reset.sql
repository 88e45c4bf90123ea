-- tests/run loads this into the database of every spec, whose setup calls it: rows of earlier permutations are gone, ids begin at 1.
-- A procedure, because the result of a function would be printed.
create procedure public.reset() language plpgsql as $$
begin
    drop table if exists users, events, sends, audit_log;
    truncate goals.source, goals.message, goals.variant, goals.goal, goals.goal_stop, goals.revision, goals.receipt,
        goals.engagement, goals.match_log, goals.reference, goals.hand_over, goals.ignored, goals.total, goals.watermark, goals.next_watermark restart identity;
end $$;
