// pg_goals from Java with JDBC: DATABASE_URL=postgresql://... java -cp postgresql.jar WithJdbc.java

import java.net.URI;
import java.sql.*;
import java.util.*;

public class WithJdbc {
    static final List<String> WATCHED = List.of("email", "balance", "score", "settings", "tags", "active");
    static final List<String> COLUMNS = List.of("email", "plan", "sessions", "balance", "score", "settings", "tags", "active", "signed_up", "born");

    public static void main(String[] arguments) throws Exception {
        URI url = new URI(System.getenv("DATABASE_URL"));
        Properties properties = new Properties();
        properties.setProperty("user", url.getUserInfo().split(":")[0]);
        if (url.getUserInfo().contains(":")) properties.setProperty("password", url.getUserInfo().split(":", 2)[1]);
        // prepared on the server from the first use on, which is what a pooler has to bear
        properties.setProperty("prepareThreshold", "1");
        try (Connection db = DriverManager.getConnection("jdbc:postgresql://" + url.getHost() + ":" + url.getPort() + url.getPath(), properties)) {
            run(db);
        }
    }

    static void run(Connection db) throws SQLException {
        // a message and its goals
        call(db, "SELECT goals.create_message(?, channel => 'e-mail')", "welcome");
        call(db, "SELECT goals.set_goal('welcome', attribute => 'sessions', operator => 'is increased', time_limit => '3 days')");
        call(db, "SELECT goals.set_goal('welcome', attribute => 'plan', operator => 'is', value => ?, time_limit => '14 days', goal => 'upgrade')", "pro");
        call(db, "SELECT goals.set_goal('welcome', event => 'order placed', time_limit => '7 days', value_from => 'amount', goal => 'order')");
        for (String column : WATCHED) {
            call(db, "SELECT goals.set_goal('welcome', attribute => ?, operator => 'is changed', time_limit => '1 day', goal => ?)", column, column + " changed");
        }

        // record, commit, then send: an audience, and one customer
        String[] keys = new String[20];
        for (int i = 0; i < keys.length; i++) keys[i] = String.valueOf(i + 1);
        long sent = (Long) call(db, "SELECT goals.record_sent('welcome', ?)", db.createArrayOf("text", keys));
        boolean send = (Boolean) call(db, "SELECT send FROM goals.deliver('welcome', ?)", 21L);
        call(db, "SELECT goals.record_opened('welcome', ?)", 1L);
        call(db, "SELECT goals.record_clicked('welcome', ?)", 2L);

        // the application's own work: read the object, change it, write all of it
        for (long id : new long[] {1, 2, 3, 4, 5, 6, 25}) {
            Map<String, Object> customer = load(db, id);
            customer.merge("sessions", 1, (a, b) -> (Integer) a + (Integer) b);
            save(db, id, customer);
        }
        for (long id = 7; id <= 9; id++) {
            Map<String, Object> customer = load(db, id);
            customer.put("plan", "pro");
            save(db, id, customer);
        }
        for (long id = 10; id <= 14; id++) save(db, id, load(db, id));
        Map<String, Object> customer = load(db, 15);
        customer.put("settings", customer.get("settings").toString().replace("\"light\"", "\"dark\""));
        save(db, 15, customer);
        db.setAutoCommit(false);
        customer = load(db, 16);
        customer.merge("sessions", 1, (a, b) -> (Integer) a + (Integer) b);
        save(db, 16, customer);
        db.rollback();
        db.setAutoCommit(true);
        call(db, "SELECT goals.record_event(?, 'order placed', ?::jsonb)", 3L, "{\"amount\": 12.5}");

        // a mistake, told by its SQLSTATE
        String error = null;
        try {
            call(db, "SELECT goals.record_sent('welcom', ?)", 1L);
        } catch (SQLException e) {
            error = e.getSQLState() + ": " + ((org.postgresql.util.PSQLException) e).getServerErrorMessage().getHint();
        }

        // the figures
        Map<String, Object> stats = new TreeMap<>(), who = new TreeMap<>();
        try (PreparedStatement query = db.prepareStatement("SELECT * FROM goals.message_stats WHERE message = ?")) {
            query.setString(1, "welcome");
            for (ResultSet r = query.executeQuery(); r.next(); ) {
                stats.put(r.getString("goal"), String.format("%d sent, %d opened, %d clicked, %d already matched, %d matched, worth %s", r.getLong("sent"),
                    r.getLong("opened"), r.getLong("clicked"), r.getLong("already_matched"), r.getLong("matched"), r.getBigDecimal("worth").toPlainString()));
            }
        }
        try (PreparedStatement query = db.prepareStatement("SELECT goal, string_agg(user_key, ',' ORDER BY user_key::int) FROM goals.matches(?) GROUP BY goal")) {
            query.setString(1, "welcome");
            for (ResultSet r = query.executeQuery(); r.next(); ) who.put(r.getString(1), r.getString(2));
        }
        Object verdict = call(db, "SELECT verdict FROM goals.explain('welcome', ?) WHERE goal = 'upgrade'", 9L);

        Map<String, Object> result = new TreeMap<>();
        result.put("sent", sent);
        result.put("send", send);
        result.put("error", error);
        result.put("stats", stats);
        result.put("who", who);
        result.put("customer 9", verdict);
        System.out.println(json(result));
    }

    /** The first column of the first row. */
    static Object call(Connection db, String sql, Object... parameters) throws SQLException {
        try (PreparedStatement query = db.prepareStatement(sql)) {
            for (int i = 0; i < parameters.length; i++) query.setObject(i + 1, parameters[i]);
            ResultSet r = query.executeQuery();
            return r.next() ? r.getObject(1) : null;
        }
    }

    static Map<String, Object> load(Connection db, long id) throws SQLException {
        try (PreparedStatement query = db.prepareStatement("SELECT * FROM customers WHERE id = ?")) {
            query.setLong(1, id);
            ResultSet r = query.executeQuery();
            r.next();
            Map<String, Object> customer = new HashMap<>();
            for (String column : COLUMNS) customer.put(column, r.getObject(column));
            return customer;
        }
    }

    /** All columns, as a mapper writes them that does not keep what it has read. */
    static void save(Connection db, long id, Map<String, Object> customer) throws SQLException {
        String assignments = String.join(", ", COLUMNS.stream().map(c -> c + (c.equals("settings") ? " = ?::jsonb" : " = ?")).toList());
        try (PreparedStatement update = db.prepareStatement("UPDATE customers SET " + assignments + " WHERE id = ?")) {
            int i = 1;
            for (String column : COLUMNS) {
                Object value = customer.get(column);
                update.setObject(i++, column.equals("settings") ? value.toString() : value);
            }
            update.setLong(i, id);
            update.executeUpdate();
        }
    }

    static String json(Object value) {
        if (value instanceof Map<?, ?> map) {
            StringJoiner members = new StringJoiner(", ", "{", "}");
            map.forEach((k, v) -> members.add(json(k) + ": " + json(v)));
            return members.toString();
        }
        if (value instanceof String text) return '"' + text.replace("\\", "\\\\").replace("\"", "\\\"") + '"';
        return String.valueOf(value);
    }
}
