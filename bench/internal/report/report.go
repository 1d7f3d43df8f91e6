// Package report writes results for the terminal and for benchstat.
package report

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"example.com/thread/bench/internal/result"
	"example.com/thread/bench/internal/stats"
	"example.com/thread/bench/internal/words"
)

// A Style is the appearance of a report.
type Style struct {
	Color bool // use escape codes of the terminal
}

const (
	bold  = "\x1b[1m"
	green = "\x1b[32m"
	red   = "\x1b[31m"
	plain = "\x1b[0m"
)

func (st Style) paint(color, text string) string {
	if !st.Color || text == "" {
		return text
	}
	return color + text + plain
}

// Header writes the machine and the settings of the run.
func Header(w io.Writer, r *result.Run) {
	m := r.Machine
	fmt.Fprintf(
		w,
		"machine   %s, %d cores, %s/%s, kernel %s, %s",
		m.CPU,
		m.Cores,
		m.OS,
		m.Arch,
		orUnknown(m.Kernel),
		m.Go,
	)
	fmt.Fprintf(w, ", libc %s, governor %s\n", orUnknown(m.Libc), orUnknown(m.Governor))
	if len(m.Load) > 0 {
		fmt.Fprintf(w, "load      %.2f\n", m.Load)
	}
	for _, t := range m.Tools {
		fmt.Fprintf(w, "with      %s: %s\n", t.Contender, t.Version)
	}
	for _, a := range r.Absent {
		fmt.Fprintf(w, "without   %s: %s\n", a.Contender, a.Why)
	}
	fmt.Fprintf(
		w,
		"rounds    %d of %v a cell, interleaved; medians with %.0f %% intervals\n",
		r.Rounds,
		r.Round,
		100*r.Confidence,
	)
	fmt.Fprintf(w, "ratio     time divided by the first line's, round by round: above 1 the first line is faster\n")
}

func orUnknown(s string) string {
	if s == "" {
		return "unknown"
	}
	return s
}

// Row writes one row, with one line per contender.
func Row(w io.Writer, row result.Row, st Style) error {
	fmt.Fprintln(w, st.paint(bold, row.Name))
	var b strings.Builder
	tw := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprint(
		tw,
		"  \ttime/op\t±\tratio\tinterval\t\tCPU/op\tswitches/op\tshares\twait p50\tp99\tp99.9\tmax\tbytes\t\n",
	)
	for _, c := range row.Cells {
		if c.Absent != "" {
			continue
		}
		fmt.Fprintf(tw, "  %s\t%s\t%s\t", c.Contender, words.NS(c.Time.Center), plusMinus(c.Time))
		if c.Ratio == nil {
			fmt.Fprint(tw, "\t\t\t")
		} else {
			fmt.Fprintf(tw, "%s\t%s–%s\t", number(c.Ratio.Center), number(c.Ratio.Low), number(c.Ratio.High))
			fmt.Fprintf(tw, "%s\t", c.Verdict)
		}
		if c.CPU != nil {
			fmt.Fprint(tw, words.NS(c.CPU.Center))
		}
		fmt.Fprint(tw, "\t")
		if c.Switches != nil {
			fmt.Fprint(tw, number(c.Switches.Center))
		}
		fmt.Fprint(tw, "\t")
		if c.Shares != nil {
			fmt.Fprintf(tw, "%.2f–%.2f", c.Shares.Least, c.Shares.Most)
		}
		fmt.Fprint(tw, "\t")
		if wt := c.Waits; wt != nil {
			fmt.Fprintf(
				tw,
				"%s\t%s\t%s\t%s\t",
				words.NS(float64(wt.P50)),
				words.NS(float64(wt.P99)),
				words.NS(float64(wt.P999)),
				words.NS(float64(wt.Max)),
			)
		} else {
			fmt.Fprint(tw, "\t\t\t\t")
		}
		if c.Bytes != nil {
			fmt.Fprintf(tw, "%.0f", c.Bytes.Center)
		}
		fmt.Fprintln(tw, "\t")
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	text := b.String()
	// Colors are added after the columns are aligned, since escape codes count
	// as text.
	text = strings.ReplaceAll(text, " "+string(result.Slower)+" ", " "+st.paint(green, string(result.Slower))+" ")
	text = strings.ReplaceAll(text, " "+string(result.Faster)+" ", " "+st.paint(red, string(result.Faster))+" ")
	for _, c := range row.Cells {
		if c.Absent != "" {
			text += fmt.Sprintf("  %s is absent: %s\n", c.Contender, c.Absent)
		}
	}
	_, err := io.WriteString(w, trimLines(text))
	return err
}

func trimLines(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		b.WriteString(strings.TrimRight(line, " \t\n"))
		b.WriteByte('\n')
	}
	return b.String()
}

func plusMinus(e result.Estimate) string {
	if e.Center == 0 {
		return ""
	}
	return fmt.Sprintf("%.0f%%", 100*max(e.High-e.Center, e.Center-e.Low)/e.Center)
}

// number formats a ratio or a count with about three digits, without an
// exponent.
func number(x float64) string {
	switch {
	case x >= 100:
		return fmt.Sprintf("%.0f", x)
	case x >= 10:
		return fmt.Sprintf("%.1f", x)
	case x != 0 && x < 0.01:
		return fmt.Sprintf("%.4f", x)
	default:
		return fmt.Sprintf("%.2f", x)
	}
}

