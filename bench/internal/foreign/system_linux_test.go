package foreign

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestProgramDiesWithItsParent(t *testing.T) {
	parent := exec.Command(os.Args[0])
	parent.Env = append(os.Environ(), serving+"=parent")
	out, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	var child int
	_, err = fmt.Fscan(out, &child)
	end := func() {
		_ = parent.Process.Kill() // may have exited already
		_ = parent.Wait()         // by that signal
	}
	if err != nil {
		end()
		t.Fatal(err)
	}
	fd, err := unix.PidfdOpen(child, 0) // before its parent ends, so that the pid is not reused
	end()
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	// The pidfd becomes readable when the process has exited, even if nothing
	// reaps it, as in a container.
	for until := time.Now().Add(answerTime); ; {
		n, err := unix.Poll(
			[]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}},
			int(max(0, time.Until(until))/time.Millisecond),
		)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if n != 1 {
			t.Fatalf("process %d lives, or cannot be waited for: %v", child, err)
		}
		return
	}
}
