package thread

import (
	"errors"
	"math"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/windows"
)

// What Windows says of a thread is asked by other means than the package's own:
// with handles made here, and information classes instead of functions.

var (
	ntQueryInformationThread = windows.NewLazySystemDLL("ntdll.dll").NewProc("NtQueryInformationThread")
	getThreadStackLimits     = kernel32("GetCurrentThreadStackLimits")
)

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

// basic is THREAD_BASIC_INFORMATION.
type basic struct {
	exitStatus             int32
	teb, process, thread   uintptr
	affinity               uintptr
	priority, basePriority int32
}

// kernelsView returns what NtQueryInformationThread says of th.
func kernelsView(t *testing.T, th *Thread) (b basic) {
	t.Helper()
	h, err := windows.OpenThread(windows.THREAD_QUERY_INFORMATION, false, uint32(th.NativeID()))
	require.NoError(t, err)
	defer windows.CloseHandle(h)
	const basicInformation = 0
	status, _, _ := ntQueryInformationThread.Call(
		uintptr(h),
		basicInformation,
		uintptr(unsafe.Pointer(&b)),
		unsafe.Sizeof(b),
		0,
	)
	require.Zero(t, status)
	return b
}

// description returns the thread's name as a debugger asks for it.
func description(t *testing.T, th *Thread) string {
	t.Helper()
	h, err := windows.OpenThread(windows.THREAD_QUERY_LIMITED_INFORMATION, false, uint32(th.NativeID()))
	require.NoError(t, err)
	defer windows.CloseHandle(h)
	p := new(*uint16)
	r, _, _ := getThreadDescription.Call(uintptr(h), uintptr(unsafe.Pointer(p)))
	require.False(t, int32(r) < 0, "%#x", r)
	defer func() { _, _ = windows.LocalFree(windows.Handle(unsafe.Pointer(*p))) }()
	return windows.UTF16PtrToString(*p)
}

func TestThreadNameIsTheSystems(t *testing.T) {
	long := strings.Repeat("long", 100)
	for _, row := range []struct{ name, want string }{
		{"worker", "worker"}, {long, long}, {"wörker 世界 𝄞", "wörker 世界 𝄞"}, {"nul\x00hidden", "nul"},
	} {
		t.Run(strconv.Quote(row.want[:3]), func(t *testing.T) {
			kinds(t, func(t *testing.T, attr func(Attr) *Attr) {
				th := hold(t, attr(Attr{Name: row.name}))
				assert.Equal(t, row.name, th.Name())
				assert.Equal(t, row.want, description(t, th))
				require.NoError(t, th.SetName("other"))
				assert.Equal(t, "other", description(t, th))
			})
		})
	}
	kinds(t, func(t *testing.T, attr func(Attr) *Attr) {
		run(t, attr(Attr{}), func() {
			assert.NoError(t, SetName("mine"))
			assert.Equal(t, "mine", Current().Name())
			assert.Equal(t, "mine", description(t, Current()))
		})
	})
	assert.Equal(t, ErrNotAttached, SetName("x"))
}

func TestThreadIdsAreTheSystems(t *testing.T) {
	kinds(t, func(t *testing.T, attr func(Attr) *Attr) {
		var inside uint32
		leave := make(chan struct{})
		th, err := Start(func() { inside = windows.GetCurrentThreadId(); <-leave }, attr(Attr{}))
		require.NoError(t, err)
		assert.Equal(t, uintptr(th.NativeID()), kernelsView(t, th).thread)
		assert.Equal(t, uintptr(os.Getpid()), kernelsView(t, th).process)
		close(leave)
		require.NoError(t, th.Join())
		assert.Equal(t, int(inside), th.NativeID())
		assert.EqualValues(t, inside, th.Ident())
	})
}

func TestThreadAffinityIsTheSystems(t *testing.T) {
	kinds(t, func(t *testing.T, attr func(Attr) *Attr) {
		th := hold(t, attr(Attr{Affinity: []int{0}}))
		assert.EqualValues(t, 1, kernelsView(t, th).affinity)
		got, err := th.Affinity()
		require.NoError(t, err)
		assert.Equal(t, []int{0}, got)
		assert.EqualValues(t, 1, kernelsView(t, th).affinity, "asking changes nothing")
		assert.ErrorIs(t, th.SetAffinity([]int{osMaxCPUs - 1}), syscall.EINVAL, "a processor that is not there")
		assert.ErrorIs(t, th.SetAffinity(nil), syscall.EINVAL)
		if runtime.NumCPU() > 1 {
			require.NoError(t, th.SetAffinity([]int{1}))
			assert.EqualValues(t, 2, kernelsView(t, th).affinity)
		}
	})
}

