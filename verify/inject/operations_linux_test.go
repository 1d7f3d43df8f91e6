//go:build amd64 || arm64

package inject_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"reflect"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"example.com/thread"
	"example.com/thread/internal/inject"
	"example.com/thread/osthread"
	"example.com/thread/osthread/executor"
	"example.com/thread/osthread/inspect"
	"example.com/thread/osthread/queue"
	"example.com/thread/osthread/shared"
	"example.com/thread/osthread/topology"
)

// short is the timeout of waits that end by it.
const short = time.Millisecond

var operations = concat(starts(), setters(), own(), waits(), higher(), segments())

func concat(all ...[]operation) (ops []operation) {
	for _, a := range all {
		ops = append(ops, a...)
	}
	return ops
}

// starts are Start and Join with each attribute.
func starts() (ops []operation) {
	cpus, _ := topology.Allowed() // with an error there is none, and Start refuses it
	attrs := []struct {
		name string
		attr thread.Attr
	}{
		{"plain", thread.Attr{}},
		{"name", thread.Attr{Name: "injected"}},
		{"stack", thread.Attr{StackSize: 256 << 10}},
		// The C library keeps no stack of that size for reuse.
		{"a large stack", thread.Attr{StackSize: 64 << 20}},
		{"guard", thread.Attr{GuardSize: 16 << 10}},
		{"no guard", thread.Attr{GuardSize: thread.NoGuard}},
		{"measure", thread.Attr{MeasureStack: true}},
		{"affinity", thread.Attr{Affinity: cpus.List()}},
		{"batch", thread.Attr{Policy: thread.PolicyBatch}},
		{"FIFO", thread.Attr{Policy: thread.PolicyFIFO, Priority: 1}},
		{"deadline", thread.Attr{Policy: thread.PolicyDeadline, Bandwidth: someBandwidth}},
		{"reset on fork", thread.Attr{Policy: thread.PolicyBatch, ResetOnFork: true}},
		{"nice", thread.Attr{Nice: 3}},
		{"slack", thread.Attr{TimerSlack: time.Microsecond}},
		{"mask", thread.Attr{SignalMask: []os.Signal{syscall.SIGUSR1}}},
		{"memory", thread.Attr{Memory: &thread.MemoryPolicy{Mode: thread.MemoryInterleave, Nodes: []int{0}}}},
		{
			"all", thread.Attr{
				Name: "injected", Affinity: cpus.List(), Policy: thread.PolicyBatch, ResetOnFork: true, Nice: 3,
				TimerSlack: time.Microsecond, SignalMask: []os.Signal{syscall.SIGUSR1},
				Memory: &thread.MemoryPolicy{Mode: thread.MemoryInterleave, Nodes: []int{0}},
			},
		},
	}
	for _, a := range attrs {
		for _, pinned := range []bool{false, true} {
			attr, kind := a.attr, "native"
			if attr.Pinned = pinned; pinned {
				kind = "pinned"
			}
			ops = append(ops, operation{
				name: "Start of a " + kind + " thread, " + a.name, do: func() error { return startAndJoin(&attr) },
			})
		}
	}
	return ops
}

// has holds that the calling thread has what was asked for. It ends the
// injection if there is anything to ask the system for.
func has(a *thread.Attr) {
	if a.Affinity == nil && a.Policy == thread.PolicyInherit && a.Nice == 0 && a.TimerSlack == 0 &&
		a.SignalMask == nil && a.Memory == nil {
		return
	}
	inject.Disarm()
	th := thread.Current()
	if a.Affinity != nil {
		expectSame(a.Affinity)(th.Affinity())
	}
	if a.Policy != thread.PolicyInherit {
		p, prio, err := th.Priority()
		must(err)
		expectSame([]int{int(a.Policy), a.Priority})([]int{int(p), prio}, err)
	}
	expectSame(a.ResetOnFork || a.Policy == thread.PolicyDeadline)(th.ResetOnFork())
	if a.Nice != 0 {
		expectSame(20 - a.Nice)(unix.Getpriority(unix.PRIO_PROCESS, 0)) // the system call's form
	}
	if a.TimerSlack != 0 {
		expectSame(a.TimerSlack)(th.TimerSlack())
	}
	if a.SignalMask != nil {
		expectSame(thread.Signals(a.SignalMask...))(thread.SignalMask())
	}
	if a.Memory != nil {
		expectSame(*a.Memory)(thread.CurrentMemoryPolicy())
	}
}

