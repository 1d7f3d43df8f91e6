// Bench compares this library with Go's own means and with the C library's threads:
//
//	go run -C bench .
//
// Each cell of the table is a median of rounds. The rounds of all contenders of a row are interleaved, so that whatever else happens on the
// machine meets each of them.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"regexp"
	"runtime"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"example.com/thread/bench/internal/contender"
	"example.com/thread/bench/internal/report"
	"example.com/thread/bench/internal/scenario"
	"example.com/thread/bench/internal/stats"
)

type options struct {
	run   *regexp.Regexp
	count int
	time  time.Duration
	list  bool
}

func main() {
	err := bench(os.Args[1:], os.Stdout, os.Stderr)
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "bench: %v\n", err)
		os.Exit(1)
	}
}

func bench(args []string, out, progress io.Writer) error {
	o, err := parse(args, progress)
	if err != nil {
		return err
	}
	var specs []scenario.Spec
	for _, s := range scenario.All() {
		if o.run.MatchString(s.Name()) {
			specs = append(specs, s)
		}
	}
	if len(specs) == 0 {
		return fmt.Errorf("no scenario matches %q; -list shows them", o.run)
	}
	if o.list {
		for _, s := range specs {
			fmt.Fprintln(out, s.Name())
		}
		return nil
	}
	return measureAll(o, specs, out, progress)
}

func parse(args []string, usage io.Writer) (o options, err error) {
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	f.SetOutput(usage)
	run := f.String("run", "", "only scenarios whose name matches this `regexp`")
	f.IntVar(&o.count, "count", 9, "`rounds` of each cell, of which the median is shown")
	f.DurationVar(&o.time, "time", 100*time.Millisecond, "`duration` of a round")
	f.BoolVar(&o.list, "list", false, "list the scenarios")
	quick := f.Bool("quick", false, "short and few rounds: -count 5 -time 10ms")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	if f.NArg() > 0 {
		return o, fmt.Errorf("unexpected argument %q", f.Arg(0))
	}
	if *quick {
		o.count, o.time = 5, 10*time.Millisecond
	}
	if o.count < 1 {
		return o, fmt.Errorf("-count %d: at least 1 round", o.count)
	}
	if o.time <= 0 {
		return o, fmt.Errorf("-time %v: must be above 0", o.time)
	}
	if o.run, err = regexp.Compile(*run); err != nil {
		return o, fmt.Errorf("-run: %w", err)
	}
	return o, nil
}

func measureAll(o options, specs []scenario.Spec, out, progress io.Writer) error {
	rounds := 0
	for _, s := range specs {
		rounds += len(contender.All(s.Tier())) * (o.count + 1)
	}
	machine(out)
	fmt.Fprintf(out, "rounds   %d of %v a cell, interleaved; medians, ± half the interquartile range; ratio above 1: %s is faster\n", o.count, o.time, contender.Baseline)
	fmt.Fprintf(out, "time     about %v\n", (time.Duration(float64(rounds)*1.5) * o.time).Round(time.Second))
	bar := newBar(rounds, progress)
	for _, tier := range []scenario.Tier{scenario.Thread, scenario.Threading} {
		if err := measureTier(o, tier, specs, out, func() error { return bar.Add(1) }); err != nil {
			return err
		}
	}
	return bar.Finish()
}

// measureTier measures those of specs that belong to tier and writes their table.
func measureTier(o options, tier scenario.Tier, specs []scenario.Spec, out io.Writer, tick func() error) error {
	contenders := contender.All(tier)
	var rows []report.Row
	for _, s := range specs {
		if s.Tier() != tier {
			continue
		}
		row, err := measure(s, contenders, o, tick)
		if err != nil {
			return err
		}
		rows = append(rows, row)
	}
	if len(rows) == 0 {
		return nil
	}
	columns := make([]string, len(contenders))
	for i, c := range contenders {
		columns[i] = c.Name
	}
	fmt.Fprintln(out)
	if err := report.Table(out, columns, rows); err != nil {
		return err
	}
	for _, c := range contenders {
		if c.Absent != "" {
			fmt.Fprintf(out, "%s is absent: %s\n", c.Name, c.Absent)
		}
	}
	for _, prefix := range []string{"mutex/caller=pinned/threads=", "mutex/caller=goroutine/threads="} {
		report.Means(out, prefix, columns, rows)
	}
	return nil
}

// newBar returns a progress bar, which shows itself only on a terminal.
func newBar(rounds int, w io.Writer) *progressbar.ProgressBar {
	f, ok := w.(*os.File)
	return progressbar.NewOptions(rounds,
		progressbar.OptionSetWriter(w),
		progressbar.OptionSetVisibility(ok && term.IsTerminal(int(f.Fd()))),
		progressbar.OptionSetPredictTime(true),
		progressbar.OptionShowCount(),
		progressbar.OptionClearOnFinish())
}

// measure does one row.
func measure(s scenario.Spec, contenders []contender.Contender, o options, tick func() error) (report.Row, error) {
	if s.Procs != 0 {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(s.Procs))
	}
	row := report.Row{Name: s.Name(), Cells: make([]report.Cell, len(contenders))}
	ops := make([]int, len(contenders))
	samples := make([][]float64, len(contenders))
	for round := range o.count + 1 {
		for i, c := range contenders {
			if err := tick(); err != nil {
				return row, err
			}
			if c.Absent != "" {
				row.Cells[i].Absent = c.Absent
			}
			if row.Cells[i].Absent != "" {
				continue
			}
			if round == 0 { // which warms up as well
				n, err := calibrate(c, s, o.time)
				if contender.IsAbsent(err) {
					row.Cells[i].Absent = err.Error()
					continue
				}
				if err != nil {
					return row, fmt.Errorf("%s, %s: %w", s.Name(), c.Name, err)
				}
				ops[i] = n
				continue
			}
			d, err := c.Run(s, ops[i])
			if err != nil {
				return row, fmt.Errorf("%s, %s: %w", s.Name(), c.Name, err)
			}
			samples[i] = append(samples[i], float64(d.Nanoseconds())/float64(ops[i]))
		}
	}
	for i := range contenders {
		row.Cells[i].Summary = stats.Summarize(samples[i])
	}
	return row, nil
}

// calibrate returns how many operations take about d.
func calibrate(c contender.Contender, s scenario.Spec, d time.Duration) (int, error) {
	const least = 64 // operations: fewer would measure the start of the threads
	if n := s.Ops(d); n > 0 {
		_, err := c.Run(s, max(n, least))
		return max(n, least), err
	}
	for n := least; ; {
		took, err := c.Run(s, n)
		if err != nil {
			return 0, err
		}
		if took >= d/4 {
			return max(least, int(float64(n)*float64(d)/float64(took))), nil
		}
		n *= 4
	}
}
