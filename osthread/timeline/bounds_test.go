package timeline_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/thread/internal/buildinfo"
	"example.com/thread/internal/testutil"
	"example.com/thread/osthread"
	"example.com/thread/osthread/queue"
	"example.com/thread/osthread/timeline"
)

// waits records n waits for object, on a thread of that name, each with a
// wakeup by the thread itself.
func waits(t testing.TB, r *timeline.Recorder, name string, object any, n int) {
	t.Helper()
	join(t, start(t, name, func() {
		self := osthread.Current()
		r.Event(osthread.TraceEvent{Action: osthread.TraceStart, Thread: self})
		for range n {
			r.Event(osthread.TraceEvent{Action: osthread.TraceBlock, Thread: self, Object: object})
			r.Event(osthread.TraceEvent{
				Action: osthread.TraceResume, Thread: self, Object: object, Waited: 1, Waker: self, Latency: 1,
			})
		}
		r.Event(osthread.TraceEvent{Action: osthread.TraceEnd, Thread: self})
	}))
}

// The least ring, and what shards may keep beside it.
const (
	least = 4096
	slack = 1024
)

func TestRecorderKeepsTheLastEvents(t *testing.T) {
	r := timeline.New(timeline.Options{Events: 1})
	const n = 3 * least
	waits(t, r, "early", new(osthread.Lock), n)
	waits(t, r, "late", new(osthread.Event), n)
	f := written(t, r)
	slices := f.with("X", "wait for Event")
	assert.GreaterOrEqual(t, len(slices), least-slack)
	assert.LessOrEqual(t, len(slices), least+slack)
	assert.Less(t, len(f.with("X", "wait for Lock")), slack)
	assert.Len(t, f.row(t, "late").with("X", "late"), 1)
	assert.EqualValues(t, r.Dropped(), f.dropped(t))
	assert.EqualValues(t, 2*n+2, len(f.with("X", ""))+f.dropped(t))
	assert.Equal(t, f.dropped(t), droppedMarks(t, f))
}

// droppedMarks sums up the marks of lost events.
func droppedMarks(t *testing.T, f file) (sum int) {
	t.Helper()
	for _, e := range f {
		var n int
		if e.Cat == "dropped" {
			_, err := fmt.Sscanf(e.Name, "%d events dropped", &n)
			require.NoError(t, err)
			sum += n
		}
	}
	return sum
}

// A wait whose begin was long before what the ring has is whole.
func TestRecorderKeepsTheBeginOfALongWait(t *testing.T) {
	r := timeline.New(timeline.Options{Events: 1})
	var e osthread.Event
	th := osthread.New(func() error { e.Wait(); return nil }, &osthread.Attr{Name: "long"})
	th.SetTrace(r.Event)
	require.NoError(t, th.Start())
	testutil.Await(func() bool { return e.Waiting() == 1 })
	waits(t, r, "busy", new(osthread.Lock), 5*least)
	busy := written(t, r).with("X", "wait for Lock")
	open := written(t, r).row(t, "long").with("X", "wait for Event")
	require.Len(t, open, 1, "it waits")
	assert.Equal(t, "after the recording", open[0].Args["ended"])
	e.Set()
	join(t, th)
	wait := written(t, r).row(t, "long").with("X", "wait for Event")
	require.Len(t, wait, 1)
	assert.Less(t, *wait[0].TS, *busy[0].TS)
	assert.Greater(t, wait[0].end(), busy[len(busy)-1].end())
}

// heap returns the bytes in use.
func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// A million events of as many objects and 2,000 threads. The bound is that of
// the package comment.
func TestRecorderMemoryIsBounded(t *testing.T) {
	if testing.Short() || buildinfo.Race {
		t.Skip("a million events take long")
	}
	const (
		events  = 1 << 14
		threads = 2000
		each    = 500
		bound   = (events+1024)*64 + 2048*400 + (events+1024)*300 + 65_536*512
	)
	before := heap()
	r := timeline.New(timeline.Options{Events: events})
	for range threads {
		join(t, start(t, strings.Repeat("long name ", 100), func() {
			self := osthread.Current()
			for range each {
				l := new(osthread.Lock)
				r.Event(osthread.TraceEvent{Action: osthread.TraceBlock, Thread: self, Object: l})
				r.Event(osthread.TraceEvent{Action: osthread.TraceResume, Thread: self, Object: l, Waited: 1})
			}
			r.Event(osthread.TraceEvent{Action: osthread.TraceEnd, Thread: self})
		}))
	}
	used := int64(heap()) - int64(before)
	assert.Less(t, used, int64(bound))
	t.Logf("%d KiB after %d events", used>>10, threads*each)
	runtime.KeepAlive(r)
}

// An object of the user's is not kept.
func TestRecorderDoesNotKeepObjects(t *testing.T) {
	r := timeline.New(timeline.Options{})
	var collected atomic.Bool
	func() {
		q := queue.New[int](1)
		runtime.AddCleanup(q, func(c *atomic.Bool) { c.Store(true) }, &collected)
		waits(t, r, "user", q, 1)
	}()
	testutil.Await(func() bool { runtime.GC(); return collected.Load() })
	assert.Len(t, written(t, r).with("X", "wait for FIFO queue"), 1)
}

