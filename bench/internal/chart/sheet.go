package chart

import (
	"bytes"
	"fmt"
	"html"
	"image/color"
	"math"
	"regexp"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

const (
	width  = vg.Length(675) // points: 900 px
	margin = vg.Length(10)
)

// A sheet is a chart under construction: the title and the legend at the top,
// plots below.
type sheet struct {
	Chart
	svg   *recorder
	all   draw.Canvas
	body  draw.Canvas // the area for plots
	plots []vg.Rectangle
	label string // for screen readers
}

// A key is one entry of a legend.
type key struct {
	text string
	draw func(c draw.Canvas, at vg.Point) // centered on at
}

// newSheet draws the title, the subtitle and the legend, and leaves height for
// the plots.
func newSheet(c Chart, subtitle string, keys []key, height vg.Length) *sheet {
	sub := wrap(subtitle, style(10, false), width-2*margin)
	lines := layout(keys)
	top := margin + 20 + vg.Length(len(sub))*13 + 6 + vg.Length(len(lines))*16 + 6
	total := top + height + margin
	s := &sheet{Chart: c, label: c.Title, svg: &recorder{Canvas: vgsvg.New(width, total)}}
	if subtitle != "" {
		s.label += " (" + subtitle + ")"
	}
	s.all = draw.NewCanvas(s.svg, width, total)
	s.all.SetColor(color.White)
	s.all.Fill(s.all.Path())
	y := total - margin - 14
	s.all.FillText(style(14, true), vg.Point{X: margin, Y: y}, c.Title)
	for _, line := range sub {
		y -= 14
		s.all.FillText(style(10, false), vg.Point{X: margin, Y: y}, line)
	}
	y -= 18
	for _, line := range lines {
		for _, k := range line {
			k.draw(s.all, vg.Point{X: margin + k.x + 9, Y: y + 3})
			s.all.FillText(style(10, false), vg.Point{X: margin + k.x + 22, Y: y}, k.text)
		}
		y -= 16
	}
	s.body = draw.Crop(s.all, margin, -margin, margin, -top)
	return s
}

type placed struct {
	key
	x vg.Length
}

// layout arranges keys in lines that fit the width.
func layout(keys []key) (lines [][]placed) {
	x := vg.Length(0)
	for i, k := range keys {
		w := 22 + style(10, false).Width(k.text) + 14
		if i == 0 || x+w > width-2*margin {
			lines = append(lines, nil)
			x = 0
		}
		lines[len(lines)-1] = append(lines[len(lines)-1], placed{k, x})
		x += w
	}
	return lines
}

// wrap breaks words into lines of at most w.
func wrap(words string, st text.Style, w vg.Length) (lines []string) {
	for word := range strings.FieldsSeq(words) {
		if n := len(lines); n > 0 && st.Width(lines[n-1]+" "+word) <= w {
			lines[n-1] += " " + word
			continue
		}
		lines = append(lines, word)
	}
	return lines
}

// A view is a plot with its axis labels. The plot package would narrow the data
// area to make room for a long label, so the labels are drawn here.
type view struct {
	*plot.Plot
	x, y      string
	low, high string // labels at the ends of the horizontal axis
}

// draw draws v into c, a part of the sheet's body.
func (s *sheet) draw(v view, c draw.Canvas) {
	const line = 15
	inner := draw.Crop(c, 0, 0, line, 0)
	if v.y != "" {
		inner = draw.Crop(inner, line, 0, 0, 0)
	}
	data := v.DataCanvas(inner).Rectangle
	v.Draw(inner)
	s.plots = append(s.plots, data)
	st := style(10, false)
	st.XAlign = draw.XCenter
	s.all.FillText(st, vg.Point{X: (data.Min.X + data.Max.X) / 2, Y: c.Min.Y + 1}, v.x)
	s.all.FillText(style(10, true), vg.Point{X: data.Min.X, Y: c.Min.Y + 1}, v.low)
	if v.high != "" {
		right := style(10, true)
		right.XAlign = draw.XRight
		s.all.FillText(right, vg.Point{X: data.Max.X, Y: c.Min.Y + 1}, v.high)
	}
	if v.y != "" {
		st.Rotation = math.Pi / 2
		s.all.FillText(st, vg.Point{X: c.Min.X + 10, Y: (data.Min.Y + data.Max.Y) / 2}, v.y)
	}
}

// chart finishes the sheet.
func (s *sheet) chart() (Chart, error) {
	svg, err := s.svg.finish(s.label, s.plots)
	s.SVG = svg
	return s.Chart, err
}

// newView returns an empty plot whose text is readable at 900 px, with its axis
// labels.
func newView(x, y string) view {
	p := plot.New()
	p.BackgroundColor = nil
	p.Title.TextStyle.Font = sans(10, true)
	p.Title.Padding = 6
	for _, a := range []*plot.Axis{&p.X, &p.Y} {
		a.Label.TextStyle.Font = sans(9.5, false) // not drawn, but it determines the distance of the tick labels
		a.Tick.Label.Font = sans(9.5, false)
		a.Tick.Label.Color = ink
		a.Color = grey
		a.Tick.Color = grey
		a.Padding = 0
	}
	return view{Plot: p, x: x, y: y}
}

func sans(size vg.Length, bold bool) font.Font {
	f := font.Font{Typeface: "Liberation", Variant: "Sans", Size: size}
	if bold {
		f.Weight = 2 // font.WeightBold of x/image
	}
	return f
}

func style(size vg.Length, bold bool) text.Style {
	return text.Style{Color: ink, Font: sans(size, bold), Handler: plot.DefaultTextHandler}
}

// A recorder records the intended width of each text. A browser without the
// font substitutes another one, whose letters may be wider; the attribute
// textLength makes it fit the text into the intended width.
type recorder struct {
	*vgsvg.Canvas
	widths []vg.Length
}

func (r *recorder) FillString(f font.Face, at vg.Point, s string) {
	r.widths = append(r.widths, f.Width(s))
	r.Canvas.FillString(f, at, s)
}

// family is the font that the plot package measures with, then fonts of the
// same widths, then any sans-serif.
const family = "font-family:'Liberation Sans',Arial,Helvetica,sans-serif"

var (
	prolog   = regexp.MustCompile(`(?s)^<\?xml.*?<svg [^>]*>`)
	textTag  = regexp.MustCompile(`<text `)
	families = strings.NewReplacer(
		"font-family:Liberation Sans;font-variant:normal;font-weight:normal;font-style:normal", family,
		"font-family:Liberation Sans;font-variant:normal;font-weight:600;font-style:normal", family+";font-weight:bold",
		">\n<", "><", "\n\tstyle", " style",
	)
)

// finish returns the SVG file.
func (r *recorder) finish(title string, plots []vg.Rectangle) ([]byte, error) {
	var b bytes.Buffer
	if _, err := r.WriteTo(&b); err != nil {
		return nil, err
	}
	w, h := r.Size()
	title = html.EscapeString(title)
	head := fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" width="%.0f" height="%.0f" viewBox="0 0 %.5g %.5g" `, w*4/3, h*4/3, w, h) +
		fmt.Sprintf(`role="img" aria-label="%s" data-plot="%s"><title>%s</title>`, title, areas(plots, w, h), title)
	svg := prolog.ReplaceAllLiteralString(b.String(), head)
	i := -1
	svg = textTag.ReplaceAllStringFunc(svg, func(tag string) string {
		i++
		if r.widths[i] <= 0 {
			return tag
		}
		return fmt.Sprintf(`<text textLength="%.5g" lengthAdjust="spacingAndGlyphs" `, r.widths[i])
	})
	return []byte(families.Replace(svg)), nil
}

func areas(plots []vg.Rectangle, w, h vg.Length) string {
	var out []string
	for _, p := range plots {
		out = append(out, fmt.Sprintf("%.4f,%.4f,%.4f,%.4f", p.Min.X/w, 1-p.Max.Y/h, p.Size().X/w, p.Size().Y/h))
	}
	return strings.Join(out, ";")
}
