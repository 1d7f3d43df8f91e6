package web

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
)

// A query is which threads a view shows. It is comparable: equal queries have
// one rendering.
type query struct {
	text  string // in lower case
	state string // "": any
	sort  string
	desc  bool
	page  int // from 1 on
	size  int
}

const (
	longestText = 200 // bytes
	defaultSize = 50
	largestSize = 200
	lastPage    = 1 << 20
)

// sorts are the orders that can be asked for.
var sorts = map[string]func(a, b *row) int{
	"state":  byUrgency,
	"start":  byStart,
	"name":   byName,
	"kind":   byKind,
	"cpu":    byCPU,
	"since":  bySince,
	"object": byObject,
}

// parse reads a query. What it does not know is an error.
func parse(raw string) (query, error) {
	q := query{sort: "state", page: 1, size: defaultSize}
	values, err := url.ParseQuery(raw)
	if err != nil {
		return q, errors.New("malformed query")
	}
	for key, all := range values {
		if len(all) != 1 {
			return q, fmt.Errorf("parameter %.20q is given %d times", key, len(all))
		}
		if err := q.set(key, all[0]); err != nil {
			return q, err
		}
	}
	return q, nil
}

func (q *query) set(key, value string) error {
	bad := fmt.Errorf("invalid value for %.20q: %.50q", key, value)
	ok := true
	switch key {
	case "q":
		ok = len(value) <= longestText
		q.text = strings.ToLower(value)
	case "state":
		_, known := urgency[value]
		ok = known || value == ""
		q.state = value
	case "sort":
		_, ok = sorts[value]
		q.sort = value
	case "desc":
		ok = value == "1" || value == "0"
		q.desc = value == "1"
	case "page":
		q.page, ok = number(value, lastPage)
	case "size":
		q.size, ok = number(value, largestSize)
	default:
		return fmt.Errorf("unknown parameter %.20q", key)
	}
	if !ok {
		return bad
	}
	return nil
}

// number reads a number from 1 to most.
func number(text string, most int) (n int, ok bool) {
	n, err := strconv.Atoi(text)
	return n, err == nil && 1 <= n && n <= most
}
