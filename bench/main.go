// Bench measures threads and locks on this machine: this library, Go without
// it, C's pthreads, Rust, Java and CPython at the same work.
//
//	go run -C bench .                      everything
//	go run -C bench . -quick               an overview in under a minute
//	go run -C bench . -run queue -html q.html
//
// A figure is the median of rounds that are interleaved with those of the other
// contenders of its row, with its 99 % confidence interval. The first line of
// each row is the baseline; a ratio whose interval spans 1 shows no difference.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"example.com/thread/bench/internal/contender"
	"example.com/thread/bench/internal/field"
	"example.com/thread/bench/internal/measure"
	"example.com/thread/bench/internal/report"
	"example.com/thread/bench/internal/result"
	"example.com/thread/bench/internal/scenario"
	"example.com/thread/bench/internal/stats"
)

func main() {
	var err error
	switch {
	case len(os.Args) == 3 && os.Args[1] == field.ServeFlag:
		err = field.Serve(os.Args[2], os.Stdin, os.Stdout)
	case len(os.Args) == 2 && os.Args[1] == contender.PeerFlag:
		err = contender.RunPeer()
	default:
		err = bench(os.Args[1:], os.Stdout, os.Stderr)
	}
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
	if o.list {
		for _, s := range o.specs {
			fmt.Fprintln(out, s.Name())
		}
		return nil
	}
	files, err := reserve(o)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the process even if something hangs
	run, err := measureAll(ctx, o, out, progress)
	if err != nil {
		return errors.Join(err, files.discard())
	}
	if err := files.write(run); err != nil {
		return errors.Join(err, files.discard())
	}
	switch {
	case o.self:
		return agreement(run, out)
	case o.slip > 0:
		return confirm(ctx, o, run, out, progress)
	}
	return nil
}

// errInterrupted ends the run. Finished rows have been printed; no file is
// written, because it could replace that of a complete run.
var errInterrupted = errors.New("interrupted")

// measureAll measures all rows and prints each when it is finished.
func measureAll(ctx context.Context, o options, out, progress io.Writer) (run *result.Run, err error) {
	st := report.Style{Color: isTerminal(out) && os.Getenv("NO_COLOR") == ""}
	if !o.self && slices.ContainsFunc(o.specs, scenario.Spec.HasThreads) {
		fmt.Fprintln(progress, "building the contenders in other languages")
	}
	f, err := field.Open(ctx, o.specs, o.only, o.self)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	run = &result.Run{
		Version: result.Version, Command: o.command, Began: time.Now(), Machine: machine(),
		Rounds: o.Rounds, Round: o.Time, Confidence: stats.Confidence, Absent: f.Absent(),
	}
	run.Machine.Tools = f.Tools()
	rows := make([][]contender.Contender, len(o.specs))
	rounds, estimate := 0, time.Duration(0)
	for i, s := range o.specs {
		rows[i] = f.For(s)
		if o.self {
			again := rows[i][0]
			again.Name += " again"
			rows[i] = []contender.Contender{rows[i][0], again}
		}
		n, d := o.cost(s, len(rows[i]))
		rounds, estimate = rounds+n, estimate+d
	}
	report.Header(out, run)
	fmt.Fprintf(out, "time      about %v for %d rows\n\n", estimate.Round(time.Second), len(o.specs))
	bar := newBar(rounds, progress)
	noise := measure.NewNoise()
	for i, s := range o.specs {
		noise.Probe()
		row, err := measure.Row(ctx, s, rows[i], o.Options, func() { _ = bar.Add(1) })
		if ctx.Err() != nil {
			_ = bar.Clear()
			return nil, fmt.Errorf("%w: %d of %d rows are missing", errInterrupted, len(o.specs)-i, len(o.specs))
		}
		if err != nil {
			return nil, err
		}
		run.Rows = append(run.Rows, row)
		_ = bar.Clear() // the write below reports an error
		if err := report.Row(out, row, st); err != nil {
			return nil, err
		}
	}
	_ = bar.Finish()
	run.Took = time.Since(run.Began)
	run.Warnings = append(run.Warnings, noise.Warnings(run.Machine.Load)...)
	return run, finish(o, run, out, st)
}

// finish prints the summary of all rows.
func finish(o options, run *result.Run, out io.Writer, st report.Style) error {
	if err := report.Summary(out, run, st); err != nil {
		return err
	}
	if o.baseline != nil {
		if err := report.Changes(out, run, o.baseline, st); err != nil {
			return err
		}
	}
	for _, w := range run.Warnings {
		fmt.Fprintf(out, "\nwarning: %s\n", w)
	}
	_, err := fmt.Fprintf(out, "\ntook %v\n", run.Took.Round(time.Second))
	return err
}

// agreement fails if more than one row in twenty shows a difference between a
// contender and itself.
func agreement(run *result.Run, out io.Writer) error {
	same := 0
	for _, row := range run.Rows {
		if row.Cells[1].Absent != "" || row.Cells[1].Verdict == result.NoDifference {
			same++
		}
	}
	fmt.Fprintf(out, "%s against itself: no difference in %d of %d rows\n", contender.Baseline, same, len(run.Rows))
	if same*20 < len(run.Rows)*19 {
		return errors.New("more than one row in twenty differs from itself")
	}
	return nil
}

// cost returns the number of rounds of a row, and their estimated time: the
// nominal time plus 15 %, measured with all contenders.
func (o options) cost(s scenario.Spec, contenders int) (int, time.Duration) {
	const start = 2 * time.Millisecond // and join of the threads
	warm, count, timed := o.Of(s)
	rounds := (warm + count + timed) * contenders
	each := (o.Warm() + o.Time + start) * 115 / 100
	switch s.Kind {
	case scenario.Many:
		each = 50*time.Millisecond + time.Duration(s.Threads)*230*time.Microsecond
	case scenario.Waiters:
		each = 20*time.Millisecond + o.Time + time.Duration(s.Waiters)*10*time.Microsecond
		if s.Caller == scenario.Thread {
			each += time.Duration(s.Waiters) * 200 * time.Microsecond
		}
	case scenario.Tasks:
		each = 20*time.Millisecond + o.Time + time.Duration(s.Tasks)*2*time.Microsecond
	}
	return rounds, time.Duration(rounds) * each
}

// newBar returns a progress bar with the remaining time, visible only on a
// terminal.
func newBar(rounds int, w io.Writer) *progressbar.ProgressBar {
	return progressbar.NewOptions(rounds,
		progressbar.OptionSetWriter(w),
		progressbar.OptionSetVisibility(isTerminal(w)),
		progressbar.OptionSetPredictTime(true),
		progressbar.OptionSetElapsedTime(true),
		progressbar.OptionShowCount(),
		progressbar.OptionThrottle(100*time.Millisecond), // each write runs concurrently with a measurement
		progressbar.OptionClearOnFinish())
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
