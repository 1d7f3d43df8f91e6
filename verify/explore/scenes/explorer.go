package main

import (
	"fmt"
	"os"
	"time"

	"example.com/thread/verify/explore/sched"
)

// pctDepth is the number of ordering constraints of a bug that PCT looks for.
const pctDepth = 3

// An explorer looks for a violation of one scenario.
type explorer struct {
	scenario scenario
	out      *os.File
	steps    int // of the longest execution
	failed   bool
}

func (x *explorer) random() bool {
	return x.many("random", *random, func(seed uint64) sched.Chooser { return sched.NewRandom(seed) })
}

func (x *explorer) pct() bool {
	return x.many("pct", *pct, func(seed uint64) sched.Chooser { return sched.NewPCT(seed, pctDepth, x.steps) })
}

// search makes all executions within the bound.
func (x *explorer) search(bound int) bool {
	began := time.Now()
	s := sched.NewSearch(bound)
	n, all := 0, true
	for {
		n++
		if !x.execute(s) {
			return false
		}
		if s.Diverged() {
			fmt.Fprintf(x.out, "FAIL %s: %s is not repeatable\n", x.scenario.name, s)
			return false
		}
		if !s.Next() {
			break
		}
		if time.Since(began) > *limit {
			all = false
			break
		}
	}
	how := "all"
	if !all {
		how = "cut off after"
	}
	x.say("%-40s bound %d: %s %d executions, %.1f s", x.scenario.name, bound, how, n, time.Since(began).Seconds())
	return true
}

// many makes n executions, each with a seed of its own.
func (x *explorer) many(kind string, n int, chooser func(seed uint64) sched.Chooser) bool {
	if n == 0 {
		return true
	}
	began := time.Now()
	for i := range n {
		if !x.execute(chooser(*seed + uint64(i))) {
			return false
		}
	}
	took := time.Since(began).Seconds()
	x.say("%-40s %s: %d executions, seeds from %d, %.1f s", x.scenario.name, kind, n, *seed, took)
	return true
}

func (x *explorer) say(format string, args ...any) {
	if !*quiet {
		fmt.Fprintf(x.out, format+"\n", args...)
	}
}

// execute makes one execution and reports whether it kept all laws. If not it
// prints it.
func (x *explorer) execute(c sched.Chooser) bool {
	r, failure := x.scenario.execute(c, false)
	x.steps = max(x.steps, r.Steps())
	if failure == "" {
		return true
	}
	how := c.String()
	fmt.Fprintf(x.out, "FAIL %s: %s\nrepeat it with\n\t-run '^%s$' -replay '%s'\n",
		x.scenario.name, failure, x.scenario.name, how)
	x.repeat(how)
	return false
}

// repeat makes the execution again and prints its steps.
func (x *explorer) repeat(how string) int {
	c, err := sched.Parse(how)
	if err != nil {
		fmt.Fprintln(x.out, err)
		return 2
	}
	r, failure := x.scenario.execute(c, true)
	for _, e := range r.Events() {
		fmt.Fprintln(x.out, e)
	}
	if failure == "" {
		fmt.Fprintln(x.out, "no violation")
		return 0
	}
	fmt.Fprintln(x.out, failure)
	return 1
}
