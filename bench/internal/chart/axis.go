package chart

import (
	"math"

	"example.com/thread/bench/internal/result"
	"example.com/thread/bench/internal/words"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// drawable reports whether v can be shown on a logarithmic axis.
func drawable(v float64) bool { return v > 0 && !math.IsInf(v, 0) }

// A span is the range of values that an axis must show; the zero span is empty.
type span struct{ low, high float64 }

func (s *span) add(vs ...float64) {
	for _, v := range vs {
		switch {
		case !drawable(v):
		case s.high == 0:
			s.low, s.high = v, v
		default:
			s.low, s.high = min(s.low, v), max(s.high, v)
		}
	}
}

// estimate adds a whole interval, except an end that a logarithmic axis cannot
// show.
func (s *span) estimate(e result.Estimate) { s.add(e.Center, e.Low, e.High) }

// room widens the span at both ends by a share of its length, and to at least
// the factor least.
func (s *span) room(share, least float64) {
	middle, half := math.Sqrt(s.low*s.high), math.Sqrt(least)
	s.add(middle/half, middle*half)
	f := math.Pow(s.high/s.low, share)
	s.low, s.high = s.low/f, s.high*f
}

// logTicks labels as many of 1, 2, 3, 5 and 10 in each decade as fit, and draws
// the others as minor ticks.
type logTicks struct {
	format func(float64) string
	most   int // labels
}

func (t logTicks) Ticks(low, high float64) []plot.Tick {
	labelled, every := [10]bool{}, 1
	for _, try := range [][]int{{1, 2, 3, 5}, {1, 2, 5}, {1, 3}, {1}} {
		labelled = [10]bool{}
		for _, i := range try {
			labelled[i] = true
		}
		if count(low, high, labelled) <= t.most {
			break
		}
	}
	for count(low, high, labelled) > t.most*every {
		every++
	}
	var ticks []plot.Tick
	for e := int(math.Floor(math.Log10(low))); math.Pow10(e) <= high; e++ {
		for i := 1; i < 10; i++ {
			v := float64(i) * math.Pow10(e)
			if v < low || v > high {
				continue
			}
			tick := plot.Tick{Value: v}
			if labelled[i] && e%every == 0 {
				tick.Label = t.format(v)
			}
			ticks = append(ticks, tick)
		}
	}
	return ticks
}

// count returns the number of labels between low and high.
func count(low, high float64, labelled [10]bool) (n int) {
	for e := int(math.Floor(math.Log10(low))); math.Pow10(e) <= high; e++ {
		for i, l := range labelled {
			if v := float64(i) * math.Pow10(e); l && v >= low && v <= high {
				n++
			}
		}
	}
	return n
}

// A grid draws a faint line at each labelled tick, below everything else.
type grid struct{ x, y bool }

func (g grid) Plot(c draw.Canvas, p *plot.Plot) {
	st := draw.LineStyle{Color: faint, Width: 0.6}
	for _, t := range p.X.Tick.Marker.Ticks(p.X.Min, p.X.Max) {
		if x := c.X(p.X.Norm(t.Value)); g.x && t.Label != "" && c.ContainsX(x) {
			c.StrokeLine2(st, x, c.Min.Y, x, c.Max.Y)
		}
	}
	for _, t := range p.Y.Tick.Marker.Ticks(p.Y.Min, p.Y.Max) {
		if y := c.Y(p.Y.Norm(t.Value)); g.y && t.Label != "" && c.ContainsY(y) {
			c.StrokeLine2(st, c.Min.X, y, c.Max.X, y)
		}
	}
}

// logAxis sets a to a logarithmic axis over s.
func logAxis(a *plot.Axis, s span, ticks plot.Ticker) {
	a.Min, a.Max = s.low, s.high
	a.Scale = plot.LogScale{}
	a.Tick.Marker = ticks
}

// byteTicks labels powers of two: all of them, every second one, and so on, at
// most most labels.
type byteTicks struct{ most int }

func (t byteTicks) Ticks(low, high float64) (ticks []plot.Tick) {
	first, last := int(math.Ceil(math.Log2(low))), int(math.Floor(math.Log2(high)))
	every := max(1, (last-first+t.most)/t.most)
	for e := first; e <= last; e++ {
		tick := plot.Tick{Value: math.Exp2(float64(e))}
		if e%every == 0 {
			tick.Label = words.Bytes(tick.Value)
		}
		ticks = append(ticks, tick)
	}
	return ticks
}

// clamp limits v to the range of a.
func clamp(a plot.Axis, v float64) float64 {
	if math.IsNaN(v) {
		return a.Min
	}
	return min(max(v, a.Min), a.Max)
}

// whisker draws an interval along one axis, with caps at its ends.
func whisker(c draw.Canvas, st draw.LineStyle, a, b vg.Point) {
	st.Dashes = nil
	c.StrokeLine2(st, a.X, a.Y, b.X, b.Y)
	const end = 1.8
	for _, p := range []vg.Point{a, b} {
		if a.Y == b.Y {
			c.StrokeLine2(st, p.X, p.Y-end, p.X, p.Y+end)
		} else {
			c.StrokeLine2(st, p.X-end, p.Y, p.X+end, p.Y)
		}
	}
}
