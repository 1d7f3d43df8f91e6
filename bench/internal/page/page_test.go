package page

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"example.com/thread/bench/internal/chart"
	"example.com/thread/bench/internal/fixture"
	"example.com/thread/bench/internal/result"
)

func write(t *testing.T, run *result.Run) string {
	t.Helper()
	var b bytes.Buffer
	if err := Write(&b, run); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestWriteIsDeterministic(t *testing.T) {
	first, second := write(t, fixture.Run()), write(t, fixture.Run())
	if first != second {
		t.Error("two pages of one run differ")
	}
}

func TestWriteHasTheFiguresOfTheRun(t *testing.T) {
	run := fixture.Run()
	got := write(t, run)
	want := []string{
		"Example 9000", "6.1.0", "go1.26.8", "glibc 2.36", "0.12, 0.3, 0.51", "unknown", "rustc 1.95.0", "3.14.2 &lt;free-threaded&gt;",
		"bench -html page.html",
		"2 January 2026, 03:04 UTC", "1h23m0s", "9 of 100ms a cell", "99 % confidence", "governor &lt;powersave&gt;", "no java in PATH",
	}
	for _, r := range run.Rows {
		want = append(want, `<tbody id="`+r.Name+`">`)
	}
	charts, err := chart.All(run)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range charts {
		want = append(want, string(c.SVG))
	}
	for _, w := range want {
		if !strings.Contains(got, w) {
			t.Errorf("%.80q is not in the page", w)
		}
	}
	for _, bad := range []string{"<script", "http://", "https://", "ZgotmplZ"} {
		if strings.Contains(strings.ReplaceAll(got, `xmlns="http://www.w3.org/2000/svg"`, ""), bad) {
			t.Errorf("the page has %q", bad)
		}
	}
}

func TestWriteIsWellFormedWithEachCellInATable(t *testing.T) {
	got := write(t, fixture.Run())
	closed := regexp.MustCompile(`<(meta|link) ([^>]*)>`).ReplaceAllString(got, "<$1 $2/>") // void elements
	d := xml.NewDecoder(strings.NewReader(strings.TrimPrefix(closed, "<!DOCTYPE html>\n")))
	d.Entity = xml.HTMLEntity
	headless, ids := 0, map[string]bool{}
	for {
		tok, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			line, _ := d.InputPos()
			t.Fatalf("line %d: %v", line, err)
		}
		e, ok := tok.(xml.StartElement)
		if !ok {
			continue
		}
		attrs := map[string]string{}
		for _, a := range e.Attr {
			attrs[a.Name.Local] = a.Value
		}
		if e.Name.Local == "th" && attrs["scope"] == "" {
			headless++
		}
		if id := attrs["id"]; id != "" {
			if ids[id] {
				t.Errorf("duplicate id %s", id)
			}
			ids[id] = true
		}
		if e.Name.Local == "svg" && (attrs["role"] != "img" || attrs["aria-label"] == "") {
			t.Errorf("a chart without a role or a label: %v", attrs)
		}
	}
	if headless > 0 {
		t.Errorf("%d th without scope", headless)
	}
	for _, m := range regexp.MustCompile(`href="#([^"]*)"`).FindAllStringSubmatch(got, -1) {
		id, err := url.PathUnescape(m[1])
		if err != nil || !ids[id] {
			t.Errorf("dangling link to %s: %v", m[1], err)
		}
	}
	cells := 0
	for _, r := range fixture.Run().Rows {
		cells += len(r.Cells)
	}
	_, tables, _ := strings.Cut(got, "<h2>All figures</h2>")
	if n := strings.Count(tables, `<th scope="row">`); n != cells {
		t.Errorf("the tables have %d cells, want %d", n, cells)
	}
}

func TestWriteOfAnEmptyRun(t *testing.T) {
	if got := write(t, &result.Run{}); strings.Contains(got, "<svg") || strings.Contains(got, "<table") ||
		!strings.Contains(got, "unknown") {
		t.Error("the page of an empty run has charts or tables, or does not mark unknown values")
	}
}

func TestWriteEscapesTextOfTheRun(t *testing.T) {
	run := &result.Run{Rows: fixture.Run().Rows[:3], Command: "<script>alert(1)</script>"}
	for i := range run.Rows {
		run.Rows[i].Cells[2].Contender = `"><script>alert(2)</script>`
		run.Rows[i].Params = append(
			run.Rows[i].Params,
			result.Param{Key: "x", Value: "</text><script>alert(3)</script>"},
		)
	}
	if strings.Contains(write(t, run), "<script") {
		t.Error("unescaped text of the run")
	}
}

