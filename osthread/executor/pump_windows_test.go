package executor

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/windows"

	"example.com/thread"
	"example.com/thread/osthread"
)

var (
	user32             = windows.NewLazySystemDLL("user32.dll")
	registerClass      = user32.NewProc("RegisterClassExW")
	createWindow       = user32.NewProc("CreateWindowExW")
	destroyWindow      = user32.NewProc("DestroyWindow")
	defWindow          = user32.NewProc("DefWindowProcW")
	postMessage        = user32.NewProc("PostMessageW")
	postThreadMessage  = user32.NewProc("PostThreadMessageW")
	sendMessageTimeout = user32.NewProc("SendMessageTimeoutW")

	ole32              = windows.NewLazySystemDLL("ole32.dll")
	coGetApartmentType = ole32.NewProc("CoGetApartmentType")
	marshalIn          = ole32.NewProc("CoMarshalInterThreadInterfaceInStream")
	unmarshalFrom      = ole32.NewProc("CoGetInterfaceAndReleaseStream")
)

const (
	wmUser      = 0x0400
	wmQuit      = 0x0012
	onlyMessage = ^uintptr(2) // HWND_MESSAGE
	testTimeout = 3 * time.Minute
)

// newSTA returns a worker in a single-threaded apartment.
func newSTA(t *testing.T) *Worker {
	t.Helper()
	w, err := NewWorker(&osthread.Attr{Name: "sta", Apartment: thread.ApartmentSTA})
	require.NoError(t, err)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), testTimeout)
		defer cancel()
		assert.NoError(t, w.Shutdown(ctx))
	})
	return w
}

var className = sync.OnceValue(func() *uint16 {
	name, _ := windows.UTF16PtrFromString("osthread test") // it has no NUL
	class := struct {
		size, style            uint32
		procedure              uintptr
		classExtra, extra      int32
		instance, icon, cursor uintptr
		background             uintptr
		menu, name             *uint16
		small                  uintptr
	}{procedure: syscall.NewCallback(procedure), name: name}
	class.size = uint32(unsafe.Sizeof(class))
	_, _, _ = registerClass.Call(uintptr(unsafe.Pointer(&class))) // createWindow fails if it did
	return name
})

var handlers sync.Map // of func(number uint32, wparam uintptr) uintptr, by window

// procedure is the procedure of all windows.
func procedure(window uintptr, number uint32, wparam, lparam uintptr) uintptr {
	if h, ok := handlers.Load(window); ok && number >= wmUser {
		return h.(func(uint32, uintptr) uintptr)(number, wparam)
	}
	r, _, _ := defWindow.Call(window, uintptr(number), wparam, lparam)
	return r
}

// newWindow makes a message-only window of w's that answers messages by handle.
func newWindow(t *testing.T, w *Worker, handle func(number uint32, wparam uintptr) uintptr) uintptr {
	t.Helper()
	window, err := Call(w, func() (uintptr, error) {
		h, _, err := createWindow.Call(0, uintptr(unsafe.Pointer(className())), 0, 0, 0, 0, 0, 0, onlyMessage, 0, 0, 0)
		if h == 0 {
			return 0, err
		}
		return h, nil
	})
	require.NoError(t, err)
	handlers.Store(window, handle)
	t.Cleanup(func() {
		handlers.Delete(window)
		// it goes with the thread at the latest
		assert.NoError(t, w.Call(func() error { _, _, _ = destroyWindow.Call(window); return nil }))
	})
	return window
}

// send is SendMessage that fails when the answer does not come.
func send(t *testing.T, window uintptr, number uint32, wparam uintptr) (answer uintptr) {
	result := new(uintptr)
	ok, _, err := sendMessageTimeout.Call(
		window,
		uintptr(number),
		wparam,
		0,
		0,
		uintptr(testTimeout.Milliseconds()),
		uintptr(unsafe.Pointer(result)),
	)
	assert.NotZero(t, ok, err)
	return *result
}

func post(t *testing.T, window uintptr, number uint32, wparam uintptr) {
	ok, _, err := postMessage.Call(window, uintptr(number), wparam, 0)
	assert.NotZero(t, ok, err)
}

func receive[T any](t *testing.T, c <-chan T) (v T) {
	t.Helper()
	select {
	case v = <-c:
	case <-time.After(testTimeout):
		t.Error("nothing came")
	}
	return v
}

