package timeline_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/thread/internal/testutil"
	"example.com/thread/osthread"
	"example.com/thread/osthread/executor"
	"example.com/thread/osthread/queue"
	"example.com/thread/osthread/timeline"
)

// forms are the two ways to record, each as one call around f.
var forms = map[string]func(t *testing.T, o timeline.Options, f func(r *timeline.Recorder)) file{
	"memory": func(t *testing.T, o timeline.Options, f func(r *timeline.Recorder)) file {
		r := timeline.New(o)
		require.NoError(t, r.Start())
		f(r)
		require.NoError(t, r.Stop())
		return written(t, r)
	},
	"stream": func(t *testing.T, o timeline.Options, f func(r *timeline.Recorder)) file {
		var b bytes.Buffer
		r, err := timeline.Start(&b, o)
		require.NoError(t, err)
		f(r)
		require.NoError(t, r.Stop())
		return parse(t, b.Bytes(), false)
	},
}

// written returns what WriteTo writes.
func written(t *testing.T, r *timeline.Recorder) file {
	t.Helper()
	var b bytes.Buffer
	n, err := r.WriteTo(&b)
	require.NoError(t, err)
	assert.EqualValues(t, b.Len(), n)
	return parse(t, b.Bytes(), true)
}

// bothForms runs f as a subtest for each form; check gets the timeline.
func bothForms(t *testing.T, f func(t *testing.T), check func(t *testing.T, f file)) {
	for name, form := range forms {
		t.Run(name, func(t *testing.T) {
			check(t, form(t, timeline.Options{}, func(*timeline.Recorder) { f(t) }))
		})
	}
}

func start(t testing.TB, name string, f func()) *osthread.Thread {
	t.Helper()
	th, err := osthread.Start(func() error { f(); return nil }, &osthread.Attr{Name: name})
	require.NoError(t, err)
	return th
}

// touch locks l, for the wait.
func touch(l sync.Locker) {
	l.Lock()
	defer l.Unlock()
}

func join(t testing.TB, threads ...*osthread.Thread) {
	t.Helper()
	for _, th := range threads {
		require.NoError(t, th.Join())
	}
}

func TestTimelineHasTheWaitAndItsWaker(t *testing.T) {
	var e *osthread.Event
	bothForms(t, func(t *testing.T) {
		e = new(osthread.Event)
		waiter := start(t, "waiter", e.Wait)
		testutil.Await(func() bool { return e.Waiting() == 1 })
		join(t, start(t, "waker", e.Set), waiter)
	}, func(t *testing.T, f file) {
		object := fmt.Sprintf("Event(%p)", e)
		row := f.row(t, "waiter")
		waits := row.with("X", "wait for ")
		require.Len(t, waits, 1)
		assert.Equal(t, "wait for "+object, waits[0].Name)
		assert.Equal(t, object, waits[0].Args["object"])
		assert.Regexp(t, `^waker( \[\d+\])?$`, waits[0].Args["woken by"])
		life := row.with("X", "waiter")
		require.Len(t, life, 1)
		assert.NotContains(t, life[0].Args, "began")
		assert.NotContains(t, life[0].Args, "ended")

		waker := f.row(t, "waker")
		wakes := waker.with("X", "wake "+object)
		require.Len(t, wakes, 1)
		starts, ends := waker.with("s", "wake"), row.with("f", "wake")
		require.Len(t, starts, 1)
		require.Len(t, ends, 1)
		assert.Equal(t, starts[0].ID, ends[0].ID)
		assert.Positive(t, ends[0].Args["wakeup us"])
		assert.GreaterOrEqual(t, *starts[0].TS, *wakes[0].TS-0.001, "the arrow begins in the Set")
		assert.LessOrEqual(t, *starts[0].TS, wakes[0].end()+0.001)
		assert.Zero(t, f.dropped(t))
	})
}

func TestTimelineHasTheHolderOfAnRLock(t *testing.T) {
	bothForms(t, func(t *testing.T) {
		var l osthread.RLock
		var leave osthread.Event
		holder := start(t, "holder", func() { l.Lock(); leave.Wait(); l.Unlock() })
		testutil.Await(func() bool { return l.Owner() == holder && leave.Waiting() == 1 })
		waiter := start(t, "waiter", func() { touch(&l) })
		testutil.Await(func() bool { return l.Waiting() == 1 })
		leave.Set()
		join(t, holder, waiter)
	}, func(t *testing.T, f file) {
		waits := f.row(t, "waiter").with("X", "wait for RLock(")
		require.NotEmpty(t, waits)
		assert.Regexp(t, "^holder", waits[0].Args["held by"])
	})
}

// What has not ended ends at Stop.
func TestTimelineShowsOpenWaitsUpToStop(t *testing.T) {
	for name, form := range forms {
		t.Run(name, func(t *testing.T) {
			var e osthread.Event
			var th *osthread.Thread
			f := form(t, timeline.Options{}, func(*timeline.Recorder) {
				th = start(t, "blocked", e.Wait)
				testutil.Await(func() bool { return e.Waiting() == 1 })
			})
			e.Set() // is not recorded
			join(t, th)
			row := f.row(t, "blocked")
			waits, life := row.with("X", "wait for"), row.with("X", "blocked")
			require.Len(t, waits, 1)
			require.Len(t, life, 1)
			for _, s := range []event{waits[0], life[0]} {
				assert.Equal(t, "after the recording", s.Args["ended"])
				assert.InDelta(t, life[0].end(), s.end(), 0.0015)
			}
			assert.Empty(t, row.with("f", ""))
		})
	}
}

