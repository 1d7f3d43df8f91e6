// Package chart draws a run as charts for a talk or a page: ratios to this
// library, the wait times of single operations, the time of an operation
// against the number of threads, the cost of many threads, and how cost grows
// with the amount of work. Each chart is one SVG file, 900 pixels wide, that
// needs no font, script or other file. The same run gives the same bytes.
package chart

import (
	"slices"
	"strconv"

	"example.com/thread/bench/internal/result"
	"example.com/thread/bench/internal/words"
)

// A Chart is one SVG image.
type Chart struct {
	Name    string // file name without .svg
	Section string // one of Sections
	Title   string
	Caption string // what the chart shows and how to read it
	// SVG is the image. Its root element has the attribute data-plot: left,
	// top, width and height of each data area as fractions of the image's width
	// and height, areas separated by semicolons.
	SVG []byte
}

// Sections are the groups of charts, in the order of All.
var Sections = []string{sectionRatios, sectionWaits, sectionScaling, sectionGrowth, sectionMany}

const (
	sectionRatios  = "Time relative to this library"
	sectionWaits   = "Wait times of single operations"
	sectionScaling = "Time by number of threads"
	sectionGrowth  = "Cost as work grows"
	sectionMany    = "Many threads alive at once"
)

// All returns the charts that run has data for.
func All(run *result.Run) ([]Chart, error) {
	var charts []Chart
	pal := newPalette(run)
	for _, draw := range []func(*result.Run, *palette) ([]Chart, error){ratios, waits, scaling, growth, many} {
		cs, err := draw(run, pal)
		if err != nil {
			return nil, err
		}
		charts = append(charts, cs...)
	}
	return charts, nil
}

// split divides rows that do not fit on one chart, by the first of keys in
// which they differ.
func split(rows []result.Row, keys []string, fits func([]result.Row) bool) [][]result.Row {
	if fits(rows) || len(keys) == 0 {
		return [][]result.Row{rows}
	}
	var out [][]result.Row
	parts := result.Groups(rows, func(r result.Row) string { return value(r, keys[0]) })
	slices.SortStableFunc(parts, func(a, b []result.Row) int {
		x, err := strconv.Atoi(value(a[0], keys[0]))
		y, err2 := strconv.Atoi(value(b[0], keys[0]))
		if err != nil || err2 != nil {
			return 0 // not numbers: keep the order of the run
		}
		return x - y
	})
	for _, part := range parts {
		out = append(out, split(part, keys[1:], fits)...)
	}
	return out
}

// value returns the value of a row's parameter, "" if the row does not have it.
func value(r result.Row, key string) string {
	for _, p := range r.Params {
		if p.Key == key {
			return p.Value
		}
	}
	return ""
}

// common returns the parameters that are equal in all rows.
func common(rows []result.Row) []result.Param {
	var out []result.Param
	for _, p := range rows[0].Params {
		if !slices.ContainsFunc(rows, func(r result.Row) bool { return !slices.Contains(r.Params, p) }) {
			out = append(out, p)
		}
	}
	return out
}

// label returns in words the parameters of a row except the shared ones.
func label(r result.Row, shared []result.Param) string {
	own := slices.DeleteFunc(slices.Clone(r.Params), func(p result.Param) bool { return slices.Contains(shared, p) })
	return words.Params(own)
}

// suffix returns the part of a chart's name that distinguishes part from the
// other charts of its kind.
func suffix(part, whole []result.Row) string {
	known, out := common(whole), ""
	for _, p := range common(part) {
		if !slices.Contains(known, p) {
			out += "-" + p.Key + "-" + p.Value
		}
	}
	return out
}
