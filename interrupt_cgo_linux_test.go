//go:build cgo && !android && (386 || amd64 || arm || arm64 || riscv64)

package thread

import (
	"errors"
	"fmt"
	"runtime"
	"syscall"
	"testing"

	"example.com/thread/internal/ctest"
	"example.com/thread/internal/leak"
	"example.com/thread/internal/testutil"
)

func init() {
	blockingCalls["sem_wait of C"] = func(*testing.T) func() error { return ctest.WaitForSem }
	blockingCalls["fgets of C"] = func(t *testing.T) func() error {
		r, _ := pipe(t)
		return func() error { return ctest.ReadLine(r) }
	}
}

// A handler of C's stays.
func TestInterruptibleRefusesASignalThatCHandles(t *testing.T) {
	leak.InChild(t, func() {
		testutil.Must(ctest.VanishOn(wakeSignal))
		th, err := Start(func() {
			_, err := Interruptible(func() { panic("called") })
			if !errors.Is(err, syscall.EBUSY) {
				panic(fmt.Sprint(err))
			}
		}, nil)
		testutil.Must(err)
		testutil.Must(th.Join())
	})
}

// Threads of C are interrupted as well.
func TestInterruptOfAnAlienThread(t *testing.T) {
	failIfItHangs(t)
	begun := make(chan *Thread, 1)
	go func() {
		th := <-begun
		for th.Interrupt() == ErrNotInterruptible {
			runtime.Gosched()
		}
	}()
	testutil.Must(ctest.Aliens(1, func(int) {
		begun <- Current()
		interrupted, err := Interruptible(func() {
			if err := ctest.WaitForSem(); err != syscall.EINTR {
				t.Error(err)
			}
		})
		if !interrupted || err != nil {
			t.Error(interrupted, err)
		}
	}))
}