func TestTimelineHasThreadsThatBeganBefore(t *testing.T) {
	for name, form := range forms {
		t.Run(name, func(t *testing.T) {
			var e osthread.Event
			th := start(t, "early", e.Wait)
			testutil.Await(func() bool { return e.Waiting() == 1 })
			f := form(t, timeline.Options{}, func(*timeline.Recorder) { e.Set(); join(t, th) })
			life := f.row(t, "early").with("X", "early")
			require.Len(t, life, 1)
			assert.Equal(t, "before the recording", life[0].Args["began"])
		})
	}
}

func TestTimelineMarksPanics(t *testing.T) {
	osthread.SetPanicHook(func(*osthread.Thread, *osthread.PanicError) {})
	defer osthread.SetPanicHook(nil)
	bothForms(t, func(t *testing.T) {
		assert.Error(t, start(t, "panics", func() { panic("on purpose") }).Join())
	}, func(t *testing.T, f file) {
		assert.Len(t, f.row(t, "panics").with("i", "panic"), 1)
	})
}

func TestTimelineCountsQueuesAndBacklogs(t *testing.T) {
	bothForms(t, func(t *testing.T) {
		q := queue.New[int](2)
		consumer := start(t, "consumer", func() {
			for range q.All() {
			}
		})
		for i := range 100 {
			require.NoError(t, q.Put(i))
		}
		q.Shutdown()
		join(t, consumer)

		pool, err := executor.New(executor.Options{Threads: 1, Attr: &osthread.Attr{Name: "pool"}})
		require.NoError(t, err)
		var begin osthread.Event
		var last *executor.Future[int]
		for range 5 {
			last, err = executor.Submit(pool, func() (int, error) { begin.Wait(); return 1, nil })
			require.NoError(t, err)
		}
		client := start(t, "client", func() { _, _ = last.Result() })
		testutil.Await(func() bool { return begin.Waiting() == 1 && strings.Contains(client.String(), "Future") })
		begin.Set()
		join(t, client)
		require.NoError(t, pool.Close())
	}, func(t *testing.T, f file) {
		assert.NotEmpty(t, f.with("C", "FIFO queue(0x"))
		assert.NotEmpty(t, f.with("C", "Executor(pool)"))
		assert.NotEmpty(t, f.row(t, "client").with("X", "wait for Future(0x"))
	})
}

func TestTimelineCallsCounters(t *testing.T) {
	for name, form := range forms {
		t.Run(name, func(t *testing.T) {
			var n int // the counter's
			called := make(chan bool)
			o := timeline.Options{Interval: 1, Counters: map[string]func() int{"calls": func() int {
				n++
				if n == 4 { // what it returned before is recorded
					close(called)
				}
				return n
			}}}
			f := form(t, o, func(r *timeline.Recorder) {
				<-called
				r.Count("own", 7)
				r.Count("own", 7) // is no change
			})
			calls := f.with("C", "calls")
			require.GreaterOrEqual(t, len(calls), 3)
			assert.Equal(t, map[string]any{"length": 3.0}, calls[2].Args)
			assert.Len(t, f.with("C", "own"), 1)
		})
	}
}

// However short a timeline is, a counter has a value in it.
func TestTimelineCallsCountersAtOnce(t *testing.T) {
	for name, form := range forms {
		t.Run(name, func(t *testing.T) {
			seven := func() int { return 7 }
			o := timeline.Options{Interval: time.Hour, Counters: map[string]func() int{"calls": seven}}
			calls := form(t, o, func(*timeline.Recorder) {}).with("C", "calls")
			require.Len(t, calls, 1)
			assert.Equal(t, map[string]any{"length": 7.0}, calls[0].Args)
		})
	}
}

// Any text is a name.
func TestTimelineIsJSONWhateverNamesAre(t *testing.T) {
	names := []string{
		`"quoted\"`, "new\nline\x00\x01\x7f", "\xff\xfe half \xc3", `</script><b>&amp;`, "\u2028\u2029 日本", "{\"ph\":\"X\"},",
	}
	bothForms(t, func(t *testing.T) {
		for _, name := range names {
			th := osthread.New(func() error { return nil }, nil)
			if th.SetName(name) == nil {
				require.NoError(t, th.Start())
				join(t, th)
			}
		}
	}, func(t *testing.T, f file) {
		assert.GreaterOrEqual(t, len(f.names()), len(names))
		assert.NotEmpty(t, f.with("X", `"quoted\"`))
		assert.NotEmpty(t, f.with("X", "\ufffd\ufffd half \ufffd"))
		assert.NotEmpty(t, f.with("X", "</script>"))
	})
}

// The system gives the ids of ended threads to new ones.
func TestTimelineRowsOfThreadsWithOneIDAreTwo(t *testing.T) {
	const n = 50
	bothForms(t, func(t *testing.T) {
		for i := range n {
			join(t, start(t, fmt.Sprintf("of %d", i), func() {}))
		}
	}, func(t *testing.T, f file) {
		for i := range n {
			assert.Len(t, f.row(t, fmt.Sprintf("of %d", i)).with("X", "of"), 1)
		}
	})
}

func TestWriteFileRecordsARun(t *testing.T) {
	name := filepath.Join(t.TempDir(), "timeline.json")
	fail := errors.New("fails")
	err := timeline.WriteFile(name, func() error {
		join(t, start(t, "run", func() {}))
		return fail
	})
	assert.ErrorIs(t, err, fail)
	text, err := os.ReadFile(name)
	require.NoError(t, err)
	assert.NotEmpty(t, parse(t, text, false).row(t, "run"))

	assert.Panics(t, func() { _ = timeline.WriteFile(name, func() error { panic(1) }) })
	text, err = os.ReadFile(name)
	require.NoError(t, err)
	parse(t, text, false)

	called := false
	err = timeline.WriteFile(filepath.Join(name, "none"), func() error { called = true; return nil })
	assert.Error(t, err)
	assert.False(t, called)
}
