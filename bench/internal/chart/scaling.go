package chart

import (
	"fmt"
	"slices"
	"strconv"

	"example.com/thread/bench/internal/result"
	"example.com/thread/bench/internal/scenario"
	"example.com/thread/bench/internal/words"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Small panels side by side, one for each setting of the other parameters, show
// where a contender's curve bends. One panel with all curves would be
// unreadable.

const (
	panels      = 6 // on one chart
	panelHeight = vg.Length(195)
)

// sizes are the parameters that count participants. Producers and consumers
// grow together.
var sizes = []string{"threads", "pairs", "parties", "producers"}

// scaling draws the time of an operation against the number of threads, pairs
// or parties, where a kind has at least two such numbers.
func scaling(run *result.Run, pal *palette) (charts []Chart, err error) {
	for _, rows := range run.Kinds() {
		for _, size := range sizes {
			if rows[0].Kind == "many" || scenario.Kind(rows[0].Kind).Growth() {
				continue // has its own charts
			}
			cs, err := scalingCharts(pal, rows, size, []string{"caller", "procs", "think"}, times)
			if err != nil {
				return nil, fmt.Errorf("scaling of %s: %w", rows[0].Kind, err)
			}
			charts = append(charts, cs...)
		}
	}
	return charts, nil
}

// scalingCharts draws one figure of rows against size, if it grows in them: on
// several charts, by keys, if there are too many panels.
func scalingCharts(
	pal *palette,
	rows []result.Row,
	size string,
	keys []string,
	f figure,
) (charts []Chart, err error) {
	key := func(r result.Row) string { return words.Params(without(r, size)) }
	flat := slices.Concat(
		slices.DeleteFunc(
			result.Groups(rows, key),
			func(rows []result.Row) bool { return !grows(rows, size, f) },
		)...)
	if len(flat) == 0 {
		return nil, nil
	}
	fits := func(rows []result.Row) bool { return len(result.Groups(rows, key)) <= panels }
	for _, part := range split(flat, keys, fits) {
		c, err := scalingChart(pal, part, size, suffix(part, flat), f)
		if err != nil {
			return nil, err
		}
		charts = append(charts, c)
	}
	return charts, nil
}

// A figure is what a chart draws against a size.
type figure struct {
	section, name      string // name is the first part of the chart's
	title, axis, about string // about begins the caption
	ticks              plot.Ticker
	of                 func(result.Cell) *result.Estimate // nil if the cell has none
}

var times = figure{
	section: sectionScaling, name: "scaling", title: "time", axis: "time per operation",
	about: "Time per operation: elapsed time divided by the operations of all threads.",
	ticks: logTicks{words.NS, 6},
	of:    func(c result.Cell) *result.Estimate { return &c.Time },
}

// growth draws the time and the memory of each waiter, lock or task against
// their number. A flat curve is a cost that does not depend on it.
func growth(run *result.Run, pal *palette) (charts []Chart, err error) {
	time, memory := times, figure{
		section: sectionGrowth, name: "growth-memory", title: "memory of each", axis: "memory of each",
		about: "Memory in use, divided by the number below.",
		ticks: byteTicks{6},
		of:    func(c result.Cell) *result.Estimate { return c.Bytes },
	}
	time.section, time.name, time.title, time.axis = sectionGrowth, "growth", "time of each", "time of each"
	time.about = "Time of the whole operation, divided by the number below: " +
		"a flat curve is a cost that does not depend on it."
	for _, rows := range run.Kinds() {
		if !scenario.Kind(rows[0].Kind).Growth() {
			continue
		}
		for _, f := range []figure{time, memory} {
			for _, size := range []string{"waiters", "objects", "tasks"} {
				cs, err := scalingCharts(pal, rows, size, []string{"caller", "op"}, f)
				if err != nil {
					return nil, fmt.Errorf("growth of %s: %w", rows[0].Kind, err)
				}
				charts = append(charts, cs...)
			}
		}
	}
	return charts, nil
}

// is reports whether p is size, or a parameter that grows with it.
func is(p result.Param, size string) bool {
	return p.Key == size || size == "producers" && p.Key == "consumers"
}

// without returns the parameters of a row except size.
func without(r result.Row, size string) []result.Param {
	return slices.DeleteFunc(slices.Clone(r.Params), func(p result.Param) bool { return is(p, size) })
}

// grows reports whether rows have at least two values of size, and a contender
// with the figure at two of them.
func grows(rows []result.Row, size string, f figure) bool {
	for _, l := range lines(rows, size, nil, f) {
		if len(l.at) >= 2 {
			return true
		}
	}
	return false
}

// A curve is one contender's figures.
type curve struct {
	symbol
	at  []float64
	est []result.Estimate
	off vg.Length // horizontal offset, so that whiskers do not overlap
}

// lines returns a curve for each contender, without symbols if pal is nil.
func lines(rows []result.Row, size string, pal *palette, f figure) []*curve {
	rows = slices.Clone(rows)
	number := func(r result.Row) float64 {
		n, err := strconv.ParseFloat(value(r, size), 64)
		if err != nil {
			return 0
		}
		return n
	}
	slices.SortStableFunc(rows, func(a, b result.Row) int { return int(number(a) - number(b)) })
	var out []*curve
	index := map[string]*curve{}
	for _, r := range rows {
		for _, c := range r.Cells {
			est := f.of(c)
			if c.Absent != "" || est == nil || !drawable(est.Center) || !drawable(number(r)) {
				continue
			}
			l := index[c.Contender]
			if l == nil {
				l = &curve{symbol: symbol{name: c.Contender}}
				if pal != nil {
					l.symbol = pal.symbols[c.Contender]
				}
				index[c.Contender] = l
				out = append(out, l)
			}
			l.at = append(l.at, number(r))
			l.est = append(l.est, *est)
		}
	}
	return out
}

func (l *curve) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	var line []vg.Point
	for i, at := range l.at {
		pt := vg.Point{X: x(at) + l.off, Y: y(l.est[i].Center)}
		whisker(
			c,
			l.symbol.line(1),
			vg.Point{X: pt.X, Y: y(clamp(p.Y, l.est[i].Low))},
			vg.Point{X: pt.X, Y: y(clamp(p.Y, l.est[i].High))},
		)
		line = append(line, pt)
	}
	c.StrokeLines(l.symbol.line(1.6), line)
	for _, pt := range line {
		l.mark(c, pt, false)
	}
}

