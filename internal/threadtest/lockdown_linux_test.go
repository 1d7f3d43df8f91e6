package threadtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"example.com/thread"
	"example.com/thread/internal/buildinfo"
	"example.com/thread/internal/leak"
	"example.com/thread/internal/lockdown"
	"example.com/thread/osthread"
	"example.com/thread/osthread/executor"
	"example.com/thread/osthread/queue"
)

// What the kernel refuses, behind a filter or because it is older than the
// call, is done another way or comes back as an error; nothing hangs, spins or
// ends the process.

// A refusal is of calls that the library makes, or that what it stands on makes
// for it.
type refusal struct {
	name  string
	calls []lockdown.Call
	attrs []string // that cannot be had
	names bool     // SetName fails; Start does without
	// What of the rest cannot be shown.
	late    bool // a program does not begin without the call
	noJoin  bool // pthread_join of glibc ends the process
	noEPERM bool // as does Go's runtime, or glibc takes it for final
}

const (
	setName       = unix.PR_SET_NAME
	waitBitset    = 9
	futexTime64   = 422 // on 32-bit systems; elsewhere there is no such number
	gettimeTime64 = 403
)

func calls(numbers ...uintptr) (all []lockdown.Call) {
	for _, n := range numbers {
		all = append(all, lockdown.Call{Number: n})
	}
	return all
}

// withArg is calls with the low bits of an argument.
func withArg(index int, mask, value uint32, numbers ...uintptr) []lockdown.Call {
	all := calls(numbers...)
	for i := range all {
		all[i].Args = []lockdown.Arg{{Index: index, Mask: mask, Value: value}}
	}
	return all
}

var refusals = []refusal{
	{name: "nothing"},
	{name: "gettid", calls: calls(unix.SYS_GETTID)},
	{name: "tgkill", calls: calls(unix.SYS_TGKILL)},
	{name: "prctl", calls: calls(unix.SYS_PRCTL)},
	{
		name:  "names",
		calls: append(calls(unix.SYS_OPENAT), withArg(0, ^uint32(0), setName, unix.SYS_PRCTL)...),
		names: true,
		late:  true,
	},
	{name: "files", calls: calls(unix.SYS_OPENAT), late: true},
	{name: "absolute futex", calls: withArg(1, 0x7f, waitBitset, unix.SYS_FUTEX, futexTime64), noJoin: true},
	{name: "clock_gettime", calls: calls(unix.SYS_CLOCK_GETTIME, gettimeTime64)},
	{name: "sched_yield", calls: calls(unix.SYS_SCHED_YIELD)},
	{name: "limits", calls: calls(unix.SYS_SYSINFO, unix.SYS_PRLIMIT64, unix.SYS_CAPGET, unix.SYS_UNAME)},
	{
		name:  "affinity",
		calls: calls(unix.SYS_SCHED_SETAFFINITY, unix.SYS_SCHED_GETAFFINITY),
		attrs: []string{"affinity"},
	},
	{
		name:  "policy",
		calls: calls(unix.SYS_SCHED_SETSCHEDULER, unix.SYS_SCHED_GETSCHEDULER, unix.SYS_SCHED_GETPARAM),
		attrs: []string{"policy"},
	},
	{name: "nice", calls: calls(unix.SYS_SETPRIORITY), attrs: []string{"nice"}},
	{
		name:  "all attributes",
		attrs: []string{"affinity", "policy", "nice"},
		calls: calls(
			unix.SYS_SCHED_SETAFFINITY,
			unix.SYS_SCHED_SETSCHEDULER,
			unix.SYS_SETPRIORITY,
			unix.SYS_PRCTL,
			unix.SYS_TGKILL,
			unix.SYS_GETTID,
			unix.SYS_SCHED_YIELD,
			unix.SYS_SYSINFO,
		),
	},
	{
		name:    "C library",
		calls:   calls(unix.SYS_CLONE3, unix.SYS_RSEQ, unix.SYS_SET_ROBUST_LIST, unix.SYS_MEMBARRIER),
		noEPERM: true,
	},
}

func TestThreadBehindAFilter(t *testing.T) {
	if err := lockdown.Available(); err != nil {
		t.Skip(err)
	}
	if buildinfo.Sanitized {
		t.Skip("a sanitizer ends the process when its own calls are refusals")
	}
	for _, r := range refusals {
		for _, errno := range []syscall.Errno{syscall.ENOSYS, syscall.EPERM} {
			if errno == syscall.EPERM && r.noEPERM {
				continue
			}
			t.Run(r.name+"/"+unix.ErrnoName(errno), func(t *testing.T) {
				t.Parallel()
				out := leak.InChild(t, func() { r.work(errno) })
				if !strings.Contains(out, "all done") {
					t.Errorf("the child did not get to its end:\n%s", out)
				}
			})
		}
	}
}

// lockedEnv is set in a child that has its filter.
const lockedEnv = "OSTHREAD_TEST_LOCKED"

