// Churn does the same thing a million times, for each thing that makes
// something and gives it back: threads of all kinds, and waits of all kinds
// that end by a timeout or a context. It fails if anything is more at the end
// than after the first tenth.
//
//	go run ./verify/churn [-n 1000000] [-run REGEXP]
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"regexp"
	"runtime"
	"runtime/pprof"
	"time"

	"example.com/thread"
	"example.com/thread/internal/keep"
	"example.com/thread/internal/stranded"
)

func main() {
	n := flag.Int("n", 1_000_000, "how often each thing is done")
	only := flag.String("run", "", "a regular expression of what is done")
	flag.Parse()
	if err := churn(os.Stdout, *n, *only); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// A kind is something that is done n times.
type kind struct {
	name string
	do   func(n int) error
}

// A measure is something that must not grow with the number of times.
type measure struct {
	name  string
	count func() int64
	// slack is what there may be more: of what the runtime and the C library
	// keep for reuse, whose number is that of the busiest moment.
	slack int64
}

// spare is how many threads the runtime may make for reuse in a run.
const spare = 16

var measures = append([]measure{
	{"threads", func() int64 { return int64(thread.NumThread()) }, 0},
	{"goroutines", func() int64 { return int64(runtime.NumGoroutine()) - stranded.Threads.Load() }, 0},
	{"records", func() int64 { return int64(keep.Records()) }, 0},
	{"Ms", func() int64 { return int64(pprof.Lookup("threadcreate").Count()) }, spare},
}, systemMeasures...)

func churn(out io.Writer, n int, only string) error {
	re, err := regexp.Compile(only)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%-32s %9s %8s", "", "times", "time")
	for _, m := range measures {
		fmt.Fprintf(out, " %11s", m.name)
	}
	fmt.Fprintln(out)
	all, err := kinds()
	if err != nil {
		return err
	}
	done := 0
	for _, k := range all {
		if re.MatchString(k.name) {
			if err := k.run(out, n); err != nil {
				return fmt.Errorf("%s: %w", k.name, err)
			}
			done++
		}
	}
	if done == 0 {
		return fmt.Errorf("nothing matches %q", only)
	}
	return nil
}

// run does k n times, and prints what there is more at the end than after a
// tenth.
func (k kind) run(out io.Writer, n int) error {
	begun, standing := time.Now(), thread.NumThread()
	if err := k.do(n / 10); err != nil {
		return err
	}
	before := take(standing, nil)
	if err := k.do(n - n/10); err != nil {
		return err
	}
	took := time.Since(begun).Round(time.Millisecond)
	after := take(standing, before)
	fmt.Fprintf(out, "%-32s %9d %7.1fs", k.name, n, took.Seconds())
	for i := range measures {
		fmt.Fprintf(out, " %+11d", after[i]-before[i])
	}
	fmt.Fprintln(out)
	for i, m := range measures {
		if after[i] > before[i]+m.slack {
			return fmt.Errorf("%s grow from %d to %d", m.name, before[i], after[i])
		}
	}
	return nil
}

// settling bounds the wait for threads that are about to end.
var settling = 10 * time.Second

// take returns the measures once no more threads than standing are left. With
// those of before it waits until there is no more than there may be.
func take(standing int, before []int64) []int64 {
	for end := time.Now().Add(settling); ; time.Sleep(time.Millisecond) {
		runtime.GC()
		thread.Threads() // drops the records of threads that are gone
		counts, settled := make([]int64, len(measures)), true
		for i, m := range measures {
			counts[i] = m.count()
			settled = settled && (before == nil || counts[i] <= before[i]+m.slack)
		}
		settled = settled && counts[0] <= int64(standing)
		if settled || time.Now().After(end) {
			return counts
		}
	}
}
