package foreign

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

func TestAProgramDiesWithItsParent(t *testing.T) {
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
	_ = parent.Process.Kill() // in any case
	_ = parent.Wait()         // by that signal
	if err != nil {
		t.Fatal(err)
	}
	for began := time.Now(); alive(child); {
		if time.Since(began) > time.Minute {
			t.Fatalf("process %d lives", child)
		}
		time.Sleep(time.Millisecond) // between two looks
	}
}

// alive reports whether a process is there and no zombie, which nobody may collect in a container.
func alive(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return false
	}
	_, state, _ := bytes.Cut(stat, []byte(") "))
	return !strings.HasPrefix(string(state), "Z")
}
