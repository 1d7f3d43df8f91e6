// Package page writes a run as one self-contained HTML page: no script, no
// font, no other file and no network. It begins with a picture of the rows won
// and lost, the machine and a summary, then has the charts, then every figure.
package page

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"strconv"
	"strings"
	"time"

	"example.com/thread/bench/internal/chart"
	"example.com/thread/bench/internal/result"
	"example.com/thread/bench/internal/words"
)

//go:embed page.html
var source string

var tmpl = template.Must(template.New("page").Parse(source))

// Write writes the page of run to w.
func Write(w io.Writer, run *result.Run) error {
	charts, err := chart.All(run)
	if err != nil {
		return err
	}
	return tmpl.Execute(w, newContent(run, charts))
}

// content is the data of the template.
type content struct {
	Began, Took, Command, Rounds string
	Rows, Contenders             int
	Confidence                   string
	Machine                      []fact
	Warnings                     []string
	Absent                       []result.Absence
	Summary                      summary
	Sections                     []section
	Tables                       []table
	Style                        template.CSS
}

// A fact is one field of the machine.
type fact struct{ Name, Value string }

// A section is one group of charts.
type section struct {
	ID, Title string
	Charts    []figure
}

// A figure is one chart.
type figure struct {
	ID, Title, Caption string
	SVG                template.HTML
}

func newContent(run *result.Run, charts []chart.Chart) content {
	c := content{
		Began: run.Began.UTC().
			Format("2 January 2006, 15:04 MST"),
		Took: run.Took.Round(time.Second).String(), Command: run.Command,
		Rounds: fmt.Sprintf("%d of %v a cell", run.Rounds, run.Round), Rows: len(run.Rows),
		Confidence: words.Number(100 * run.Confidence), Machine: machine(run.Machine), Warnings: run.Warnings,
		Absent: run.Absent, Summary: summarize(run), Tables: tables(run), Style: colours(run),
	}
	for i, title := range chart.Sections {
		s := section{ID: "charts-" + strconv.Itoa(i+1), Title: title}
		for _, ch := range charts {
			if ch.Section == title {
				// Package chart has escaped all text in the SVG.
				s.Charts = append(s.Charts, figure{"chart-" + ch.Name, ch.Title, ch.Caption, template.HTML(ch.SVG)})
			}
		}
		if len(s.Charts) > 0 {
			c.Sections = append(c.Sections, s)
		}
	}
	names := map[string]bool{}
	for _, r := range run.Rows {
		for _, cell := range r.Cells {
			if cell.Absent == "" {
				names[cell.Contender] = true
			}
		}
	}
	c.Contenders = len(names)
	return c
}

// machine returns all fields, including unknown ones: an unknown governor is
// worth knowing.
func machine(m result.Machine) []fact {
	load := make([]string, len(m.Load))
	for i, l := range m.Load {
		load[i] = words.Number(l)
	}
	cores := ""
	if m.Cores > 0 {
		cores = strconv.Itoa(m.Cores)
	}
	facts := []fact{
		{"Processor", m.CPU},
		{"Cores", cores},
		{"System", m.OS},
		{"Architecture", m.Arch},
		{"Kernel", m.Kernel},
		{"Go", m.Go},
		{"C library", m.Libc},
		{"Clock governor", m.Governor},
		{"Load over 1, 5 and 15 minutes", strings.Join(load, ", ")},
	}
	for i := range facts {
		if facts[i].Value == "" {
			facts[i].Value = "unknown"
		}
	}
	for _, t := range m.Tools {
		facts = append(facts, fact{t.Contender, t.Version})
	}
	return facts
}

// colours gives each contender its colour of the charts, by the class that
// classes returns.
func colours(run *result.Run) template.CSS {
	var b strings.Builder
	colour := chart.Colours(run)
	for i, n := range names(run) {
		// Colours are #rrggbb and the class is a number: no text of the run
		// gets into the CSS.
		fmt.Fprintf(&b, ".c%d::before{background:%s}", i, colour[n])
	}
	return template.CSS(b.String())
}

// names returns the contenders in the order of the run.
func names(run *result.Run) (out []string) {
	seen := map[string]bool{}
	for _, r := range run.Rows {
		for _, c := range r.Cells {
			if !seen[c.Contender] {
				seen[c.Contender] = true
				out = append(out, c.Contender)
			}
		}
	}
	return out
}

// classes returns the class of each contender.
func classes(run *result.Run) map[string]string {
	out := map[string]string{}
	for i, n := range names(run) {
		out[n] = "c" + strconv.Itoa(i)
	}
	return out
}