func expectSame[T any](want T) func(got T, err error) {
	return func(got T, err error) {
		must(err)
		if !reflect.DeepEqual(got, want) {
			panic(fmt.Sprintf("the thread has %v, not %v", got, want))
		}
	}
}

var someBandwidth = thread.Bandwidth{Runtime: time.Millisecond, Deadline: 100 * time.Millisecond}

// startAndJoin holds that a Start that fails runs nothing.
func startAndJoin(attr *thread.Attr) error {
	ran := false
	th, err := thread.Start(func() { ran = true; has(attr) }, attr)
	if err != nil {
		if ran || thread.NumThread() != 0 {
			panic("a Start that failed has left a thread")
		}
		return err
	}
	if err := th.Join(); err != nil {
		return err
	}
	if !ran {
		panic("a Start that succeeded has run nothing")
	}
	return nil
}

// live is a thread that waits, for the methods that change it.
var live *thread.Thread

func startLive() (err error) {
	live, err = thread.Start(func() { _, _ = thread.Interruptible(func() { select {} }) }, nil)
	if err != nil {
		return err
	}
	_, err = live.Affinity() // waits until it has begun
	return err
}

// stateOfLive is all that the methods set.
func stateOfLive() string {
	cpus, e1 := live.Affinity()
	p, prio, e2 := live.Priority()
	width, e3 := live.Bandwidth()
	reset, e4 := live.ResetOnFork()
	nice, e5 := unix.Getpriority(unix.PRIO_PROCESS, live.NativeID())
	slack, e6 := live.TimerSlack()
	must(errors.Join(e1, e2, e3, e4, e5, e6))
	comm, err := os.ReadFile(fmt.Sprintf("/proc/self/task/%d/comm", live.NativeID()))
	must(err)
	return fmt.Sprint(cpus, p, prio, width, reset, nice, slack, live.Name(), " ", string(comm))
}

// setters are the methods of a thread that lives. Each sets one of two values
// by turns, so that a failure would show if it had set it.
func setters() (ops []operation) {
	turn := 0
	next := func() int { turn++; return turn & 1 }
	for _, s := range []struct {
		name string
		do   func() error
	}{
		{"SetAffinity", func() error {
			cpus, err := topology.Allowed()
			if err != nil {
				return err
			}
			return live.SetAffinity(cpus.List()[next()*(cpus.Len()-1):])
		}},
		{"Affinity", func() error { _, err := live.Affinity(); return err }},
		{"SetPriority", func() error {
			return live.SetPriority([]thread.Policy{thread.PolicyBatch, thread.PolicyOther}[next()], 0)
		}},
		{"SetPriority of real time", func() error {
			return live.SetPriority(thread.PolicyFIFO, 1+next())
		}},
		{"Priority", func() error { _, _, err := live.Priority(); return err }},
		{"SetBandwidth", func() error { return live.SetBandwidth(someBandwidth) }},
		{"Bandwidth", func() error { _, err := live.Bandwidth(); return err }},
		{"SetResetOnFork", func() error { return live.SetResetOnFork(next() == 0) }},
		{"ResetOnFork", func() error { _, err := live.ResetOnFork(); return err }},
		{"SetNice", func() error { return live.SetNice(1 + next()) }},
		{"SetTimerSlack", func() error { return live.SetTimerSlack(time.Duration(1000 + next())) }},
		{"TimerSlack", func() error { _, err := live.TimerSlack(); return err }},
		{"SetName", func() error { return live.SetName([]string{"one", "two"}[next()]) }},
		{"StackUse", func() error { _, err := live.StackUse(); return err }},
		{"CPUTime", func() error { _, err := live.CPUTime(); return err }},
		{"Signal", func() error { return live.Signal(syscall.SIGURG) }},
		{"SignalValue", func() error { return live.SignalValue(syscall.SIGURG, 7) }},
		{"String", func() error { _ = live.String(); return nil }},
	} {
		ops = append(ops, operation{name: s.name, do: s.do, state: stateOfLive, prepare: startLive})
	}
	return ops
}

