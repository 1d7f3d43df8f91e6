package executor

import (
	"context"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// giveUp has n goroutines wait for one future, and returns how long it takes them to be gone after the one context of all is done.
func giveUp(n int, wait func(context.Context, *Future[int])) time.Duration {
	p := NewPromise[int]()
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	for range n {
		wg.Go(func() { wait(ctx, p.Future()) })
	}
	t := &p.Future().task
	await(func() bool {
		t.q.Lock()
		defer t.q.Unlock()
		waiting := t.q.Len()
		for n := t.notes; n != nil; n = n.next {
			waiting++
		}
		return waiting == n
	})
	began := time.Now()
	cancel()
	wg.Wait()
	return time.Since(began)
}

// Ten times as many take some ten times as long; a search through those that are left would take a hundred times.
func TestManyThatGiveUpAWaitDoNotSearchForEachOther(t *testing.T) {
	if testing.Short() || raceEnabled {
		t.Skip("a measurement")
	}
	for name, wait := range map[string]func(context.Context, *Future[int]){
		"Result": func(ctx context.Context, f *Future[int]) { _, _ = f.ResultContext(ctx) },
		"Wait":   func(ctx context.Context, f *Future[int]) { _, _, _ = WaitContext(ctx, FirstCompleted, f) },
		"AsCompleted": func(ctx context.Context, f *Future[int]) {
			for range AsCompletedContext(ctx, f) {
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			giveUp(1000, wait)
			small, large := giveUp(10_000, wait), giveUp(100_000, wait)
			t.Log(small, large, float64(large)/float64(small))
			assert.Less(t, float64(large)/float64(small), 50.0)
		})
	}
}

func TestUnwatchFromTheMiddle(t *testing.T) {
	var f Future[int]
	c := &collector{tasks: []*task{&f.task}, order: make([]int, 0, 3)}
	notes := make([]note, 5)
	for i := range notes {
		notes[i].collector = c
		assert.True(t, f.watch(&notes[i]))
	}
	for _, i := range []int{2, 4, 0, 2} { // the middle, the first, the last, one that is gone
		f.unwatch(&notes[i])
	}
	assert.True(t, f.Cancel())
	assert.Len(t, c.order, 2)
	f.unwatch(&notes[1])
	assert.False(t, f.watch(&notes[0]))
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
