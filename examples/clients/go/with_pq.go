// pg_goals from Go with database/sql and lib/pq: DATABASE_URL=postgresql://... go run with_pq.go
package main

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"log"
	"net/url"
	"os"
	"strconv"
	"time"

	"github.com/lib/pq"
)

var watched = []string{"email", "balance", "score", "settings", "tags", "active"}

// Customer is a row, all of it. A numeric travels as text: its digits are its value.
type Customer struct {
	ID       int64
	Email    string
	Plan     string
	Sessions int
	Balance  string
	Score    float64
	Settings map[string]interface{}
	Tags     pq.StringArray
	Active   bool
	SignedUp time.Time
	Born     sql.NullTime
}

// What a connection and a transaction have in common.
type querier interface {
	QueryRow(query string, args ...interface{}) *sql.Row
	Exec(query string, args ...interface{}) (sql.Result, error)
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func call(db querier, query string, args ...interface{}) {
	_, err := db.Exec(query, args...)
	must(err)
}

func load(db querier, id int64) Customer {
	var c Customer
	var settings []byte
	must(db.QueryRow("SELECT id, email, plan, sessions, balance, score, settings, tags, active, signed_up, born FROM customers WHERE id = $1", id).
		Scan(&c.ID, &c.Email, &c.Plan, &c.Sessions, &c.Balance, &c.Score, &settings, &c.Tags, &c.Active, &c.SignedUp, &c.Born))
	must(json.Unmarshal(settings, &c.Settings))
	return c
}

// All columns, changed or not.
func save(db querier, c Customer) {
	settings, err := json.Marshal(c.Settings)
	must(err)
	call(db, `UPDATE customers SET email = $2, plan = $3, sessions = $4, balance = $5, score = $6, settings = $7, tags = $8, active = $9,
		signed_up = $10, born = $11 WHERE id = $1`,
		c.ID, c.Email, c.Plan, c.Sessions, c.Balance, c.Score, string(settings), c.Tags, c.Active, c.SignedUp, c.Born)
}

func main() {
	// parse, bind and execute in one round trip: without it a pooler may change the connection between them
	url, err := url.Parse(os.Getenv("DATABASE_URL"))
	must(err)
	options := url.Query()
	options.Set("binary_parameters", "yes")
	url.RawQuery = options.Encode()
	db, err := sql.Open("postgres", url.String())
	must(err)
	defer db.Close()

	// a message and its goals
	call(db, "SELECT goals.create_message($1, channel => 'e-mail')", "welcome")
	call(db, "SELECT goals.set_goal('welcome', attribute => 'sessions', operator => 'is increased', time_limit => '3 days')")
	call(db, "SELECT goals.set_goal('welcome', attribute => 'plan', operator => 'is', value => $1, time_limit => '14 days', goal => 'upgrade')", "pro")
	call(db, "SELECT goals.set_goal('welcome', event => 'order placed', time_limit => '7 days', value_from => 'amount', goal => 'order')")
	for _, column := range watched {
		call(db, "SELECT goals.set_goal('welcome', attribute => $1, operator => 'is changed', time_limit => '1 day', goal => $2)", column, column+" changed")
	}

	// record, commit, then send: an audience, and one customer
	var keys pq.StringArray
	for n := 1; n <= 20; n++ {
		keys = append(keys, strconv.Itoa(n))
	}
	var sent int64
	must(db.QueryRow("SELECT goals.record_sent('welcome', $1::text[])", keys).Scan(&sent))
	var send bool
	must(db.QueryRow("SELECT send FROM goals.deliver('welcome', $1::bigint)", 21).Scan(&send))
	call(db, "SELECT goals.record_opened('welcome', $1::bigint)", 1)
	call(db, "SELECT goals.record_clicked('welcome', $1::bigint)", 2)

	// the application's own work
	for _, id := range []int64{1, 2, 3, 4, 5, 6, 25} {
		c := load(db, id)
		c.Sessions++
		save(db, c)
	}
	for id := int64(7); id <= 9; id++ {
		c := load(db, id)
		c.Plan = "pro"
		save(db, c)
	}
	for id := int64(10); id <= 14; id++ {
		save(db, load(db, id))
	}
	c := load(db, 15)
	c.Settings["theme"] = "dark"
	save(db, c)
	tx, err := db.Begin()
	must(err)
	c = load(tx, 16)
	c.Sessions++
	save(tx, c)
	must(tx.Rollback())
	call(db, "SELECT goals.record_event($1::bigint, 'order placed', $2)", 3, `{"amount": 12.5}`)

	// a mistake, told by its SQLSTATE
	var mistake interface{}
	if _, err := db.Exec("SELECT goals.record_sent('welcom', $1::bigint)", 1); err != nil {
		said, ok := err.(*pq.Error)
		if !ok {
			log.Fatal(err)
		}
		mistake = fmt.Sprintf("%s: %s", said.Code, said.Hint)
	}

	// the figures
	stats := map[string]string{}
	rows, err := db.Query("SELECT goal, sent, opened, clicked, already_matched, matched, worth FROM goals.message_stats WHERE message = $1", "welcome")
	must(err)
	for rows.Next() {
		var goal, worth string
		var sent, opened, clicked, already, matched int64
		must(rows.Scan(&goal, &sent, &opened, &clicked, &already, &matched, &worth))
		stats[goal] = fmt.Sprintf("%d sent, %d opened, %d clicked, %d already matched, %d matched, worth %s", sent, opened, clicked, already, matched, worth)
	}
	must(rows.Err())
	who := map[string]string{}
	rows, err = db.Query("SELECT goal, string_agg(user_key, ',' ORDER BY user_key::int) FROM goals.matches($1) GROUP BY goal", "welcome")
	must(err)
	for rows.Next() {
		var goal, keys string
		must(rows.Scan(&goal, &keys))
		who[goal] = keys
	}
	must(rows.Err())
	var verdict string
	must(db.QueryRow("SELECT verdict FROM goals.explain('welcome', $1::bigint) WHERE goal = 'upgrade'", 9).Scan(&verdict))

	line, err := json.Marshal(map[string]interface{}{"sent": sent, "send": send, "error": mistake, "stats": stats, "who": who, "customer 9": verdict})
	must(err)
	fmt.Println(string(line))
}
