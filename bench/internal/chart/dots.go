package chart

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"example.com/thread/bench/internal/result"
	"example.com/thread/bench/internal/scenario"
	"example.com/thread/bench/internal/words"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Ratios are drawn as dots with intervals, not as bars. They span four decades,
// so the axis is logarithmic, and on a logarithmic axis the length of a bar
// means nothing: it depends on where the axis begins. What matters is on which
// side of 1 an interval lies, which a dot next to a line shows. Each contender
// has its own lane within the row, so that intervals do not overlap.

const (
	lane     = vg.Length(8.6) // height of one contender: that of its text
	gap      = 0.9            // between rows, in lanes
	dotLanes = 120            // most lanes on one chart
	dotRows  = 14             // most rows on one chart
)

// A dot is one contender in a row.
type dot struct {
	symbol
	result.Estimate
	hollow bool
	text   string // next to the dot; may be ""
}

// A dotRow is one row with its dots.
type dotRow struct {
	label []string // lines
	dots  []dot
}

// height is the height of the row in lanes, including the gap below it.
func (r dotRow) height() float64 { return max(float64(len(r.dots)), 1.4*float64(len(r.label))) + gap }

// A dotPlot draws rows from the top down, in units of lanes.
type dotPlot struct {
	rows []dotRow
	one  bool // draw a line at 1
}

func (d dotPlot) lanes() float64 {
	n := 0.0
	for _, r := range d.rows {
		n += r.height()
	}
	return n
}

func (d dotPlot) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	top := d.lanes()
	for i, r := range d.rows {
		bottom := top - r.height()
		if i%2 == 0 {
			c.FillPolygon(
				band,
				[]vg.Point{
					{X: c.Min.X, Y: y(top)},
					{X: c.Max.X, Y: y(top)},
					{X: c.Max.X, Y: y(bottom)},
					{X: c.Min.X, Y: y(bottom)},
				},
			)
		}
		top = bottom
	}
	grid{x: true}.Plot(c, p)
	if d.one {
		c.StrokeLine2(draw.LineStyle{Color: ours, Width: 2}, x(1), c.Min.Y, x(1), c.Max.Y)
	}
	top = d.lanes()
	for _, r := range d.rows {
		for i, dot := range r.dots {
			at := y(top - (r.height()-float64(len(r.dots)))/2 - float64(i) - 0.5)
			point := func(v float64) vg.Point { return vg.Point{X: x(clamp(p.X, v)), Y: at} }
			dot.draw(c, point(dot.Low), point(dot.Center), point(dot.High))
		}
		top -= r.height()
	}
}

func (d dot) draw(c draw.Canvas, low, center, high vg.Point) {
	whisker(c, draw.LineStyle{Color: d.colour, Width: 1.1}, low, high)
	d.mark(c, center, d.hollow)
	if d.text != "" {
		c.FillText(style(8.5, false), vg.Point{X: high.X + 8, Y: center.Y - 3}, d.text)
	}
}

// sheet draws d over the axis s.
func (d dotPlot) sheet(c Chart, subtitle, axis string, keys []key, s span, ticks plot.Ticker) (Chart, error) {
	p := newView(axis, "")
	if d.one {
		p.low, p.high = "← faster", "slower →"
	}
	logAxis(&p.X, s, ticks)
	p.Y.Min, p.Y.Max = 0, d.lanes()
	p.Y.Tick.Marker = d.ticks()
	p.Y.Tick.Length = 0
	p.Add(d)
	sh := newSheet(c, subtitle, keys, vg.Length(d.lanes())*lane+44)
	sh.draw(p, sh.body)
	return sh.chart()
}

// ticks returns the labels of the rows, each centered on its lanes.
func (d dotPlot) ticks() plot.ConstantTicks {
	var ticks plot.ConstantTicks
	top := d.lanes()
	for _, r := range d.rows {
		ticks = append(ticks, plot.Tick{Value: top - r.height()/2, Label: strings.Join(r.label, "\n")})
		top -= r.height()
	}
	return ticks
}

// fold breaks a row's label into lines, after commas.
func fold(label string) (lines []string) {
	const most = 180
	st := style(9.5, false)
	for phrase := range strings.SplitAfterSeq(label, ", ") {
		if n := len(lines); n > 0 && st.Width(lines[n-1]+phrase) <= most {
			lines[n-1] += phrase
			continue
		}
		lines = append(lines, phrase)
	}
	for i, l := range lines {
		lines[i] = strings.TrimSpace(l)
	}
	return lines
}

// ratios draws, for each kind, the time of every contender relative to the
// baseline's.
func ratios(run *result.Run, pal *palette) (charts []Chart, err error) {
	for _, rows := range run.Kinds() {
		if scenario.Kind(rows[0].Kind).Growth() {
			continue // has its own charts
		}
		rows = slices.DeleteFunc(slices.Clone(rows), func(r result.Row) bool { return len(ratioDots(r, pal)) == 0 })
		if len(rows) == 0 {
			continue
		}
		fits := func(rows []result.Row) bool {
			n := 0
			for _, r := range rows {
				n += len(ratioDots(r, pal)) + 1
			}
			return n <= dotLanes && len(rows) <= dotRows
		}
		for _, part := range split(rows, []string{"caller", "procs", "think", "threads"}, fits) {
			c, err := ratioChart(run, pal, part, suffix(part, rows))
			if err != nil {
				return nil, fmt.Errorf("ratios of %s: %w", part[0].Kind, err)
			}
			charts = append(charts, c)
		}
	}
	return charts, nil
}

