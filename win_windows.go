package thread

// Windows: CreateThread with a callback made by syscall.NewCallback, which
// needs no C compiler. Go's runtime lends such a thread an M as it does for a
// thread of C (runtime/syscall_windows_test.go, TestCallbackInAnotherThread).
// The whole life of a thread is that one callback, so the M is lent once. The
// stack is reserved, not committed (STACK_SIZE_PARAM_IS_A_RESERVATION).
//
// With cgo, too, it is CreateThread and not _beginthreadex, which Microsoft
// requires for threads that use the C library, so that the library's per-thread
// data exists even if memory is short, and is freed. Programs of mingw have
// that library as a DLL (msvcrt.dll or the UCRT). It makes the data when the
// thread first needs it, and frees it when the loader reports the thread's end,
// however the thread was made. Only a statically linked library would not be
// notified. So one way serves both, and this package has no C on Windows.
//
// The slot is a TLS index, at a fixed offset in the thread environment block.
// The end of threads that Go did not make is reported by an FLS callback
// (internal/fls), and that of attached threads of Go's by their handles.
// Setters and getters open handles from thread ids, which remain valid while
// whileAlive holds the record.

import (
	"errors"
	"fmt"
	"math"
	"os"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/windows"

	"example.com/thread/internal/fls"
	"example.com/thread/internal/futex"
	"example.com/thread/internal/ident"
)

const (
	osNative     = true
	osAliens     = true
	osGuard      = false
	osAffinity   = true
	osNice       = false
	osBandwidth  = false
	osSlack      = false
	osQoS        = false
	osSignalMask = false
	osApartment  = true
	osExitUnseen = false
	staticTLS    = 0                                  // not on the stack
	osMaxCPUs    = 8 * int(unsafe.Sizeof(uintptr(0))) // the bits of an affinity mask, which is for one processor group
)

var pageSize = os.Getpagesize()

var (
	kernel32               = windows.NewLazySystemDLL("kernel32.dll").NewProc
	createThread           = kernel32("CreateThread")
	tlsAlloc               = kernel32("TlsAlloc")
	tlsSetValue            = kernel32("TlsSetValue")
	openThread             = kernel32("OpenThread")
	exitThread             = kernel32("ExitThread")
	getProcessIDOfThread   = kernel32("GetProcessIdOfThread")
	getThreadTimes         = kernel32("GetThreadTimes")
	getThreadPriority      = kernel32("GetThreadPriority")
	setThreadPriority      = kernel32("SetThreadPriority")
	setThreadAffinityMask  = kernel32("SetThreadAffinityMask")
	getProcessAffinityMask = kernel32("GetProcessAffinityMask")
	switchToThread         = kernel32("SwitchToThread")
	// Windows 10 1607.
	setThreadDescription = kernel32("SetThreadDescription")
	getThreadDescription = kernel32("GetThreadDescription")
)

var (
	endOf       fls.Index // set by init, as ended refers to it
	threadEntry = syscall.NewCallback(func(slot uintptr) uintptr {
		enter(slot)
		_ = endOf.Set(slot) // on failure C code that ends the thread under its body goes unnoticed
		nativeMain(slot, 0)
		_ = endOf.Set(unknown) // it fails if the first call did
		return 0
	})
	probeEntry = syscall.NewCallback(func(uintptr) uintptr {
		probed()
		return 0
	})
	firstThread = osNativeID() // package initialization runs on it
)

// tlsSlots is the offset of TlsSlots in the thread environment block: 0x1480 on
// 64-bit Windows, 0xe10 on 32-bit.
const tlsSlots = 0xe10 + (0x1480-0xe10)*(unsafe.Sizeof(uintptr(0))/8)

// noIndex is what TlsAlloc returns when there is none left.
const noIndex = math.MaxUint32

func init() {
	endOf = fls.Alloc(func(slot, back uintptr) { ended(slot, back) })
	setupSlot()
	resolve()
}

