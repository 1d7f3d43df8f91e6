package executor

import (
	"context"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Those that give up do not search for each other. A search would take ten
// seconds here, from either end, each time.
func TestFutureManyTimeoutsAreLinear(t *testing.T) {
	const n = 100_000
	var f Future[int]
	c := &collector{tasks: []*task{&f.task}}
	for name, place := range map[string]func(int) int{
		"the oldest first": func(i int) int { return i },
		"the newest first": func(i int) int { return n - 1 - i },
		"from the middle":  func(i int) int { return (n/2 + i) % n },
	} {
		removal := func() time.Duration {
			notes := make([]note, n)
			for i := range notes {
				notes[i].collector = c
				if !f.addNote(&notes[i]) {
					t.Fatal(i)
				}
			}
			began := time.Now()
			for i := range notes {
				f.removeNote(&notes[place(i)])
			}
			assert.Zero(t, f.notes.Len())
			return time.Since(began)
		}
		for began := time.Now(); removal() > 5*time.Second; { // or the machine was busy
			require.Less(t, time.Since(began), time.Minute, name)
		}
	}
}

// Many that wait for one future in all ways, and are given up at once.
func TestFutureManyWaitersGiveUp(t *testing.T) {
	const n = 500
	ctx, cancel := context.WithCancelCause(t.Context())
	f := NewPromise[int]().Future()
	ended := make(chan error, 3*n)
	for range n {
		go func() { _, err := f.ResultContext(ctx); ended <- err }()
		go func() { _, _, err := WaitContext(ctx, FirstCompleted, f); ended <- err }()
		go func() {
			for _, err := range AsCompletedContext(ctx, f) {
				ended <- err
			}
		}()
	}
	await(func() bool {
		f.guard.Lock()
		defer f.guard.Unlock()
		return f.waiters.Len()+f.notes.Len() == 3*n
	})
	cancel(errTest)
	for range 3 * n {
		assert.ErrorIs(t, <-ended, errTest)
	}
	await(func() bool {
		f.guard.Lock()
		defer f.guard.Unlock()
		return f.waiters.Len() == 0 && f.notes.Len() == 0
	})
}

func TestFutureRemovesANoteFromTheMiddle(t *testing.T) {
	var f Future[int]
	c := &collector{tasks: []*task{&f.task}, order: make([]int, 0, 3)}
	notes := make([]note, 5)
	for i := range notes {
		notes[i].collector = c
		assert.True(t, f.addNote(&notes[i]))
	}
	for _, i := range []int{2, 4, 0, 2} { // the middle, the first, the last, a removed one
		f.removeNote(&notes[i])
	}
	assert.True(t, f.Cancel())
	assert.Len(t, c.order, 2)
	f.removeNote(&notes[1])
	assert.False(t, f.addNote(&notes[0]))
}

// What has been yielded is the caller's alone.
func TestAsCompletedKeepsNothingThatItHasYielded(t *testing.T) {
	const n = 16
	var mu sync.Mutex
	freed := 0
	future := func() *Future[*[1 << 16]byte] {
		p := NewPromise[*[1 << 16]byte]()
		v := new([1 << 16]byte)
		runtime.AddCleanup(v, func(int) { mu.Lock(); freed++; mu.Unlock() }, 0)
		_ = p.SetResult(v)
		return p.Future()
	}
	var fs []*Future[*[1 << 16]byte]
	for range n {
		fs = append(fs, future())
	}
	last := fs[n-1]
	all := AsCompleted(fs...)
	fs = nil
	k := 0
	for range all {
		if k++; k == n-1 {
			await(func() bool {
				runtime.GC()
				mu.Lock()
				defer mu.Unlock()
				return freed >= n-3
			})
		}
	}
	runtime.KeepAlive(last)
}
