//go:build linux && cgo && !portablefutex

package shared_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/thread/internal/ctest"
	"example.com/thread/internal/futex"
	"example.com/thread/internal/park"
	"example.com/thread/osthread/shared"
)

// Records of 64 bytes, C to Go.
func BenchmarkRing(b *testing.B) {
	for _, batch := range []int{1, 16, 128} {
		b.Run(fmt.Sprintf("batch=%d", batch), func(b *testing.B) {
			r, mem := newRing(b, 1<<20, shared.RingAttr{Records: true})
			rd, err := r.Reader()
			require.NoError(b, err)
			done := make(chan error)
			go func() { done <- ctest.RingFlood(mem, b.N, batch) }()
			next := uint64(0)
			for err == nil {
				var record []byte
				n := 0
				for record, err = rd.Next(); err == nil; record, err = rd.Next() {
					if binary.NativeEndian.Uint64(record) != next {
						b.Fatal("order")
					}
					next++
					if n++; n == 128 {
						rd.Release()
						n = 0
					}
				}
				rd.Release()
				if errors.Is(err, shared.ErrBusy) {
					err = rd.Wait()
				}
			}
			require.NoError(b, <-done)
			require.Equal(b, uint64(b.N), next)
			b.SetBytes(64)
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds()/1e6, "Mrecords/s")
		})
	}
}

// One record of 64 bytes from C to Go, both awake: from before C asks the clock
// until Go has asked it, the median.
func BenchmarkRingLatency(b *testing.B) {
	r, mem := newRing(b, 1<<16, shared.RingAttr{Records: true})
	rd, err := r.Reader()
	require.NoError(b, err)
	done := make(chan error)
	go func() { done <- ctest.RingStamp(mem, b.N) }()
	took := make([]int64, 0, b.N)
	for err == nil {
		var record []byte
		for record, err = rd.Next(); errors.Is(err, shared.ErrBusy); record, err = rd.Next() {
			park.Pause(1)
		}
		if err == nil {
			took = append(took, futex.Now()-int64(binary.NativeEndian.Uint64(record)))
			rd.Release()
		}
	}
	require.NoError(b, <-done)
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2]), "ns/latency")
	b.ReportMetric(float64(took[len(took)*99/100]), "ns/p99")
}

// 64 bytes from Go to C and back, both awake: two latencies. As a record they
// and their frame are on two or three cache lines, as bytes on one.
func BenchmarkRingThereAndBack(b *testing.B) {
	for _, records := range []bool{true, false} {
		b.Run(fmt.Sprintf("records=%v", records), func(b *testing.B) { thereAndBack(b, records) })
	}
}

func thereAndBack(b *testing.B, records bool) {
	attr := shared.RingAttr{Records: records}
	there, in := newRing(b, 4096, attr)
	back, out := newRing(b, 4096, attr)
	w, err := there.Writer()
	require.NoError(b, err)
	rd, err := back.Reader()
	require.NoError(b, err)
	done := make(chan error)
	go func() { done <- ctest.RingEcho(in, out) }()
	buf := make([]byte, 64)
	for b.Loop() {
		if _, err := w.TryWrite(buf); err != nil {
			b.Fatal(err)
		}
		for {
			if _, err := rd.TryRead(buf); err == nil {
				break
			}
			park.Pause(1) // a poll without one slows the store that it waits for
		}
	}
	require.NoError(b, w.Close())
	require.NoError(b, <-done)
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(2*b.N), "ns/latency")
}