// resolve makes the calls once that the end of a thread needs. Otherwise their
// addresses would be looked up at the first end of a thread, under the loader's
// lock. Wine (8.0) calls back under a lock of its own, which ending threads
// acquire while they hold the loader's. (Windows 10 has a shared lock for each
// index.)
func resolve() {
	_, _ = osCPUTime(0) // the results do not matter
	osUnwatch()
	futex.Wake(new(uint32), 1)
}

// setupSlot allocates a TLS index and finds its word in the thread environment
// block. The block contains the first 64 words (TlsSlots). For a higher index
// the slot is in internal/ident's table.
func setupSlot() {
	index, _, _ := tlsAlloc.Call()
	if index == noIndex || index >= 64 {
		return
	}
	ident.SetupAt(tlsSlots + index*unsafe.Sizeof(index))
	const mark = 0x5eed
	_, _, _ = tlsSetValue.Call(index, mark) // if it fails the slot does not show the mark
	if ident.Slot() != mark {
		ident.SetupAt(0)
		return
	}
	ident.SetSlot(unknown)
}

func osCreate(t *Thread, a *attrs) error {
	const stackSizeIsReservation = 0x00010000 // STACK_SIZE_PARAM_IS_A_RESERVATION
	entered := new(atomic.Uintptr)
	entering.Store(t.slot, entered)
	h, _, err := createThread.Call(0, uintptr(a.stack), threadEntry, t.slot, stackSizeIsReservation, 0)
	if h == 0 {
		entering.Delete(t.slot)
		return os.NewSyscallError("CreateThread", orNoRoom(err))
	}
	t.keepHandle(windows.Handle(h))
	awaitEntry(entered)
	return nil
}

func osProbe() error {
	h, _, err := createThread.Call(0, 0, probeEntry, 0, 0, 0)
	if h == 0 {
		return os.NewSyscallError("CreateThread", err)
	}
	closeHandle(windows.Handle(h))
	return nil
}

// entering has a word for each created thread that has not entered Go yet, by
// its slot: first 0, or the event that its creator sleeps on, then inGo.
var entering sync.Map // of *atomic.Uintptr

const inGo = 1 // not a handle, which is a multiple of 4

// enter reports that the calling, new thread has entered Go.
func enter(slot uintptr) {
	w, _ := entering.LoadAndDelete(slot)
	if event := w.(*atomic.Uintptr).Swap(inGo); event != 0 {
		_ = windows.SetEvent(windows.Handle(event)) // cannot fail: the event exists until it is set
	}
}

// awaitEntry waits for enter in a system call. The runtime does not know of the
// new thread until it enters Go. If all goroutines slept in the meantime, the
// runtime would end a program without cgo ("all goroutines are asleep -
// deadlock!", checkdead in runtime/proc.go). So awaitEntry uses an event and
// not internal/futex, which may sleep in the scheduler.
func awaitEntry(entered *atomic.Uintptr) {
	if startSpin.Until(func() bool { return entered.Load() == inGo }) {
		return
	}
	event, err := windows.CreateEvent(nil, 0, 0, nil)
	if err == nil {
		defer closeHandle(event)
		if !entered.CompareAndSwap(0, uintptr(event)) {
			return // it has entered
		}
		_, err = windows.WaitForSingleObject(event, windows.INFINITE)
	}
	for err != nil && entered.Load() != inGo { // the system has no event left
		windows.SleepEx(1, false)
	}
}

// noRoom lists the errors of CreateThread and OpenThread at a limit. Wine (8.0)
// uses a file for each thread.
var noRoom = []syscall.Errno{
	windows.ERROR_NOT_ENOUGH_MEMORY, windows.ERROR_COMMITMENT_LIMIT, windows.ERROR_MAX_THRDS_REACHED,
	windows.ERROR_NO_SYSTEM_RESOURCES, windows.ERROR_NOT_ENOUGH_QUOTA, windows.ERROR_TOO_MANY_OPEN_FILES,
}

// orNoRoom adds EAGAIN to err if that is a limit.
func orNoRoom(err error) error {
	if errno, ok := err.(syscall.Errno); ok && slices.Contains(noRoom, errno) {
		return fmt.Errorf("%w: %w", err, syscall.EAGAIN)
	}
	return err
}

