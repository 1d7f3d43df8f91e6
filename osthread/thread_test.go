package osthread

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/thread"
	"example.com/thread/internal/buildinfo"
)

func start(t *testing.T, fn func() error) *Thread {
	t.Helper()
	th, err := Go(fn)
	require.NoError(t, err)
	return th
}

func TestThreadLife(t *testing.T) {
	release := make(chan struct{})
	th := New(func() error { <-release; return errWhy }, &Attr{Name: "worker"})
	assert.False(t, th.Alive())
	assert.Zero(t, th.Ident())
	assert.Zero(t, th.NativeID())
	assert.Equal(t, "Thread(worker, initial)", th.String())
	assert.ErrorIs(t, th.Join(), ErrNotStarted)
	assert.ErrorIs(t, th.JoinTimeout(0), ErrNotStarted)
	_, err := th.CPUTime()
	assert.ErrorIs(t, err, ErrNotStarted)
	before := NumThread()
	require.NoError(t, th.Start())
	assert.ErrorIs(t, th.Start(), ErrStarted)
	assert.ErrorIs(t, th.SetDaemon(true), ErrStarted)
	assert.True(t, th.Alive())
	assert.NotZero(t, th.Ident())
	assert.NotZero(t, th.NativeID())
	assert.Equal(t, before+1, NumThread())
	assert.True(t, slices.Contains(slices.Collect(Threads()), th))
	assert.ErrorIs(t, th.TryJoin(), ErrTimeout)
	assert.ErrorIs(t, th.JoinTimeout(time.Millisecond), ErrTimeout)
	assert.ErrorIs(t, th.JoinContext(canceledContext()), errWhy)
	require.NoError(t, th.SetName("renamed"))
	assert.Equal(t, "renamed", th.Name())
	close(release)
	var joiners sync.WaitGroup
	for range 5 {
		joiners.Go(func() { assert.Equal(t, errWhy, th.Join()) })
	}
	joiners.Wait()
	assert.Equal(t, errWhy, th.TryJoin())
	assert.Equal(t, errWhy, th.JoinContext(context.Background()))
	assert.ErrorIs(t, th.Start(), ErrStarted)
	assert.ErrorIs(t, th.SetDaemon(true), ErrStarted)
	assert.False(t, th.Alive())
	assert.NotZero(t, th.Ident(), "even after the end")
	assert.Equal(t, before, NumThread())
	assert.Contains(t, th.String(), "stopped")
}

type runner struct{ result int }

func (r *runner) Run() error { r.result = 42; return nil }

func named() error { return nil }

func TestThreadDefaultName(t *testing.T) {
	a, b := New(named, nil), NewRunner(new(runner), nil)
	assert.Regexp(t, `^Thread-\d+ \(named\)$`, a.Name())
	assert.Regexp(t, `^Thread-\d+ \(runner\)$`, b.Name())
	assert.Regexp(t, `^Thread-\d+$`, New(nil, nil).Name())
	var m, n int
	_, err := fmt.Sscanf(a.Name()+b.Name(), "Thread-%d (named)Thread-%d", &m, &n)
	require.NoError(t, err)
	assert.Equal(t, m+1, n)
}

func TestRunnerKeepsAResult(t *testing.T) {
	r := new(runner)
	th := NewRunner(r, nil)
	require.NoError(t, th.Start())
	require.NoError(t, th.Join())
	assert.Equal(t, 42, r.result)
}

func TestThreadInheritsDaemon(t *testing.T) {
	assert.False(t, New(named, nil).Daemon())
	d := New(func() error {
		child := New(named, nil)
		assert.True(t, child.Daemon())
		assert.NoError(t, child.SetDaemon(false))
		assert.False(t, child.Daemon())
		return nil
	}, &Attr{Daemon: true})
	assert.True(t, d.Daemon())
	require.NoError(t, d.Start())
	assert.NoError(t, d.Join())
	assert.Contains(t, d.String(), "daemon")
}

// Whether a goroutine's thread has a dummy, a daemon, is chance.
func TestThreadInheritsNothingFromAGoroutine(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	_ = Current()
	assert.False(t, New(named, nil).Daemon())
}

