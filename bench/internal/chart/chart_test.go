package chart

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"example.com/thread/bench/internal/fixture"
	"example.com/thread/bench/internal/result"
	"example.com/thread/bench/internal/scenario"
)

func all(t *testing.T, run *result.Run) []Chart {
	t.Helper()
	charts, err := All(run)
	if err != nil {
		t.Fatal(err)
	}
	return charts
}

func find(t *testing.T, charts []Chart, name string) Chart {
	t.Helper()
	i := slices.IndexFunc(charts, func(c Chart) bool { return c.Name == name })
	if i < 0 {
		t.Fatalf("no chart %q", name)
	}
	return charts[i]
}

// row returns the first row of the fixture whose name has the prefix.
func row(t *testing.T, run *result.Run, prefix string) result.Row {
	t.Helper()
	for _, r := range run.Rows {
		if strings.HasPrefix(r.Name, prefix) {
			return r
		}
	}
	t.Fatalf("no row %q", prefix)
	return result.Row{}
}

func TestAllIsDeterministic(t *testing.T) {
	a, b := all(t, fixture.Run()), all(t, fixture.Run())
	if len(a) != len(b) {
		t.Fatalf("got %d charts and then %d", len(a), len(b))
	}
	for i := range a {
		if a[i].Name != b[i].Name || !bytes.Equal(a[i].SVG, b[i].SVG) {
			t.Errorf("chart %d: %s and %s differ", i, a[i].Name, b[i].Name)
		}
	}
}

func TestAllHasEverySectionAndUniqueNames(t *testing.T) {
	seen := map[string]bool{}
	sections := map[string]int{}
	for _, c := range all(t, fixture.Run()) {
		if !regexp.MustCompile(`^[a-z0-9-]+$`).MatchString(c.Name) {
			t.Errorf("got name %q, want one for a file", c.Name)
		}
		if seen[c.Name] {
			t.Errorf("duplicate chart name %s", c.Name)
		}
		seen[c.Name] = true
		sections[c.Section]++
		if c.Title == "" || c.Caption == "" {
			t.Errorf("%s: got title %q and caption %q, want both", c.Name, c.Title, c.Caption)
		}
	}
	for _, s := range Sections {
		if sections[s] == 0 {
			t.Errorf("no chart in %q", s)
		}
	}
	if n := sections[sectionWaits]; n > most {
		t.Errorf("got %d charts of waits, want at most %d", n, most)
	}
	for _, r := range fixture.Run().Rows {
		if scenario.Kind(r.Kind).Growth() {
			continue // on charts of growth alone
		}
		if !slices.ContainsFunc(
			all(t, &result.Run{Rows: []result.Row{r}}),
			func(c Chart) bool { return c.Section == sectionRatios },
		) {
			t.Errorf("%s alone has no chart of ratios", r.Name)
		}
	}
}

func TestAllOfARunWithoutDataIsEmpty(t *testing.T) {
	absent := fixture.Run()
	bare := fixture.Run()
	for i := range absent.Rows {
		for j := range absent.Rows[i].Cells {
			c := &absent.Rows[i].Cells[j]
			*c = result.Cell{Contender: c.Contender, Ours: c.Ours, Absent: "not today"}
			c = &bare.Rows[i].Cells[j]
			*c = result.Cell{Contender: c.Contender, Ours: c.Ours} // present, without any figure
		}
	}
	for name, run := range map[string]*result.Run{
		"empty": {}, "no cells": {Rows: []result.Row{{Name: "lock/threads=2", Kind: "lock"}}}, "all absent": absent, "all zero": bare,
	} {
		if charts := all(t, run); len(charts) != 0 {
			t.Errorf("%s: got %d charts, the first %s; want none", name, len(charts), charts[0].Name)
		}
	}
}

