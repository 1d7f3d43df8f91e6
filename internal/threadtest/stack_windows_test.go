//go:build cgo

package threadtest

import (
	"errors"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/windows"

	"example.com/thread"
	"example.com/thread/internal/ctest"
	"example.com/thread/internal/leak"
	"example.com/thread/internal/testutil"
)

// C code that overflows its stack meets the system's guard, and the process
// ends.
func TestAttrGuardSizeStopsAStackOverflow(t *testing.T) {
	out, err := leak.Child(t, func() {
		th, err := thread.Start(func() { ctest.Recurse(1 << 30) }, &thread.Attr{StackSize: 256 << 10})
		testutil.Must(err)
		testutil.Must(th.Join())
	})
	var exit *exec.ExitError
	require.True(t, errors.As(err, &exit), "the process went on: %v", err)
	const goesCode = 2 // where its handler still has a stack to run on
	assert.Contains(
		t,
		[]uint32{goesCode, uint32(windows.STATUS_STACK_OVERFLOW), uint32(windows.STATUS_ACCESS_VIOLATION)},
		uint32(exit.ExitCode()),
		out,
	)
}
