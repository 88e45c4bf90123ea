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

-- A measure: its name in 18 columns, how many in 12, which share in 8, and a bar of 40 after two spaces. A message of a
-- programme may be sent to a person more than once: its share can be far above 100 %.
CREATE FUNCTION goals_internal.bar_line(name text, part bigint, whole bigint)
RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT goals_internal.fit(name, 18)
        || lpad(CASE WHEN part < 1000000000 THEN to_char(part, 'FM999,999,990')
                     WHEN part < 1000000000000 THEN part::text
                     ELSE trim(to_char(part::numeric, '9.999EEEE')) END, 12)
        || lpad(CASE WHEN coalesce(whole, 0) <= 0 THEN '-'
                     WHEN 100.0 * part / whole >= 9999.95 THEN '>9999%'
                     ELSE to_char(100.0 * part / whole, 'FM9990.0') || '%' END, 8)
        || '  ' || goals_internal.bar(part, whole, 40)
$$;
COMMENT ON FUNCTION goals_internal.bar_line(text, bigint, bigint) IS 'A line of goals.stats_bar(): 80 characters';

-- From the totals. For several messages at once: what lies past the watermark is then counted once.
CREATE VIEW goals_internal.message_figures AS
SELECT s.message_id, s.sent,
       CASE WHEN s.deliveries > 0 THEN s.deliveries ELSE s.sent - s.bounced END AS delivered,
       s.deliveries > 0 AS deliveries_reported, s.bounced, s.complained, s.unsubscribed, s.opened, s.clicked,
       s.opened_by_machine, s.clicked_by_machine, s.matched
FROM (SELECT c.message_id, coalesce(sum(c.sent) FILTER (WHERE c.goal IS NULL), 0)::bigint AS sent,
             coalesce(sum(c.deliveries) FILTER (WHERE c.goal IS NULL), 0)::bigint AS deliveries,
             coalesce(sum(c.bounced) FILTER (WHERE c.goal IS NULL), 0)::bigint AS bounced,
             coalesce(sum(c.complained) FILTER (WHERE c.goal IS NULL), 0)::bigint AS complained,
             coalesce(sum(c.unsubscribed) FILTER (WHERE c.goal IS NULL), 0)::bigint AS unsubscribed,
             coalesce(sum(c.opened) FILTER (WHERE c.goal IS NULL), 0)::bigint AS opened,
             coalesce(sum(c.clicked) FILTER (WHERE c.goal IS NULL), 0)::bigint AS clicked,
             coalesce(sum(c.opened_by_machine) FILTER (WHERE c.goal IS NULL), 0)::bigint AS opened_by_machine,
             coalesce(sum(c.clicked_by_machine) FILTER (WHERE c.goal IS NULL), 0)::bigint AS clicked_by_machine,
             sum(c.matched) FILTER (WHERE c.goal = 'primary')::bigint AS matched
      FROM goals_internal.counted c
      LEFT JOIN goals.variant v ON v.variant_id = c.variant_id
      WHERE v.is_control IS NOT TRUE
      GROUP BY c.message_id) s;
COMMENT ON VIEW goals_internal.message_figures IS
    'The figures of each message whatever its goals, control left out; matched: of its primary goal, NULL if it has '
    'none. Of a programme, sent is how many people have entered it';

CREATE FUNCTION goals.stats_bar(message text)
RETURNS SETOF text
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_column
DECLARE
    of_message CONSTANT integer := goals_internal.known_message(message);
    dot CONSTANT text := '  ' || goals_internal.glyph(183, '-') || '  ';
    rule CONSTANT text := repeat(goals_internal.glyph(9472, '-'), 80);
    -- the messages of a programme
    parts CONSTANT integer[] := array(SELECT m.message_id FROM goals.message m
                                      WHERE m.parent_id = of_message AND m.dropped_at IS NULL);
    steps text[] := '{}';
    sent bigint;
    head record;
    g record;
    c record;
