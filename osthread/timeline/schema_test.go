package timeline_test

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"sort"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// An event is one of the Trace Event Format.
type event struct {
	Ph   string         `json:"ph"`
	Pid  int            `json:"pid"`
	Tid  *int           `json:"tid"`
	TS   *float64       `json:"ts"`
	Dur  *float64       `json:"dur"`
	Name string         `json:"name"`
	Cat  string         `json:"cat"`
	ID   int            `json:"id"`
	BP   string         `json:"bp"`
	S    string         `json:"s"`
	Args map[string]any `json:"args"`
}

func (e event) end() float64 { return *e.TS + *e.Dur }

// A file is the events of a timeline, in its order.
type file []event

// parse checks that text is in the Trace Event Format and returns its events.
// sorted says that it is the text of WriteTo.
func parse(t *testing.T, text []byte, sorted bool) file {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	var f file
	require.NoError(t, d.Decode(&f), "%.2000s", text)
	for _, e := range f {
		f.checkFields(t, e)
	}
	if sorted {
		f.checkOrder(t)
	}
	f.checkNesting(t)
	f.checkFlows(t)
	f.checkNames(t)
	return f
}

var metadata = []string{"process_name", "process_labels", "thread_name", "thread_sort_index"}

func (f file) checkFields(t *testing.T, e event) {
	t.Helper()
	require.True(t, e.Pid > 0 && e.Name != "", e)
	if e.Ph == "M" {
		assert.Contains(t, metadata, e.Name)
		assert.Len(t, e.Args, 1)
		return
	}
	require.True(t, e.TS != nil && e.Tid != nil && *e.TS >= 0, e)
	require.Equal(t, e.Ph == "X", e.Dur != nil, e)
	switch e.Ph {
	case "X":
		require.True(t, *e.Dur >= 0 && slices.Contains([]string{"thread", "wait", "wake"}, e.Cat), e)
	case "i":
		assert.Contains(t, []string{"t", "g"}, e.S)
	case "C":
		for _, v := range e.Args {
			assert.IsType(t, 0.0, v)
		}
		assert.NotEmpty(t, e.Args)
	case "s", "f":
		require.True(t, e.ID > 0 && (e.Ph == "f") == (e.BP == "e"), e)
	default:
		assert.Fail(t, "unknown phase", "%v", e)
	}
}

// checkOrder checks that the times of each row rise.
func (f file) checkOrder(t *testing.T) {
	t.Helper()
	last := map[int]float64{}
	for _, e := range f {
		if e.Ph != "M" {
			require.True(t, *e.TS >= last[*e.Tid], e)
			last[*e.Tid] = *e.TS
		}
	}
}

// checkNesting checks that of any two slices of a row one is in the other, or
// they are apart: as begins and ends they would be balanced.
func (f file) checkNesting(t *testing.T) {
	t.Helper()
	const rounding = 0.0015 // of the sum of two numbers with three decimals
	for tid, slices := range f.slices() {
		var open []event
		for _, e := range slices {
			for len(open) > 0 && open[len(open)-1].end() <= *e.TS+rounding {
				open = open[:len(open)-1]
			}
			if len(open) > 0 {
				outer := open[len(open)-1]
				require.True(t, e.end() <= outer.end()+rounding, "row %d: %v in %v", tid, e, outer)
			}
			open = append(open, e)
		}
	}
}

// slices returns the slices of each row in the order of readers: by begin, the
// longer first.
func (f file) slices() map[int][]event {
	rows := map[int][]event{}
	for _, e := range f {
		if e.Ph == "X" {
			rows[*e.Tid] = append(rows[*e.Tid], e)
		}
	}
	for _, row := range rows {
		slices.SortStableFunc(row, func(a, b event) int {
			return cmp.Or(cmp.Compare(*a.TS, *b.TS), cmp.Compare(*b.Dur, *a.Dur))
		})
	}
	return rows
}

// checkFlows checks that each arrow has one start and one end, in this order,
// and ends in a wait.
func (f file) checkFlows(t *testing.T) {
	t.Helper()
	starts, ends := f.byID(t, "s"), f.byID(t, "f")
	require.Len(t, ends, len(starts))
	waits := map[int][]event{}
	for tid, row := range f.slices() {
		for _, e := range row {
			if e.Cat == "wait" {
				waits[tid] = append(waits[tid], e)
			}
		}
	}
	for id, end := range ends {
		start, ok := starts[id]
		require.True(t, ok, end)
		if *start.TS > *end.TS {
			assert.Fail(t, "an arrow ends before it starts", "%v %v", start, end)
		}
		row := waits[*end.Tid]
		// Where the clock is coarse many begin at once, the longest first.
		from := func(ts float64) int {
			return sort.Search(len(row), func(i int) bool { return *row[i].TS >= ts })
		}
		first := from(*end.TS)
		after := first + sort.Search(len(row)-first, func(i int) bool { return *row[first+i].TS > *end.TS })
		if first = max(first-20, 0); first < len(row) {
			first = from(*row[first].TS)
		}
		if !slices.ContainsFunc(row[first:after], func(e event) bool { return *end.TS <= e.end() }) {
			assert.Fail(t, "no wait around the end of an arrow", "%v", end)
		}
	}
}

// byID returns the events with phase ph, each of which has an ID of its own.
func (f file) byID(t *testing.T, ph string) map[int]event {
	t.Helper()
	all := map[int]event{}
	for _, e := range f {
		if e.Ph == ph {
			require.Zero(t, all[e.ID].ID, "two arrows with one id: %v", e)
			all[e.ID] = e
		}
	}
	return all
}

// checkNames checks that each row with events has a name.
func (f file) checkNames(t *testing.T) {
	t.Helper()
	names := f.names()
	for _, e := range f {
		if e.Ph != "M" && *e.Tid != 0 && names[*e.Tid] == "" {
			assert.Fail(t, "a row without a name", "%v", e)
		}
	}
}

// names returns the names of the rows, the last of each.
func (f file) names() map[int]string {
	names := map[int]string{}
	for _, e := range f {
		if e.Ph == "M" && e.Name == "thread_name" {
			names[*e.Tid] = e.Args["name"].(string)
		}
	}
	return names
}

// row returns the events of the row of the thread with that name, and fails
// unless there is one.
func (f file) row(t *testing.T, name string) (row file) {
	t.Helper()
	tid := 0
	for id, n := range f.names() {
		if n == name || strings.HasPrefix(n, name+" [") {
			require.Zero(t, tid, "two rows are named %s", name)
			tid = id
		}
	}
	require.NotZero(t, tid, "no row is named %s in %v", name, f.names())
	for _, e := range f {
		if e.Ph != "M" && *e.Tid == tid {
			row = append(row, e)
		}
	}
	return row
}

// with returns the events of f with that phase whose names begin with prefix.
func (f file) with(ph, prefix string) (found file) {
	for _, e := range f {
		if e.Ph == ph && strings.HasPrefix(e.Name, prefix) {
			found = append(found, e)
		}
	}
	return found
}

// dropped returns the number of lost events that the file says.
func (f file) dropped(t *testing.T) (n int) {
	t.Helper()
	if end := f[len(f)-1]; end.Name == "process_labels" {
		_, err := fmt.Sscanf(end.Args["labels"].(string), "%d events dropped", &n)
		require.NoError(t, err)
	}
	return n
}
