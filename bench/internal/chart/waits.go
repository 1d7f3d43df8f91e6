package chart

import (
	"fmt"
	"math"
	"slices"
	"strconv"

	"example.com/thread/bench/internal/result"
	"example.com/thread/bench/internal/sample"
	"example.com/thread/bench/internal/words"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Wait times are drawn as the share that took longer, on two logarithmic axes.
// The tail matters most, and a plain cumulative curve flattens it against 1.

// most is the maximum number of charts of wait times; priority chooses the
// kinds.
const most = 12

var priority = []string{
	"lock", "queue", "condition", "call", "lateness", "rwlock", "semaphore", "barrier", "event", "startjoin", "submit", "callback", "park",
}

// waits draws the wait times of one row of each kind, and of every lateness
// row.
func waits(run *result.Run, pal *palette) (charts []Chart, err error) {
	for _, r := range waitRows(run) {
		c, err := waitChart(r, pal)
		if err != nil {
			return nil, fmt.Errorf("waits of %s: %w", r.Name, err)
		}
		charts = append(charts, c)
	}
	return charts, nil
}

// waitRows chooses the rows and returns them in the order of the run.
func waitRows(run *result.Run) []result.Row {
	chosen := map[string]bool{}
	order := slices.Clone(priority)
	all := run.Kinds()
	for _, rows := range all {
		if !slices.Contains(order, rows[0].Kind) {
			order = append(order, rows[0].Kind)
		}
	}
	for _, kind := range order {
		for _, rows := range all {
			if rows[0].Kind != kind {
				continue
			}
			for _, r := range typical(rows) {
				if len(chosen) < most {
					chosen[r.Name] = true
				}
			}
		}
	}
	return slices.DeleteFunc(slices.Clone(run.Rows), func(r result.Row) bool { return !chosen[r.Name] })
}

// typical returns the row of a kind with the most contention, called from
// threads, on the most processors; of lateness all rows.
func typical(rows []result.Row) []result.Row {
	rows = slices.DeleteFunc(slices.Clone(rows), func(r result.Row) bool { return len(waiting(r)) == 0 })
	if len(rows) == 0 || rows[0].Kind == "lateness" {
		return rows
	}
	return []result.Row{slices.MaxFunc(rows, func(a, b result.Row) int { return slices.Compare(weight(a), weight(b)) })}
}

func weight(r result.Row) []int {
	number := func(key string) int {
		n, _ := strconv.Atoi(value(r, key)) // 0 if the row lacks it
		return n
	}
	caller := 0
	if value(r, "caller") == "thread" {
		caller = 1
	}
	// A section of 500 steps is long enough to do some work and short enough
	// for a lock.
	return []int{
		caller, number("procs"), -number("think"), number("threads"), number("pairs"), number("parties"),
		number("producers"), -abs(number("work") - 500), number("capacity"),
	}
}

func abs(n int) int { return max(n, -n) }

// waiting returns the cells whose wait times can be drawn.
func waiting(r result.Row) (cells []result.Cell) {
	for _, c := range r.Cells {
		if c.Absent == "" && c.Waits != nil && c.Waits.N > 0 && len(c.Waits.CDF) > 1 {
			cells = append(cells, c)
		}
	}
	return cells
}

// A tail is the curve of one contender.
type tail struct {
	symbol
	*result.Waits
}

func (t tail) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	ns := func(n int64) vg.Length { return x(clamp(p.X, float64(max(n, 1)))) }
	share := func(s float64) vg.Length { return y(clamp(p.Y, s)) }
	last := vg.Point{X: ns(t.CDF[0].NS), Y: share(1)}
	line := []vg.Point{{X: c.Min.X, Y: last.Y}, last}
	for _, s := range t.CDF {
		at := vg.Point{X: ns(s.NS), Y: last.Y}
		if s.Share < 1 {
			at.Y = share(1 - s.Share)
		}
		if math.Abs(float64(at.X-last.X)) < 0.4 && math.Abs(float64(at.Y-last.Y)) < 0.4 && s != t.CDF[len(t.CDF)-1] {
			continue // less than a pixel from the last point
		}
		line = append(line, vg.Point{X: at.X, Y: last.Y}, at)
		last = at
	}
	c.StrokeLines(t.line(1.6), line)
	for _, m := range []struct {
		ns    int64
		share float64
	}{{t.P50, 0.5}, {t.P99, 0.01}, {t.P999, 0.001}} {
		if m.share*float64(t.N) >= 1 {
			t.mark(c, vg.Point{X: ns(m.ns), Y: share(m.share)}, false)
		}
	}
	t.mark(c, last, false)
}

// least returns the smallest share above 0 that took longer.
func least(cdf []sample.Point) float64 {
	for _, p := range slices.Backward(cdf) {
		if p.Share < 1 {
			return 1 - p.Share
		}
	}
	return 1
}

func waitChart(r result.Row, pal *palette) (Chart, error) {
	var s span
	floor := 0.001
	names := map[string]bool{}
	p := newView("wait of one operation (log scale)", "share of waits that took longer (log scale)")
	p.Add(grid{x: true, y: true})
	var tails []plot.Plotter
	for _, c := range waiting(r) {
		for _, pt := range c.Waits.CDF {
			s.add(float64(max(pt.NS, 1)))
		}
		floor = min(floor, least(c.Waits.CDF))
		names[c.Contender] = true
		tails = append(tails, tail{pal.symbols[c.Contender], c.Waits})
	}
	slices.Reverse(tails) // draws the baseline last, on top
	p.Add(tails...)
	s.room(0.02, 4)
	logAxis(&p.X, s, logTicks{words.NS, 9})
	p.Y.Min, p.Y.Max = math.Pow10(int(math.Floor(math.Log10(floor)))), 1
	p.Y.Scale = plot.LogScale{}
	p.Y.Tick.Marker = shares(p.Y.Min)
	c := Chart{
		Name: "waits-" + r.Kind, Section: sectionWaits, Title: Title(r.Kind) + ": wait times of single operations",
		Caption: "Share of operations that waited longer than the time below. " +
			"Marks: median, 99th and 99.9th percentile, and the longest. Further left and lower is better.",
	}
	if r.Kind == "lateness" {
		c.Name += "-" + value(r, "policy")
		if value(r, "bound") == "true" {
			c.Name += "-bound"
		}
		for _, key := range []string{"slack", "busy", "reserved"} {
			if value(r, key) != "" {
				c.Name += "-" + key
			}
		}
		c.Title = Title(r.Kind)
		p.x = "by how much the wait ended late (log scale)"
	}
	sh := newSheet(c, words.Row(r), markKeys(pal.sorted(names), false), 320)
	sh.draw(p, sh.body)
	return sh.chart()
}

// shares returns the ticks of a tail down to low.
func shares(low float64) plot.ConstantTicks {
	ticks := plot.ConstantTicks{{Value: 1, Label: "all"}, {Value: 0.5, Label: "50 % (median)"}}
	for e := -1; math.Pow10(e) >= low*0.99; e-- {
		v := math.Pow10(e)
		ticks = append(
			ticks,
			plot.Tick{Value: v, Label: fmt.Sprintf("%.*f %% (p%.*f)", max(0, -e-2), 100*v, max(0, -e-2), 100-100*v)},
		)
	}
	return ticks
}
