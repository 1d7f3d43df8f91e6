package report

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/thread/bench/internal/result"
	"example.com/thread/bench/internal/stats"
)

func cell(name string, ratio float64, verdict result.Verdict) result.Cell {
	c := result.Cell{
		Contender: name,
		Time:      result.Estimate{Center: 100 * ratio, Low: 95 * ratio, High: 110 * ratio},
		Verdict:   verdict,
	}
	if name != "base" {
		c.Ratio = &result.Estimate{Center: ratio, Low: 0.95 * ratio, High: 1.1 * ratio}
	}
	for range stats.LeastRounds {
		c.Samples = append(c.Samples, 100*ratio)
	}
	return c
}

func run() *result.Run {
	return &result.Run{
		Rows: []result.Row{
			{
				Name: "lock/threads=2",
				Kind: "lock",
				Cells: []result.Cell{
					cell("base", 1, ""),
					cell("peer", 0.5, result.Faster),
					{Contender: "gone", Absent: "not here"},
				},
			},
			{
				Name:  "lock/threads=4",
				Kind:  "lock",
				Cells: []result.Cell{cell("base", 1, ""), cell("peer", 2, result.Slower)},
			},
			{
				Name: "queue/capacity=1",
				Kind: "queue",
				Cells: []result.Cell{
					cell("base", 1, ""),
					cell("peer", 0.25, result.Faster),
					cell("other", 1, result.NoDifference),
				},
			},
		},
		Absent: []result.Absence{{Contender: "gone", Why: "not here"}},
	}
}

func TestRow(t *testing.T) {
	r := run().Rows[0]
	r.Cells[1].Waits = &result.Waits{P50: 50, P99: 1500, P999: 2_500_000, Max: 3_000_000_000}
	r.Cells[1].CPU = &result.Estimate{Center: 250}
	r.Cells[1].Switches = &result.Estimate{Center: 0.5}
	r.Cells[1].Shares = &result.Shares{Least: 0.9, Most: 1.1}
	var b strings.Builder
	require.NoError(t, Row(&b, r, Style{}))
	lines := strings.Split(b.String(), "\n")
	for i, want := range []string{
		"lock/threads=2",
		"time/op ± ratio interval CPU/op switches/op shares wait p50 p99 p99.9 max bytes",
		"base 100 ns 10%",
		"peer 50 ns 10% 0.50 0.47–0.55 faster 250 ns 0.50 0.90–1.10 50 ns 1.5 µs 2.5 ms 3 s",
		"gone is absent: not here",
	} {
		assert.Equal(t, want, strings.Join(strings.Fields(lines[i]), " "))
	}
	assert.NotContains(t, b.String(), "\x1b")
	b.Reset()
	require.NoError(t, Row(&b, r, Style{Color: true}))
	assert.Contains(t, b.String(), red+"faster"+plain)
}

func TestLossesAreSortedAndExcludeThisLibrary(t *testing.T) {
	r := run()
	ours := cell("base, another way", 0.1, result.Faster)
	ours.Ours = true
	r.Rows[1].Cells = append(r.Rows[1].Cells, ours)
	ls := Losses(r)
	require.Len(t, ls, 2)
	assert.Equal(t, "queue/capacity=1", ls[0].Row)
	assert.Equal(t, "lock/threads=2", ls[1].Row)
	assert.Equal(t, "peer", ls[1].Peer)

	var b strings.Builder
	require.NoError(t, Summary(&b, r, Style{}))
	text := strings.Join(strings.Fields(b.String()), " ")
	assert.Contains(t, text, "lock peer 1 0 1 1.00 0.50")
	assert.Contains(t, text, "queue other 0 1 0 1.00 1.00")
	assert.Contains(t, text, "Lost: 2 of 3 rows")
	b.Reset()
	require.NoError(t, Summary(&b, &result.Run{}, Style{}))
	assert.Contains(t, b.String(), "No contender is faster")
}

func TestChanges(t *testing.T) {
	before, now := run(), run()
	before.Began = time.Unix(0, 0)
	for i := range now.Rows[0].Cells[0].Samples {
		now.Rows[0].Cells[0].Samples[i] = 150
	}
	var b bytes.Buffer
	require.NoError(t, Changes(&b, now, before, Style{}))
	assert.Equal(t, 1, strings.Count(b.String(), "slower"), b.String())
	assert.Contains(t, b.String(), "6 of 7 cells show no difference")
	assert.NotContains(t, b.String(), "another machine")
	for _, change := range []func(m *result.Machine){
		func(m *result.Machine) { m.CPU = "other" },
		func(m *result.Machine) { m.Kernel = "other" },
		func(m *result.Machine) { m.Go = "other" },
	} {
		before.Machine = now.Machine
		change(&before.Machine)
		b.Reset()
		require.NoError(t, Changes(&b, now, before, Style{}))
		assert.Contains(t, b.String(), "another machine")
	}
}

func TestHeaderNamesAbsentContenders(t *testing.T) {
	var b strings.Builder
	r := run()
	r.Machine = result.Machine{
		CPU:   "a CPU",
		Cores: 2,
		Load:  []float64{0.5, 1, 2},
		Tools: []result.Tool{{Contender: "Rust", Version: "rustc 1"}},
	}
	Header(&b, r)
	for _, want := range []string{
		"a CPU, 2 cores", "governor unknown", "[0.50 1.00 2.00]", "Rust: rustc 1", "gone: not here",
	} {
		assert.Contains(t, b.String(), want)
	}
}
