package threadtest

import (
	"os"
	"strconv"
	"syscall"
	"testing"

	"example.com/thread"
	"example.com/thread/internal/leak"
	"example.com/thread/internal/testutil"
	"example.com/thread/osthread"
)

// execve replaces a process all of whose other threads live, wait and hold
// locks, from a native thread as well as from a goroutine.
func TestExecWhileThreadsLive(t *testing.T) {
	if os.Getenv(leak.ExecEnv) != "" {
		t.Skip("the system cannot execute what an emulator runs")
	}
	const left = "OSTHREAD_TEST_EXECS"
	leak.InChild(t, func() {
		n := 10
		if s := os.Getenv(left); s != "" {
			var err error
			n, err = strconv.Atoi(s)
			testutil.Must(err)
		}
		if n == 0 {
			return
		}
		var held osthread.Lock
		held.Lock()
		for i := range 8 {
			begun := make(chan struct{})
			_, err := thread.Start(func() { close(begun); held.Lock() }, &thread.Attr{Pinned: i%2 == 0})
			testutil.Must(err)
			<-begun
		}
		testutil.Must(os.Setenv(left, strconv.Itoa(n-1)))
		replace := func() { panic(syscall.Exec("/proc/self/exe", os.Args, os.Environ())) }
		if n%2 == 0 {
			replace()
		}
		_, err := thread.Start(replace, nil)
		testutil.Must(err)
		held.Lock()
	})
}
