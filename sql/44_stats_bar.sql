-- A message's figures as a picture for the terminal, 80 columns wide whatever the names.
SET LOCAL search_path = pg_catalog, pg_temp;

-- The drawing characters, where database and client can both show them; this script itself is plain ASCII, to be
-- installed in any encoding.
CREATE FUNCTION goals_internal.glyph(code integer, instead text)
RETURNS text
LANGUAGE plpgsql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    IF getdatabaseencoding() = 'UTF8' AND current_setting('client_encoding') = 'UTF8' THEN
        RETURN chr(code);
    END IF;
    RETURN instead;
END
$$;
COMMENT ON FUNCTION goals_internal.glyph(integer, text) IS
    'The character of that code point, or something plainer in another encoding than UTF8';

-- Widths are counted in characters. A control character would break the line: it shows as a question mark. Beyond ASCII
-- there are such only in Unicode and the ISO encodings; elsewhere the same bytes are letters, or parts of them.
CREATE FUNCTION goals_internal.fit(line text, width integer)
RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT rpad(CASE WHEN length(c) > width THEN left(c, width - 1) || goals_internal.glyph(8230, '~') ELSE c END, width)
    FROM regexp_replace(line, CASE WHEN getdatabaseencoding() ~ '^(UTF8|LATIN|ISO)' THEN '[[:cntrl:]]'
                                   ELSE E'[\\x01-\\x1f\\x7f]' END, '?', 'g') c
$$;
COMMENT ON FUNCTION goals_internal.fit(text, integer) IS
    'The text in exactly that many characters: padded, or cut with an ellipsis';

-- Drawn in eighths of a block: never nothing for something, never full for less than everything.
CREATE FUNCTION goals_internal.bar(part numeric, whole numeric, width integer)
RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT rpad(repeat(goals_internal.glyph(9608, '#'), eighths / 8)
                || CASE WHEN eighths % 8 > 0 THEN goals_internal.glyph(9616 - eighths % 8, '-') ELSE '' END,
                width, goals_internal.glyph(183, '.'))
    FROM (SELECT CASE WHEN whole IS NULL OR whole <= 0 OR part <= 0 THEN 0
                      WHEN part >= whole THEN width * 8
                      ELSE least(greatest(round(part / whole * width * 8), 1), width * 8 - 1)
                 END::integer AS eighths) e
$$;
COMMENT ON FUNCTION goals_internal.bar(numeric, numeric, integer) IS
    'part of whole as a bar of block characters of that many columns';

-- A measure: its name in 18 columns, how many in 12, which share in 8, and a bar of 40 after two spaces.
CREATE FUNCTION goals_internal.bar_line(name text, part bigint, whole bigint)
RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT goals_internal.fit(name, 18)
        || lpad(CASE WHEN part < 1000000000 THEN to_char(part, 'FM999,999,990')
                     WHEN part < 1000000000000 THEN part::text
                     ELSE trim(to_char(part::numeric, '9.999EEEE')) END, 12)
        || lpad(CASE WHEN whole > 0 THEN to_char(100.0 * part / whole, 'FM990.0') || '%' ELSE '-' END, 8)
        || '  ' || goals_internal.bar(part, whole, 40)
$$;
COMMENT ON FUNCTION goals_internal.bar_line(text, bigint, bigint) IS 'A line of goals.stats_bar(): 80 characters';

CREATE FUNCTION goals.stats_bar(message text)
RETURNS SETOF text
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    of_message CONSTANT integer := goals_internal.known_message(message);
    head record;
    g record;
    c record;
BEGIN
    SELECT m.kind, m.channel INTO head FROM goals.message m WHERE m.message_id = of_message;
    RETURN NEXT goals_internal.fit(stats_bar.message || coalesce('  ' || goals_internal.glyph(183, '-') || '  ' || head.channel, '')
                          || '  ' || goals_internal.glyph(183, '-') || '  ' || replace(head.kind, '_', '-'), 80);
    RETURN NEXT repeat(goals_internal.glyph(9472, '-'), 80);
    SELECT coalesce(sum(x.sent) FILTER (WHERE v.is_control IS NOT TRUE), 0)::bigint AS sent,
           coalesce(sum(x.opened) FILTER (WHERE v.is_control IS NOT TRUE), 0)::bigint AS opened,
           coalesce(sum(x.clicked) FILTER (WHERE v.is_control IS NOT TRUE), 0)::bigint AS clicked
    INTO c
    FROM goals_internal.counted x
    LEFT JOIN goals.variant v ON v.variant_id = x.variant_id
    WHERE x.message = stats_bar.message AND x.goal IS NULL;
    RETURN NEXT goals_internal.bar_line('Sent', c.sent, c.sent);
    RETURN NEXT goals_internal.bar_line('Opened', c.opened, c.sent);
    RETURN NEXT goals_internal.bar_line('Clicked', c.clicked, c.sent);

    -- A goal's share is of the receipts it judges. They are named where they are fewer than the message's, and those
    -- who had matched before they were written to when there are any.
    FOR g IN
        SELECT s.goal, s.sent, s.matched, s.already_matched,
               sum(x.sent) AS control_sent, sum(x.matched) AS control_matched
        FROM goals.message_stats s
        LEFT JOIN goals.variant_stats x ON x.message = s.message AND x.goal = s.goal AND x.variant = 'control'
        WHERE s.message = stats_bar.message AND s.goal IS NOT NULL
        GROUP BY s.goal, s.sent, s.matched, s.already_matched
        ORDER BY s.goal <> 'primary', s.goal
    LOOP
        RETURN NEXT goals_internal.bar_line('Goal ' || g.goal, g.matched, g.sent);
        IF g.sent < c.sent THEN
            RETURN NEXT goals_internal.bar_line('  of those judged', g.sent, c.sent);
        END IF;
        IF g.control_sent > 0 THEN
            RETURN NEXT goals_internal.bar_line('  control group', g.control_matched::bigint, g.control_sent::bigint);
        END IF;
        IF g.already_matched > 0 THEN
            RETURN NEXT goals_internal.bar_line('  already matched', g.already_matched, g.sent);
        END IF;
    END LOOP;
    RETURN NEXT repeat(goals_internal.glyph(9472, '-'), 80);
END
$$;
COMMENT ON FUNCTION goals.stats_bar(text) IS
    'The figures of a message drawn for the terminal, 80 columns: sent, opened and clicked as shares of what was '
    'sent, each goal as a share of the receipts it judges, and the control group beside it';