// A blocked writer blocks no thread.
func TestStreamDropsWhatASlowWriterDoesNotTake(t *testing.T) {
	w := &gate{open: make(chan struct{})}
	r, err := timeline.Start(w, timeline.Options{Events: 1})
	require.NoError(t, err)
	const n = 10 * least
	waits(t, r, "fast", new(osthread.Lock), n)
	assert.Greater(t, r.Dropped(), uint64(least))
	close(w.open)
	require.NoError(t, r.Stop())
	f := parse(t, w.Bytes(), false)
	assert.EqualValues(t, r.Dropped(), f.dropped(t))
	assert.Equal(t, f.dropped(t), droppedMarks(t, f))
	assert.Greater(t, len(f.with("X", "wait for Lock")), least)
}

// A gate is a writer that blocks until it is open.
type gate struct {
	bytes.Buffer
	open chan struct{}
}

func (g *gate) Write(p []byte) (int, error) {
	<-g.open
	return g.Buffer.Write(p)
}

// The first error of the writer ends the recording; both Stops return it.
func TestStreamStopReturnsTheErrorOfTheWriter(t *testing.T) {
	for name, w := range map[string]*failing{
		"at once": {},
		"later":   {left: 100_000},
		"short":   {short: true},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := timeline.Start(w, timeline.Options{Interval: 1})
			require.NoError(t, err)
			for failed := false; !failed; failed = w.failed.Load() {
				waits(t, r, "writes", new(osthread.Lock), 1000)
			}
			want := errFull
			if w.short {
				want = io.ErrShortWrite
			}
			for range 2 {
				assert.ErrorIs(t, r.Stop(), want)
			}
			again, err := timeline.Start(io.Discard, timeline.Options{})
			require.NoError(t, err)
			assert.NoError(t, again.Stop())
		})
	}
}

var errFull = errors.New("disk full")

type failing struct {
	left   int
	short  bool
	failed atomic.Bool
}

func (f *failing) Write(p []byte) (int, error) {
	if f.left -= len(p); f.left > 0 {
		return len(p), nil
	}
	f.failed.Store(true)
	if f.short {
		return len(p) / 2, nil
	}
	return 0, errFull
}

func TestStartTwiceIsAnError(t *testing.T) {
	r := timeline.New(timeline.Options{})
	require.NoError(t, r.Start())
	assert.ErrorIs(t, r.Start(), timeline.ErrRunning)
	_, err := timeline.Start(io.Discard, timeline.Options{})
	assert.ErrorIs(t, err, timeline.ErrRunning)
	called := false
	err = timeline.WriteFile(t.TempDir()+"/timeline.json", func() error { called = true; return nil })
	assert.ErrorIs(t, err, timeline.ErrRunning)
	assert.False(t, called)
	other := timeline.New(timeline.Options{})
	assert.NoError(t, other.Stop(), "which was not started")
	for range 2 {
		assert.NoError(t, r.Stop())
	}
	assert.ErrorIs(t, r.Start(), timeline.ErrStopped)
}

func TestRecorderIgnoresEventsAfterStop(t *testing.T) {
	r := timeline.New(timeline.Options{})
	waits(t, r, "before", new(osthread.Lock), 1)
	require.NoError(t, r.Stop())
	waits(t, r, "after", new(osthread.Lock), 1)
	r.Count("after", 1)
	f := written(t, r)
	assert.Len(t, f.with("X", "wait for"), 1)
	assert.Len(t, f.names(), 1)
	assert.Empty(t, f.with("C", ""))
}

func TestWriteToOfAStreamIsAnError(t *testing.T) {
	r, err := timeline.Start(io.Discard, timeline.Options{})
	require.NoError(t, err)
	_, err = r.WriteTo(io.Discard)
	assert.ErrorIs(t, err, timeline.ErrStream)
	require.NoError(t, r.Stop())
}

func TestWriteToReturnsTheErrorOfTheWriter(t *testing.T) {
	r := timeline.New(timeline.Options{})
	waits(t, r, "some", new(osthread.Lock), 5000)
	w := &failing{left: 100_000}
	n, err := r.WriteTo(w)
	assert.ErrorIs(t, err, errFull)
	assert.Positive(t, n)
	assert.Less(t, n, int64(100_000))
}

func TestEmptyTimelineIsAList(t *testing.T) {
	f := written(t, timeline.New(timeline.Options{}))
	assert.Empty(t, f.with("X", ""))
}

// A hook of the user's is called beside the recorder, before, while and after
// that records.
func TestRecorderLeavesTheHooksOfUsersAlone(t *testing.T) {
	var starts atomic.Int32
	hook := func(e osthread.TraceEvent) {
		if e.Action == osthread.TraceStart {
			starts.Add(1)
		}
	}
	thread := func() { join(t, start(t, "hooked", func() {})) }
	r := timeline.New(timeline.Options{})
	require.NoError(t, r.Start())
	thread()
	osthread.SetTraceAll(hook)
	thread()
	require.NoError(t, r.Stop())
	thread()
	assert.NotNil(t, osthread.Trace())
	osthread.SetTraceAll(nil)
	assert.EqualValues(t, 2, starts.Load())
	assert.Len(t, written(t, r).with("X", "hooked"), 2)
}

