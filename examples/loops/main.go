// Loops runs a long and a short loop side by side, on threads made in each of
// the three ways: from a function, from a function with its arguments bound to
// it, and from a type with a Run of its own, which keeps a result. The loops
// count primes.
//
//	go run ./examples/loops
package main

import (
	"fmt"
	"io"
	"os"

	"example.com/thread/osthread"
)

const long, short = 1_000_000, 250_000

func main() {
	if err := osthread.RunMain(func() error { return run(os.Stdout) }); err != nil {
		fmt.Fprintln(os.Stderr, "loops:", err)
		os.Exit(1)
	}
}

func run(w io.Writer) error {
	out = &lines{w: w}
	for _, way := range []struct {
		title string
		run   func() error
	}{
		{"By function:", byFunction},
		{"By a function with its arguments:", bound},
		{"By a type that keeps a result:", byRunner},
	} {
		out.println(way.title)
		if err := way.run(); err != nil {
			return err
		}
	}
	out.println("All done.")
	return nil
}

// A function has no arguments, so what it needs is here; run sets it before
// there is a thread.
var out *lines

func loopLong() error {
	out.println("  long: start")
	out.println("  long: done,", countPrimes(long), "primes")
	return nil
}

func loopShort() error {
	out.println("  short: start")
	out.println("  short: done,", countPrimes(short), "primes")
	return nil
}

func byFunction() error {
	return startAndJoin(
		osthread.New(loopLong, nil),
		osthread.New(loopShort, nil),
	)
}

type job struct {
	out   *lines
	limit int
}

func (j job) loop() error {
	j.print("start")
	j.print("done,", countPrimes(j.limit), "primes")
	return nil
}

// print prints under the name of the thread it is called on.
func (j job) print(what ...any) {
	j.out.println(append([]any{"  " + osthread.Current().Name() + ":"}, what...)...)
}

// bound gives one thread a method with its receiver, the other a closure.
func bound() error {
	closure := func() error { return job{out, short}.loop() }
	return startAndJoin(
		osthread.New(job{out, long}.loop, &osthread.Attr{Name: "long"}),
		osthread.New(closure, &osthread.Attr{Name: "short"}),
	)
}

// A counter is an osthread.Runner.
type counter struct {
	job
	primes int // after Join
}

func (c *counter) Run() error {
	c.print("start")
	c.primes = countPrimes(c.limit)
	c.print("done")
	return nil
}

func byRunner() error {
	counters := []*counter{{job: job{out, long}}, {job: job{out, short}}}
	err := startAndJoin(
		osthread.NewRunner(counters[0], &osthread.Attr{Name: "long"}),
		osthread.NewRunner(counters[1], &osthread.Attr{Name: "short"}),
	)
	if err != nil {
		return err
	}
	for _, c := range counters {
		out.println("  below", c.limit, "there are", c.primes, "primes")
	}
	return nil
}

// startAndJoin runs the threads side by side. If one cannot be started those
// before it are waited for.
func startAndJoin(threads ...*osthread.Thread) (err error) {
	for _, t := range threads {
		if err := t.Start(); err != nil {
			return err
		}
		defer func() {
			if failed := t.Join(); err == nil {
				err = failed
			}
		}()
	}
	return nil
}

func countPrimes(limit int) (primes int) {
	for n := 2; n < limit; n++ {
		if isPrime(n) {
			primes++
		}
	}
	return primes
}

func isPrime(n int) bool {
	for d := 2; d*d <= n; d++ {
		if n%d == 0 {
			return false
		}
	}
	return true
}

// lines are what several threads print, one line at a time.
type lines struct {
	mu osthread.Lock
	w  io.Writer
}

func (l *lines) println(args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	fmt.Fprintln(l.w, args...)
}
