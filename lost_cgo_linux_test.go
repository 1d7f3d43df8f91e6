//go:build cgo && !android

package thread

import (
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"example.com/thread/internal/buildinfo"
	"example.com/thread/internal/ctest"
	"example.com/thread/internal/leak"
	"example.com/thread/internal/testutil"
)

func init() {
	unnoticed["alien that ends by the system call"] = func() *Thread {
		c := make(chan *Thread)
		testutil.Must(ctest.Vanish(func(int) { c <- Current() }))
		th := <-c
		awaitGoneFromKernel(th)
		return th
	}
	attachedThreads["alien"] = func(body func(*Thread)) {
		testutil.Must(ctest.Aliens(1, func(int) { body(Current()) }))
	}
}

// A thread that C ends under its body is detached if nobody joins it: its stack
// would stay mapped.
func TestThreadEndedByCLeaksNoStack(t *testing.T) {
	leak.InChild(t, func() {
		maps := func() int {
			b, err := os.ReadFile("/proc/self/maps")
			testutil.Must(err)
			return strings.Count(string(b), "\n")
		}
		for _, mode := range []string{
			"detached", "detached by its body", "forgotten", "detached later", "joined later", "joined",
		} {
			const threads = 60
			before := maps()
			for range threads {
				leave := make(chan struct{})
				th, err := Start(func() {
					if mode == "detached by its body" {
						testutil.Must(Current().Detach())
					}
					<-leave
					ctest.PthreadExit()
				}, &Attr{StackSize: 1 << 20, Detached: mode == "detached"})
				testutil.Must(err)
				close(leave)
				if mode == "joined" && th.Join() != ErrPthreadExit {
					panic("joined")
				}
				for th.Alive() {
					runtime.Gosched()
				}
				if mode == "detached later" {
					testutil.Must(th.Detach())
				}
				if mode == "joined later" && th.Join() != ErrPthreadExit {
					panic("joined later")
				}
				awaitGoneFromKernel(th)
			}
			if more := maps() - before; more >= threads { // two for each stack
				panic(fmt.Sprintf("%s: %d threads leave %d maps", mode, threads, more))
			}
		}
	})
}

// Cancellation stays pending until C code enables it, and then ends the thread.
func TestPthreadCancelEndsAThreadOnlyIfCEnablesIt(t *testing.T) {
	if buildinfo.Sanitized {
		t.Skip("asan knows pthread_exit, and takes a cancellation's frames for used ones")
	}
	leak.InChild(t, func() {
		for _, body := range []struct {
			f    func()
			want error
		}{
			{func() {}, nil},
			{func() { _ = ctest.WaitForCancel() }, ErrPthreadExit},
		} {
			canceled := make(chan struct{})
			th, err := Start(func() { <-canceled; body.f() }, nil)
			testutil.Must(err)
			testutil.Must(ctest.Cancel(uintptr(th.Ident())))
			close(canceled)
			if err := th.Join(); err != body.want || NumThread() != 0 {
				panic(fmt.Sprint(err, NumThread()))
			}
		}
		begun := make(chan struct{})
		th, err := Start(func() { close(begun); _ = ctest.WaitForCancel() }, nil)
		testutil.Must(err)
		<-begun
		testutil.Must(ctest.Cancel(uintptr(th.Ident())))
		if err := th.Join(); err != ErrPthreadExit {
			panic(err)
		}
	})
}

func TestJoinNoticesAThreadEndedByTheSystemCall(t *testing.T) {
	leak.InChild(t, func() {
		exit := make(chan struct{})
		th, err := Start(func() {
			<-exit
			_, _, _ = unix.Syscall(unix.SYS_EXIT, 0, 0, 0)
		}, nil)
		testutil.Must(err)
		joined := make(chan error)
		for range 2 {
			go func() { joined <- th.Join() }()
		}
		for th.waiting() < 2 {
			runtime.Gosched()
		}
		close(exit)
		for range 2 {
			if err := <-joined; err != ErrPthreadExit {
				panic(err)
			}
		}
		if err := th.Join(); err != ErrPthreadExit || NumThread() != 0 || records.count() != 0 {
			panic(fmt.Sprint(err, NumThread(), records.count()))
		}
	})
}
