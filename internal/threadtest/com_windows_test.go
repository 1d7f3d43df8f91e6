package threadtest

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"syscall"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/windows"

	"example.com/thread"
	"example.com/thread/internal/keep"
	"example.com/thread/internal/leak"
	"example.com/thread/internal/testutil"
)

var (
	kernel32                = windows.NewLazySystemDLL("kernel32.dll")
	ole32                   = windows.NewLazySystemDLL("ole32.dll")
	coGetApartmentType      = ole32.NewProc("CoGetApartmentType")
	coRegisterInitializeSpy = ole32.NewProc("CoRegisterInitializeSpy")
)

// APTTYPE of objidl.h. The first STA of a process is its main one.
const (
	aptSTA     = 0
	aptMTA     = 1
	aptMainSTA = 3
)

// apartmentType returns COM's word for the apartment that the calling thread is
// in.
func apartmentType() (kind int32, err error) {
	var qualifier int32
	r, _, _ := coGetApartmentType.Call(uintptr(unsafe.Pointer(&kind)), uintptr(unsafe.Pointer(&qualifier)))
	if r != 0 {
		return 0, syscall.Errno(uint32(r))
	}
	return kind, nil
}

func isSTA(kind int32) bool { return kind == aptSTA || kind == aptMainSTA }

func TestApartmentIsCOMs(t *testing.T) {
	kinds(t, func(t *testing.T, attr func(thread.Attr) *thread.Attr) {
		run(t, attr(thread.Attr{}), func() {
			_, err := apartmentType()
			assert.Equal(t, error(syscall.Errno(windows.CO_E_NOTINITIALIZED)), err, "without an Apartment")
		})
		destroyed := 0
		var k thread.Key[thread.Apartment]
		k.Destructor = func(a thread.Apartment) {
			destroyed++
			kind, err := apartmentType()
			assert.NoError(t, err)
			assert.Equal(t, a == thread.ApartmentSTA, isSTA(kind))
		}
		for _, a := range []thread.Apartment{thread.ApartmentMTA, thread.ApartmentSTA} {
			run(t, attr(thread.Attr{Apartment: a}), func() {
				kind, err := apartmentType()
				assert.NoError(t, err)
				if a == thread.ApartmentMTA {
					assert.EqualValues(t, aptMTA, kind)
				} else {
					assert.True(t, isSTA(kind), kind)
				}
				assert.NoError(t, k.Set(a))
			})
		}
		assert.Equal(t, 2, destroyed)
	})
}

// A spy is an IInitializeSpy, which COM notifies of each CoUninitialize on its
// thread.
type spy struct {
	methods *[7]uintptr
	left    []uintptr // how often the thread had been initialized, at each
}

var spyMethods = func() *[7]uintptr {
	self := func(p uintptr) *spy { return *(**spy)(unsafe.Pointer(&p)) }
	// Counts of references, which nobody needs. COM releases spies when the
	// thread goes, and Go cannot be called any more: so it is a function of the
	// system's that takes a word and returns it.
	count := kernel32.NewProc("SetHandleCount").Addr()
	unchanged := syscall.NewCallback(func(_, result, _, _ uintptr) uintptr { return result })
	return &[7]uintptr{
		// QueryInterface: all are this one
		syscall.NewCallback(func(this, _ uintptr, out *uintptr) uintptr { *out = this; return 0 }),
		count, // AddRef
		count, // Release
		syscall.NewCallback(func(_, _, _ uintptr) uintptr { return 0 }), // PreInitialize
		unchanged, // PostInitialize
		syscall.NewCallback(func(this, count uintptr) uintptr { // PreUninitialize
			s := self(this)
			s.left = append(s.left, count)
			return 0
		}),
		syscall.NewCallback(func(_, _ uintptr) uintptr { return 0 }), // PostUninitialize
	}
}()

func TestApartmentIsLeftOnceHoweverTheBodyEnds(t *testing.T) {
	quiet(t)
	ends := map[string]func(){
		"return": func() {},
		"Exit":   thread.Exit,
		"Goexit": runtime.Goexit,
		"panic":  func() { panic("x") },
	}
	for name, end := range ends {
		t.Run(name, func(t *testing.T) {
			kinds(t, func(t *testing.T, attr func(thread.Attr) *thread.Attr) {
				for _, a := range []thread.Apartment{thread.ApartmentMTA, thread.ApartmentSTA} {
					s := &spy{methods: spyMethods}
					th, err := thread.Start(func() {
						var cookie uint64
						r, _, _ := coRegisterInitializeSpy.Call(
							uintptr(unsafe.Pointer(s)),
							uintptr(unsafe.Pointer(&cookie)),
						)
						assert.Zero(t, r)
						end()
					}, attr(thread.Attr{Apartment: a}))
					require.NoError(t, err)
					_ = th.Join() // the ways to end are another test's
					assert.Equal(t, []uintptr{1}, s.left, a)
				}
			})
		})
	}
}

// A thread of Go's that other code has left in another apartment. In a child,
// whose threads the test may spoil.
func TestApartmentThatCOMRefusesLeavesNoThread(t *testing.T) {
	leak.InChild(t, func() {
		runtime.GOMAXPROCS(1) // so the pinned thread is likely the one that this goroutine was on
		const changedMode = syscall.Errno(windows.RPC_E_CHANGED_MODE)
		for {
			result := make(chan error)
			go func() {
				// It stays so on this thread, unless that is the process's
				// first, which a pinned goroutine does not keep.
				_ = windows.CoInitializeEx(0, windows.COINIT_MULTITHREADED) // S_FALSE the second time
				th, err := thread.Start(func() {}, &thread.Attr{Apartment: thread.ApartmentSTA, Pinned: true})
				if err == nil {
					testutil.Must(th.Join())
				}
				result <- err
			}()
			err := <-result
			if thread.NumThread() != 0 || keep.Records() != 0 {
				panic(fmt.Sprint(thread.NumThread(), keep.Records()))
			}
			if err == nil {
				continue // on another thread
			}
			var call *os.SyscallError
			if !errors.As(err, &call) || call.Syscall != "CoInitializeEx" || !errors.Is(err, changedMode) {
				panic(err)
			}
			return
		}
	})
}