BEGIN
    SELECT m.kind, coalesce(m.channel, l.channel) AS channel, m.kind = 'programme' AS is_programme, p.name AS programme INTO head
    FROM goals.message m
    LEFT JOIN goals.message l ON l.message_id = m.like_message_id
    LEFT JOIN goals.message p ON p.message_id = m.parent_id AND p.dropped_at IS NULL
    WHERE m.message_id = of_message;
    RETURN NEXT goals_internal.fit(
        stats_bar.message || coalesce(dot || head.channel, '') || dot || replace(head.kind, '_', '-')
        || coalesce(dot || 'part of ' || head.programme, ''), 80);
    RETURN NEXT rule;
    FOR c IN
        SELECT f.*, goals_internal.name_of(f.message_id) AS name FROM goals_internal.message_figures f
        WHERE f.message_id = ANY (of_message || parts)
        ORDER BY f.message_id <> of_message, f.message_id
    LOOP
        IF c.message_id <> of_message THEN
            steps := steps || goals_internal.bar_line(c.name, c.sent, sent);
            CONTINUE;
        END IF;
        sent := c.sent;
        RETURN NEXT goals_internal.bar_line(CASE WHEN head.is_programme THEN 'Entered' ELSE 'Sent' END, sent, sent);
        IF c.deliveries_reported OR c.delivered <> sent THEN
            RETURN NEXT goals_internal.bar_line('Delivered', c.delivered, sent);
        END IF;
        IF c.bounced > 0 THEN
            RETURN NEXT goals_internal.bar_line('Bounced', c.bounced, sent);
        END IF;
        IF c.complained > 0 THEN
            RETURN NEXT goals_internal.bar_line('Complained', c.complained, sent);
        END IF;
        IF c.unsubscribed > 0 THEN
            RETURN NEXT goals_internal.bar_line('Unsubscribed', c.unsubscribed, sent);
        END IF;
        -- People open the messages of a programme.
        IF NOT head.is_programme OR c.opened > 0 THEN
            RETURN NEXT goals_internal.bar_line('Opened', c.opened, sent);
        END IF;
        IF c.opened_by_machine > 0 THEN
            RETURN NEXT goals_internal.bar_line('  by machines', c.opened_by_machine, sent);
        END IF;
        IF NOT head.is_programme OR c.clicked > 0 THEN
            RETURN NEXT goals_internal.bar_line('Clicked', c.clicked, sent);
        END IF;
        IF c.clicked_by_machine > 0 THEN
            RETURN NEXT goals_internal.bar_line('  by machines', c.clicked_by_machine, sent);
        END IF;
    END LOOP;

    -- A goal's share is of the receipts it judges. They are named where they are fewer than the message's, and those
    -- who had matched before they were written to when there are any.
    FOR g IN
        SELECT f.goal, max(f.sent) FILTER (WHERE NOT f.by_variant) AS sent,
               max(f.matched) FILTER (WHERE NOT f.by_variant) AS matched,
               max(f.already_matched) FILTER (WHERE NOT f.by_variant) AS already_matched,
               max(f.sent) FILTER (WHERE f.by_variant) AS control_sent,
               max(f.matched) FILTER (WHERE f.by_variant) AS control_matched
        FROM goals_internal.figures f
        WHERE f.message_id = of_message AND f.goal IS NOT NULL AND (NOT f.by_variant OR f.variant = 'control')
        GROUP BY f.goal
        ORDER BY f.goal <> 'primary', f.goal
    LOOP
        RETURN NEXT goals_internal.bar_line('Goal ' || g.goal, g.matched, g.sent);
        IF g.sent < sent THEN
            RETURN NEXT goals_internal.bar_line('  of those judged', g.sent, sent);
        END IF;
        IF g.control_sent > 0 THEN
            RETURN NEXT goals_internal.bar_line('  control group', g.control_matched, g.control_sent);
        END IF;
        IF g.already_matched > 0 THEN
            RETURN NEXT goals_internal.bar_line('  already matched', g.already_matched, g.sent);
        END IF;
    END LOOP;
    IF cardinality(steps) > 0 THEN
        RETURN NEXT rule;
        RETURN QUERY SELECT unnest(steps);
    END IF;
    RETURN NEXT rule;
END
$$;
COMMENT ON FUNCTION goals.stats_bar(text) IS
    'The figures of a message drawn for the terminal, 80 columns: sent, delivered, opened and clicked as shares of '
    'what was sent, each goal as a share of the receipts it judges, and the control group beside it. Of a programme: '
    'how many people have entered, and its messages as shares of them';
