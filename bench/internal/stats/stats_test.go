package stats

import "testing"

func TestSummarize(t *testing.T) {
	for _, row := range []struct {
		name   string
		sample []float64
		want   Summary
	}{
		{"empty", nil, Summary{}},
		{"one", []float64{5}, Summary{Median: 5}},
		{"odd, unsorted", []float64{3, 1, 2}, Summary{Median: 2, Spread: 0.25}},
		{"even", []float64{4, 1, 2, 3}, Summary{Median: 2.5, Spread: 0.3}},
		{"zeros", []float64{0, 0}, Summary{}},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := Summarize(row.sample); got != row.want {
				t.Errorf("got %+v, want %+v", got, row.want)
			}
		})
	}
}
