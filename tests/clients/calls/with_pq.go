// Makes the calls with database/sql and lib/pq: go run with_pq.go CALLS.json
package main

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"time"

	"github.com/lib/pq"
)

type call struct {
	Call string
	SQL  string
	Give [][2]json.RawMessage
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func read[T any](text json.RawMessage) T {
	var value T
	must(json.Unmarshal(text, &value))
	return value
}

func native(given [2]json.RawMessage) interface{} {
	switch read[string](given[0]) {
	case "int":
		return read[int64](given[1])
	case "bool":
		return read[bool](given[1])
	case "time":
		return read[time.Time](given[1])
	case "json":
		return string(given[1])
	case "ints":
		return pq.Array(read[[]int64](given[1]))
	case "texts", "uuids":
		return pq.Array(read[[]string](given[1]))
	}
	return read[string](given[1])
}

func main() {
	db, err := sql.Open("postgres", os.Getenv("DATABASE_URL"))
	must(err)
	defer db.Close()
	text, err := os.ReadFile(os.Args[1])
	must(err)
	said := map[string]interface{}{}
	for _, c := range read[[]call](text) {
		var values []interface{}
		for _, given := range c.Give {
			values = append(values, native(given))
		}
		_, err := db.Exec(c.SQL, values...)
		said[c.Call] = nil
		if e, ok := err.(*pq.Error); ok {
			said[c.Call] = []string{string(e.Code), e.Message, e.Hint}
		} else if err != nil {
			said[c.Call] = []string{"driver", err.Error(), ""}
		}
	}
	line, err := json.Marshal(said)
	must(err)
	fmt.Println(string(line))
}
