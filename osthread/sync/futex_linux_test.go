//go:build !portablepark && !portablefutex && !go1.28

package sync_test

import (
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"example.com/thread/internal/park"
	"example.com/thread/internal/testutil"
	"example.com/thread/osthread/sync"
)

// A thread sleeps in the system call of a futex; an ordinary goroutine does
// not.
func TestWaitersOnThreadsSleepOnAFutex(t *testing.T) {
	for range 1000 {
		park.Procs() // which caches GOMAXPROCS, and -cpu changes that
	}
	var g sync.WaitGroup
	var mu, held sync.Mutex
	var rw sync.RWMutex
	c := sync.NewCond(&mu)
	held.Lock()
	rw.Lock()
	signaled := false
	for method, test := range map[string]struct{ wait, wake func() }{
		"(*WaitGroup).Wait": {g.Wait, g.Done},
		"(*Mutex).Lock":     {held.Lock, held.Unlock},
		"(*RWMutex).RLock":  {rw.RLock, rw.Unlock},
		"(*Cond).Wait": {
			func() {
				mu.Lock()
				defer mu.Unlock()
				for !signaled {
					c.Wait()
				}
			},
			func() {
				mu.Lock()
				signaled = true
				mu.Unlock()
				c.Signal()
			},
		},
	} {
		for kind, start := range map[string]testutil.Start{
			"locked": startLocked, "thread": startThread, "": testutil.StartGoroutine,
		} {
			t.Run(method+"/"+kind, func(t *testing.T) {
				signaled = false
				if method == "(*WaitGroup).Wait" {
					g.Add(1)
				}
				th, err := start(func() error { test.wait(); return nil })
				assert.NoError(t, err)
				onFutex := kind == "thread" || kind == "locked" && park.CanSpin()
				end := time.Now().Add(testutil.Timeout)
				testutil.Await(func() bool {
					state := stateOf(method)
					if time.Now().After(end) {
						t.Error("is in the state", state)
						return true
					}
					asleep := state != "" && !strings.HasPrefix(state, "run")
					return asleep && onFutex == strings.HasPrefix(state, "syscall")
				})
				test.wake()
				assert.NoError(t, th.Join())
				if method == "(*Mutex).Lock" { // it has it now
					return
				}
				if method == "(*RWMutex).RLock" {
					rw.RUnlock()
					rw.Lock()
				}
			})
		}
	}
}

// stateOf returns the state, in a dump of the stacks, of the goroutine that is
// in the method of this package.
func stateOf(method string) string {
	buf := make([]byte, 1<<20)
	for s := range strings.SplitSeq(string(buf[:runtime.Stack(buf, true)]), "\n\n") {
		if strings.Contains(s, "osthread/sync."+method+"(") {
			_, s, _ = strings.Cut(s, "[")
			s, _, _ = strings.Cut(s, "]")
			return s
		}
	}
	return ""
}