// orErrno adds to Windows' errors for an invalid value and for a missing
// privilege the errno that other systems return.
func orErrno(err error) error {
	switch {
	case errors.Is(err, windows.ERROR_INVALID_PARAMETER):
		return fmt.Errorf("%w: %w", err, syscall.EINVAL)
	case errors.Is(err, windows.ERROR_ACCESS_DENIED):
		return fmt.Errorf("%w: %w", err, syscall.EPERM)
	default:
		return err
	}
}

// osTryJoin does nothing: the handle shows whether the thread is gone.
func osTryJoin(*Thread) bool { return true }

func osDetach(*Thread) {}

// A handle identifies a thread as long as it is open, unlike an id, which
// Windows may reuse at once for a new thread of any process. So the handle of a
// native thread is kept until a joiner has seen the thread gone, or the thread
// is detached. If the record becomes unreachable before, the garbage collector
// closes the handle.
type handle struct {
	h         windows.Handle // 0 for none
	forgotten runtime.Cleanup
}

// keepHandle stores h, the handle of the native thread t, which may have ended
// already.
func (t *Thread) keepHandle(h windows.Handle) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.detached {
		closeHandle(h)
		return
	}
	t.handle = handle{h: h, forgotten: runtime.AddCleanup(t, closeHandle, h)}
}

// close is called with the thread's mu held.
func (h *handle) close() {
	if h.h == 0 {
		return
	}
	h.forgotten.Stop()
	closeHandle(h.h)
	*h = handle{}
}

func closeHandle(h windows.Handle) {
	_ = windows.CloseHandle(h) // cannot fail: the handle is ours
}

// lingers reports whether the ended thread t still exists. The caller holds
// t.mu. Without a handle, for a pinned thread or a joiner that was waiting when
// t was detached, the id decides. It may have been reused for another thread,
// for which the joiner then waits until goneAtLast.
func (h *handle) lingers(t *Thread) bool {
	if h.h != 0 {
		event, err := windows.WaitForSingleObject(h.h, 0)
		return err == nil && event == uint32(windows.WAIT_TIMEOUT)
	}
	return osExists(t.nativeID) && futex.Now()-t.joiners.endedAt < int64(goneAtLast)
}

// osLeave gets as back the argument of the callback of the thread's end, 0
// outside of it.
func osLeave(back uintptr, _ int) {
	if back != 0 {
		fls.Leave(back)
	}
	_ = endOf.Set(unknown) // fails only for an invalid index, which was never set
	_, _, _ = exitThread.Call(0)
}

// osMadeByC does not know.
func osMadeByC() (yes, known bool) { return false, false }

// osMakePreemptible does nothing: the runtime suspends a thread to preempt it.
func osMakePreemptible(*Thread) {}

// osWatch has nothing to call at the end of a thread of Go's, which cannot call
// Go then.
func osWatch(t *Thread) error {
	if t.kind == bound {
		return goThreads.add(t)
	}
	err := endOf.Set(t.slot)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, windows.ERROR_INVALID_PARAMETER): // there was no index left
		err = fmt.Errorf("%w: %w", err, syscall.EAGAIN)
	case errors.Is(err, windows.ERROR_NOT_ENOUGH_MEMORY):
		err = fmt.Errorf("%w: %w", err, syscall.ENOMEM)
	}
	return os.NewSyscallError("FlsSetValue", err)
}

// osUnwatch is called while the thread still has its slot.
func osUnwatch() {
	if !goThreads.remove(ident.Slot()) {
		_ = endOf.Set(unknown) // fails only for an invalid index, which was never set
	}
}

func osExited() uintptr { return goThreads.takeEnded() }

// boundThreads holds the attached threads of Go's by their handles, which show
// whether the thread has ended and, unlike ids, are not reused.
type boundThreads struct {
	mu      sync.Mutex
	handles []windows.Handle
	slots   []uintptr
}

var goThreads boundThreads

