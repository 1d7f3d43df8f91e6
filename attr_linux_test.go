package thread

import (
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"example.com/thread/internal/buildinfo"
	"example.com/thread/internal/leak"
	"example.com/thread/internal/testutil"
)

// procOf returns a file of the thread's in /proc.
func procOf(t *testing.T, th *Thread, file string) string {
	b, err := os.ReadFile(fmt.Sprintf("/proc/self/task/%d/%s", th.NativeID(), file))
	require.NoError(t, err)
	return string(b)
}

// statusOf returns a line of the thread's status in /proc, without its label.
func statusOf(t *testing.T, th *Thread, label string) string {
	for line := range strings.Lines(procOf(t, th, "status")) {
		if rest, ok := strings.CutPrefix(line, label+":"); ok {
			return strings.TrimSpace(rest)
		}
	}
	t.Fatalf("no %s in status", label)
	return ""
}

// hold starts a thread that stays until the test ends.
func hold(t *testing.T, attr *Attr) *Thread {
	t.Helper()
	leave := make(chan struct{})
	th, err := Start(func() { <-leave }, attr)
	require.NoError(t, err)
	t.Cleanup(func() {
		close(leave)
		assert.NoError(t, th.Join())
	})
	return th
}

func TestThreadNameIsTheKernels(t *testing.T) {
	rows := []struct{ name, want string }{
		{"worker", "worker"},
		{"exactly15bytes!", "exactly15bytes!"},
		{"longer than fifteen bytes", "longer than fif"},
		{"fourteen bytesé", "fourteen bytes"}, // not half a character
		{"nul\x00hidden", "nul"},
		{strings.Repeat("\x80", 20), strings.Repeat("\x80", 15)}, // no UTF-8
	}
	for _, row := range rows {
		t.Run(strconv.Quote(row.name), func(t *testing.T) {
			kinds(t, func(t *testing.T, attr func(Attr) *Attr) {
				th := hold(t, attr(Attr{Name: row.name}))
				assert.Equal(t, row.name, th.Name())
				assert.Equal(t, row.want+"\n", procOf(t, th, "comm"))
				require.NoError(t, th.SetName("other"))
				assert.Equal(t, "other\n", procOf(t, th, "comm"))
				require.NoError(t, th.SetName(row.name))
				assert.Equal(t, row.want+"\n", procOf(t, th, "comm"))
			})
		})
	}
	kinds(t, func(t *testing.T, attr func(Attr) *Attr) {
		run(t, attr(Attr{}), func() {
			assert.NoError(t, SetName("mine"))
			assert.Equal(t, "mine", Current().Name())
			assert.Equal(t, "mine\n", procOf(t, Current(), "comm"))
		})
	})
	assert.Equal(t, ErrNotAttached, SetName("x"))
}

// C code may name a thread after its first call into Go.
func TestThreadNameOfAnAttachedThreadIsReadFromTheSystem(t *testing.T) {
	rename := func(name string) {
		p, err := unix.BytePtrFromString(name)
		assert.NoError(t, err)
		assert.NoError(t, unix.Prctl(unix.PR_SET_NAME, uintptr(unsafe.Pointer(p)), 0, 0, 0))
	}
	fromElsewhere := func(th *Thread) (name string) {
		done := make(chan struct{})
		go func() {
			defer close(done)
			name = th.Name()
		}()
		<-done
		return name
	}
	body := func(th *Thread) {
		assert.True(t, slices.Contains(Threads(), th))
		before := th.Name()
		for i := range 3 {
			name := fmt.Sprint("renamed ", i)
			rename(name)
			assert.Equal(t, name, th.Name())
			assert.Equal(t, name, fromElsewhere(th))
			assert.Contains(t, th.String(), name)
		}
		const given = "a name of more than fifteen bytes"
		assert.NoError(t, th.SetName(given))
		rename(before)
		assert.Equal(t, given, th.Name())
		assert.Equal(t, given, fromElsewhere(th))
	}
	for name, attached := range attachedThreads {
		t.Run(name, func(t *testing.T) { attached(body) })
	}
}

// attachedThreads run a function on an attached thread of each kind.
var attachedThreads = map[string]func(body func(*Thread)){
	"Attach": func(body func(*Thread)) {
		done := make(chan struct{})
		go func() {
			defer close(done)
			th, err := Attach()
			testutil.Must(err)
			body(th)
			testutil.Must(Detach())
		}()
		<-done
	},
}

