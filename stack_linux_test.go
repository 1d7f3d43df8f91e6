//go:build cgo && !android

package thread

import (
	"errors"
	"os/exec"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/thread/internal/ctest"
)

// C code that overflows its stack meets the guard, and the process ends by SIGSEGV.
func TestOverflowOfAStackMeetsItsGuard(t *testing.T) {
	for _, guard := range []int{0, 1 << 20} {
		out, err := child(t, func() {
			th, err := Start(func() { ctest.Recurse(1 << 30) }, &Attr{StackSize: 256 << 10, GuardSize: guard})
			must(err)
			must(th.Join())
		})
		var exit *exec.ExitError
		require.True(t, errors.As(err, &exit), "the process went on: %v", err)
		status := exit.Sys().(syscall.WaitStatus)
		if Sanitized {
			assert.Contains(t, out, "stack-overflow")
			continue
		}
		assert.True(t, status.Signaled() && status.Signal() == syscall.SIGSEGV || status.ExitStatus() == 2, "%v", exit)
	}
}

func TestGuardSizes(t *testing.T) {
	for _, guard := range []int{NoGuard, 1, 4096, 64 << 10} {
		run(t, &Attr{StackSize: 256 << 10, GuardSize: guard}, func() { ctest.Recurse(64 << 10) })
	}
}