func (b *boundThreads) add(t *Thread) error {
	h, err := open(t.nativeID, windows.SYNCHRONIZE)
	if err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.handles, b.slots = append(b.handles, h), append(b.slots, t.slot)
	return nil
}

func (b *boundThreads) remove(slot uintptr) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	i := slices.Index(b.slots, slot)
	if i < 0 {
		return false
	}
	b.drop(i)
	return true
}

func (b *boundThreads) drop(i int) {
	_ = windows.CloseHandle(b.handles[i]) // cannot fail: the handle is ours
	b.handles, b.slots = slices.Delete(b.handles, i, i+1), slices.Delete(b.slots, i, i+1)
}

// takeEnded removes an ended thread and returns its slot, unknown if there is
// none. It checks as many threads per call as the system allows.
func (b *boundThreads) takeEnded() uintptr {
	const most = 64 // MAXIMUM_WAIT_OBJECTS
	b.mu.Lock()
	defer b.mu.Unlock()
	for from := 0; from < len(b.handles); from += most {
		some := b.handles[from:min(from+most, len(b.handles))]
		first, err := windows.WaitForMultipleObjects(some, false, 0)
		if i := int(first); err == nil && i < len(some) { // else none has ended
			slot := b.slots[from+i]
			b.drop(from + i)
			return slot
		}
	}
	return unknown
}

// osSelf returns the thread id, which identifies a thread on Windows and is
// available to C.
func osSelf() Ident { return Ident(windows.GetCurrentThreadId()) }

// mostStack is the limit of Go's runtime, which ends the process when a thread
// with a larger stack calls it (Go 1.26, minit in runtime/os_windows.go: "bad
// g0 stack"). Tests change it.
var mostStack = 64 << 20

// minStack is Python's least: the system accepts any size.
const minStack = MinStackSize

func osStackBounds() (least, most int, err error) { return minStack, mostStack, nil }

func osNativeID() int { return int(windows.GetCurrentThreadId()) }

func osOnFirstThread() bool { return osNativeID() == firstThread }

// osExists checks the process, too: ids are unique in the system and may have
// been reused by another process.
func osExists(id int) bool {
	h, err := open(id, windows.SYNCHRONIZE|windows.THREAD_QUERY_LIMITED_INFORMATION)
	if err != nil {
		return false
	}
	defer windows.CloseHandle(h)
	if owner, _, _ := getProcessIDOfThread.Call(uintptr(h)); uint32(owner) != windows.GetCurrentProcessId() {
		return false
	}
	event, err := windows.WaitForSingleObject(h, 0)
	return err == nil && event == uint32(windows.WAIT_TIMEOUT)
}

// osClock counts units of 100 ns.
func osClock() int64 {
	var now windows.Filetime
	windows.GetSystemTimeAsFileTime(&now)
	return ticks(now)
}

// osIsGone allows for a clock that has steps of some milliseconds and may be
// set back: a thread counts as younger if it began a second after t was
// attached.
func osIsGone(t *Thread) bool {
	if !osExists(t.nativeID) {
		return true
	}
	if t.since == 0 {
		return false
	}
	younger := false
	// On failure the thread is assumed to be t.
	_ = withHandle(t.nativeID, windows.THREAD_QUERY_LIMITED_INFORMATION, func(h uintptr) error {
		var created, exited, kernel, user windows.Filetime
		ok, _, err := getThreadTimes.Call(h, uintptr(unsafe.Pointer(&created)), uintptr(unsafe.Pointer(&exited)),
			uintptr(unsafe.Pointer(&kernel)), uintptr(unsafe.Pointer(&user)))
		younger = ok != 0 && ticks(created) > t.since+int64(time.Second/100)
		return err
	})
	return younger
}

func open(id int, access uint32) (windows.Handle, error) {
	h, _, err := openThread.Call(uintptr(access), 0, uintptr(id))
	if h == 0 {
		return 0, os.NewSyscallError("OpenThread", orNoRoom(err))
	}
	return windows.Handle(h), nil
}

// withHandle calls f with a handle of the thread with that id.
func withHandle(id int, access uint32, f func(h uintptr) error) error {
	h, err := open(id, access)
	if err != nil {
		return err
	}
	defer windows.CloseHandle(h)
	return f(uintptr(h))
}

