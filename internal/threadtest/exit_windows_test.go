package threadtest

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/thread"
	"example.com/thread/internal/ctest"
	"example.com/thread/internal/leak"
	"example.com/thread/internal/testutil"
)

// While a new thread is on its way into Go nothing else may run, and Go's
// runtime must not take that for a deadlock, as it does in programs without
// cgo. A test's own timeout hides that, so the child has none.
func TestStartIsNoDeadlockWhileAllElseSleeps(t *testing.T) {
	if os.Getenv(leak.ChildEnv) == t.Name() {
		leave := make(chan struct{})
		var all []*thread.Thread
		for range 30 {
			th, err := thread.Start(func() { <-leave }, nil)
			testutil.Must(err)
			all = append(all, th)
		}
		close(leave)
		for _, th := range all {
			testutil.Must(th.Join())
		}
		return
	}
	ctx, cancel := context.WithTimeout(t.Context(), testTimeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0], "-test.run=^"+t.Name()+"$", "-test.timeout=0")
	cmd.Env = append(os.Environ(), leak.ChildEnv+"="+t.Name())
	out, err := cmd.CombinedOutput()
	assert.NoError(t, err, "%s", out)
}

// Windows calls back at the end of the process, too, when all other threads are
// gone with what they had.
func TestThreadCallsOsExit(t *testing.T) {
	exit := map[string]func(){
		"native": func() {
			_, err := thread.Start(func() { os.Exit(3) }, nil)
			testutil.Must(err)
			select {}
		},
		"alien": func() {
			testutil.Must(ctest.Aliens(1, func(int) {
				if thread.Current() != nil {
					os.Exit(3)
				}
			}))
		},
	}
	for name, end := range exit {
		t.Run(name, func(t *testing.T) {
			_, err := leak.Child(t, func() {
				var quit atomic.Bool
				for range 8 { // they hold the Ps
					go func() {
						for !quit.Load() {
						}
					}()
				}
				end()
			})
			var ended *exec.ExitError
			require.True(t, errors.As(err, &ended), "%v", err)
			assert.Equal(t, 3, ended.ExitCode())
		})
	}
}
