package main

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"example.com/thread/osthread"
	"example.com/thread/osthread/inspect"
)

// A soak is one run. Its fields up to out are set before run.
type soak struct {
	seed    uint64
	time    time.Duration
	stall   time.Duration
	only    string // loads, as a regular expression; "" for all
	storms  string // storms, likewise
	verbose bool
	out     io.Writer

	tally tally
	watch watchdog
	left  baseline
	once  sync.Once // the first violation
}

func newSoak(out io.Writer) *soak { return &soak{out: out, stall: 30 * time.Second} }

// warmup is the number of rounds before the baseline of the leaks is taken:
// what the runtime and the C library make once is there by then. The first has
// all loads and storms.
const warmup = 3

func (s *soak) run() error {
	loads, err := s.loads()
	if err != nil {
		return err
	}
	storms, err := s.allStorms()
	if err != nil {
		return err
	}
	fmt.Fprintf(s.out, "soak: -time %v -seed %d, %s/%s, %d processors, %d loads, %d storms\n",
		s.time, s.seed, runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), len(loads), len(storms))
	osthread.SetPanicHook(s.panicHook)
	defer osthread.SetPanicHook(nil)
	begun := time.Now()
	end := begun.Add(s.time)
	stop := s.watch.begin(s)
	defer stop()
	for i := 0; i < warmup+1 || time.Now().Before(end); i++ {
		rnd := rand.New(rand.NewPCG(s.seed, uint64(i)))
		length := min(time.Duration(500+rnd.IntN(2000))*time.Millisecond, s.time/(warmup+1))
		r := newRound(s, i, rnd)
		if i == 0 {
			r.run(loads, storms, length)
		} else {
			r.run(mix(rnd, loads), some(rnd, storms, (len(storms)+1)/2), length)
		}
		if i+1 == warmup {
			s.left.take()
		}
		s.left.check(s, i+1 > warmup)
	}
	s.tally.report(s.out, time.Since(begun))
	s.left.report(s.out)
	fmt.Fprintf(s.out, "soak: no violation in %v, -seed %d\n", time.Since(begun).Round(time.Second), s.seed)
	return nil
}

// mix returns the loads of a round: some, and each that uses new objects
// briefly, which takes little time and finds most of the wakeups that are lost.
func mix(rnd *rand.Rand, loads []load) []load {
	mixed := some(rnd, loads, 1+len(loads)/6)
	for _, l := range loads {
		if strings.Contains(l.name, "briefly") || strings.HasPrefix(l.name, "Cancel") {
			mixed = append(mixed, l)
		}
	}
	return mixed
}

// some returns n of all, in a random order.
func some[T any](rnd *rand.Rand, all []T, n int) []T {
	all = slices.Clone(all)
	rnd.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all[:min(n, len(all))]
}

// matching returns those of all whose name pattern matches.
func matching[T any](pattern string, all []T, name func(T) string) ([]T, error) {
	re, err := regexp.Compile(pattern)
	if err != nil {
		return nil, err
	}
	all = slices.DeleteFunc(all, func(v T) bool { return !re.MatchString(name(v)) })
	return all, nil
}

// errPlanned is what planned panics panic with.
var errPlanned = errors.New("planned")

func (s *soak) panicHook(t *osthread.Thread, e *osthread.PanicError) {
	if !errors.Is(e, errPlanned) {
		s.fail("thread %v: %v\n%s", t, e, e.Stack)
	}
}

// fail ends the process with a violation: the seed, what it is, what waits for
// what, and all stacks. A second one, while the first is printed, waits.
func (s *soak) fail(format string, args ...any) {
	s.once.Do(func() {
		fmt.Fprintf(os.Stderr, "\nsoak: VIOLATION, -seed %d: %s\n\n", s.seed, fmt.Sprintf(format, args...))
		dumped := make(chan struct{})
		go func() {
			defer close(dumped)
			if err := inspect.Dump(os.Stderr); err != nil {
				fmt.Fprintln(os.Stderr, "soak: inspect:", err)
			}
		}()
		select {
		case <-dumped:
		case <-time.After(10 * time.Second):
			fmt.Fprintln(os.Stderr, "soak: inspect.Dump does not end")
		}
		stacks := make([]byte, 4<<20)
		os.Stderr.Write(stacks[:runtime.Stack(stacks, true)])
		os.Exit(1)
	})
}

// must fails the soak if err is not nil.
func (s *soak) must(err error) {
	if err != nil {
		_, file, line, _ := runtime.Caller(1)
		s.fail("%s:%d: %v", file, line, err)
	}
}
