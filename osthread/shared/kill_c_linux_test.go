//go:build cgo && !android && !portablefutex

package shared

import (
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

// A cVictim is a process that C code runs.
type cVictim int

func (pid cVictim) kill() error {
	if err := syscall.Kill(int(pid), syscall.SIGKILL); err != nil {
		return err
	}
	_, err := syscall.Wait4(int(pid), nil, 0, nil)
	return err
}