// own are the calls about the calling thread.
func own() []operation {
	usr1 := thread.Signals(syscall.SIGUSR1)
	mask := func() string {
		m, err := thread.SignalMask()
		must(err)
		return fmt.Sprint(m)
	}
	policy := func() string {
		p, err := thread.CurrentMemoryPolicy()
		must(err)
		return fmt.Sprint(p)
	}
	// Without a timeout in the call the kernel has no EAGAIN.
	timeout := []error{thread.ErrTimeout}
	turn := 0
	return []operation{
		{name: "Attach", do: func() error {
			if _, err := thread.Attach(); err != nil {
				return err
			}
			return thread.Detach()
		}},
		{name: "SetSignalMask", prepare: attach, state: mask, do: func() error {
			turn++
			_, err := thread.SetSignalMask(thread.MaskChange(turn&1), usr1) // BlockSignals and UnblockSignals
			return err
		}},
		{name: "SignalPending", prepare: attach, do: func() error { _, err := thread.SignalPending(); return err }},
		{name: "Sigwait", state: mask, prepare: blockUSR1, do: func() error {
			_, err := thread.SigwaitTimeout(usr1, short)
			return unless(err, thread.ErrTimeout)
		}},
		{name: "Sigwait with a context", also: timeout, state: mask, prepare: blockUSR1, do: func() error {
			ctx, cancel := context.WithTimeout(context.Background(), short)
			defer cancel()
			_, err := thread.SigwaitContext(ctx, usr1)
			return unless(err, context.DeadlineExceeded)
		}},
		{name: "SetMemoryPolicy", prepare: attach, state: policy, do: func() error {
			turn++
			p := thread.MemoryPolicy{Mode: thread.MemoryLocal}
			if turn&1 == 0 {
				p = thread.MemoryPolicy{Mode: thread.MemoryInterleave, Nodes: []int{0}}
			}
			return thread.SetMemoryPolicy(p)
		}},
		{name: "CurrentMemoryPolicy", prepare: attach, do: func() error {
			_, err := thread.CurrentMemoryPolicy()
			return err
		}},
		{name: "LockMemory", state: locked, also: []error{syscall.EPERM}, do: func() error {
			if err := thread.LockMemory(); err != nil {
				return err
			}
			if err := thread.UnlockMemory(); err != nil {
				must(thread.UnlockMemory())
				return err
			}
			return nil
		}},
		{name: "SetName of the caller", prepare: attach, do: func() error { return thread.SetName("own") }},
		{name: "Interrupt", do: interruptRead, signals: true},
		{name: "ReportStackOverflows", do: thread.ReportStackOverflows},
	}
}

func attach() error { _, err := thread.Attach(); return err }

func blockUSR1() error {
	must(attach())
	_, err := thread.SetSignalMask(thread.BlockSignals, thread.Signals(syscall.SIGUSR1))
	return err
}

// locked is how much memory is locked.
func locked() string {
	b, err := os.ReadFile("/proc/self/status")
	must(err)
	var kB int
	for l := range strings.Lines(string(b)) {
		if n, _ := fmt.Sscanf(l, "VmLck: %d", &kB); n == 1 {
			return fmt.Sprint("locked: ", kB > 0)
		}
	}
	return "?"
}

// unless returns err, or nil if it is what is expected.
func unless(err, expected error) error {
	if err == nil {
		return errors.New("no error")
	}
	if errors.Is(err, expected) {
		return nil
	}
	return err
}

// interruptRead interrupts a read of an empty pipe.
func interruptRead() error {
	var p [2]int
	if err := unix.Pipe2(p[:], unix.O_CLOEXEC); err != nil {
		return err
	}
	defer unix.Close(p[0])
	defer unix.Close(p[1])
	var began osthread.Event
	var result error
	th, err := thread.Start(func() {
		_, result = thread.Interruptible(func() {
			began.Set()
			// An injected failure ends the read before the Interrupt.
			if _, err := unix.Read(p[0], make([]byte, 1)); err == nil {
				panic("read from an empty pipe")
			}
		})
	}, nil)
	if err != nil {
		return err
	}
	began.Wait()
	err = th.Interrupt()
	if err != nil && !errors.Is(err, thread.ErrNotInterruptible) && !errors.Is(err, thread.ErrEnded) {
		must(unwrapped(th.Interrupt())) // the failure was one
	} else {
		err = nil
	}
	must(th.Join())
	return errors.Join(err, result)
}