func TestThreadJoinReturnsHowTheBodyEnded(t *testing.T) {
	var reported []string
	var mu sync.Mutex
	SetPanicHook(func(th *Thread, e *PanicError) {
		mu.Lock()
		defer mu.Unlock()
		assert.Same(t, th, Current())
		reported = append(reported, fmt.Sprint(e.Value))
	})
	defer SetPanicHook(nil)
	tests := []struct {
		name string
		body func() error
		want error
	}{
		{"nil", func() error { return nil }, nil},
		{"error", func() error { return errWhy }, errWhy},
		{"panic", func() error { panic(errWhy) }, errWhy},
		{"Exit", func() error { thread.Exit(); return nil }, ErrExit},
		{"Goexit", func() error { runtime.Goexit(); return nil }, ErrGoexit},
	}
	for _, pinned := range []bool{false, true} {
		for _, test := range tests {
			t.Run(fmt.Sprintf("%s/pinned=%v", test.name, pinned), func(t *testing.T) {
				th := New(test.body, &Attr{Pinned: pinned})
				require.NoError(t, th.Start())
				err := th.Join()
				assert.ErrorIs(t, err, test.want)
				assert.Equal(t, err, th.Join(), "each time")
				var p *PanicError
				assert.Equal(t, test.name == "panic", errors.As(err, &p))
				assert.False(t, th.Alive())
			})
		}
	}
	assert.Equal(t, []string{"why", "why"}, reported)
}

func TestThreadStartThatFailsLeavesNothing(t *testing.T) {
	before := NumThread()
	th := New(named, &Attr{Priority: 1}) // without a policy
	assert.ErrorIs(t, th.Start(), syscall.EINVAL)
	assert.ErrorIs(t, th.Start(), syscall.EINVAL, "not ErrStarted")
	assert.ErrorIs(t, th.Join(), ErrNotStarted)
	assert.Equal(t, before, NumThread())
}

func TestThreadJoinOfItself(t *testing.T) {
	var th *Thread
	ready := make(chan struct{})
	th = start(t, func() error {
		<-ready
		assert.ErrorIs(t, th.JoinTimeout(0), ErrDeadlock)
		return th.Join()
	})
	close(ready)
	assert.ErrorIs(t, th.Join(), ErrDeadlock)
}

func TestCurrent(t *testing.T) {
	th := start(t, func() error {
		assert.Equal(t, Current().Ident(), thread.Self())
		assert.Equal(t, Current().NativeID(), thread.NativeID())
		return nil
	})
	require.NoError(t, th.Join())
	assert.Equal(t, "MainThread", Main().Name())
	assert.True(t, Main().Alive())
	assert.False(t, Main().Daemon())
	assert.Same(t, Main(), slices.Collect(Threads())[0])
}

// onAThreadThatEnds runs f in a goroutine that has a thread of Go's, and ends
// it: any but the first.
func onAThreadThatEnds(f func()) {
	go func() {
		runtime.LockOSThread()
		if thread.Self() != Main().Ident() {
			f()
			return
		}
		defer runtime.UnlockOSThread()
		elsewhere := make(chan struct{})
		go func() { // while the first is held
			runtime.LockOSThread()
			close(elsewhere)
			f()
		}()
		<-elsewhere
	}()
}

// A dummy has Python's limits, and goes with its thread.
func TestDummyOfAThreadOfGo(t *testing.T) {
	got := make(chan *Thread)
	onAThreadThatEnds(func() {
		d := Current()
		assert.Same(t, d, Current())
		assert.True(t, d.Alive())
		assert.True(t, d.Daemon())
		assert.True(t, slices.Contains(slices.Collect(Threads()), d))
		assert.Equal(t, d.Ident(), thread.Self())
		got <- d
	})
	d := <-got
	assert.ErrorIs(t, d.Join(), ErrNotJoinable)
	assert.Regexp(t, `^Dummy-\d+$`, d.Name())
	if runtime.GOOS == "linux" {
		await(func() bool { return !slices.Contains(slices.Collect(Threads()), d) })
		assert.False(t, d.Alive())
	}
}

