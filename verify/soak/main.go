// Soak uses the library in all ways at once, for as long as -time says, and
// checks what must hold all along and what must be gone in the end. It is for
// what no test of one type meets: threads of all kinds, on all primitives,
// while they are canceled, signals come, the world stops and processors go.
//
//	go run ./verify/soak -time 30m -seed 7
//
// A soak is a sequence of rounds, see round.go. The seed decides the mix: which
// loads and storms a round has, and what each worker does. The scheduler has
// its say too, so a seed makes a violation likely again, not certain.
//
// The exit status is 0 if nothing was violated. The first violation ends the
// process with status 1, after the seed, what it was, and all stacks.
package main

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"time"
)

// The main goroutine keeps the first thread: a goroutine that ends while it is
// locked to a thread takes it along, except for that one.
func init() { runtime.LockOSThread() }

func main() {
	s := newSoak(os.Stdout)
	flag.DurationVar(&s.time, "time", time.Minute, "how long the soak lasts")
	flag.Uint64Var(&s.seed, "seed", rand.Uint64N(1e6), "what the mix depends on; a random one if not set")
	flag.DurationVar(&s.stall, "stall", 30*time.Second, "how long a worker may be without progress")
	flag.StringVar(&s.only, "only", "", "a regular expression for the names of the loads")
	flag.StringVar(&s.storms, "storms", "", "a regular expression for the names of the storms")
	flag.BoolVar(&s.verbose, "v", false, "print each round")
	flag.Parse()
	if flag.NArg() != 0 {
		flag.Usage()
		os.Exit(2)
	}
	done := make(chan error)
	go func() { done <- s.run() }()
	if err := <-done; err != nil {
		fmt.Fprintln(os.Stderr, "soak:", err)
		os.Exit(1)
	}
}