func TestWorkerIsInItsApartment(t *testing.T) {
	for _, a := range []thread.Apartment{thread.ApartmentMTA, thread.ApartmentSTA} {
		w, err := NewWorker(&osthread.Attr{Apartment: a})
		require.NoError(t, err)
		kind, err := Call(w, func() (int32, error) {
			var kind, qualifier int32
			r, _, _ := coGetApartmentType.Call(uintptr(unsafe.Pointer(&kind)), uintptr(unsafe.Pointer(&qualifier)))
			if r != 0 {
				return 0, syscall.Errno(r)
			}
			return kind, nil
		})
		assert.NoError(t, err)
		const aptMTA = 1
		assert.Equal(t, a == thread.ApartmentMTA, kind == aptMTA, kind)
		assert.NoError(t, w.Shutdown(context.Background()))
	}
}

func TestIdleSTAWorkerAnswersMessages(t *testing.T) {
	w := newSTA(t)
	posted := make(chan uintptr, 1)
	window := newWindow(t, w, func(number uint32, wparam uintptr) uintptr {
		assert.Same(t, w.Thread(), osthread.Current())
		if number == wmUser {
			posted <- wparam
		}
		return wparam + 1
	})
	for i := range uintptr(100) {
		if i%10 == 0 { // else the worker is on its way to sleep
			awaitIdleWorker(w)
		}
		assert.Equal(t, i+1, send(t, window, wmUser+1, i))
		post(t, window, wmUser, i)
		assert.Equal(t, i, receive(t, posted))
	}
}

// Messages for nobody, and those that would end a loop.
func TestSTAWorkerDropsMessagesWithoutAWindow(t *testing.T) {
	w := newSTA(t)
	for _, number := range []uint32{wmUser, wmQuit, 0} {
		awaitIdleWorker(w)
		ok, _, err := postThreadMessage.Call(uintptr(w.Thread().NativeID()), uintptr(number), 0, 0)
		assert.NotZero(t, ok, err)
		assert.NoError(t, w.Call(nil))
	}
	window := newWindow(t, w, func(_ uint32, wparam uintptr) uintptr { return wparam })
	assert.EqualValues(t, 5, send(t, window, wmUser, 5))
}

// A message that is being answered is something the worker does.
func TestSTAWorkerIsNotIdleWhileItAnswers(t *testing.T) {
	w := newSTA(t)
	in, out := make(chan struct{}), make(chan struct{})
	window := newWindow(t, w, func(uint32, uintptr) uintptr {
		close(in)
		<-out
		return 0
	})
	post(t, window, wmUser, 0)
	receive(t, in)
	assert.Equal(t, ErrBusy, w.TryCall(nil))
	waits := make(chan error)
	go func() { waits <- w.Call(nil) }()
	awaitBacklog(w, 1)
	close(out)
	assert.NoError(t, receive(t, waits))
}

// A window procedure may use its worker like any caller.
func TestWindowProcedureCallsItsWorker(t *testing.T) {
	w := newSTA(t)
	later := make(chan struct{}, 1)
	window := newWindow(t, w, func(_ uint32, wparam uintptr) uintptr {
		v, err := Call(w, func() (uintptr, error) { return 2 * wparam, nil })
		assert.NoError(t, err)
		assert.NoError(t, w.Go(func() { later <- struct{}{} }))
		return v
	})
	assert.EqualValues(t, 14, send(t, window, wmUser, 7))
	receive(t, later)
}

// A window whose messages beget messages does not keep calls from being served,
// nor do calls that beget calls the messages.
func TestSTAWorkerStarvesNeitherCallsNorMessages(t *testing.T) {
	w := newSTA(t)
	var quit atomic.Bool
	var window uintptr
	begets := make(chan struct{}, 1)
	window = newWindow(t, w, func(number uint32, wparam uintptr) uintptr {
		if number == wmUser && !quit.Load() {
			post(t, window, wmUser, 0)
		}
		select {
		case begets <- struct{}{}:
		default:
		}
		return wparam
	})
	post(t, window, wmUser, 0)
	receive(t, begets)
	assert.NoError(t, w.CallTimeout(func() error { return nil }, testTimeout))
	quit.Store(true)

	var again func()
	quit.Store(false)
	again = func() {
		if !quit.Load() {
			assert.NoError(t, w.Go(again))
		}
	}
	require.NoError(t, w.Go(again))
	assert.EqualValues(t, 3, send(t, window, wmUser+1, 3))
	quit.Store(true)
}