func TestThreadAffinityIsTheKernels(t *testing.T) {
	kinds(t, func(t *testing.T, attr func(Attr) *Attr) {
		th := hold(t, attr(Attr{Affinity: []int{0}}))
		assert.Equal(t, "0", statusOf(t, th, "Cpus_allowed_list"))
		got, err := th.Affinity()
		require.NoError(t, err)
		assert.Equal(t, []int{0}, got)
		assert.ErrorIs(t, th.SetAffinity([]int{osMaxCPUs - 1}), syscall.EINVAL, "a processor that is not there")
		assert.ErrorIs(t, th.SetAffinity(nil), syscall.EINVAL)
		if runtime.NumCPU() > 1 {
			require.NoError(t, th.SetAffinity([]int{1}))
			assert.Equal(t, "1", statusOf(t, th, "Cpus_allowed_list"))
		}
	})
}

func TestStartWithoutAnyProcessorLeavesNoThread(t *testing.T) {
	kinds(t, func(t *testing.T, attr func(Attr) *Attr) {
		before := tasks(t)
		const threads = 100
		for range threads {
			_, err := Start(func() { t.Error("the body ran") }, attr(Attr{Affinity: []int{osMaxCPUs - 1}}))
			assert.ErrorIs(t, err, syscall.EINVAL)
			var call *os.SyscallError
			assert.ErrorAs(t, err, &call)
		}
		assert.Zero(t, NumThread())
		assert.Zero(t, records.count())
		awaitTasks(t, before+threads/4) // threads of Go's own may come
	})
}

// A thread that Go makes while one of ours asks for it must not inherit what
// ours was given.
func TestStartDoesNotPassAttributesToThreadsOfGo(t *testing.T) {
	if runtime.NumCPU() < 2 {
		t.Skip("needs two processors")
	}
	kinds(t, func(t *testing.T, attr func(Attr) *Attr) {
		run(t, attr(Attr{Affinity: []int{0}}), func() {
			const sleepers = 20
			leave := make(chan struct{})
			asleep := make(chan int, sleepers)
			r, w, err := os.Pipe()
			require.NoError(t, err)
			for range sleepers { // each holds a thread in a blocking call
				go func() {
					asleep <- unix.Gettid()
					var b [1]byte
					_, _ = unix.Read(int(r.Fd()), b[:])
					leave <- struct{}{}
				}()
			}
			for range sleepers {
				id := <-asleep
				var set unix.CPUSet
				assert.NoError(t, unix.SchedGetaffinity(id, &set))
				assert.Greater(t, set.Count(), 1, "a thread of Go's has our affinity")
			}
			assert.NoError(t, w.Close())
			for range sleepers {
				<-leave
			}
			assert.NoError(t, r.Close())
		})
	})
}

func TestThreadPriorityAndNice(t *testing.T) {
	kinds(t, func(t *testing.T, attr func(Attr) *Attr) {
		th := hold(t, attr(Attr{Policy: PolicyBatch, Nice: 5}))
		p, prio, err := th.Priority()
		require.NoError(t, err)
		assert.Equal(t, PolicyBatch, p)
		assert.Zero(t, prio)
		nice, err := unix.Getpriority(unix.PRIO_PROCESS, th.NativeID())
		require.NoError(t, err)
		assert.Equal(t, 20-5, nice, "the system call returns 20 less the niceness")
		require.NoError(t, th.SetNice(7))
		require.NoError(t, th.SetPriority(PolicyIdle, 0))
		p, _, err = th.Priority()
		require.NoError(t, err)
		assert.Equal(t, PolicyIdle, p)
		assert.ErrorIs(t, th.SetPriority(PolicyInherit, 0), syscall.EINVAL)
		assert.ErrorIs(t, th.SetPriority(PolicyFIFO, 0), syscall.EINVAL)
		assert.ErrorIs(t, th.SetNice(40), syscall.EINVAL)
	})
}

