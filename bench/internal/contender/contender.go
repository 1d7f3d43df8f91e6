// Package contender holds who takes part: for each library, the work of every scenario written as its users would write it.
//
// All have the same shape. A lock's sections run in a loop over the concrete type, each in a function of its own: one loop for all, by an interface or
// by type parameters, would call where the compiler inlines. Threads are made before the clock starts, wait for each
// other, and the clock runs until the last is done. Each C contender is a loop in C, timed in C.
package contender

import (
	"errors"
	"fmt"
	"runtime"
	"sync"
	"time"

	"example.com/thread/bench/internal/scenario"
)

// A Contender does work of a scenario by one library.
type Contender struct {
	Name string // of the column
	// Absent says why it cannot take part on this machine; "" if it can.
	Absent string
	// Run does n operations and returns the time they took.
	Run func(s scenario.Spec, n int) (time.Duration, error)
}

// Baseline is the contender that the others are compared with.
const Baseline = "osthread"

// All returns those who take part in a tier's scenarios, the baseline first.
func All(t scenario.Tier) []Contender {
	if t == scenario.Threading {
		return []Contender{high, goSync, noLock}
	}
	return []Contender{low, goPinned, goPlain, pthread}
}

// share returns how many of n operations thread i of count does.
func share(n, i, count int) int {
	ops := n / count
	if i < n%count {
		ops++
	}
	return ops
}

// together runs body on count threads that spawn makes, from one start signal, and returns the time until all are done.
func together(count int, spawn func(func()) error, body func(i int)) (time.Duration, error) {
	var ready, done sync.WaitGroup
	start := make(chan struct{})
	for i := range count {
		ready.Add(1)
		done.Add(1)
		err := spawn(func() {
			defer done.Done()
			ready.Done()
			<-start
			body(i)
		})
		if err != nil {
			return 0, fmt.Errorf("thread %d of %d: %w", i+1, count, err)
		}
	}
	ready.Wait()
	began := time.Now()
	close(start)
	done.Wait()
	return time.Since(began), nil
}

// alone times body on this goroutine, locked to its thread as those of together are.
func alone(body func()) time.Duration {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	began := time.Now()
	body()
	return time.Since(began)
}

// errAbsent says that a contender has nothing that does a row's work.
var errAbsent = errors.New("absent")

// IsAbsent reports whether err says so.
func IsAbsent(err error) bool { return errors.Is(err, errAbsent) }

func unknown(s scenario.Spec) error { return fmt.Errorf("no contender for %s", s.Name()) }
