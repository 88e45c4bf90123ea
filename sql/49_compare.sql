-- Variants against each other: the users from goals_internal.compare_data, the statistics from Rust.
SET LOCAL search_path = pg_catalog, pg_temp;

CREATE FUNCTION goals_internal.compare_arms(variant text[], weight double precision[], users bigint[], matched bigint[],
    converters_all bigint[], assigned_users bigint[], worth double precision[], baseline integer,
    confidence double precision, all_matured boolean,
    OUT variant_no integer, OUT users_counted bigint, OUT users_matched bigint,
    OUT rate double precision, OUT rate_low double precision, OUT rate_high double precision,
    OUT difference double precision, OUT difference_low double precision, OUT difference_high double precision,
    OUT lift double precision, OUT lift_low double precision, OUT lift_high double precision,
    OUT p_value double precision, OUT p_adjusted double precision, OUT probability_better double precision,
    OUT anytime_p double precision, OUT anytime_lift_low double precision, OUT anytime_lift_high double precision,
    OUT worth_per_user double precision, OUT split_p double precision, OUT verdict text) RETURNS SETOF record
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'pg_goals_compare_arms';
COMMENT ON FUNCTION goals_internal.compare_arms(text[], double precision[], bigint[], bigint[], bigint[], bigint[], double precision[], integer, double precision, boolean) IS
    'goals.compare() on figures given as arrays, one element per arm; baseline counts from 1. assigned_users NULL: '
    'receipts of that arm are not recorded';

CREATE FUNCTION goals.compare(message text, goal text DEFAULT 'primary', baseline text DEFAULT NULL,
    confidence double precision DEFAULT 0.95, include_running boolean DEFAULT false)
RETURNS TABLE (variant text, users bigint, matched bigint, rate double precision, rate_low double precision,
    rate_high double precision, difference double precision, difference_low double precision, difference_high double precision,
    lift double precision, lift_low double precision, lift_high double precision, p_value double precision,
    p_adjusted double precision, probability_better double precision, anytime_p double precision,
    anytime_lift_low double precision, anytime_lift_high double precision, worth_per_user double precision,
    split_p double precision, verdict text)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    arms record;
    base integer;
BEGIN
    -- Here too, because an error within the query below shows the whole query.
    PERFORM goals_internal.check_goal(goals_internal.known_message(message), compare.goal);
    SELECT array_agg(d.variant ORDER BY d.no) AS variants, array_agg(coalesce(d.variant, '') ORDER BY d.no) AS names,
           array_agg(d.weight ORDER BY d.no) AS weights, array_agg(d.users ORDER BY d.no) AS users,
           array_agg(d.matched ORDER BY d.no) AS matched, array_agg(d.converters_all ORDER BY d.no) AS converters,
           array_agg(d.assigned_users ORDER BY d.no) AS assigned,
           -- A worth beyond the range of double precision is infinite, or nothing, and not an error.
           array_agg(CASE WHEN abs(d.worth) < 1e-300 THEN 0 WHEN abs(d.worth) < 1e300 THEN d.worth::double precision
                          ELSE sign(d.worth)::double precision * 'Infinity'::double precision END ORDER BY d.no) AS worths, bool_and(d.all_matured) AS all_matured
    INTO arms
    FROM (SELECT c.*, row_number() OVER () AS no FROM goals_internal.compare_data(message, goal, include_running) c) d;
    -- The control group, else the first variant; the control group is the last arm.
    base := array_position(arms.names, coalesce(compare.baseline, 'control'));
    IF base IS NULL AND compare.baseline IS NOT NULL THEN
        PERFORM goals_internal.raise('unknown_baseline',
            VARIADIC array[compare.message, compare.baseline] || array_remove(arms.variants, NULL));
    END IF;
    RETURN QUERY
    SELECT arms.variants[a.variant_no], a.users_counted, a.users_matched, a.rate, a.rate_low, a.rate_high, a.difference,
           a.difference_low, a.difference_high, a.lift, a.lift_low, a.lift_high, a.p_value, a.p_adjusted,
           a.probability_better, a.anytime_p, a.anytime_lift_low, a.anytime_lift_high, a.worth_per_user, a.split_p, a.verdict
    FROM goals_internal.compare_arms(arms.names, arms.weights, arms.users, arms.matched, arms.converters, arms.assigned, arms.worths,
                            coalesce(base, 1), compare.confidence, arms.all_matured) a;
END
$$;
COMMENT ON FUNCTION goals.compare(text, text, text, double precision, boolean) IS
    'Each variant against the baseline (default: control, else the first variant): rates, differences, '
    'intervals, verdict. One row per variant; the unit is the user';