// "If the pthread_setschedparam() function fails, the scheduling parameters
// shall not be changed for the target thread."
func TestThreadPriorityThatIsRefusedChangesNothing(t *testing.T) {
	kinds(t, func(t *testing.T, attr func(Attr) *Attr) {
		th := hold(t, attr(Attr{Policy: PolicyBatch, Nice: 5}))
		for _, bad := range []struct {
			policy   Policy
			priority int
		}{
			{PolicyFIFO, 0},
			{PolicyFIFO, 100},
			{PolicyRR, -1},
			{PolicyRR, math.MaxInt},
			{PolicyFIFO, math.MinInt},
			{PolicyOther, 1},
			{PolicyIdle, -1},
			{PolicyInherit, 0},
			{PolicyDeadline, 0},
			{Policy(-1), 0},
			{Policy(1000), 0},
		} {
			assert.Error(t, th.SetPriority(bad.policy, bad.priority), "%v %d", bad.policy, bad.priority)
			p, priority, err := th.Priority()
			assert.NoError(t, err)
			assert.Equal(t, PolicyBatch, p)
			assert.Zero(t, priority)
		}
		for _, bad := range []int{20, -21, math.MaxInt, math.MinInt} {
			assert.ErrorIs(t, th.SetNice(bad), syscall.EINVAL)
		}
		nice, err := unix.Getpriority(unix.PRIO_PROCESS, th.NativeID())
		require.NoError(t, err)
		assert.Equal(t, 20-5, nice, "the system call returns 20 less the niceness")
	})
}

// "The CPU-time clock of the new thread shall be accessible, and the initial
// value of this clock shall be set to zero" (pthread_create). That of a pinned
// thread is one of Go's, which may have run other goroutines.
func TestStartBeginsWithNoCPUTime(t *testing.T) {
	if hold(t, nil).kind != native {
		t.Skip("there are no native threads")
	}
	run(t, nil, func() {
		mine, err := Current().CPUTime()
		for limit := mine + 20*time.Millisecond; err == nil && mine < limit; {
			mine, err = Current().CPUTime()
		}
		assert.NoError(t, err)
		run(t, nil, func() {
			fresh, err := Current().CPUTime()
			assert.NoError(t, err)
			assert.Less(t, fresh, mine)
		})
	})
}

func TestThreadRealTimePriority(t *testing.T) {
	kinds(t, func(t *testing.T, attr func(Attr) *Attr) {
		leave := make(chan struct{})
		th, err := Start(func() { <-leave }, attr(Attr{Policy: PolicyFIFO, Priority: 3}))
		if errors.Is(err, syscall.EPERM) {
			t.Skip("needs the right to real-time priority")
		}
		require.NoError(t, err)
		p, prio, err := th.Priority()
		assert.NoError(t, err)
		assert.Equal(t, PolicyFIFO, p)
		assert.Equal(t, 3, prio)
		assert.NoError(t, th.SetPriority(PolicyRR, 4))
		assert.NoError(t, th.SetPriority(PolicyOther, 0))
		close(leave)
		assert.NoError(t, th.Join())
	})
}

// becomeNobody makes the process one of a user without rights, and without
// other processes: limits are counted over them all.
func becomeNobody() {
	nobody := 20_000 + os.Getpid()%40_000
	testutil.Must(syscall.Setgroups(nil))
	testutil.Must(syscall.Setresgid(nobody, nobody, nobody))
	testutil.Must(syscall.Setresuid(nobody, nobody, nobody))
}

func needRoot(t *testing.T) {
	if os.Getenv(leak.ChildEnv) == "" && os.Getuid() != 0 {
		t.Skip("needs root, to become another user")
	}
}

func TestThreadRealTimePriorityWithoutPrivilege(t *testing.T) {
	needRoot(t)
	out, err := leak.Child(t, func() {
		becomeNobody()
		for _, pinned := range []bool{false, true} {
			_, err := Start(func() { panic("the body ran") }, &Attr{Policy: PolicyFIFO, Priority: 3, Pinned: pinned})
			if !errors.Is(err, syscall.EPERM) || NumThread() != 0 || records.count() != 0 {
				panic(fmt.Sprint(err))
			}
			_, err = Start(func() { panic("the body ran") }, &Attr{Nice: -5, Pinned: pinned})
			if !errors.Is(err, syscall.EACCES) || NumThread() != 0 {
				panic(fmt.Sprint(err))
			}
		}
	})
	require.NoError(t, err, "%s", out)
}

