//go:build cgo && !android && !portablefutex

package shared

import (
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"example.com/thread/internal/sharedtest"
)

func init() {
	startC = func(_ *testing.T, name string, a arena, _ *os.File) (victim, error) {
		pid, err := sharedtest.Hammer(kinds[name].number, a.at(0), (*uint32)(unsafe.Pointer(a.ready())), rand.Uint32())
		return cVictim(pid), err
	}
	passes := func(call func(p unsafe.Pointer) syscall.Errno) func(a arena) func() bool {
		return func(a arena) func() bool { return func() bool { return call(a.at(0)) == ok } }
	}
	cSteps = map[string]func(a arena) func() bool{
		"semaphore":    passes(sharedtest.SemWait),
		"event manual": passes(sharedtest.EventWait),
		"event auto":   passes(sharedtest.EventWait),
		"barrier": passes(func(p unsafe.Pointer) syscall.Errno {
			err := sharedtest.BarrierClockWait(p, clockAfter(unix.CLOCK_MONOTONIC, 5*time.Millisecond))
			if err == sharedtest.Serial {
				return ok
			}
			return err
		}),
		"cond": func(a arena) func() bool {
			return func() bool {
				runtime.LockOSThread()
				defer runtime.UnlockOSThread()
				return sharedtest.Consume(a.at(0), a.at(secondAt), (*uint32)(a.at(userAt)), 1) == ok
			}
		},
		"once": passes(func(p unsafe.Pointer) syscall.Errno {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			if err := sharedtest.OnceBegin(p); err != ok {
				return err
			}
			return sharedtest.OnceEnd(p, 0)
		}),
		"rwmutex": passes(func(p unsafe.Pointer) syscall.Errno {
			if err := sharedtest.RWRdLock(p); err != ok {
				return err
			}
			return sharedtest.RWRdUnlock(p)
		}),
	}
	for name, k := range kinds {
		if k.number == mutexNumber {
			cSteps[name] = func(a arena) func() bool {
				return func() bool {
					sharedtest.HammerHere(mutexNumber, a.at(0), 1, rand.Uint32())
					return true
				}
			}
		}
	}
}

func init() {
	soon := func() sharedtest.Deadline { return clockAfter(unix.CLOCK_MONOTONIC, 50*time.Microsecond) }
	call := func(f func(p unsafe.Pointer)) func(p, mutex unsafe.Pointer) {
		return func(p, _ unsafe.Pointer) {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			f(p)
		}
	}
	cGarbage = map[string][]func(p, mutex unsafe.Pointer){
		"semaphore": {
			call(func(p unsafe.Pointer) { sharedtest.SemClockWait(p, soon()) }),
			call(func(p unsafe.Pointer) { sharedtest.SemPost(p) }),
		},
		"event": {
			call(func(p unsafe.Pointer) { sharedtest.EventClockWait(p, soon()) }),
			call(func(p unsafe.Pointer) { sharedtest.EventSet(p) }),
			call(func(p unsafe.Pointer) { sharedtest.EventClear(p) }),
		},
		"barrier": {call(func(p unsafe.Pointer) { sharedtest.BarrierClockWait(p, soon()) })},
		"cond": {
			func(p, mutex unsafe.Pointer) { sharedtest.CondClockWait(p, mutex, soon()) },
			call(func(p unsafe.Pointer) { sharedtest.CondSignal(p) }),
		},
		"rwmutex": {
			call(func(p unsafe.Pointer) { sharedtest.RWClockRdLock(p, soon()) }),
			call(func(p unsafe.Pointer) { sharedtest.RWClockWrLock(p, soon()) }),
			call(func(p unsafe.Pointer) { sharedtest.RWRdUnlock(p) }),
			call(func(p unsafe.Pointer) { sharedtest.RWWrUnlock(p) }),
			call(func(p unsafe.Pointer) { sharedtest.RWConsistent(p) }),
		},
	}
}

// A cVictim is a process that C code runs.
type cVictim int

// String returns what the kernel says about it.
func (pid cVictim) String() string {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", int(pid)))
	return fmt.Sprintf("%s %v", status, err)
}

func (pid cVictim) kill() error {
	if err := syscall.Kill(int(pid), syscall.SIGKILL); err != nil {
		return err
	}
	_, err := syscall.Wait4(int(pid), nil, 0, nil)
	return err
}