// work does a bit of everything behind the filter. A filter stays over exec, so
// that also what is done before main is done behind it.
func (r refusal) work(errno syscall.Errno) {
	switch {
	case r.late:
		check(lockdown.Process(errno, r.calls...))
	case os.Getenv(lockedEnv) == "":
		// On this thread alone, which is the one that executes: a thread that
		// Go makes meanwhile would find its C library without calls that the
		// first thread had, for which glibc ends the process.
		runtime.LockOSThread()
		check(lockdown.Thread(errno, r.calls...))
		check(os.Setenv(lockedEnv, "1"))
		check(syscall.Exec(os.Args[0], os.Args, os.Environ()))
	}
	r.attributes(errno)
	r.setters(errno)
	contend()
	parkAndUnpark()
	passThroughQueue()
	execute()
	if aliens != nil && !r.noJoin {
		lockWithC()
		visit()
	}
	sleepWithoutWork()
	fmt.Println("all done")
}

// aliens runs f on n threads of C at once; nil without cgo.
var aliens func(n int, f func(n int)) error

// underC adds to a counter under a lock, on threads of C; timedLock is
// ost_mutex_timedlock for a time from now, and reports a timeout.
var (
	underC    func(l *thread.Lock, counter *int64, threads, times int)
	timedLock func(l *thread.Lock, d time.Duration) bool
)

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func expect(ok bool, what ...any) {
	if !ok {
		panic(fmt.Sprint(what...))
	}
}

// attributes starts threads with each attribute: what is refusals is an error
// that is errno, with no thread left, and the others are had.
func (r refusal) attributes(errno syscall.Errno) {
	cpu := 0
	check(attached(func(th *thread.Thread) error {
		if cpus, err := th.Affinity(); err == nil {
			cpu = cpus[0]
		}
		return nil
	}))
	for name, a := range map[string]thread.Attr{
		"none":     {},
		"name":     {Name: "locked"},
		"affinity": {Affinity: []int{cpu}},
		"policy":   {Policy: thread.PolicyBatch},
		"nice":     {Nice: 5},
		"mask":     {SignalMask: []os.Signal{syscall.SIGUSR1}},
		"stack":    {StackSize: 256 << 10},
	} {
		for _, pinned := range []bool{false, true} {
			a.Pinned = pinned
			if err := a.Check(); errors.Is(err, errors.ErrUnsupported) && name == "stack" {
				continue // of a pinned thread
			}
			th, err := thread.Start(func() { r.has(name) }, &a)
			if r.without(name) {
				expect(errors.Is(err, errno), name, ": ", err)
				expect(errno != syscall.ENOSYS || errors.Is(err, errors.ErrUnsupported), name, ": ", err)
				expect(thread.NumThread() == 0, name, ": a thread is left")
				continue
			}
			// Join is woken by the end of the thread. It asks only once a
			// second whether the thread is gone, so it would always be late.
			for begun := time.Now(); ; th, err = thread.Start(func() { r.has(name) }, &a) {
				check(err)
				joined := time.Now()
				check(th.Join())
				if time.Since(joined) < time.Second/2 {
					break
				}
				expect(time.Since(begun) < testTimeout, "Join of a thread that ends takes ", time.Since(joined))
			}
		}
	}
}

func (r refusal) without(attr string) bool {
	for _, a := range r.attrs {
		if a == attr {
			return true
		}
	}
	return false
}

// has checks the name of the calling thread, if a file shows it.
func (r refusal) has(attr string) {
	if attr != "name" {
		return
	}
	th := thread.Current()
	comm, err := os.ReadFile(fmt.Sprintf("/proc/self/task/%d/comm", th.NativeID()))
	expect(err != nil && r.late || string(comm) == "locked\n", "name: ", string(comm), err)
	expect(th.Name() == "locked", "Name: ", th.Name())
	err = thread.SetName("locked")
	expect(r.names == (err != nil), "SetName: ", err)
}

func attached(f func(th *thread.Thread) error) error {
	th, err := thread.Attach()
	check(err)
	defer func() { check(thread.Detach()) }()
	return f(th)
}

// setters change a thread that runs, from outside: each does so or returns
// errno, or what opening its file returned.
func (r refusal) setters(errno syscall.Errno) {
	var leave osthread.Event
	th, err := thread.Start(leave.Wait, nil)
	check(err)
	for _, err := range []error{
		th.SetName("other"),
		th.SetNice(6),
		th.SetPriority(thread.PolicyBatch, 0),
		second(th.Affinity()),
		third(th.Priority()),
		second(th.CPUTime()),
	} {
		expect(err == nil || errors.Is(err, errno), err)
	}
	expect(th.Alive(), "ended")
	leave.Set()
	check(th.Join())
	_, err = th.CPUTime()
	expect(err == nil || errors.Is(err, errno), err)
}

func second[T any](_ T, err error) error        { return err }
func third[T, U any](_ T, _ U, err error) error { return err }

// both runs f on n threads and n goroutines at once, and waits for them.
func both(n int, f func()) {
	var goroutines sync.WaitGroup
	var threads []*thread.Thread
	for range n {
		goroutines.Go(f)
		th, err := thread.Start(f, nil)
		check(err)
		threads = append(threads, th)
	}
	goroutines.Wait()
	for _, th := range threads {
		check(th.Join())
	}
}