// fillUp starts threads until Start says EAGAIN, which it must not do before
// there are so many. Go's runtime can then still make threads of its own, and
// nothing is left of the attempts. Then it ends them all.
func fillUp(least int, attr *Attr) {
	leave := make(chan struct{})
	var threads []*Thread
	for {
		th, err := Start(func() { <-leave }, attr)
		if err != nil {
			if !errors.Is(err, syscall.EAGAIN) {
				panic(err)
			}
			break
		}
		threads = append(threads, th)
	}
	if n := len(threads); n < least || n != NumThread() || n != records.count() {
		panic(fmt.Sprint(n, NumThread(), records.count()))
	}
	woken := make(chan struct{})
	for range 12 {
		go func() { nap(); woken <- struct{}{} }()
	}
	for range 12 {
		<-woken
	}
	close(leave)
	for _, th := range threads {
		testutil.Must(th.Join())
	}
}

const processes = 100 // RLIMIT_NPROC of a child

func limitProcesses() {
	testutil.Must(unix.Setrlimit(unix.RLIMIT_NPROC, &unix.Rlimit{Cur: processes, Max: processes}))
}

// The process is at its limit: no thread can be made, nothing is left of the
// attempts, and all is well once threads have ended.
func TestStartAtTheLimitOfThreads(t *testing.T) {
	needRoot(t)
	leak.InChild(t, func() {
		becomeNobody()
		limitProcesses()
		for _, pinned := range []bool{false, true} {
			for range 3 {
				fillUp(50, &Attr{Pinned: pinned})
			}
		}
	})
}

// Other processes of the user count against its limit.
func TestStartAtTheLimitOfThreadsBesideOtherProcesses(t *testing.T) {
	needRoot(t)
	for _, pinned := range []bool{false, true} {
		t.Run(fmt.Sprintf("pinned=%v", pinned), func(t *testing.T) {
			leak.InChild(t, func() {
				becomeNobody()
				limitProcesses()
				for range 40 {
					c := exec.Command("sleep", "60")
					testutil.Must(c.Start())
					defer c.Process.Kill()
				}
				fillUp(10, &Attr{Pinned: pinned})
			})
		})
	}
}

// In a user namespace of its own, as in a rootless container, a process is root
// and has all capabilities, but the limit holds. The namespace counts against
// the limit of the user that created it, with the user's threads outside.
func TestStartAtTheLimitOfThreadsInAUserNamespace(t *testing.T) {
	needRoot(t)
	const inside = "OSTHREAD_TEST_IN_NAMESPACE"
	for _, pinned := range []bool{false, true} {
		t.Run(fmt.Sprintf("pinned=%v", pinned), func(t *testing.T) {
			out := leak.InChild(t, func() {
				if os.Getenv(inside) != "" {
					fillUp(10, &Attr{Pinned: pinned})
					return
				}
				becomeNobody()
				limitProcesses()
				begun, leave := make(chan struct{}), make(chan struct{})
				defer close(leave)
				for range 40 {
					_, err := Start(func() { begun <- struct{}{}; <-leave }, nil)
					testutil.Must(err)
					<-begun
				}
				testutil.Must(unix.Prctl(unix.PR_SET_DUMPABLE, 1, 0, 0, 0)) // or the maps of ids are root's
				c := exec.Command("/proc/self/exe", os.Args[1:]...)
				c.Env = append(os.Environ(), inside+"=1")
				c.Stdout, c.Stderr = os.Stdout, os.Stderr
				c.SysProcAttr = &syscall.SysProcAttr{
					Cloneflags:  syscall.CLONE_NEWUSER,
					UidMappings: []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}},
					GidMappings: []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}},
				}
				if err := c.Start(); err != nil {
					fmt.Print("no user namespace: ", err)
					return
				}
				testutil.Must(c.Wait())
			})
			if strings.HasPrefix(out, "no user namespace") {
				t.Skip(out)
			}
		})
	}
}

// Pinned threads count against the limit of Go's runtime, which ends the
// process at it.
func TestStartAtTheLimitOfTheRuntime(t *testing.T) {
	for _, limit := range []int{200, 60} {
		t.Run(fmt.Sprint(limit), func(t *testing.T) {
			leak.InChild(t, func() {
				debug.SetMaxThreads(limit)
				fillUp(limit/3, &Attr{Pinned: true})
				if debug.SetMaxThreads(limit) != limit {
					panic("the limit has changed")
				}
			})
		})
	}
}

