// Package stats sums up the rounds of one cell.
package stats

import "slices"

// A Summary is the middle of a sample and how far it scatters.
type Summary struct {
	Median float64
	Spread float64 // half the distance between the quartiles, as a share of the median
}

// Summarize returns the zero Summary for an empty sample. It leaves sample as it is.
func Summarize(sample []float64) Summary {
	if len(sample) == 0 {
		return Summary{}
	}
	s := slices.Sorted(slices.Values(sample))
	m := quantile(s, 0.5)
	if m == 0 {
		return Summary{}
	}
	return Summary{Median: m, Spread: (quantile(s, 0.75) - quantile(s, 0.25)) / 2 / m}
}

// quantile interpolates between the two nearest ranks (Hyndman and Fan, 1996, definition 7).
func quantile(sorted []float64, q float64) float64 {
	at := q * float64(len(sorted)-1)
	i := int(at)
	if i+1 >= len(sorted) {
		return sorted[i]
	}
	return sorted[i] + (at-float64(i))*(sorted[i+1]-sorted[i])
}
