-- tests/run loads this into the database of every spec, whose setup calls it: rows of earlier permutations are gone, ids begin at 1.
-- A procedure, because the result of a function would be printed.
create procedure public.reset() language plpgsql as $$
begin
    drop table if exists users, events, sends, audit_log;
    truncate goals.source, goals.message, goals.variant, goals.goal, goals.goal_stop, goals.revision, goals.receipt,
        goals.reference, goals.engagement, goals.match_log, goals.ignored, goals.message_name, goals.column_note,
        goals.hand_over, goals.replay, goals.feed, goals.total, goals.day_total, goals.slot_total, goals.age_total,
        goals.pair_total, goals.watermark, goals.next_watermark restart identity;
end $$;
