package main

import (
	"fmt"
	"io"
	"runtime"
	"time"

	"example.com/thread"
	"example.com/thread/internal/keep"
	"example.com/thread/internal/stranded"
	"example.com/thread/osthread"
)

// A measure is something that must not be left behind.
type measure struct {
	name  string
	count func() int64
	// slack is how much more than in the beginning there may be: what the
	// runtime and the C library keep for reuse.
	slack int64
	none  bool // there is none between rounds, and no baseline
	size  bool // bytes
}

// The runtime keeps each thread and each stack that it has made for reuse, so
// their numbers are those of the largest round, and there is slack. A leak of
// one for each worker is above it within a minute.
var measures = append([]measure{
	{name: "goroutines", count: func() int64 { return int64(runtime.NumGoroutine()) - stranded.Threads.Load() }},
	{name: "threads of Start", count: func() int64 { return int64(thread.NumThread()) }, none: true},
	{name: "records of threads", count: records, none: true},
	{name: "threads of osthread", count: func() int64 { return int64(osthread.NumThread()) }},
	{name: "heap", count: heap, slack: 4 << 20, size: true},
}, systemMeasures...)

func records() int64 {
	thread.Threads() // collects those whose threads are gone
	return int64(keep.Records())
}

func heap() int64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// A baseline has what there was of each measure after the warm-up, and in the
// last round.
type baseline struct{ before, last []int64 }

func (b *baseline) take() {
	runtime.GC()
	runtime.GC() // of what finalizers have released
	for _, m := range measures {
		b.before = append(b.before, m.count())
	}
}

// settling bounds the wait for goroutines and threads that are about to end.
const settling = 30 * time.Second

// check waits until there is no more of each measure than at the baseline, of
// which there is one after the warm-up.
func (b *baseline) check(s *soak, warm bool) {
	b.last = make([]int64, len(measures))
	for i, m := range measures {
		limit := m.slack
		switch {
		case m.none:
		case warm:
			limit += b.before[i]
		default:
			continue
		}
		for end := time.Now().Add(settling); ; {
			n := m.count()
			b.last[i] = n
			if n <= limit {
				break
			}
			if time.Now().After(end) {
				s.fail("left behind: %s: %d, in the beginning %d", m.name, n, limit-m.slack)
			}
			runtime.GC() // ends what has a finalizer, and shrinks the heap
			time.Sleep(time.Millisecond)
		}
	}
}

func (b *baseline) report(out io.Writer) {
	fmt.Fprint(out, "\nleft, after the warm-up and in the end:\n")
	for i, m := range measures {
		unit, by := "", int64(1)
		if m.size {
			unit, by = " KiB", 1024
		}
		fmt.Fprintf(out, "%-22s %d -> %d%s\n", m.name, b.before[i]/by, b.last[i]/by, unit)
	}
}