// Event is a hook of single threads.
func TestEventRecordsTheThreadsWhoseHookItIs(t *testing.T) {
	r := timeline.New(timeline.Options{})
	var e osthread.Event
	with := osthread.New(func() error { e.Wait(); return nil }, &osthread.Attr{Name: "with"})
	with.SetTrace(r.Event)
	require.NoError(t, with.Start())
	testutil.Await(func() bool { return e.Waiting() == 1 })
	without := start(t, "without", e.Set)
	join(t, with, without)
	f := written(t, r)
	assert.Len(t, f.row(t, "with").with("X", ""), 2)
	assert.Empty(t, f.with("X", "wake"), "of the other, which may have a row for its arrow")
}

// Threads that C code has ended, or that lost their hook, have rows that end
// with their last event.
func TestRecorderForgetsThreadsWithoutAnEnd(t *testing.T) {
	r := timeline.New(timeline.Options{})
	for range 5000 {
		join(t, start(t, "no end", func() {
			r.Event(osthread.TraceEvent{Action: osthread.TraceStart, Thread: osthread.Current()})
		}))
	}
	f := written(t, r)
	assert.LessOrEqual(t, 4000, len(f.with("X", "no end")), "each has a record or a row")
}

func TestStreamIsWrittenWhileItRecords(t *testing.T) {
	w := &counted{}
	r, err := timeline.Start(w, timeline.Options{Interval: time.Millisecond})
	require.NoError(t, err)
	waits(t, r, "one", new(osthread.Lock), 1)
	testutil.Await(func() bool { return w.n.Load() > 0 })
	require.NoError(t, r.Stop())
}

type counted struct{ n atomic.Int64 }

func (c *counted) Write(p []byte) (int, error) {
	c.n.Add(int64(len(p)))
	return len(p), nil
}

func TestStartInABubbleIsAnError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, err := timeline.Start(io.Discard, timeline.Options{})
		assert.ErrorIs(t, err, timeline.ErrBubble)
	})
}

// A bubble's goroutines wait and wake while a recorder runs outside.
func TestRecorderIgnoresGoroutinesInBubbles(t *testing.T) {
	r, err := timeline.Start(io.Discard, timeline.Options{})
	require.NoError(t, err)
	synctest.Test(t, func(t *testing.T) {
		var e osthread.Event
		go func() {
			<-time.After(time.Hour) // of the bubble
			e.Set()
		}()
		e.Wait()
		assert.False(t, new(osthread.Event).WaitTimeout(time.Hour))
	})
	require.NoError(t, r.Stop())
}

// Many threads at once, timelines written meanwhile, and a stop in between.
func TestRecorderWhileManyThreadsRun(t *testing.T) {
	for name, o := range map[string]timeline.Options{"small": {Events: 1}, "large": {}} {
		for _, stream := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/stream=%v", name, stream), func(t *testing.T) {
				var b bytes.Buffer
				r := timeline.New(o)
				if stream {
					var err error
					r, err = timeline.Start(&b, o)
					require.NoError(t, err)
				} else {
					require.NoError(t, r.Start())
				}
				end := hammer(t)
				for range 3 {
					if !stream {
						written(t, r)
					}
				}
				testutil.Await(func() bool { return end(false) > 300 })
				require.NoError(t, r.Stop())
				end(true)
				if stream {
					parse(t, b.Bytes(), false)
				} else {
					written(t, r)
				}
			})
		}
	}
}

// hammer starts threads that wait for and wake each other in many ways. The
// function that it returns ends them, if that is wanted, and returns how many
// rounds there were.
func hammer(t *testing.T) func(stop bool) int64 {
	var stop atomic.Bool
	var rounds atomic.Int64
	var l osthread.Lock
	var rw osthread.RWLock
	s, q := osthread.NewSemaphore(1), queue.New[int](2)
	c := osthread.NewCondition(&l)
	var all []*osthread.Thread
	for i := range 4 {
		all = append(all, start(t, fmt.Sprint("hammer ", i), func() {
			for !stop.Load() {
				l.Lock()
				c.WaitTimeout(10 * time.Microsecond)
				c.NotifyAll()
				l.Unlock()
				touch(rw.RLocker())
				touch(&rw)
				s.Acquire(1)
				_ = q.PutTimeout(i, 10*time.Microsecond)
				s.Release(1)
				_, _ = q.GetTimeout(10 * time.Microsecond)
				osthread.WaitAnyTimeout(time.Microsecond, new(osthread.Event), new(osthread.Event))
				join(t, start(t, "short", func() {}))
				rounds.Add(1)
			}
		}))
	}
	return func(end bool) int64 {
		if end {
			stop.Store(true)
			join(t, all...)
		}
		return rounds.Load()
	}
}
