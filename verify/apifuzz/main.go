//go:build unix

// Apifuzz calls the exported API with hostile arguments in any order, and
// checks that no call ends the process but by a panic that can be recovered,
// or corrupts memory.
//
//	go run ./verify/apifuzz -time 10m -seed 7
//	go run -gcflags=all=-d=checkptr ./verify/apifuzz -time 5m
//
// The program runs itself again and again, as children of a few seconds. Each
// makes calls, see child.go, of the functions of table.go and of all methods of
// what they return, with arguments of values.go. How each child ended is
// counted. An end that SECURITY.md does not list is shown with the seed of the
// child, its last calls and its output, and the exit status is 1 then.
//
// The seed decides the calls and their arguments. The scheduler has its say
// too, so a seed makes an end likely again, not certain.
package main

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"time"
)

func main() {
	if os.Getenv(childEnv) != "" {
		runChild()
	}
	f := newFuzz(os.Stdout)
	flag.DurationVar(&f.time, "time", time.Minute, "how long children are started")
	flag.Uint64Var(&f.seed, "seed", rand.Uint64N(1e6), "of the first child; each has the next one")
	flag.DurationVar(&f.life, "life", 2*time.Second, "how long a child makes calls")
	flag.DurationVar(&f.hang, "hang", time.Minute, "how long a child may take to end after that")
	flag.BoolVar(&f.verbose, "v", false, "print each child")
	flag.Parse()
	if flag.NArg() != 0 {
		flag.Usage()
		os.Exit(2)
	}
	if err := f.run(); err != nil {
		fmt.Fprintln(os.Stderr, "apifuzz:", err)
		os.Exit(1)
	}
}