func osYield() {
	runtime.Gosched()
	_, _, _ = switchToThread.Call() // the result says whether another thread ran
}

func osSetName(t *Thread, name string) error {
	if setThreadDescription.Find() != nil {
		return unsupported("name of a thread")
	}
	name = cutName(name, len(name)) // unlimited, up to the first NUL
	p, err := windows.UTF16PtrFromString(name)
	if err != nil {
		return err
	}
	return withHandle(t.nativeID, windows.THREAD_SET_LIMITED_INFORMATION, func(h uintptr) error {
		return hresult("SetThreadDescription", setThreadDescription, h, uintptr(unsafe.Pointer(p)))
	})
}

func osGetName(t *Thread) (name string) {
	if getThreadDescription.Find() != nil {
		return ""
	}
	// On failure there is no name.
	_ = withHandle(t.nativeID, windows.THREAD_QUERY_LIMITED_INFORMATION, func(h uintptr) error {
		var p *uint16
		if err := hresult("GetThreadDescription", getThreadDescription, h, uintptr(unsafe.Pointer(&p))); err != nil {
			return err
		}
		name = windows.UTF16PtrToString(p)
		_, err := windows.LocalFree(windows.Handle(unsafe.Pointer(p)))
		return err
	})
	return name
}

// hresult calls a function that returns an HRESULT, which is negative for an
// error.
func hresult(name string, proc *windows.LazyProc, h, arg uintptr) error {
	if r, _, _ := proc.Call(h, arg); int32(r) < 0 {
		return os.NewSyscallError(name, syscall.Errno(uint32(r)))
	}
	return nil
}

func osSetAffinity(t *Thread, cpus []int) error {
	var mask uintptr
	for _, c := range cpus {
		mask |= 1 << c
	}
	_, err := swapAffinity(t.nativeID, mask)
	return withValue(err, "affinity to processors %v", cpus)
}

// osGetAffinity sets the affinity and restores it: Windows has no other query
// that leaves processor groups alone.
func osGetAffinity(t *Thread) (cpus []int, err error) {
	var process, system uintptr
	ok, _, err := getProcessAffinityMask.Call(
		uintptr(windows.CurrentProcess()),
		uintptr(unsafe.Pointer(&process)),
		uintptr(unsafe.Pointer(&system)),
	)
	if ok == 0 {
		return nil, os.NewSyscallError("GetProcessAffinityMask", err)
	}
	mask, err := swapAffinity(t.nativeID, process)
	if err != nil {
		return nil, err
	}
	if _, err := swapAffinity(t.nativeID, mask); err != nil {
		return nil, err
	}
	for c := range osMaxCPUs {
		if mask>>c&1 == 1 {
			cpus = append(cpus, c)
		}
	}
	return cpus, nil
}

func swapAffinity(id int, mask uintptr) (old uintptr, err error) {
	err = withHandle(id, windows.THREAD_SET_INFORMATION|windows.THREAD_QUERY_INFORMATION, func(h uintptr) error {
		var err error
		old, _, err = setThreadAffinityMask.Call(h, mask)
		if old != 0 {
			return nil
		}
		return os.NewSyscallError("SetThreadAffinityMask", orErrno(err))
	})
	return old, err
}

// Windows has one policy, and priorities relative to that of the process.
const (
	priorityIdle         = -15 // THREAD_PRIORITY_IDLE
	priorityTimeCritical = 15  // THREAD_PRIORITY_TIME_CRITICAL
	priorityError        = math.MaxInt32
)

// osPriorityBounds includes the values between -2 to 2 and the two ends, which
// the system refuses.
func osPriorityBounds(p Policy) (least, most int, err error) {
	if p != PolicyOther {
		return 0, 0, unsupported(fmt.Sprintf("policy %v", p))
	}
	return priorityIdle, priorityTimeCritical, nil
}