// At a limit of memory Start says EAGAIN, and what Go's runtime may want is
// kept.
func TestStartAtTheLimitOfMemory(t *testing.T) {
	if buildinfo.Sanitized || buildinfo.Race {
		t.Skip("a sanitizer needs memory beyond the limit")
	}
	for _, stack := range []int{0, 1 << 20} {
		t.Run(fmt.Sprintf("stack=%d", stack), func(t *testing.T) {
			if !osNative && stack != 0 {
				t.Skip("no native threads")
			}
			inChildWithMemoryLimit(t, func() {
				var pages uint64
				b, err := os.ReadFile("/proc/self/statm")
				testutil.Must(err)
				_, err = fmt.Sscan(string(b), &pages)
				testutil.Must(err)
				limitMemory(pages*uint64(pageSize) + 2<<30)
				if !osNative {
					debug.SetMaxThreads(300) // they take next to no memory
				}
				for range 2 {
					fillUp(10, &Attr{StackSize: stack})
					runtime.GC()
				}
			})
		})
	}
}

// nap blocks its thread in a system call for 20 ms.
func nap() {
	ts := unix.NsecToTimespec(int64(20 * time.Millisecond))
	_ = unix.Nanosleep(&ts, nil) // an early return does no harm
}

func TestStartWithoutMemoryForTheStack(t *testing.T) {
	if !osNative {
		t.Skip("no native threads")
	}
	if buildinfo.Sanitized {
		t.Skip("a sanitizer needs memory beyond the limit")
	}
	inChildWithMemoryLimit(t, func() {
		limitMemory(4 << 30)
		if _, err := SetStackSize(min(5<<30, math.MaxInt)); !errors.Is(err, ErrStackSize) {
			panic(fmt.Sprint(err))
		}
		leave := make(chan struct{})
		var threads []*Thread
		for {
			th, err := Start(func() { <-leave }, &Attr{StackSize: 256 << 20})
			if err != nil {
				if !errors.Is(err, syscall.EAGAIN) || len(threads) == 0 || records.count() != len(threads) {
					panic(fmt.Sprint(err, len(threads)))
				}
				break
			}
			threads = append(threads, th)
		}
		close(leave)
		for _, th := range threads {
			testutil.Must(th.Join())
		}
		th, err := Start(func() {}, &Attr{StackSize: 256 << 20})
		testutil.Must(err)
		testutil.Must(th.Join())
	})
}

// ignoresMemoryLimit is the output of a child whose emulator ignores a memory
// limit.
const ignoresMemoryLimit = "an emulator that takes no limit of memory"

// inChildWithMemoryLimit is inChild for a body that calls limitMemory. It skips
// the test if the limit has no effect.
func inChildWithMemoryLimit(t *testing.T, body func()) {
	t.Helper()
	if out := leak.InChild(t, body); strings.Contains(out, ignoresMemoryLimit) {
		t.Skip(ignoresMemoryLimit)
	}
}

// limitMemory limits the child's address space to bytes, or ends the child if
// the limit has no effect.
func limitMemory(bytes uint64) {
	testutil.Must(unix.Setrlimit(unix.RLIMIT_AS, &unix.Rlimit{Cur: bytes, Max: bytes}))
	var limit unix.Rlimit
	if testutil.Must(unix.Getrlimit(unix.RLIMIT_AS, &limit)); limit.Cur != bytes {
		fmt.Print(ignoresMemoryLimit)
		os.Exit(0)
	}
}

// assertBlocked asserts that the thread's mask becomes want: an emulator blocks
// all signals for a moment now and then, on its own behalf. Two of its
// real-time signals qemu keeps for itself, and numbers the others anew.
func assertBlocked(t *testing.T, want uint64, th *Thread) {
	t.Helper()
	ofEmulator := uint64(3 << (35 - 1))
	if os.Getenv(leak.ExecEnv) != "" {
		ofEmulator = math.MaxUint64 &^ (1<<(32-1) - 1)
	}
	blocked := func() uint64 {
		n, err := strconv.ParseUint(statusOf(t, th, "SigBlk"), 16, 64)
		require.NoError(t, err)
		return n &^ ofEmulator
	}
	want &^= ofEmulator
	got := blocked()
	for end := time.Now().Add(testutil.Timeout); got != want && time.Now().Before(end); got = blocked() {
		runtime.Gosched()
	}
	assert.Equal(t, fmt.Sprintf("%016x", want), fmt.Sprintf("%016x", got))
}

