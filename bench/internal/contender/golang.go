package contender

import (
	"runtime"
	"sync"
	"time"

	"example.com/thread/bench/internal/scenario"
)

// goPinned is what Go offers to goroutines that are locked to their threads: sync.Mutex, unbuffered channels, and a goroutine that locks itself and
// ends, with its thread.
var goPinned = Contender{Name: "Go, pinned", Run: func(s scenario.Spec, n int) (time.Duration, error) {
	return runGo(s, n, func(body func()) error {
		go func() {
			runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
			body()
		}()
		return nil
	})
}}

// goPlain is the same for ordinary goroutines, which are no threads: what is given up, or not, by having one.
var goPlain = Contender{Name: "Go, goroutines", Run: func(s scenario.Spec, n int) (time.Duration, error) {
	return runGo(s, n, func(body func()) error {
		go body()
		return nil
	})
}}

func runGo(s scenario.Spec, n int, spawn func(func()) error) (time.Duration, error) {
	switch s.Kind {
	case scenario.Lock:
		var l sync.Mutex
		if s.Threads == 1 {
			return alone(func() { mutexSections(&l, n, s.Work) }), nil
		}
		return together(s.Threads, spawn, func(i int) { mutexSections(&l, share(n, i, s.Threads), s.Work) })
	case scenario.Handoff:
		there, back := make(chan struct{}), make(chan struct{})
		return together(2, spawn, func(i int) {
			for range share(n, 0, 2) {
				if i == 0 {
					there <- struct{}{}
					<-back
				} else {
					<-there
					back <- struct{}{}
				}
			}
		})
	case scenario.StartJoin:
		began := time.Now()
		for range n {
			done := make(chan struct{})
			if err := spawn(func() { close(done) }); err != nil {
				return 0, err
			}
			<-done
		}
		return time.Since(began), nil
	}
	return 0, unknown(s)
}

// mutexSections is lock, work, unlock, n times.
func mutexSections(l *sync.Mutex, n, work int) (x uint64) {
	if work == 0 {
		for range n {
			l.Lock()
			//lint:ignore SA2001 the pair is what is measured
			l.Unlock()
		}
		return 0
	}
	for range n {
		l.Lock()
		x = scenario.Work(x, work)
		l.Unlock()
	}
	return x
}
