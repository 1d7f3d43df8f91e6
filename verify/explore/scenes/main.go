// Command scenes runs the scenarios of the explorer. It is built and called by
// verify/explore.
package main

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"time"

	"example.com/thread/internal/park"
	"example.com/thread/verify/explore/sched"
)

// instrumented says that the code under test calls the scheduler.
const instrumented = false

var (
	runs   = flag.String("run", "", "regexp of the names of scenarios")
	bound  = flag.Int("preemptions", 2, "all executions with at most so many preemptions")
	random = flag.Int("random", 0, "random executions of each scenario")
	pct    = flag.Int("pct", 0, "PCT executions of each scenario")
	seed   = flag.Uint64("seed", 1, "of random and PCT executions")
	limit  = flag.Duration("limit", time.Minute, "each search of a scenario ends by then")
	replay = flag.String("replay", "", "repeat the execution of one scenario")
	quiet  = flag.Bool("quiet", false, "print violations only")
	first  = flag.Bool("first", false, "end with the first violation")
)

func main() {
	flag.Parse()
	if !instrumented {
		fmt.Fprintln(os.Stderr, "go run ./verify/explore")
		os.Exit(2)
	}
	park.SetOnThread(sched.OnThread)
	os.Exit(explore(os.Stdout))
}

func explore(out *os.File) int {
	match := regexp.MustCompile(*runs)
	var all []*explorer
	for _, s := range scenarios {
		if match.MatchString(s.name) {
			all = append(all, &explorer{scenario: s, out: out})
		}
	}
	switch {
	case len(all) == 0:
		fmt.Fprintln(out, "no scenario", *runs)
		return 2
	case *replay != "":
		return all[0].repeat(*replay)
	}
	return exploreAll(all)
}

// exploreAll makes the executions with few preemptions of all scenarios first:
// a violation is likely to be among them.
func exploreAll(all []*explorer) (status int) {
	for _, step := range steps() {
		for _, x := range all {
			if x.failed {
				continue
			}
			if x.failed = !step(x); x.failed {
				status = 1
				if *first {
					return status
				}
			}
		}
	}
	return status
}

// steps returns what is done with each scenario, one after the other.
func steps() (all []func(x *explorer) bool) {
	for n := range *bound + 1 {
		all = append(all, func(x *explorer) bool { return x.search(n) })
	}
	return append(all, (*explorer).random, (*explorer).pct)
}
