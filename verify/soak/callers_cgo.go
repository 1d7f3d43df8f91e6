//go:build cgo && linux && !android

package main

import (
	"math/rand/v2"

	"example.com/thread"
	"example.com/thread/internal/ctest"
)

var systemCallers = []caller{
	{name: "attached thread that ends", run: onAttachedForGood, cancelable: true},
}

// onAttachedForGood leaves the end of the record to the end of the thread.
func onAttachedForGood(w *worker) error {
	failed := make(chan error)
	go func() {
		_, err := thread.Attach()
		if err == nil {
			w.work()
		}
		failed <- err
	}()
	return <-failed
}

// aliens has threads of C that call in, each a worker of one of the uses, until
// the round stops. It is the only caller of ctest.Aliens.
func (r *round) aliens(uses []use, rnd *rand.Rand) {
	for !r.stopped.Load() {
		workers := make([]*worker, 0, 4)
		for range 1 + rnd.IntN(4) {
			if u := uses[rnd.IntN(len(uses))]; !u.whole {
				w := r.newWorker(u, "alien thread", rnd)
				w.cancelable = true
				workers = append(workers, w)
			}
		}
		if len(workers) == 0 {
			return // only scenarios; or else a later round has some
		}
		err := ctest.Aliens(len(workers), func(n int) { workers[n].work() })
		if err != nil {
			r.fail("aliens: %v", err)
		}
		for _, w := range workers {
			w.end()
		}
	}
}