// A Loss is a row in which another contender is faster than the baseline.
type Loss struct {
	Row  string
	Peer string
	// Ratio is the peer's time divided by the baseline's.
	Ratio result.Estimate
}

// Losses returns the rows that the baseline loses, the worst first, each with
// the fastest contender outside this library whose interval is below 1.
func Losses(r *result.Run) (ls []Loss) {
	for _, row := range r.Rows {
		best := Loss{Row: row.Name}
		for _, c := range row.Cells {
			if !c.Ours && c.Verdict == result.Faster && (best.Peer == "" || c.Ratio.Center < best.Ratio.Center) {
				best.Peer, best.Ratio = c.Contender, *c.Ratio
			}
		}
		if best.Peer != "" {
			ls = append(ls, best)
		}
	}
	slices.SortFunc(ls, func(a, b Loss) int {
		switch {
		case a.Ratio.Center < b.Ratio.Center:
			return -1
		case a.Ratio.Center > b.Ratio.Center:
			return 1
		default:
			return strings.Compare(a.Row, b.Row)
		}
	})
	return ls
}

// Summary writes the result of each kind of work, and each row that this
// library loses.
func Summary(w io.Writer, r *result.Run, st Style) error {
	head := "Summary: by kind of work and contender, the number of rows in which it is slower, " +
		"no different, or faster than " + baseline(r) + ", and the mean ratio"
	fmt.Fprintf(w, "\n%s\n", st.paint(bold, head))
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(tw, "  kind\tcontender\tslower\tequal\tfaster\tgeometric mean\tleast\t")
	for _, rows := range r.Kinds() {
		for _, name := range contenders(rows) {
			count := map[result.Verdict]int{}
			var ratios []float64
			for _, row := range rows {
				for _, c := range row.Cells {
					if c.Contender == name && c.Ratio != nil {
						count[c.Verdict]++
						ratios = append(ratios, c.Ratio.Center)
					}
				}
			}
			if len(ratios) == 0 {
				continue
			}
			fmt.Fprintf(
				tw,
				"  %s\t%s\t%d\t%d\t%d\t%s\t%s\t\n",
				rows[0].Kind,
				name,
				count[result.Slower],
				count[result.NoDifference],
				count[result.Faster],
				number(stats.GeoMean(ratios)),
				number(slices.Min(ratios)),
			)
		}
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	ls := Losses(r)
	if len(ls) == 0 {
		fmt.Fprintf(w, "\nNo contender is faster than %s in any row.\n", baseline(r))
		return nil
	}
	head = fmt.Sprintf("Lost: %d of %d rows in which another contender is faster", len(ls), len(r.Rows))
	fmt.Fprintf(w, "\n%s\n", st.paint(bold, head))
	tw = tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, l := range ls {
		fmt.Fprintf(
			tw,
			"  %s\t%s\t%s\t%s–%s\t\n",
			l.Row,
			l.Peer,
			number(l.Ratio.Center),
			number(l.Ratio.Low),
			number(l.Ratio.High),
		)
	}
	return tw.Flush()
}

func baseline(r *result.Run) string {
	if len(r.Rows) == 0 || len(r.Rows[0].Cells) == 0 {
		return "the baseline"
	}
	return r.Rows[0].Cells[0].Contender
}

func contenders(rows []result.Row) (names []string) {
	for _, row := range rows {
		for _, c := range row.Cells {
			if !slices.Contains(names, c.Contender) {
				names = append(names, c.Contender)
			}
		}
	}
	return names
}

// Changes writes each cell whose time differs from that of an earlier run.
func Changes(w io.Writer, now, before *result.Run, st Style) error {
	fmt.Fprintf(
		w,
		"\n%s\n",
		st.paint(bold, "Against the run of "+before.Began.Format(time.DateTime)+", time now divided by time then"),
	)
	if now.Machine.CPU != before.Machine.CPU || now.Machine.Go != before.Machine.Go ||
		now.Machine.Kernel != before.Machine.Kernel {
		fmt.Fprintf(
			w,
			"  which was on another machine or system: %s, kernel %s, %s\n",
			before.Machine.CPU,
			before.Machine.Kernel,
			before.Machine.Go,
		)
	}
	tw := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	compared, same := 0, 0
	for _, row := range now.Rows {
		for _, c := range row.Cells {
			old := before.Cell(row.Name, c.Contender)
			if old == nil || c.Absent != "" || len(old.Samples) < stats.LeastRounds {
				continue
			}
			compared++
			ratio := stats.Across(c.Samples, old.Samples)
			switch stats.Judge(ratio) {
			case result.NoDifference:
				same++
			default:
				fmt.Fprintf(
					tw,
					"  %s\t%s\t%s\t%s\t%s–%s\t\n",
					row.Name,
					c.Contender,
					stats.Judge(ratio),
					number(ratio.Center),
					number(ratio.Low),
					number(ratio.High),
				)
			}
		}
	}
	if err := tw.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(w, "  %d of %d cells show no difference\n", same, compared)
	return nil
}