func scalingChart(pal *palette, rows []result.Row, size, suffix string, f figure) (Chart, error) {
	parts := result.Groups(rows, func(r result.Row) string { return words.Params(without(r, size)) })
	shared := slices.DeleteFunc(common(rows), func(p result.Param) bool { return is(p, size) })
	names := map[string]bool{}
	var y span // the same for all panels, to make them comparable
	for _, part := range parts {
		for _, l := range lines(part, size, pal, f) {
			names[l.name] = true
			for _, e := range l.est {
				y.estimate(e)
			}
		}
	}
	y.room(0.04, 4)
	c := Chart{
		Name: f.name + "-" + rows[0].Kind + "-" + size + suffix, Section: f.section,
		Title: Title(rows[0].Kind) + ": " + f.title + " by number of " + plural(size),
		Caption: f.about +
			" Whiskers are the confidence interval. Lower is better; both scales are logarithmic.",
	}
	columns := min(2, len(parts))
	lines := (len(parts) + columns - 1) / columns
	sh := newSheet(c, subtitle(shared), markKeys(pal.sorted(names), false), vg.Length(lines)*panelHeight)
	for i, part := range parts {
		w, h := sh.body.Size().X/vg.Length(columns), panelHeight
		col, line := vg.Length(i%columns), vg.Length(i/columns)
		cell := draw.Crop(
			sh.body,
			col*w+2,
			-(sh.body.Size().X - (col+1)*w + 8),
			sh.body.Size().Y-(line+1)*h+6,
			-(line*h + 2),
		)
		own := slices.DeleteFunc(
			without(part[0], size),
			func(p result.Param) bool { return slices.Contains(shared, p) },
		)
		sh.draw(panel(pal, part, size, words.Params(own), y, f), cell)
	}
	return sh.chart()
}

func plural(size string) string {
	if size == "producers" {
		return "producers, with as many consumers"
	}
	return size
}

func panel(pal *palette, rows []result.Row, size, title string, y span, f figure) view {
	p := newView(plural(size), f.axis)
	p.Title.Text = title
	p.Add(grid{x: true, y: true})
	logAxis(&p.Y, y, f.ticks)
	curves := lines(rows, size, pal, f)
	var x span
	for i, l := range curves {
		x.add(l.at...)
		l.off = vg.Length(float64(i)-float64(len(curves)-1)/2) * 1.6
	}
	var values []float64
	for _, l := range curves {
		values = append(values, l.at...)
	}
	slices.Sort(values)
	var ticks plot.ConstantTicks
	for _, v := range slices.Compact(values) {
		ticks = append(ticks, plot.Tick{Value: v, Label: words.Number(v)})
	}
	x.room(0.1, 2)
	p.X.Min, p.X.Max, p.X.Scale, p.X.Tick.Marker = x.low, x.high, plot.LogScale{}, ticks
	for _, l := range slices.Backward(curves) { // draws the baseline last, on top
		p.Add(l)
	}
	return p
}