func unwrapped(err error) error {
	if errors.Is(err, thread.ErrNotInterruptible) || errors.Is(err, thread.ErrEnded) {
		return nil
	}
	return err
}

// waits end by a timeout, and by another thread, on a thread of their own,
// which sleeps in the kernel.
func waits() (ops []operation) {
	for _, w := range []struct {
		name string
		wait func() bool // until short; true if it timed out
	}{
		{"Park", func() bool { return errors.Is(thread.ParkTimeout(short), thread.ErrTimeout) }},
		{"thread.Lock", func() bool {
			var l thread.Lock
			l.Lock()
			return !l.LockTimeout(short)
		}},
		{"Lock", func() bool {
			var l osthread.Lock
			l.Lock()
			return !l.LockTimeout(short)
		}},
		{"RWLock", func() bool {
			var l osthread.RWLock
			l.Lock()
			return !l.RLockTimeout(short)
		}},
		{"Semaphore", func() bool { return !osthread.NewSemaphore(0).AcquireTimeout(1, short) }},
		{"Event", func() bool { return !new(osthread.Event).WaitTimeout(short) }},
		{"Condition", func() bool {
			var l osthread.Lock
			c := osthread.NewCondition(&l)
			l.Lock()
			defer l.Unlock()
			return !c.WaitTimeout(short)
		}},
		{"Barrier", func() bool {
			_, err := osthread.NewBarrier(2, nil).WaitTimeout(short)
			return errors.Is(err, osthread.ErrBroken)
		}},
		{"Queue", func() bool {
			_, err := queue.New[int](1).GetTimeout(short)
			return errors.Is(err, queue.ErrEmpty)
		}},
		{"WaitAny", func() bool {
			return osthread.WaitAnyTimeout(short, new(osthread.Event), osthread.NewSemaphore(0)) < 0
		}},
		{"shared.Semaphore", func() bool {
			var s shared.Semaphore
			must(s.Init(0, false))
			return errors.Is(s.AcquireTimeout(short), shared.ErrTimeout)
		}},
		{"robust mutex", func() bool { return mutexTimesOut(shared.MutexAttr{Robust: true}) }},
		{"inheriting mutex", func() bool { return mutexTimesOut(shared.MutexAttr{Inherit: true}) }},
		{"robust inheriting mutex", func() bool {
			return mutexTimesOut(shared.MutexAttr{Robust: true, Inherit: true})
		}},
	} {
		ops = append(ops, operation{name: "timeout of " + w.name, do: func() error {
			return onThread(func() {
				begun := time.Now()
				if !w.wait() || time.Since(begun) < short {
					panic("the wait of " + w.name + " did not time out")
				}
			})
		}})
	}
	for name, attr := range map[string]shared.MutexAttr{
		"robust mutex": {Robust: true}, "inheriting mutex": {Inherit: true}, "plain mutex": {},
	} {
		ops = append(ops, operation{name: "contended " + name, do: func() error { return contend(attr) }})
	}
	return ops
}

func onThread(f func()) error {
	th, err := thread.Start(f, nil)
	if err != nil {
		return err
	}
	return th.Join()
}

func mutexTimesOut(attr shared.MutexAttr) bool {
	var m shared.Mutex
	must(m.Init(attr))
	must(m.Lock())
	defer func() { must(m.Unlock()) }()
	timedOut := false
	must(onThread(func() { timedOut = errors.Is(m.LockTimeout(short), shared.ErrTimeout) }))
	return timedOut
}

const passes = 4 // of each thread

// contend has two threads add under a mutex.
func contend(attr shared.MutexAttr) error {
	var m shared.Mutex
	must(m.Init(attr))
	counter := 0
	var all []*thread.Thread
	var failed error
	for range 2 {
		th, err := thread.Start(func() {
			for range passes {
				must(m.Lock())
				counter++
				thread.Yield()
				must(m.Unlock())
			}
		}, nil)
		if err != nil {
			failed = err
			break
		}
		all = append(all, th)
	}
	for _, th := range all {
		must(th.Join())
	}
	if counter != passes*len(all) {
		panic(fmt.Sprint("not exclusive: ", counter))
	}
	return failed
}

