package executor

import (
	"fmt"
	"testing"

	"example.com/thread/osthread"
)

func newBench(b *testing.B, o Options) *Executor {
	e, err := New(o)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := e.Close(); err != nil {
			b.Error(err)
		}
	})
	return e
}

func roundTrip(b *testing.B, e *Executor) {
	b.ReportAllocs()
	for b.Loop() {
		f, err := Submit(e, func() (int, error) { return 1, nil })
		if err != nil {
			b.Fatal(err)
		}
		if _, err := f.Result(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSubmitResult(b *testing.B) {
	b.Run("caller=goroutine", func(b *testing.B) { roundTrip(b, newBench(b, Options{})) })
	b.Run("caller=thread", func(b *testing.B) {
		e := newBench(b, Options{Threads: 2})
		t, err := osthread.Go(func() error { roundTrip(b, e); return nil })
		if err != nil {
			b.Fatal(err)
		}
		if err := t.Join(); err != nil {
			b.Error(err)
		}
	})
}

func BenchmarkStartJoin(b *testing.B) {
	for b.Loop() {
		t, err := osthread.Go(func() error { return nil })
		if err != nil {
			b.Fatal(err)
		}
		if err := t.Join(); err != nil {
			b.Fatal(err)
		}
	}
}

// Many submits, then many results: what a thread takes without sleeping.
func BenchmarkBatch(b *testing.B) {
	for _, n := range []int{10, 1000} {
		b.Run(fmt.Sprintf("tasks=%d", n), func(b *testing.B) {
			e := newBench(b, Options{Threads: 2})
			futures := make([]*Future[int], n)
			for b.Loop() {
				for i := range futures {
					futures[i], _ = Submit(e, func() (int, error) { return i, nil })
				}
				for _, f := range futures {
					if _, err := f.Result(); err != nil {
						b.Fatal(err)
					}
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/task")
		})
	}
}