const (
	each  = 3 // threads, and as many goroutines
	times = 500
)

func contend() {
	var plain thread.Lock
	var fair osthread.Lock
	m, n := 0, 0
	both(each, func() {
		for range times {
			for !plain.LockTimeout(time.Microsecond) {
			}
			m++
			plain.Unlock()
			check(fair.LockContext(context.Background()))
			n++
			fair.Unlock()
		}
	})
	expect(m == 2*each*times && n == m, m, " ", n)
}

func parkAndUnpark() {
	var partner [2]*thread.Thread
	var known osthread.Event
	body := func(me int) func() {
		return func() {
			known.Wait()
			for range times {
				if me == 0 {
					partner[1].Unpark()
				}
				check(thread.ParkTimeout(time.Minute))
				if me == 1 {
					partner[0].Unpark()
				}
			}
		}
	}
	for me := range partner {
		th, err := thread.Start(body(me), &thread.Attr{Pinned: me == 1})
		check(err)
		partner[me] = th
	}
	known.Set()
	for _, th := range partner {
		check(th.Join())
	}
}

func passThroughQueue() {
	q := queue.New[int](2)
	var sum osthread.Local[int]
	total := make(chan int, each)
	var getters []*osthread.Thread
	for range each {
		th, err := osthread.Go(func() error {
			for v := range q.All() {
				sum.Set(sum.Get() + v)
				q.TaskDone()
			}
			total <- sum.Get()
			return nil
		})
		check(err)
		getters = append(getters, th)
	}
	both(each, func() {
		for range times {
			check(q.Put(1))
		}
	})
	q.Join()
	q.Shutdown()
	n := 0
	for _, th := range getters {
		check(th.Join())
		n += <-total
	}
	expect(n == 2*each*times, n)
}

func execute() {
	e, err := executor.New(executor.Options{Threads: 2})
	check(err)
	for i := range 50 {
		f, err := executor.Submit(e, func() (int, error) { return i, nil })
		check(err)
		got, err := f.Result()
		check(err)
		expect(got == i, got)
	}
	check(e.Close())
}

// lockWithC has Go and C add under one lock.
func lockWithC() {
	l, counter := new(thread.Lock), int64(0)
	var done sync.WaitGroup
	done.Go(func() {
		for range times {
			l.Lock()
			counter++
			l.Unlock()
		}
	})
	underC(l, &counter, each, times)
	done.Wait()
	expect(counter == (each+1)*times, counter)
}

// visit has threads of C call: each has a record of its own, as long as it
// lives, and none is left.
func visit() {
	var l osthread.Lock
	var destroyed atomic.Int64
	key := thread.Key[int]{Destructor: func(int) { destroyed.Add(1) }}
	mine := osthread.Current()
	check(aliens(each, func(n int) {
		check(key.Set(n))
		l.Lock()
		defer l.Unlock()
		me, low := osthread.Current(), thread.Current()
		osthread.NumThread() // asks which threads are gone
		expect(me.Alive() && low.Alive() && osthread.Current() == me, "the thread has lost its record")
		v, ok := key.Get()
		expect(ok && v == n, v)
	}))
	expect(destroyed.Load() == each, destroyed.Load())
	for th := range osthread.Threads() {
		expect(th == osthread.Main() || th == mine || th.Daemon() && th.Alive(), "left: ", th)
	}
}

// sleepWithoutWork waits in all ways until the timeout, which takes that
// time, and hardly any of a processor's: what the threads themselves cost does
// not grow with the time.
func sleepWithoutWork() {
	used, d := time.Duration(0), 200*time.Millisecond
	for ; d < time.Minute; d *= 4 {
		if used = costOfWaits(d); used < d/2 {
			return
		}
	}
	expect(false, "a wait of ", d/4, " used the processor for ", used)
}

// costOfWaits waits for d in all ways, and returns the processor time of that.
func costOfWaits(d time.Duration) time.Duration {
	var held thread.Lock
	held.Lock()
	var never osthread.Event
	waits := []func() bool{
		func() bool { return errors.Is(thread.ParkTimeout(d), thread.ErrTimeout) },
		func() bool { return !held.LockTimeout(d) },
		func() bool { return !never.WaitTimeout(d) },
	}
	if timedLock != nil {
		waits = append(waits, func() bool { return timedLock(&held, d) })
	}
	used := cpuTime()
	var threads []*thread.Thread
	for _, wait := range waits {
		th, err := thread.Start(func() {
			begun := time.Now()
			expect(wait(), "the wait did not time out")
			expect(time.Since(begun) >= d, "early: ", time.Since(begun))
		}, nil)
		check(err)
		threads = append(threads, th)
	}
	for _, th := range threads {
		check(th.Join())
	}
	return cpuTime() - used
}

// cpuTime is that of the process, at times.
func cpuTime() time.Duration {
	var u unix.Rusage
	check(unix.Getrusage(unix.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
