// Package report writes results for people. It knows nothing of how they came about.
package report

import (
	"fmt"
	"io"
	"math"
	"strings"
	"text/tabwriter"

	"example.com/thread/bench/internal/stats"
)

// A Row is one scenario's results, a cell a column.
type Row struct {
	Name  string
	Cells []Cell
}

// A Cell is one contender's result.
type Cell struct {
	stats.Summary        // in ns an operation
	Absent        string // why there is no result; "" if there is one
}

// Table writes rows under the columns' names. The first column is the baseline: behind each other's time stands its ratio to the baseline's, above 1 where the
// baseline is faster.
func Table(w io.Writer, columns []string, rows []Row) error {
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprint(tw, "ns an operation\t")
	for i, c := range columns {
		fmt.Fprintf(tw, "%s\t±\t", c)
		if i > 0 {
			fmt.Fprint(tw, "ratio\t")
		}
	}
	fmt.Fprintln(tw)
	for _, r := range rows {
		fmt.Fprintf(tw, "%s\t", r.Name)
		for i, c := range r.Cells {
			writeCell(tw, c, r.Cells[0], i > 0)
		}
		fmt.Fprintln(tw)
	}
	return tw.Flush()
}

// Means writes, for the rows whose name begins with prefix, and have more than one thread, the geometric mean and the least of each column's ratios to the
// baseline; nothing if there are fewer than two.
func Means(w io.Writer, prefix string, columns []string, rows []Row) {
	for i := 1; i < len(columns); i++ {
		sum, n, least := 0.0, 0, math.Inf(1)
		for _, r := range rows {
			c, base := r.Cells[i], r.Cells[0]
			if !strings.HasPrefix(r.Name, prefix) || strings.HasPrefix(r.Name, prefix+"1/") || c.Absent != "" || base.Median == 0 || c.Median == 0 {
				continue
			}
			ratio := c.Median / base.Median
			sum, n, least = sum+math.Log(ratio), n+1, min(least, ratio)
		}
		if n > 1 {
			fmt.Fprintf(w, "%s*: %s has %.2f times the time (geometric mean of %d rows, least %.2f)\n", prefix, columns[i], math.Exp(sum/float64(n)), n, least)
		}
	}
}

func writeCell(w io.Writer, c, base Cell, ratio bool) {
	if c.Absent != "" {
		fmt.Fprint(w, "absent\t\t")
		if ratio {
			fmt.Fprint(w, "\t")
		}
		return
	}
	fmt.Fprintf(w, "%s\t%.0f%%\t", digits(c.Median), 100*c.Spread)
	switch {
	case !ratio:
	case base.Median == 0:
		fmt.Fprint(w, "-\t")
	default:
		fmt.Fprintf(w, "%.2f\t", c.Median/base.Median)
	}
}

// digits writes x so that what the noise leaves of it shows.
func digits(x float64) string {
	if x < 100 {
		return fmt.Sprintf("%.1f", x)
	}
	return fmt.Sprintf("%.0f", x)
}