func TestAttrSignalMask(t *testing.T) {
	kinds(t, func(t *testing.T, attr func(Attr) *Attr) {
		assertBlocked(t, 0, hold(t, attr(Attr{}))) // as the process began
		th := hold(t, attr(Attr{SignalMask: []os.Signal{syscall.SIGUSR1, syscall.SIGHUP}}))
		assertBlocked(t, 1<<(syscall.SIGUSR1-1)|1<<(syscall.SIGHUP-1), th)
		assertBlocked(t, 0, hold(t, attr(Attr{SignalMask: []os.Signal{}})))

		// A blocked signal to the thread waits; one to the process goes to
		// another.
		c := make(chan os.Signal, 1)
		signal.Notify(c, syscall.SIGUSR1)
		defer signal.Stop(c)
		require.NoError(t, unix.Tgkill(unix.Getpid(), th.NativeID(), unix.SIGUSR1))
		pending, err := strconv.ParseUint(statusOf(t, th, "SigPnd"), 16, 64)
		require.NoError(t, err)
		assert.EqualValues(t, 1<<(syscall.SIGUSR1-1), pending)
		require.NoError(t, unix.Kill(unix.Getpid(), unix.SIGUSR1))
		<-c
	})
}

func TestThreadTimerSlack(t *testing.T) {
	kinds(t, func(t *testing.T, attr func(Attr) *Attr) {
		run(t, attr(Attr{TimerSlack: 7 * time.Microsecond}), func() {
			assert.Equal(t, "7000", slackOfKernel(t, Current()))
		})
		run(t, attr(Attr{}), func() {
			me := Current()
			first, err := me.TimerSlack()
			assert.NoError(t, err)
			assert.NoError(t, me.SetTimerSlack(1))
			assert.Equal(t, "1", slackOfKernel(t, me))
			assert.NoError(t, me.SetTimerSlack(0))
			got, err := me.TimerSlack()
			assert.NoError(t, err)
			assert.Equal(t, first, got, "what the thread began with")
			assert.ErrorIs(t, me.SetTimerSlack(-1), syscall.EINVAL)
		})
		th := hold(t, attr(Attr{}))
		switch err := th.SetTimerSlack(time.Millisecond); {
		case errors.Is(err, syscall.EPERM): // of another thread: CAP_SYS_NICE
		default:
			assert.NoError(t, err)
			got, err := th.TimerSlack()
			assert.NoError(t, err)
			assert.Equal(t, time.Millisecond, got)
		}
	})
	assert.ErrorIs(t, (&Attr{TimerSlack: -1}).Check(), syscall.EINVAL)
	if math.MaxInt == math.MaxInt32 {
		assert.ErrorIs(t, (&Attr{TimerSlack: 5 * time.Second}).Check(), syscall.EINVAL)
	}
}

// slackOfKernel returns what the kernel says is the slack of th, the caller:
// for another thread that takes a privilege.
func slackOfKernel(t *testing.T, th *Thread) string {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/timerslack_ns", th.NativeID()))
	require.NoError(t, err)
	return strings.TrimSpace(string(b))
}

func TestThreadCPUTime(t *testing.T) {
	kinds(t, func(t *testing.T, attr func(Attr) *Attr) {
		idle := hold(t, attr(Attr{}))
		before, err := idle.CPUTime() // a pinned thread may have run other goroutines
		require.NoError(t, err)
		const want = 20 * time.Millisecond
		var used time.Duration
		busy, err := Start(func() {
			for used < want {
				var err error
				used, err = Current().CPUTime()
				require.NoError(t, err)
			}
		}, attr(Attr{}))
		require.NoError(t, err)
		require.NoError(t, busy.Join())
		total, err := busy.CPUTime()
		require.NoError(t, err)
		assert.GreaterOrEqual(t, total, want)
		still, err := idle.CPUTime()
		require.NoError(t, err)
		assert.Less(t, still-before, want)
	})
}

