package osthread

import (
	"os/exec"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"example.com/thread/internal/park"
)

// A free lock costs what it does because the first attempt is made in the
// caller: one statement more may exceed what the compiler inlines, and then
// each pair costs two calls more.
func TestFirstAttemptsAreInlined(t *testing.T) {
	if runtime.GOARCH != "amd64" && runtime.GOARCH != "arm64" {
		t.Skip("atomic operations of 64 bits are calls elsewhere")
	}
	goTool, err := exec.LookPath("go")
	if err != nil {
		t.Skip("needs the go command: ", err)
	}
	out, err := exec.Command(goTool, "build", "-gcflags=-m", ".").CombinedOutput()
	if err != nil { // without a folder for the build cache, or with what belongs to another user
		t.Skip("go build cannot run here: ", string(out))
	}
	for _, f := range []string{
		"(*Lock).Lock", "(*Lock).Unlock", "(*RWLock).Lock", "(*RWLock).TryRLock", "(*RWLock).RUnlock",
		"(*Semaphore).TryAcquire", "(*Event).IsSet", "(*Event).Wait",
	} {
		assert.Contains(t, "\n"+string(out), ": can inline "+f+"\n", f)
	}
	if park.CanParkUnder {
		// Else each wait of a goroutine returns through two frames more.
		assert.Contains(t, string(out), ": inlining call to wait.(*Node).ParkUnder\n")
	}
	assert.Less(t, 50, strings.Count(string(out), "can inline"), "the compiler has not printed its decisions")
}
