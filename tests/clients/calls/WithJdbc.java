// Makes the calls with JDBC: java -cp postgresql.jar WithJdbc.java CALLS.tsv
// Reads lines of tab-separated fields, for Java has no JSON: the call, its SQL, then each parameter's type and value.

import java.net.URI;
import java.nio.file.*;
import java.sql.*;
import java.time.OffsetDateTime;
import java.util.*;
import org.postgresql.util.*;

public class WithJdbc {
    public static void main(String[] arguments) throws Exception {
        URI url = new URI(System.getenv("DATABASE_URL"));
        Properties properties = new Properties();
        properties.setProperty("user", url.getUserInfo().split(":")[0]);
        properties.setProperty("prepareThreshold", "1");
        properties.setProperty("sslmode", "disable");
        String server = "jdbc:postgresql://" + url.getHost() + ":" + url.getPort() + url.getPath();
        try (Connection db = DriverManager.getConnection(server, properties)) {
            StringJoiner said = new StringJoiner(", ", "{", "}");
            for (String line : Files.readAllLines(Path.of(arguments[0]))) {
                String[] fields = line.split("\t");
                try (PreparedStatement call = db.prepareStatement(fields[1].replaceAll("\\$\\d", "?"))) {
                    for (int i = 2; i < fields.length; i += 2) give(db, call, i / 2, fields[i], fields[i + 1]);
                    call.execute();
                    said.add(quoted(fields[0]) + ": null");
                } catch (SQLException e) {
                    ServerErrorMessage error = e instanceof PSQLException p ? p.getServerErrorMessage() : null;
                    String message = error == null ? e.getMessage() : error.getMessage();
                    String hint = error == null ? null : error.getHint();
                    String all = String.join(", ", quoted(e.getSQLState()), quoted(message), quoted(hint));
                    said.add(quoted(fields[0]) + ": [" + all + "]");
                }
            }
            System.out.println(said);
        }
    }

    static void give(Connection db, PreparedStatement call, int i, String type, String value) throws SQLException {
        List<String> parts = List.of(value.split(","));
        switch (type) {
            case "int" -> call.setLong(i, Long.parseLong(value));
            case "bool" -> call.setBoolean(i, Boolean.parseBoolean(value));
            case "uuid" -> call.setObject(i, UUID.fromString(value));
            case "time" -> call.setObject(i, OffsetDateTime.parse(value));
            case "json" -> call.setObject(i, value, Types.OTHER);
            case "ints" -> call.setArray(i, db.createArrayOf("bigint", parts.stream().map(Long::parseLong).toArray()));
            case "texts" -> call.setArray(i, db.createArrayOf("varchar", parts.toArray()));
            case "uuids" -> call.setArray(i, db.createArrayOf("uuid", parts.stream().map(UUID::fromString).toArray()));
            default -> call.setString(i, value);
        }
    }

    static String quoted(String text) {
        if (text == null) return "null";
        return '"' + text.replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", "\\n") + '"';
    }
}