func TestDummyOfAnAttachedThread(t *testing.T) {
	done := make(chan struct{})
	onAThreadThatEnds(func() {
		defer close(done)
		_, err := thread.Attach()
		assert.NoError(t, err)
		d := Current()
		assert.Same(t, d, Current())
		assert.True(t, d.Alive())
		assert.ErrorIs(t, d.Join(), ErrNotJoinable)
		assert.NoError(t, thread.Detach())
		assert.False(t, d.Alive())
		assert.False(t, slices.Contains(slices.Collect(Threads()), d))
	})
	<-done
}

func TestDummyOfAThreadThatEndsAttached(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("nothing reports such an end")
	}
	got := make(chan *Thread)
	for range 5 {
		go func() {
			_, err := thread.Attach() // and no Detach: the goroutine ends with its thread
			assert.NoError(t, err)
			got <- Current()
		}()
		d := <-got
		if d != Main() {
			await(func() bool { return !slices.Contains(slices.Collect(Threads()), d) })
			assert.False(t, d.Alive())
		}
	}
}

// The dummy's end is noticed while the registry is asked for its threads.
func TestWaitAnyForADummysEndWithHooks(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("nothing reports such an end")
	}
	got := make(chan *Thread)
	free := make(chan struct{})
	onAThreadThatEnds(func() {
		got <- Current()
		<-free
	})
	d := <-got
	waiter := New(func() error { WaitAny(d); return nil }, nil)
	waiter.SetTrace(func(TraceEvent) { NumThread() })
	require.NoError(t, waiter.Start())
	close(free)
	await(func() bool { NumThread(); return waiter.TryJoin() == nil })
}

func TestPanicHookDefaultReport(t *testing.T) {
	r, w, err := os.Pipe()
	require.NoError(t, err)
	stderr := os.Stderr
	os.Stderr = w
	th := New(func() error { panic("oh") }, &Attr{Name: "worker"})
	startErr := th.Start()
	joinErr := th.Join()
	os.Stderr = stderr
	require.NoError(t, startErr)
	require.Error(t, joinErr)
	require.NoError(t, w.Close())
	var out bytes.Buffer
	_, err = out.ReadFrom(r)
	require.NoError(t, err)
	assert.True(t, strings.HasPrefix(out.String(), "Panic in thread worker: oh\n"), out.String())
	assert.Contains(t, out.String(), "TestPanicHookDefaultReport")
}

// 100,000 goroutines wait on one event without a thread each.
func TestEventWaitOfGoroutinesTakesNoThread(t *testing.T) {
	n := 100_000
	if buildinfo.Race {
		n = 5_000 // the race detector has a limit of 8128 goroutines
	}
	var e Event
	var passed atomic.Int64
	var all sync.WaitGroup
	before := threadsNow(t)
	for range n {
		all.Go(func() {
			e.Wait()
			passed.Add(1)
		})
	}
	awaitWaiting(e.queue(), n)
	most := threadsNow(t)
	e.Set()
	for passed.Load() < int64(n) {
		most = max(most, threadsNow(t))
		runtime.Gosched()
	}
	all.Wait()
	assert.Less(t, most-before, 50)
	t.Logf("%d threads before, at most %d", before, most)
}

// threadsNow counts the process's threads.
func threadsNow(t *testing.T) int {
	t.Helper()
	tasks, err := os.ReadDir("/proc/self/task")
	if err != nil {
		t.Skip(err)
	}
	return len(tasks)
}

func TestNewCopiesTheAttributes(t *testing.T) {
	attr := &Attr{Affinity: []int{0}}
	if attr.Check() != nil {
		t.Skip("no affinity here")
	}
	th := New(nil, attr)
	attr.Affinity[0] = 1 << 20 // no processor
	require.NoError(t, th.Start())
	require.NoError(t, th.Join())
}

func TestStackUse(t *testing.T) {
	th := New(func() error { return nil }, &Attr{MeasureStack: true})
	_, err := th.StackUse()
	assert.ErrorIs(t, err, ErrNotStarted)
	if errors.Is((&Attr{MeasureStack: true}).Check(), errors.ErrUnsupported) {
		assert.ErrorIs(t, th.Start(), errors.ErrUnsupported)
		return
	}
	require.NoError(t, th.Start())
	require.NoError(t, th.Join())
	use, err := th.StackUse()
	assert.NoError(t, err)
	assert.Positive(t, use.Used)
	assert.Greater(t, use.Size, use.Used)
}