func TestStartWithoutAnyProcessorLeavesNoThread(t *testing.T) {
	kinds(t, func(t *testing.T, attr func(Attr) *Attr) {
		for range 20 {
			_, err := Start(func() { t.Error("the body ran") }, attr(Attr{Affinity: []int{osMaxCPUs - 1}}))
			assert.ErrorIs(t, err, syscall.EINVAL)
			var call *os.SyscallError
			assert.ErrorAs(t, err, &call)
		}
		assert.Zero(t, NumThread())
		assert.Zero(t, records.count())
	})
}

func TestThreadPriorityIsTheSystems(t *testing.T) {
	kinds(t, func(t *testing.T, attr func(Attr) *Attr) {
		normal := kernelsView(t, hold(t, attr(Attr{}))).basePriority
		for _, priority := range []int{-2, -1, 0, 1, 2} {
			th := hold(t, attr(Attr{Policy: PolicyOther, Priority: priority}))
			p, got, err := th.Priority()
			require.NoError(t, err)
			assert.Equal(t, PolicyOther, p)
			assert.Equal(t, priority, got)
			assert.EqualValues(t, priority, kernelsView(t, th).basePriority-normal)
		}
		th := hold(t, attr(Attr{}))
		for _, priority := range []int{-15, 15} { // idle, and time critical
			require.NoError(t, th.SetPriority(PolicyOther, priority))
			_, got, err := th.Priority()
			require.NoError(t, err)
			assert.Equal(t, priority, got)
		}
		for _, priority := range []int{-16, 16, 1000} {
			assert.ErrorIs(t, th.SetPriority(PolicyOther, priority), syscall.EINVAL)
		}
		assert.ErrorIs(t, th.SetPriority(PolicyInherit, 0), syscall.EINVAL)
	})
}

// A reservation may be more than was asked for: the system's granularity is 64
// KiB, and wine gives no less than 1 MiB.
func TestAttrStackSizeIsReserved(t *testing.T) {
	for _, size := range []int{MinStackSize, 256 << 10, 1 << 20, 64 << 20} {
		run(t, &Attr{StackSize: size}, func() {
			var low, high uintptr
			// has no result
			_, _, _ = getThreadStackLimits.Call(uintptr(unsafe.Pointer(&low)), uintptr(unsafe.Pointer(&high)))
			assert.GreaterOrEqual(t, int(high-low), size)
			assert.Less(t, int(high-low), size+2<<20)
			assert.Equal(t, size, Current().StackSize())
		})
	}
}

// An attribute that Windows lacks is ErrUnsupported, and leaves no thread.
func TestAttrUnsupportedOnWindows(t *testing.T) {
	kinds(t, func(t *testing.T, attr func(Attr) *Attr) {
		rows := map[string]Attr{
			"guard size":  {GuardSize: 64 << 10},
			"no guard":    {GuardSize: NoGuard},
			"niceness":    {Nice: 5},
			"signal mask": {SignalMask: []os.Signal{os.Interrupt}},
			"empty mask":  {SignalMask: []os.Signal{}},
			"FIFO":        {Policy: PolicyFIFO, Priority: 1},
			"RR":          {Policy: PolicyRR, Priority: 1},
			"batch":       {Policy: PolicyBatch},
			"idle":        {Policy: PolicyIdle},
		}
		for name, a := range rows {
			_, err := Start(func() { t.Error("the body ran") }, attr(a))
			assert.ErrorIs(t, err, errors.ErrUnsupported, name)
			assert.ErrorIs(t, attr(a).Check(), errors.ErrUnsupported, name)
		}
		assert.Zero(t, NumThread())
		th := hold(t, attr(Attr{}))
		assert.ErrorIs(t, th.SetNice(5), errors.ErrUnsupported)
		assert.ErrorIs(t, th.SetPriority(PolicyFIFO, 1), errors.ErrUnsupported)
	})
}

