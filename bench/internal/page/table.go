package page

import (
	"example.com/thread/bench/internal/chart"
	"example.com/thread/bench/internal/result"
	"example.com/thread/bench/internal/words"
)

// A table has all rows of one kind.
type table struct {
	ID, Title string
	Columns   []string
	Rows      []tableRow
}

// A tableRow is one row, with one line per contender.
type tableRow struct {
	Name, Words string
	Lines       []line
	Height      int
	Columns     int
}

// A line is one contender's figures.
type line struct {
	Contender, Class, Absent, Verdict string
	Ours                              bool
	Values                            []datum
}

// A datum is one figure and its interval, both "" if unknown.
type datum struct{ Value, Interval, Verdict string }

// A column is a figure that cells may have.
type column struct {
	title string
	of    func(result.Cell) datum
}

var columns = []column{
	{"time", func(c result.Cell) datum { return estimate(&c.Time, words.NS) }},
	{"ratio", func(c result.Cell) datum {
		d := estimate(c.Ratio, words.Ratio)
		d.Verdict = string(c.Verdict)
		return d
	}},
	{"CPU time", func(c result.Cell) datum { return estimate(c.CPU, words.NS) }},
	{"switches", func(c result.Cell) datum { return estimate(c.Switches, words.Number) }},
	{"memory each", func(c result.Cell) datum { return estimate(c.Bytes, words.Bytes) }},
	{"least share", func(c result.Cell) datum {
		return share(c, func(s *result.Shares) float64 { return s.Least })
	}},
	{"largest share", func(c result.Cell) datum {
		return share(c, func(s *result.Shares) float64 { return s.Most })
	}},
	{"wait p50", func(c result.Cell) datum { return wait(c, func(w *result.Waits) int64 { return w.P50 }) }},
	{"p99", func(c result.Cell) datum { return wait(c, func(w *result.Waits) int64 { return w.P99 }) }},
	{"p99.9", func(c result.Cell) datum { return wait(c, func(w *result.Waits) int64 { return w.P999 }) }},
	{"longest", func(c result.Cell) datum { return wait(c, func(w *result.Waits) int64 { return w.Max }) }},
}

func estimate(e *result.Estimate, format func(float64) string) datum {
	if e == nil {
		return datum{}
	}
	return datum{Value: format(e.Center), Interval: words.Interval(*e, format)}
}

func share(c result.Cell, of func(*result.Shares) float64) datum {
	if c.Shares == nil {
		return datum{}
	}
	return datum{Value: words.Number(of(c.Shares))}
}

func wait(c result.Cell, of func(*result.Waits) int64) datum {
	if c.Waits == nil {
		return datum{}
	}
	return datum{Value: words.NS(float64(of(c.Waits)))}
}

// tables returns a table for each kind, with the columns that at least one of
// its cells has.
func tables(run *result.Run) (ts []table) {
	class := classes(run)
	for _, rs := range run.Kinds() {
		cols := used(rs)
		t := table{ID: "table-" + rs[0].Kind, Title: chart.Title(rs[0].Kind)}
		for _, c := range cols {
			t.Columns = append(t.Columns, c.title)
		}
		for _, r := range rs {
			t.Rows = append(t.Rows, newTableRow(r, cols, class))
		}
		ts = append(ts, t)
	}
	return ts
}

func used(rows []result.Row) (out []column) {
	for _, col := range columns {
		has := false
		for _, r := range rows {
			for _, c := range r.Cells {
				has = has || c.Absent == "" && col.of(c) != datum{}
			}
		}
		if has {
			out = append(out, col)
		}
	}
	return out
}

func newTableRow(r result.Row, cols []column, class map[string]string) tableRow {
	out := tableRow{Name: r.Name, Words: words.Row(r), Height: len(r.Cells), Columns: len(cols)}
	for _, c := range r.Cells {
		l := line{Contender: c.Contender, Class: class[c.Contender], Absent: c.Absent, Ours: c.Ours}
		if c.Absent == "" {
			for _, col := range cols {
				l.Values = append(l.Values, col.of(c))
			}
		}
		out.Lines = append(out.Lines, l)
	}
	return out
}