// cell returns a cell with the given ratio.
func cell(name string, ratio float64, v result.Verdict) result.Cell {
	return result.Cell{
		Contender: name,
		Time:      result.Estimate{Center: 100 * ratio},
		Ratio:     &result.Estimate{Center: ratio},
		Verdict:   v,
	}
}

// The picture comes before the machine, and shows what the summary counts.
func TestPictureShowsTheTallies(t *testing.T) {
	run := fixture.Run()
	got := write(t, run)
	picture, rest, found := strings.Cut(got[strings.Index(got, `<section id="picture">`)+1:], "</section>")
	if !found || !strings.Contains(rest, "<dl>") {
		t.Fatal("no picture before the machine")
	}
	s := summarize(run)
	var want []string
	for _, k := range append(slices.Clone(s.Kinds), s.All) {
		for i, n := range []int{k.Faster, k.Same, k.Slower} {
			if n > 0 {
				want = append(want, fmt.Sprintf("%s %d", []string{"won", "even", "lost"}[i], n))
			}
		}
	}
	var segments []string
	for _, m := range regexp.MustCompile(`<b class="(\w+)" style="flex:(\d+)">(\d+)</b>`).FindAllStringSubmatch(picture, -1) {
		if m[2] != m[3] {
			t.Errorf("a segment of %s is %s long", m[3], m[2])
		}
		segments = append(segments, m[1]+" "+m[3])
	}
	if len(want) == 0 || !slices.Equal(segments, want) {
		t.Errorf("segments %v, want %v", segments, want)
	}
}

func TestSummaryCountsEachRowOnce(t *testing.T) {
	ours := result.Cell{Contender: "osthread", Ours: true, Time: result.Estimate{Center: 100}}
	low := cell("thread.Lock", 0.2, result.Faster)
	low.Ours = true
	gone := result.Cell{Contender: "Java", Absent: "no java in PATH"}
	run := &result.Run{Rows: []result.Row{
		{Name: "lock/a", Kind: "lock", Cells: []result.Cell{ours, low, cell("sync", 2, result.Slower), gone}},
		{
			Name:  "lock/b",
			Kind:  "lock",
			Cells: []result.Cell{ours, cell("sync", 0.5, result.Faster), cell("Rust", 0.25, result.Faster), gone},
		},
		{
			Name:  "lock/c",
			Kind:  "lock",
			Cells: []result.Cell{ours, cell("sync", 0.9, result.NoDifference), cell("Rust", 0.95, result.Faster)},
		},
		{
			Name:  "queue/d",
			Kind:  "queue",
			Cells: []result.Cell{ours, cell("sync", 1, result.NoDifference), cell("Rust", 3, result.Slower)},
		},
		{Name: "queue/e", Kind: "queue", Cells: []result.Cell{ours, gone}},
		{Name: "queue/f", Kind: "queue", Cells: []result.Cell{ours, cell("sync", 7, result.Slower)}},
		{
			Name:  "queue/g",
			Kind:  "queue",
			Cells: []result.Cell{{Contender: "osthread", Ours: true, Absent: "broken"}, cell("sync", 7, result.Slower)},
		},
	}}
	s := summarize(run)
	if want := (tally{Name: "all", Rows: 5, Faster: 2, Same: 1, Slower: 2}); s.All != want {
		t.Errorf("got %+v, want %+v", s.All, want)
	}
	want := []tally{{Name: "Lock", Rows: 3, Faster: 1, Slower: 2}, {Name: "Queue", Rows: 2, Faster: 1, Same: 1}}
	if !slices.Equal(s.Kinds, want) {
		t.Errorf("got %+v, want %+v", s.Kinds, want)
	}
	anchors := func(es []extreme) (out []string) {
		for _, e := range es {
			out = append(out, e.Anchor+" "+e.Peer)
		}
		return out
	}
	if got, want := anchors(s.Worst), []string{"lock/b Rust", "lock/c Rust"}; !slices.Equal(got, want) {
		t.Errorf("got worst %v, want %v", got, want)
	}
	if got, want := anchors(s.Best), []string{"queue/f sync", "lock/a sync"}; !slices.Equal(got, want) {
		t.Errorf("got best %v, want %v", got, want)
	}
	for _, p := range s.Peers {
		if p.Name == "thread.Lock" || p.Name == "Java" {
			t.Errorf("%s is among the others", p.Name)
		}
	}
}