func osSetPriority(t *Thread, _ Policy, priority int) error {
	err := withHandle(t.nativeID, windows.THREAD_SET_INFORMATION, func(h uintptr) error {
		if ok, _, err := setThreadPriority.Call(h, uintptr(priority)); ok == 0 {
			return os.NewSyscallError("SetThreadPriority", orErrno(err))
		}
		return nil
	})
	return withValue(err, "priority %d", priority)
}

func osPriority(t *Thread) (p Policy, priority int, err error) {
	err = withHandle(t.nativeID, windows.THREAD_QUERY_INFORMATION, func(h uintptr) error {
		r, _, err := getThreadPriority.Call(h)
		if int32(r) == priorityError {
			return os.NewSyscallError("GetThreadPriority", err)
		}
		priority = int(int32(r))
		return nil
	})
	return PolicyOther, priority, err
}

func osSetQoS(QoS) error { return unsupported("QoS class") }

func osGetQoS(*Thread) (QoS, error) { return 0, unsupported("QoS class") }

func osSetBandwidth(*Thread, Bandwidth) error { return unsupported("bandwidth of a thread") }

func osBandwidthOf(*Thread) (Bandwidth, error) {
	return Bandwidth{}, unsupported("bandwidth of a thread")
}

func osSetResetOnFork(*Thread, bool) error { return unsupported("reset on fork") }

func osResetOnFork(*Thread) (bool, error) { return false, unsupported("reset on fork") }

func osSetNice(*Thread, int) error { return unsupported("niceness of a thread") }

func osSetTimerSlack(*Thread, time.Duration) error { return unsupported("timer slack of a thread") }

func osTimerSlack(*Thread) (time.Duration, error) { return 0, unsupported("timer slack of a thread") }

func osSetSignalMask(uint64) error { return unsupported("signal mask") }

const osNeverBlocked = 0

func osCPUTime(id int) (d time.Duration, err error) {
	if id == 0 {
		id = osNativeID()
	}
	err = withHandle(id, windows.THREAD_QUERY_INFORMATION, func(h uintptr) error {
		var created, exited, kernel, user windows.Filetime
		ok, _, err := getThreadTimes.Call(h, uintptr(unsafe.Pointer(&created)), uintptr(unsafe.Pointer(&exited)),
			uintptr(unsafe.Pointer(&kernel)), uintptr(unsafe.Pointer(&user)))
		if ok == 0 {
			return os.NewSyscallError("GetThreadTimes", err)
		}
		d = 100 * time.Duration(ticks(kernel)+ticks(user))
		return nil
	})
	return d, err
}

// ticks returns f in units of 100 ns.
func ticks(f windows.Filetime) int64 { return int64(f.HighDateTime)<<32 | int64(f.LowDateTime) }

// COM is loaded at run time, so programs that use no apartment run on systems
// without ole32.dll (Nano Server).

var (
	ole32          = windows.NewLazySystemDLL("ole32.dll").NewProc
	coInitializeEx = ole32("CoInitializeEx")
	coUninitialize = ole32("CoUninitialize")
)

// osEnterApartment on a thread of Go's that other code has left in an apartment
// of the same kind returns S_FALSE, which needs a CoUninitialize, too. If the
// kind is another, COM refuses (RPC_E_CHANGED_MODE).
func osEnterApartment(t *Thread, a Apartment) error {
	if coInitializeEx.Find() != nil {
		return unsupported("COM apartment")
	}
	// No windows for OLE 1, as Microsoft's documentation of CoInitializeEx
	// recommends.
	model := uintptr(windows.COINIT_DISABLE_OLE1DDE | windows.COINIT_MULTITHREADED)
	if a == ApartmentSTA {
		model = windows.COINIT_DISABLE_OLE1DDE | windows.COINIT_APARTMENTTHREADED
	}
	if r, _, _ := coInitializeEx.Call(0, model); int32(r) < 0 {
		return os.NewSyscallError("CoInitializeEx", fmt.Errorf("%v: %w", a, syscall.Errno(uint32(r))))
	}
	t.apartment = a
	return nil
}

func osLeaveApartment() { _, _, _ = coUninitialize.Call() } // has no result
