// Package chart draws a run as pictures that can be shown in a talk: ratios to
// this library, how long single operations waited, how the time of one grows
// with the number of threads, and what many threads cost. Each picture is one
// SVG file of 900 pixels' width that needs no font, script or other file, and
// the same run gives the same bytes.
package chart

import (
	"slices"
	"strconv"

	"example.com/thread/bench/internal/result"
	"example.com/thread/bench/internal/words"
)

// A Chart is one picture.
type Chart struct {
	Name    string // of its file, without .svg
	Section string // the sort of picture: one of Sections
	Title   string
	Caption string // what is to be seen and how it is to be read
	// SVG is the picture. Its root element has the attribute data-plot: the
	// left, top, width and height of each area with data, as shares of the
	// picture's width and height, areas separated by semicolons.
	SVG []byte
}

// Sections are the sorts of pictures, in the order of All.
var Sections = []string{sectionRatios, sectionWaits, sectionScaling, sectionMany}

const (
	sectionRatios  = "Time beside this library"
	sectionWaits   = "How long single operations wait"
	sectionScaling = "Time against the number of threads"
	sectionMany    = "Many threads alive at once"
)

// All returns the pictures that run has the data for; none if it has none.
func All(run *result.Run) ([]Chart, error) {
	var charts []Chart
	pal := newPalette(run)
	for _, draw := range []func(*result.Run, *palette) ([]Chart, error){ratios, waits, scaling, many} {
		cs, err := draw(run, pal)
		if err != nil {
			return nil, err
		}
		charts = append(charts, cs...)
	}
	return charts, nil
}

// split halves, thirds and so on what is too large for one picture, along the
// first of keys that rows differ in.
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
			return 0 // words, in the order of the run
		}
		return x - y
	})
	for _, part := range parts {
		out = append(out, split(part, keys[1:], fits)...)
	}
	return out
}

// value returns the value of a row's parameter, or "".
func value(r result.Row, key string) string {
	for _, p := range r.Params {
		if p.Key == key {
			return p.Value
		}
	}
	return ""
}

// common returns the parameters that all rows have alike.
func common(rows []result.Row) []result.Param {
	var out []result.Param
	for _, p := range rows[0].Params {
		if !slices.ContainsFunc(rows, func(r result.Row) bool { return !slices.Contains(r.Params, p) }) {
			out = append(out, p)
		}
	}
	return out
}

// label returns in words what tells a row from those with which it has the
// parameters shared.
func label(r result.Row, shared []result.Param) string {
	own := slices.DeleteFunc(slices.Clone(r.Params), func(p result.Param) bool { return slices.Contains(shared, p) })
	return words.Params(own)
}

// suffix returns what tells part, one of several pictures of a kind, from the
// others: for the picture's name.
func suffix(part, whole []result.Row) string {
	known, out := common(whole), ""
	for _, p := range common(part) {
		if !slices.Contains(known, p) {
			out += "-" + p.Key + "-" + p.Value
		}
	}
	return out
}