func TestThreadSettersAfterTheEnd(t *testing.T) {
	kinds(t, func(t *testing.T, attr func(Attr) *Attr) {
		th, err := Start(func() {}, attr(Attr{Name: "x"}))
		require.NoError(t, err)
		require.NoError(t, th.Join())
		assert.Equal(t, ErrEnded, th.SetName("y"))
		assert.Equal(t, "x", th.Name())
		assert.Equal(t, ErrEnded, th.SetAffinity([]int{0}))
		_, err = th.Affinity()
		assert.Equal(t, ErrEnded, err)
		assert.Equal(t, ErrEnded, th.SetPriority(PolicyOther, 0))
		_, _, err = th.Priority()
		assert.Equal(t, ErrEnded, err)
		assert.Equal(t, ErrEnded, th.SetNice(1))
		assert.Equal(t, ErrEnded, th.SetTimerSlack(1))
		_, err = th.TimerSlack()
		assert.Equal(t, ErrEnded, err)
		cpu, err := th.CPUTime()
		assert.NoError(t, err)
		assert.Positive(t, cpu)
	})
}

func TestAttrStackSizeRules(t *testing.T) {
	if !osNative {
		_, err := SetStackSize(1 << 20)
		assert.ErrorIs(t, err, errors.ErrUnsupported)
		old, err := SetStackSize(0)
		assert.NoError(t, err)
		assert.Zero(t, old)
		_, err = Start(func() {}, &Attr{StackSize: 1 << 20})
		assert.ErrorIs(t, err, errors.ErrUnsupported)
		return
	}
	assert.Zero(t, StackSize())
	defer func() { _, _ = SetStackSize(0) }()
	for _, n := range []int{
		-1, 1, 1000, 16383, MinStackSize - 1, max(MinStackSize, minStack) - 1, min(1<<40, math.MaxInt), math.MaxInt,
	} {
		old, err := SetStackSize(n)
		assert.ErrorIs(t, err, ErrStackSize, "%d", n)
		assert.Zero(t, old)
		assert.Zero(t, StackSize(), "left as it was by %d", n)
		_, err = Start(func() {}, &Attr{StackSize: n})
		assert.ErrorIs(t, err, ErrStackSize, "%d", n)
	}
	page := os.Getpagesize()
	was := 0
	for _, row := range []struct{ n, want int }{
		{max(MinStackSize, minStack), max(MinStackSize, minStack)},
		{1<<20 + 1, 1<<20 + page},
		{1 << 20, 1 << 20},
		{0, 0},
		{256 << 10, 256 << 10},
	} {
		old, err := SetStackSize(row.n)
		assert.NoError(t, err)
		assert.Equal(t, was, old)
		assert.Equal(t, row.want, StackSize())
		was = row.want
	}
	assert.Equal(t, 256<<10, hold(t, nil).StackSize())
	assert.Equal(t, 512<<10, hold(t, &Attr{StackSize: 512 << 10}).StackSize(), "the thread's own wish wins")
}

// everySignal is what a thread that wants no signals blocks.
func everySignal() (s []os.Signal) {
	for n := syscall.Signal(1); n <= 64; n++ {
		s = append(s, n)
	}
	return s
}