// higher are the operations of the packages above.
func higher() []operation {
	return []operation{
		{name: "osthread.Start", do: func() error {
			th, err := osthread.Start(func() error { return nil }, nil)
			if err != nil {
				return err
			}
			return th.Join()
		}},
		{name: "Scope", do: func() error {
			return osthread.Scope(context.Background(), osthread.GroupOptions{}, func(g *osthread.Group) error {
				for range 2 {
					if _, err := g.Go(func(context.Context) error { return nil }); err != nil {
						return err
					}
				}
				return nil
			})
		}},
		{name: "Executor", do: usePool},
		{name: "Worker", do: func() error {
			w, err := executor.NewWorker(nil)
			if err != nil {
				return err
			}
			return errors.Join(w.Call(func() error { return nil }), w.Close())
		}},
		{name: "Timer", do: func() error {
			t := osthread.NewTimer(short, func() error { return nil }, nil)
			if err := t.Start(); err != nil {
				return err
			}
			return t.Join()
		}},
		{name: "topology.Read", do: func() error { _, err := topology.Read(); return err }},
		{name: "topology.Allowed", do: func() error { _, err := topology.Allowed(); return err }},
		{name: "inspect.Take", do: func() error {
			if inspect.Take() == nil {
				panic("no snapshot")
			}
			return nil
		}},
		{name: "Reserve", do: func() error {
			release, err := thread.Reserve(2)
			if err == nil {
				release()
			}
			return err
		}},
	}
}

// usePool holds that a pool that cannot have a second thread does with one.
func usePool() error {
	e, err := executor.New(executor.Options{Threads: 2})
	if err != nil {
		return err
	}
	var failed error
	var done sync.WaitGroup
	for i := range 4 {
		f, err := executor.Submit(e, func() (int, error) { return i, nil })
		if err != nil {
			failed = err
			continue
		}
		done.Go(func() {
			if v, err := f.Result(); err != nil || v != i {
				panic(fmt.Sprint(v, err))
			}
		})
	}
	done.Wait()
	return errors.Join(failed, e.Close())
}

const segmentSize = 1 << 16

// segments make and open memory of all kinds.
func segments() []operation {
	path := os.TempDir() + fmt.Sprintf("/osthread-inject-%d", os.Getpid())
	name := fmt.Sprintf("osthread-inject-%d", os.Getpid())
	gone := func(file string) func() string {
		return func() string {
			_, err := os.Stat(file)
			return fmt.Sprint(err == nil)
		}
	}
	return []operation{
		{name: "CreateSegment", do: func() error {
			s, err := shared.CreateSegment(segmentSize, 1)
			if err != nil {
				return err
			}
			return s.Detach()
		}},
		{name: "AttachSegment", also: []error{fs.ErrPermission}, do: func() error {
			// A segment owns its file.
			fd, err := unix.FcntlInt(someSegment.File().Fd(), unix.F_DUPFD_CLOEXEC, 0)
			if err != nil {
				return err
			}
			f := os.NewFile(uintptr(fd), "segment")
			s, err := shared.AttachSegment(f, 1)
			if err != nil {
				_ = f.Close() // it may have been closed
				return err
			}
			return s.Detach()
		}, prepare: func() (err error) { someSegment, err = shared.CreateSegment(segmentSize, 1); return err }},
		{name: "CreateSegmentFile", state: gone(path), do: func() error {
			s, err := shared.CreateSegmentFile(path, 0o600, segmentSize, 1)
			if err != nil {
				return err
			}
			remove(path)
			return s.Detach()
		}},
		{name: "OpenSegmentFile", do: func() error {
			s, err := shared.OpenSegmentFile(path, 1)
			if err != nil {
				return err
			}
			return s.Detach()
		}, prepare: func() error {
			s, err := shared.CreateSegmentFile(path, 0o600, segmentSize, 1)
			if err != nil {
				return err
			}
			return s.Detach()
		}, end: func() { remove(path) }},
		{name: "CreateSegmentShm", state: gone("/dev/shm/" + name), do: func() error {
			s, err := shared.CreateSegmentShm(name, 0o600, segmentSize, 1)
			if err != nil {
				return err
			}
			if err := shared.RemoveSegmentShm(name); err != nil {
				must(shared.RemoveSegmentShm(name))
				return errors.Join(err, s.Detach())
			}
			return s.Detach()
		}},
	}
}

// remove removes a file, in spite of one failure.
func remove(path string) {
	if os.Remove(path) != nil {
		must(os.Remove(path))
	}
}

var someSegment *shared.Segment
