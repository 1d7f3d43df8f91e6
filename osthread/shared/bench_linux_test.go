//go:build cgo && !android && !portablefutex

package shared

import (
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/thread"
	"example.com/thread/internal/sharedtest"
)

// A thread of C posts what a thread of Go waits for, and back. The same by a
// callback from C to Go and channels, to a goroutine and to a thread.
func BenchmarkRoundTripFromC(b *testing.B) {
	to, from := sharedtest.Malloc(64), sharedtest.Malloc(64)
	defer sharedtest.Free(to)
	defer sharedtest.Free(from)
	trips := func(b *testing.B, kind int, f func(), answer func(n int)) {
		th, err := thread.Start(func() {
			join, err := sharedtest.RoundTrips(kind, b.N, to, from, f)
			require.NoError(b, err)
			answer(b.N)
			join()
		}, nil)
		require.NoError(b, err)
		require.NoError(b, th.Join())
	}
	b.Run("by=semaphore", func(b *testing.B) {
		s, r := (*Semaphore)(to), (*Semaphore)(from)
		require.NoError(b, s.Init(0, false))
		require.NoError(b, r.Init(0, false))
		trips(b, sharedtest.BySemaphore, nil, func(n int) {
			for range n {
				if s.Acquire() != nil || r.Release() != nil {
					panic("failed")
				}
			}
		})
	})
	b.Run("by=event", func(b *testing.B) {
		s, r := (*Event)(to), (*Event)(from)
		require.NoError(b, s.Init(true, false))
		require.NoError(b, r.Init(true, false))
		trips(b, sharedtest.ByEvent, nil, func(n int) {
			for range n {
				if s.Wait() != nil || r.Set() != nil {
					panic("failed")
				}
			}
		})
	})
	out, back := make(chan struct{}), make(chan struct{})
	call := func() { out <- struct{}{}; <-back }
	answer := func(n int) {
		for range n {
			<-out
			back <- struct{}{}
		}
	}
	b.Run("by=callback/to=thread", func(b *testing.B) { trips(b, sharedtest.ByCallback, call, answer) })
	b.Run("by=callback/to=goroutine", func(b *testing.B) {
		join, err := sharedtest.RoundTrips(sharedtest.ByCallback, b.N, to, from, call)
		require.NoError(b, err)
		answer(b.N)
		join()
	})
}
