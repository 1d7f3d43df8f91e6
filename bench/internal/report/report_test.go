package report

import (
	"strings"
	"testing"

	"example.com/thread/bench/internal/stats"
)

func TestTable(t *testing.T) {
	cell := func(m float64) Cell { return Cell{Summary: stats.Summary{Median: m, Spread: 0.05}} }
	var b strings.Builder
	err := Table(&b, []string{"base", "peer", "gone"}, []Row{
		{"fast", []Cell{cell(10), cell(15), {Absent: "not here"}}},
		{"slow", []Cell{cell(1000), cell(500), cell(2000)}},
		{"none", []Cell{{}, cell(1), cell(1)}},
	})
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(b.String(), "\n")
	for i, want := range []string{
		"ns an operation base ± peer ± ratio gone ± ratio",
		"fast 10.0 5% 15.0 5% 1.50 absent",
		"slow 1000 5% 500 5% 0.50 2000 5% 2.00",
		"none 0.0 0% 1.0 5% - 1.0 5% -",
	} {
		if got := strings.Join(strings.Fields(lines[i]), " "); got != want {
			t.Errorf("line %d: got %q, want %q", i, got, want)
		}
	}
}