// Calls and messages from goroutines and threads at once, of all kinds: each is
// answered, once.
func TestSTAWorkerLosesNeitherCallsNorMessages(t *testing.T) {
	w := newSTA(t)
	var posts atomic.Int64
	window := newWindow(t, w, func(number uint32, wparam uintptr) uintptr {
		if number == wmUser {
			posts.Add(1)
		}
		return wparam + 1
	})
	const askers, times = 4, 300
	ask := func() {
		for i := range uintptr(times) {
			switch i % 3 {
			case 0:
				assert.Equal(t, i+1, send(t, window, wmUser+1, i))
			case 1:
				post(t, window, wmUser, i)
			}
			v, err := Call(w, func() (uintptr, error) { return i, nil })
			assert.NoError(t, err)
			assert.Equal(t, i, v)
			if i%7 == 0 {
				_ = w.CallTimeout(func() error { runtime.Gosched(); return nil }, time.Microsecond) // in time or not
			}
		}
	}
	var wg sync.WaitGroup
	for range askers / 2 {
		wg.Go(ask)
		th, err := osthread.Go(func() error { ask(); return nil })
		require.NoError(t, err)
		defer func() { assert.NoError(t, th.Join()) }()
	}
	wg.Wait()
	t.Cleanup(func() { assert.EqualValues(t, askers*times/3, posts.Load()) })
}

// A persistent is an IPersist, which COM can call from other apartments without
// a type library.
type persistent struct {
	methods *[4]uintptr
	class   func() windows.GUID
}

var persistentMethods = sync.OnceValue(func() *[4]uintptr {
	one := syscall.NewCallback(func(uintptr) uintptr { return 1 }) // counts of references: it is Go's
	return &[4]uintptr{
		syscall.NewCallback(func(this uintptr, id *windows.GUID, out *uintptr) uintptr { // QueryInterface
			if *id != unknownID && *id != persistID {
				*out = 0
				return uintptr(windows.E_NOINTERFACE)
			}
			*out = this
			return 0
		}),
		one, // AddRef
		one, // Release
		syscall.NewCallback(func(this uintptr, class *windows.GUID) uintptr { // GetClassID
			*class = (*(**persistent)(unsafe.Pointer(&this))).class()
			return 0
		}),
	}
})

var (
	unknownID = windows.GUID{Data4: [8]byte{0xc0, 0, 0, 0, 0, 0, 0, 0x46}}
	persistID = windows.GUID{Data1: 0x10c, Data4: [8]byte{0xc0, 0, 0, 0, 0, 0, 0, 0x46}}
)

const (
	release    = 2 // methods, by their place
	getClassID = 3
)

// call calls a method of a COM object's.
func call(object uintptr, method int, args ...uintptr) error {
	methods := **(***[4]uintptr)(unsafe.Pointer(&object))
	if r, _, _ := syscall.SyscallN(methods[method], append([]uintptr{object}, args...)...); int32(r) < 0 {
		return syscall.Errno(r)
	}
	return nil
}

// A call of COM from another apartment is what the pump is for.
func TestIdleSTAWorkersObjectIsCalledFromAnotherApartment(t *testing.T) {
	var w *Worker
	want := windows.GUID{Data1: 0x5eed, Data4: [8]byte{1, 2, 3}}
	p := &persistent{methods: persistentMethods(), class: func() windows.GUID {
		assert.Same(t, w.Thread(), osthread.Current())
		return want
	}}
	t.Cleanup(func() { runtime.KeepAlive(p) }) // COM has it until the worker is gone
	w = newSTA(t)
	stream, err := Call(w, func() (uintptr, error) {
		out := new(uintptr)
		r, _, _ := marshalIn.Call(
			uintptr(unsafe.Pointer(&persistID)), uintptr(unsafe.Pointer(p)), uintptr(unsafe.Pointer(out)),
		)
		if r != 0 {
			return 0, syscall.Errno(r)
		}
		return *out, nil
	})
	require.NoError(t, err)
	other, err := NewWorker(&osthread.Attr{Apartment: thread.ApartmentMTA})
	require.NoError(t, err)
	defer func() { assert.NoError(t, other.Shutdown(context.Background())) }()
	awaitIdleWorker(w)
	got, err := CallTimeout(other, func() (windows.GUID, error) {
		proxy, class := new(uintptr), new(windows.GUID)
		r, _, _ := unmarshalFrom.Call(
			stream, uintptr(unsafe.Pointer(&persistID)), uintptr(unsafe.Pointer(proxy)),
		)
		if r != 0 {
			return *class, syscall.Errno(r)
		}
		defer func() { assert.NoError(t, call(*proxy, release)) }()
		assert.NotEqual(t, uintptr(unsafe.Pointer(p)), *proxy, "the object itself, not a proxy")
		err := call(*proxy, getClassID, uintptr(unsafe.Pointer(class)))
		return *class, err
	}, testTimeout)
	assert.NoError(t, err)
	assert.Equal(t, want, got)
}

func TestCancelEndsWaitInAPump(t *testing.T) { testCancelEndsWait(t, newSTA(t)) }