func TestAllSkipsFiguresThatALogarithmicAxisCannotShow(t *testing.T) {
	for _, bad := range []float64{0, -1, math.Inf(1), math.NaN()} {
		run := fixture.Run()
		for i := range run.Rows {
			for j := range run.Rows[i].Cells {
				c := &run.Rows[i].Cells[j]
				c.Time.Low, c.Time.High = bad, bad
				if c.Ratio != nil {
					c.Ratio.Low = bad
				}
				if j == 2 {
					c.Time.Center = bad
				}
			}
		}
		for _, c := range all(t, run) {
			if bytes.Contains(c.SVG, []byte("NaN")) || bytes.Contains(c.SVG, []byte("Inf")) {
				t.Errorf("%s with %v: a coordinate is NaN or infinite", c.Name, bad)
			}
		}
	}
}

func TestAllDrawsUnknownKindsAndContenders(t *testing.T) {
	r := row(t, fixture.Run(), "lock/")
	r.Kind, r.Name = "novelty", "novelty/size=<9>"
	r.Params = []result.Param{{Key: "size", Value: "<9>"}}
	r.Cells[2].Contender = "Ada & <sons>"
	c := find(t, all(t, &result.Run{Rows: []result.Row{r}}), "ratio-novelty")
	for _, want := range []string{"size <9>", "Ada & <sons>"} {
		if texts := scan(t, c); !slices.ContainsFunc(
			texts,
			func(x placedText) bool { return strings.Contains(x.text, want) },
		) {
			t.Errorf("%q is not in the chart", want)
		}
	}
}

func TestRatioMarksAreHollowOnlyForNoDifference(t *testing.T) {
	hollow := func(v result.Verdict) int {
		r := row(t, fixture.Run(), "lock/")
		for i := range r.Cells {
			r.Cells[i].Verdict = v
		}
		return bytes.Count(
			find(t, all(t, &result.Run{Rows: []result.Row{r}}), "ratio-lock").SVG,
			[]byte(`style="fill:#FFFFFF"`),
		)
	}
	r := row(t, fixture.Run(), "lock/")
	want := 0
	for _, c := range r.Cells {
		if c.Ratio != nil {
			want++
		}
	}
	if got := hollow(result.NoDifference) - hollow(result.Slower); got != want {
		t.Errorf("got %d more hollow marks, want %d", got, want)
	}
}

func TestRatioWhiskersSpanTheInterval(t *testing.T) {
	length := func(high float64) float64 {
		r := row(t, fixture.Run(), "lock/")
		r.Cells = r.Cells[:3]
		r.Cells[1].Absent = "for this test"
		r.Cells[2].Ratio = &result.Estimate{Center: 2, Low: 1.5, High: high}
		svg := find(t, all(t, &result.Run{Rows: []result.Row{r}}), "ratio-lock").SVG
		longest := 0.0
		blue := regexp.MustCompile(`<path d="M([\d.]+),([\d.]+)L([\d.]+),([\d.]+)" style="fill:none;stroke:#0072B2`)
		for _, m := range blue.FindAllSubmatch(svg, -1) {
			a, _ := strconv.ParseFloat(string(m[1]), 64) // the pattern matches only numbers
			b, _ := strconv.ParseFloat(string(m[3]), 64)
			longest = max(longest, b-a)
		}
		return longest
	}
	if a, b := length(2.2), length(9); a >= b {
		t.Errorf("got lengths %v and %v, want the second longer", a, b)
	}
}

func TestColoursAreUniqueAndStableAcrossRows(t *testing.T) {
	run := fixture.Run()
	want := Colours(run)
	seen := map[string]string{}
	for name, c := range want {
		isOurs := name == "osthread" || name == "thread.Lock"
		if isOurs != (c == "#d55e00") {
			t.Errorf("%s has the colour %s", name, c)
		}
		if other := seen[c]; other != "" && !isOurs {
			t.Errorf("%s and %s both have %s", name, other, c)
		}
		seen[c] = name
	}
	for _, r := range run.Rows {
		for name, c := range Colours(&result.Run{Rows: []result.Row{r}}) {
			if c != want[name] {
				t.Errorf("%s: %s got %s in this row, want %s", r.Name, name, c, want[name])
			}
		}
	}
}

// A placedText is one horizontal text of a chart with its bounds.
type placedText struct {
	text                     string
	left, right, top, bottom float64
	size                     float64
}

