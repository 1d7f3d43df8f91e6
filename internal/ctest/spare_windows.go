package ctest

import (
	"runtime"
	"sync"
)

// spare makes Go's runtime have threads that are idle, so that it begins none
// while aliens end.
//
// Wine (8.0) calls FLS callbacks under a lock of its own. A thread that ends
// waits for that with the loader's lock, and a thread that begins for the
// loader's; so Go, called at the end of an alien, must not wait for a thread
// that it has just begun. It would, to stop the world: with 1000 aliens at once
// all stood still for ever. (Windows 10 has a lock for each index, and shared.)
var spare = sync.OnceFunc(func() {
	n := 16 + 4*runtime.GOMAXPROCS(0)
	var held, freed sync.WaitGroup
	held.Add(n)
	for range n {
		freed.Go(func() {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			held.Done()
			held.Wait()
		})
	}
	freed.Wait()
})