// There is no room for one more stack: nothing is left of the attempt, and all
// is well once threads have ended.
func TestStartWithoutRoomForTheStack(t *testing.T) {
	const stack = math.MaxInt >> 2 &^ 0xffff // no address space has that
	_, err := Start(func() { t.Error("the body ran") }, &Attr{StackSize: stack})
	assert.ErrorIs(t, err, ErrStackSize, "more than Go's runtime allows")
	defer func(most int) { mostStack = most }(mostStack)
	mostStack = math.MaxInt >> 1
	for range 20 {
		_, err := Start(func() { t.Error("the body ran") }, &Attr{StackSize: stack})
		assert.ErrorIs(t, err, syscall.EAGAIN)
		var call *os.SyscallError
		assert.ErrorAs(t, err, &call)
		assert.Equal(t, "CreateThread", call.Syscall)
	}
	assert.Zero(t, NumThread())
	assert.Zero(t, records.count())
	run(t, nil, func() {})
}

func TestThreadCPUTime(t *testing.T) {
	kinds(t, func(t *testing.T, attr func(Attr) *Attr) {
		idle := hold(t, attr(Attr{}))
		before, err := idle.CPUTime() // a pinned thread may have run other goroutines
		require.NoError(t, err)
		const want = 50 * time.Millisecond
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
		_, err = th.CPUTime()
		assert.NoError(t, err)
	})
}

// The runtime stops a loop that calls nothing.
func TestThreadIsPreemptedInALoopWithoutCalls(t *testing.T) {
	var quit atomic.Bool
	const tooLong = 200_000_000_000 // about 100 s
	var n int64
	loop, err := Start(func() {
		for n = 0; n < tooLong && !quit.Load(); n++ {
		}
	}, nil)
	require.NoError(t, err)
	runtime.ReadMemStats(new(runtime.MemStats)) // stops the world, and yields to nobody
	quit.Store(true)
	require.NoError(t, loop.Join())
	require.Less(t, n, int64(tooLong))
}

// handleOf returns a handle of th, for the test's own use.
func handleOf(t *testing.T, th *Thread) windows.Handle {
	t.Helper()
	h, err := windows.OpenThread(windows.SYNCHRONIZE, false, uint32(th.NativeID()))
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, windows.CloseHandle(h)) })
	return h
}

func awaitHandle(t *testing.T, h windows.Handle) {
	t.Helper()
	event, err := windows.WaitForSingleObject(h, 30_000)
	require.NoError(t, err)
	require.EqualValues(t, windows.WAIT_OBJECT_0, event)
}

func (t *Thread) hasHandle() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.handle.h != 0
}

// A thread that has ended is gone, also where a living thread has its id.
func TestJoinDoesNotWaitForAReusedId(t *testing.T) {
	leave := make(chan struct{})
	th, err := Start(func() { <-leave }, nil)
	require.NoError(t, err)
	h := handleOf(t, th)
	close(leave)
	awaitHandle(t, h)
	th.nativeID = hold(t, nil).NativeID()
	require.True(t, osExists(th.NativeID()))
	assert.NoError(t, th.TryJoin())
	assert.False(t, th.hasHandle(), "nobody needs it any more")
	assert.NoError(t, th.Join(), "again")
}

func TestDetachClosesTheHandle(t *testing.T) {
	leave := make(chan struct{})
	var all []*Thread
	for _, a := range []*Attr{nil, nil, {Detached: true}} {
		th, err := Start(func() { <-leave }, a)
		require.NoError(t, err)
		all = append(all, th)
	}
	late, early, never := all[0], all[1], all[2]
	assert.True(t, early.hasHandle())
	require.NoError(t, early.Detach())
	var handles []windows.Handle
	for _, th := range all {
		handles = append(handles, handleOf(t, th))
	}
	close(leave)
	for _, h := range handles {
		awaitHandle(t, h)
	}
	assert.True(t, late.hasHandle())
	require.NoError(t, late.Detach())
	for _, th := range []*Thread{late, early, never} {
		assert.False(t, th.hasHandle())
	}
}

// Ids are unique in the system, not in the process.
func TestThreadIdOfAnotherProcessDoesNotExist(t *testing.T) {
	snapshot, err := windows.CreateToolhelp32Snapshot(windows.TH32CS_SNAPTHREAD, 0)
	require.NoError(t, err)
	defer windows.CloseHandle(snapshot)
	entry := windows.ThreadEntry32{Size: uint32(unsafe.Sizeof(windows.ThreadEntry32{}))}
	strangers := 0
	for err = windows.Thread32First(snapshot, &entry); err == nil; err = windows.Thread32Next(snapshot, &entry) {
		if entry.OwnerProcessID != windows.GetCurrentProcessId() {
			strangers++
			assert.False(t, osExists(int(entry.ThreadID)))
		}
	}
	assert.Equal(t, windows.ERROR_NO_MORE_FILES, err)
	assert.NotZero(t, strangers)
	assert.True(t, osExists(osNativeID()))
}