// scan parses a chart strictly and returns its texts.
func scan(t *testing.T, c Chart) (out []placedText) {
	t.Helper()
	_, height := size(t, c)
	d := xml.NewDecoder(bytes.NewReader(c.SVG))
	groups := 0
	var at *placedText
	for {
		tok, err := d.Token()
		if err == io.EOF {
			return out
		}
		if err != nil {
			t.Fatalf("%s: %v", c.Name, err)
		}
		switch e := tok.(type) {
		case xml.StartElement:
			if e.Name.Local == "g" {
				groups++
			}
			if e.Name.Local == "text" {
				l := placedText{size: fontSize(t, c, attr(e, "style"))}
				if groups == 1 { // others are rotated
					x, y, w := number(t, attr(e, "x")), height+number(t, attr(e, "y")), number(t, attr(e, "textLength"))
					l.left, l.right, l.top, l.bottom = x, x+w, y-0.72*l.size, y+0.2*l.size
				}
				at = &l
			}
		case xml.CharData:
			if at != nil {
				at.text += string(e)
			}
		case xml.EndElement:
			if e.Name.Local == "g" {
				groups--
			}
			if e.Name.Local == "text" {
				out = append(out, *at)
				at = nil
			}
		}
	}
}

func attr(e xml.StartElement, name string) string {
	for _, a := range e.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

func number(t *testing.T, s string) float64 {
	t.Helper()
	f, err := strconv.ParseFloat(s, 64)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func fontSize(t *testing.T, c Chart, style string) float64 {
	t.Helper()
	m := regexp.MustCompile(`font-size:([\d.]+)px`).FindStringSubmatch(style)
	if m == nil || !strings.Contains(style, "sans-serif") {
		t.Fatalf("%s: text with style %q, want a size and a generic family", c.Name, style)
	}
	return number(t, m[1])
}

func size(t *testing.T, c Chart) (w, h float64) {
	t.Helper()
	m := regexp.MustCompile(`viewBox="0 0 ([\d.]+) ([\d.]+)"`).FindSubmatch(c.SVG)
	if m == nil {
		t.Fatalf("%s: no viewBox", c.Name)
	}
	return number(t, string(m[1])), number(t, string(m[2]))
}

func TestChartTextsAreReadableAndDoNotOverlap(t *testing.T) {
	for _, c := range all(t, fixture.Run()) {
		w, h := size(t, c)
		var areas [][4]float64
		for text := range strings.SplitSeq(string(regexp.MustCompile(`data-plot="([^"]*)"`).FindSubmatch(c.SVG)[1]), ";") {
			var a [4]float64
			if _, err := fmt.Sscanf(text, "%f,%f,%f,%f", &a[0], &a[1], &a[2], &a[3]); err != nil {
				t.Fatal(err)
			}
			areas = append(areas, [4]float64{a[0] * w, a[1] * h, (a[0] + a[2]) * w, (a[1] + a[3]) * h})
		}
		texts := scan(t, c)
		for i, a := range texts {
			if a.size < 8.25 {
				t.Errorf("%s: %q has %v points, want at least 8.25, which is 11 px", c.Name, a.text, a.size)
			}
			if a.right == 0 {
				continue
			}
			if a.left < 0 || a.right > w || a.top < 0 || a.bottom > h {
				t.Errorf("%s: %q is outside the image", c.Name, a.text)
			}
			for _, b := range texts[:i] {
				if b.right != 0 && a.left < b.right && b.left < a.right && a.top < b.bottom-0.5 &&
					b.top < a.bottom-0.5 {
					t.Errorf("%s: %q and %q overlap", c.Name, a.text, b.text)
				}
			}
			for _, r := range areas {
				if c.Section != sectionMany && a.left < r[2] && r[0] < a.right && a.top < r[3] && r[1] < a.bottom {
					t.Errorf("%s: %q covers data", c.Name, a.text)
				}
			}
		}
		for _, bad := range []string{"href", "url(", "@import", "<image", "<script"} {
			if bytes.Contains(c.SVG, []byte(bad)) {
				t.Errorf("%s: has %q, want no external reference", c.Name, bad)
			}
		}
	}
}
