package contender

import (
	"bytes"
	"errors"
	"os"
	"runtime/debug"
	"strconv"
	"sync"
	"time"

	"example.com/thread/bench/internal/sample"
	"example.com/thread/bench/internal/scenario"
	"example.com/thread/osthread"
)

// crowds: each round runs in its own process, because a process that has had
// many threads keeps some of their memory.
var crowds = []Contender{
	{Baseline, true, crowd(native, eventGate)},
	{"osthread pinned", true, crowd(pinned, eventGate)},
	{"locked goroutine", false, crowd(locked, channelGate)},
	{"goroutine", false, crowd(goroutine, channelGate)},
}

func eventGate() (wait, open func()) {
	e := new(osthread.Event)
	return e.Wait, e.Set
}

func channelGate() (wait, open func()) {
	ch := make(chan struct{})
	return func() { <-ch }, func() { close(ch) }
}

// crowd starts threads one after the other until all are alive and blocked,
// then ends them.
func crowd(spawn spawner, newGate func() (wait, open func())) func(scenario.Spec, sample.Round) (sample.Sample, error) {
	return func(s scenario.Spec, _ sample.Round) (sample.Sample, error) {
		debug.SetMaxThreads(s.Threads + 10_000) // Go's default limit is 10,000
		joins := make([]func() error, 0, s.Threads)
		wait, open := newGate()
		var running sync.WaitGroup
		var failed error
		resident() // the first call allocates
		rss := resident()
		before, began := used(), time.Now()
		for range s.Threads {
			running.Add(1)
			join, err := spawn(func() {
				running.Done()
				wait()
			})
			if err != nil {
				running.Done()
				failed = err
				break
			}
			joins = append(joins, join)
		}
		running.Wait()
		took, after := time.Since(began), used()
		bytes := float64(resident()-rss) / float64(s.Threads)
		open()
		for _, join := range joins {
			failed = errors.Join(failed, join())
		}
		found := sample.Sample{
			Ops:      int64(s.Threads),
			Elapsed:  took,
			CPU:      after.cpu - before.cpu,
			Switches: after.switches - before.switches,
			Bytes:    bytes,
		}
		if !after.known {
			found.CPU, found.Switches = sample.Unknown, sample.Unknown
		}
		return found, failed
	}
}

// resident returns the resident memory of the process in bytes, 0 without
// /proc. statm would be quicker but is off by some dozen pages per processor.
func resident() int64 {
	b, err := os.ReadFile("/proc/self/smaps_rollup")
	if err != nil {
		return 0
	}
	_, rss, _ := bytes.Cut(b, []byte("\nRss:"))
	kib, _, _ := bytes.Cut(rss, []byte("kB"))
	n, err := strconv.ParseInt(string(bytes.TrimSpace(kib)), 10, 64)
	if err != nil {
		return 0
	}
	return n << 10
}
