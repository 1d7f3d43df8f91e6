package chart

import (
	"cmp"
	"fmt"
	"image/color"
	"math"
	"slices"

	"example.com/thread/bench/internal/result"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// This library is always vermilion. The colours are distinguishable with any
// kind of colour vision: those of Okabe and Ito (2008) without yellow, which is
// too pale for a line on white, then three of Tol's "muted" set. Each colour
// also has its own shape.
var (
	ours   = color.RGBA{0xD5, 0x5E, 0x00, 0xFF}
	others = []color.RGBA{
		{0x00, 0x72, 0xB2, 0xFF}, // blue
		{0x00, 0x9E, 0x73, 0xFF}, // bluish green
		{0x56, 0xB4, 0xE9, 0xFF}, // sky blue
		{0xCC, 0x79, 0xA7, 0xFF}, // reddish purple
		{0x00, 0x00, 0x00, 0xFF}, // black
		{0xE6, 0x9F, 0x00, 0xFF}, // orange
		{0x88, 0x22, 0x55, 0xFF}, // wine
		{0x99, 0x99, 0x33, 0xFF}, // olive
		{0x33, 0x22, 0x88, 0xFF}, // indigo
	}
	ink   = color.RGBA{0x22, 0x22, 0x22, 0xFF}
	faint = color.RGBA{0xDD, 0xDD, 0xDD, 0xFF}
	band  = color.RGBA{0xF5, 0xF5, 0xF5, 0xFF}
	grey  = color.RGBA{0x77, 0x77, 0x77, 0xFF}
)

// known contenders have the same symbol in every run, whichever of them take
// part.
var known = []string{"sync", "channel", "x/sync", "locked goroutine", "C pthreads", "Rust", "Java", "CPython"}

// A shape is a mark's outline.
type shape int

const (
	circle shape = iota
	square
	up
	down
	diamond
	star
	pentagon
	left
	right
	shapes // number of shapes
)

// A symbol is the colour and the shape that a contender has in all charts.
type symbol struct {
	name   string
	ours   bool
	colour color.RGBA
	shape  shape
	dashed bool
}

// A palette has the symbols of a run's contenders.
type palette struct {
	symbols map[string]symbol
	order   []string // that of the run
}

func newPalette(run *result.Run) *palette {
	p := &palette{symbols: map[string]symbol{}}
	var strangers []string
	mine := 0
	for _, r := range run.Rows {
		for _, c := range r.Cells {
			if slices.Contains(p.order, c.Contender) {
				continue
			}
			p.order = append(p.order, c.Contender)
			switch i := slices.Index(known, c.Contender); {
			case c.Ours:
				p.symbols[c.Contender] = symbol{c.Contender, true, ours, shape(mine) % shapes, mine > 0}
				mine++
			case i >= 0:
				p.symbols[c.Contender] = other(c.Contender, i)
			default:
				strangers = append(strangers, c.Contender)
			}
		}
	}
	slices.Sort(strangers)
	for i, name := range strangers {
		p.symbols[name] = other(name, len(known)+i)
	}
	return p
}

// other returns the i-th symbol. Shapes and colours repeat with different
// periods, so that their combinations do not repeat.
func other(name string, i int) symbol {
	return symbol{name, false, others[i%len(others)], shape(1+i+i/len(others)) % shapes, i >= len(others)}
}

// sorted returns the symbols of names in the order of the run.
func (p *palette) sorted(names map[string]bool) []symbol {
	var out []symbol
	for _, n := range p.order {
		if names[n] {
			out = append(out, p.symbols[n])
		}
	}
	slices.SortStableFunc(out, func(a, b symbol) int { return cmp.Compare(rank(a), rank(b)) })
	return out
}

func rank(l symbol) int {
	if l.ours {
		return 0
	}
	return 1
}

// Colours returns the colour of each contender in all charts of a run, as
// #rrggbb.
func Colours(run *result.Run) map[string]string {
	out := map[string]string{}
	for n, l := range newPalette(run).symbols {
		out[n] = fmt.Sprintf("#%02x%02x%02x", l.colour.R, l.colour.G, l.colour.B)
	}
	return out
}

const radius = vg.Length(3.2)

// mark draws the symbol, hollow or filled.
func (l symbol) mark(c draw.Canvas, at vg.Point, hollow bool) {
	path := l.shape.path(at, radius)
	c.SetColor(l.colour)
	if hollow {
		c.SetColor(color.White)
	}
	c.Fill(path)
	c.SetLineStyle(draw.LineStyle{Color: l.colour, Width: 1})
	c.Stroke(path)
}

// line returns the style of the symbol's lines.
func (l symbol) line(width vg.Length) draw.LineStyle {
	s := draw.LineStyle{Color: l.colour, Width: width}
	if l.dashed {
		s.Dashes = []vg.Length{4, 2}
	}
	return s
}

// path returns the outline around at. The radius of each shape is chosen so
// that all appear equally large.
func (s shape) path(at vg.Point, r vg.Length) vg.Path {
	var p vg.Path
	corners := func(n int, first float64, r ...vg.Length) {
		for i := range n {
			sin, cos := math.Sincos(first + 2*math.Pi*float64(i)/float64(n))
			d := r[i%len(r)]
			pt := vg.Point{X: at.X + d*vg.Length(cos), Y: at.Y + d*vg.Length(sin)}
			if i == 0 {
				p.Move(pt)
			} else {
				p.Line(pt)
			}
		}
		p.Close()
	}
	switch s {
	case square:
		corners(4, math.Pi/4, r*1.25)
	case up:
		corners(3, math.Pi/2, r*1.4)
	case down:
		corners(3, -math.Pi/2, r*1.4)
	case diamond:
		corners(4, 0, r*1.35)
	case star:
		corners(10, math.Pi/2, r*1.45, r*0.7)
	case pentagon:
		corners(5, math.Pi/2, r*1.2)
	case left:
		corners(3, math.Pi, r*1.4)
	case right:
		corners(3, 0, r*1.4)
	default:
		p.Move(vg.Point{X: at.X + r, Y: at.Y})
		p.Arc(at, r, 0, 2*math.Pi)
		p.Close()
	}
	return p
}