func ratioDots(r result.Row, pal *palette) (dots []dot) {
	for _, c := range r.Cells {
		if c.Absent == "" && c.Ratio != nil && drawable(c.Ratio.Center) {
			dots = append(
				dots,
				dot{symbol: pal.symbols[c.Contender], Estimate: *c.Ratio, hollow: c.Verdict == result.NoDifference},
			)
		}
	}
	return dots
}

func ratioChart(run *result.Run, pal *palette, rows []result.Row, suffix string) (Chart, error) {
	shared := common(rows)
	d := dotPlot{one: true}
	s := span{0.7, 1.4}
	names := map[string]bool{}
	for _, r := range rows {
		dots := ratioDots(r, pal)
		d.rows = append(d.rows, dotRow{fold(label(r, shared)), dots})
		for _, dot := range dots {
			s.estimate(dot.Estimate)
			names[dot.name] = true
		}
	}
	s.room(0.03, 2)
	baseline := rows[0].Cells[0].Contender
	keys := []key{{baseline + " = 1", func(c draw.Canvas, at vg.Point) {
		c.StrokeLine2(draw.LineStyle{Color: ours, Width: 2}, at.X, at.Y-5, at.X, at.Y+5)
	}}}
	keys = append(
		append(keys, markKeys(pal.sorted(names), true)...),
		key{"hollow: no difference shown", func(c draw.Canvas, at vg.Point) {
			symbol{colour: grey}.mark(c, at, true)
		}},
	)
	c := Chart{
		Name: "ratio-" + rows[0].Kind + suffix, Section: sectionRatios,
		Title: Title(rows[0].Kind) + ": time relative to " + baseline,
		Caption: fmt.Sprintf(
			"Time per operation as a multiple of %s's, with the %s %% interval: left of the line at 1 the contender is faster, "+
				"right of it slower. A hollow mark's interval spans 1.",
			baseline,
			words.Number(100*run.Confidence),
		),
	}
	return d.sheet(
		c,
		subtitle(shared),
		fmt.Sprintf("time per operation ÷ time of %s (log scale)", baseline),
		keys,
		s,
		logTicks{words.Number, 10},
	)
}

// markKeys returns the legend entries for symbols, with or without whiskers.
func markKeys(symbols []symbol, whiskers bool) (keys []key) {
	for _, l := range symbols {
		keys = append(keys, key{l.name, func(c draw.Canvas, at vg.Point) {
			if whiskers {
				whisker(
					c,
					draw.LineStyle{Color: l.colour, Width: 1.1},
					vg.Point{X: at.X - 8, Y: at.Y},
					vg.Point{X: at.X + 8, Y: at.Y},
				)
			} else {
				c.StrokeLine2(l.line(1.6), at.X-9, at.Y, at.X+9, at.Y)
			}
			l.mark(c, at, false)
		}})
	}
	return keys
}

// many draws the cost of many threads that are alive at once.
func many(run *result.Run, pal *palette) (charts []Chart, err error) {
	rows := slices.DeleteFunc(slices.Clone(run.Rows), func(r result.Row) bool { return r.Kind != "many" })
	quantities := []struct {
		name, title, axis, caption string
		format                     func(float64) string
		ticks                      plot.Ticker
		of                         func(result.Cell) *result.Estimate
	}{
		{
			"memory", "Memory of many threads", "resident memory per thread (log scale)",
			"Resident memory of the process, by the number of its threads, while all are alive and blocked.",
			words.Bytes,
			byteTicks{9},
			func(c result.Cell) *result.Estimate { return c.Bytes },
		},
		{
			"start", "Start of many threads", "time per start (log scale)", "Time to start one of so many threads, which all stay alive.",
			words.NS,
			logTicks{words.NS, 10},
			func(c result.Cell) *result.Estimate { return &c.Time },
		},
	}
	for _, q := range quantities {
		var d dotPlot
		var s span
		names := map[string]bool{}
		for _, r := range rows {
			row := dotRow{label: fold(words.Row(r))}
			for _, c := range r.Cells {
				if e := q.of(c); c.Absent == "" && e != nil && drawable(e.Center) {
					row.dots = append(
						row.dots,
						dot{symbol: pal.symbols[c.Contender], Estimate: *e, text: q.format(e.Center)},
					)
					s.estimate(*e)
					names[c.Contender] = true
				}
			}
			if len(row.dots) > 0 {
				d.rows = append(d.rows, row)
			}
		}
		if len(d.rows) == 0 {
			continue
		}
		s.room(0.04, 2)
		s.high *= math.Pow(s.high/s.low, 0.1) // room for the text of the last dot
		c := Chart{
			Name: q.name, Section: sectionMany, Title: q.title,
			Caption: q.caption + fmt.Sprintf(
				" Whiskers are the %s %% interval. Further left is better.",
				words.Number(100*run.Confidence),
			),
		}
		const subtitle = "threads started one after the other, all alive and blocked at once"
		chart, err := d.sheet(c, subtitle, q.axis, markKeys(pal.sorted(names), true), s, q.ticks)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", q.name, err)
		}
		charts = append(charts, chart)
	}
	return charts, nil
}