// A mask of all signals leaves out those that Go and the C library cannot do
// without: each row ends or hangs the process otherwise.
func TestThreadThatBlocksAllSignals(t *testing.T) {
	rows := []struct {
		name string
		body func(pinned bool)
	}{
		{"its faults are panics", func(pinned bool) {
			var null *int
			zero, err := strconv.Atoi("0") // vet would see a constant
			testutil.Must(err)
			for _, fault := range []func(){func() { fmt.Print(*null) }, func() { fmt.Print(1 / zero) }} {
				th, err := Start(fault, &Attr{SignalMask: everySignal(), Pinned: pinned})
				testutil.Must(err)
				var e *PanicError
				var r runtime.Error
				if err := th.Join(); !errors.As(err, &e) || !errors.As(err, &r) {
					panic(fmt.Sprint(err))
				}
			}
		}},
		{"the process can change its ids", func(pinned bool) {
			leave := make(chan struct{})
			th, err := Start(func() { <-leave }, &Attr{SignalMask: everySignal(), Pinned: pinned})
			testutil.Must(err)
			testutil.Must(syscall.Setgid(os.Getgid()))
			testutil.Must(syscall.Setuid(os.Getuid()))
			close(leave)
			testutil.Must(th.Join())
		}},
		{"a loop that calls nothing is preempted", func(pinned bool) {
			var leave, looping atomic.Bool
			th, err := Start(func() {
				looping.Store(true)
				for !leave.Load() { // inlined: there is no call
				}
			}, &Attr{SignalMask: everySignal(), Pinned: pinned})
			testutil.Must(err)
			for !looping.Load() {
				runtime.Gosched()
			}
			for range 20 {
				runtime.GC()
			}
			leave.Store(true)
			testutil.Must(th.Join())
		}},
		{"it has no signal that nobody sent", func(pinned bool) {
			for range 20 {
				th, err := Start(func() {
					var pending unix.Sigset_t
					_, _, errno := syscall.RawSyscall6(
						unix.SYS_RT_SIGPENDING,
						uintptr(unsafe.Pointer(&pending)),
						8,
						0,
						0,
						0,
						0,
					)
					if errno != 0 || pending != (unix.Sigset_t{}) {
						panic(fmt.Sprint(errno, pending))
					}
				}, &Attr{SignalMask: everySignal(), Pinned: pinned})
				testutil.Must(err)
				testutil.Must(th.Join())
			}
		}},
		{"it can wait for signals in C's way", func(pinned bool) {
			th, err := Start(func() {
				all := [2]uint64{math.MaxUint64, 0}
				none := unix.Timespec{}
				n, _, errno := syscall.RawSyscall6(
					unix.SYS_RT_SIGTIMEDWAIT,
					uintptr(unsafe.Pointer(&all)),
					0,
					uintptr(unsafe.Pointer(&none)),
					8,
					0,
					0,
				)
				if errno != syscall.EAGAIN {
					panic(fmt.Sprint(n, errno))
				}
				testutil.Must(unix.Tgkill(unix.Getpid(), unix.Gettid(), unix.SIGUSR1))
				n, _, errno = syscall.RawSyscall6(
					unix.SYS_RT_SIGTIMEDWAIT,
					uintptr(unsafe.Pointer(&all)),
					0,
					uintptr(unsafe.Pointer(&none)),
					8,
					0,
					0,
				)
				if errno != 0 || n != uintptr(unix.SIGUSR1) {
					panic(fmt.Sprint(n, errno))
				}
			}, &Attr{SignalMask: everySignal(), Pinned: pinned})
			testutil.Must(err)
			testutil.Must(th.Join())
		}},
	}
	for _, row := range rows {
		for _, pinned := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/pinned=%v", row.name, pinned), func(t *testing.T) {
				leak.InChild(t, func() {
					SetPanicHook(func(*Thread, *PanicError) {})
					row.body(pinned)
				})
			})
		}
	}
}

func TestAttrSignalMaskBlocksAllButUnblockableSignals(t *testing.T) {
	kinds(t, func(t *testing.T, attr func(Attr) *Attr) {
		th := hold(t, attr(Attr{SignalMask: everySignal()}))
		const cannot = 1<<(unix.SIGKILL-1) | 1<<(unix.SIGSTOP-1) // for the kernel
		assertBlocked(t, ^uint64(cannot|osNeverBlocked), th)
	})
}

// While an execve of another thread is on its way the kernel refuses threads.
func TestStartWhileAnotherExecveFails(t *testing.T) {
	script := filepath.Join(t.TempDir(), "script")
	require.NoError(t, os.WriteFile(script, []byte("#!/nonexistent/interpreter\n"), 0o700))
	leak.InChild(t, func() {
		search := make(chan struct{})
		done := make(chan struct{})
		go func() {
			defer close(done)
			for range search {
				for range 8 { // as along a PATH
					_ = syscall.Exec(script, nil, nil) // it fails, for want of the interpreter
				}
			}
		}()
		for range 30 {
			search <- struct{}{}
			for range 3 {
				th, err := Start(func() {}, nil)
				testutil.Must(err)
				testutil.Must(th.Join())
			}
		}
		close(search)
		<-done
	})
}
