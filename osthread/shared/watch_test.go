//go:build !plan9

package shared

import (
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// watch ends the process with all stacks if the test takes far longer than it
// may.
func watch(t *testing.T) {
	t.Helper()
	timer := time.AfterFunc(time.Minute, func() {
		stacks := make([]byte, 1<<20)
		panic(t.Name() + " hangs\n" + string(stacks[:runtime.Stack(stacks, true)]))
	})
	t.Cleanup(func() { timer.Stop() })
}

// eventually yields until cond is true.
func eventually(t *testing.T, what string, cond func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !cond(); {
		if time.Now().After(end) {
			stacks := make([]byte, 1<<20)
			require.FailNow(t, "never: "+what, string(stacks[:runtime.Stack(stacks, true)]))
		}
		runtime.Gosched()
	}
}
