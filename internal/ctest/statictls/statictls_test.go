//go:build cgo && linux && !android && !asan && !msan

package statictls_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/thread"
	"example.com/thread/internal/ctest"
	"example.com/thread/internal/ctest/statictls"
)

// A stack size is for the frames of C code, whatever else the C library takes
// from the stack. A sanitizer's frames are larger, so it is left out.
func TestStackSizeIsForFrames(t *testing.T) {
	for _, stack := range []int{max(64<<10, statictls.LeastStack()), 128 << 10, 208 << 10, 1 << 20} {
		ran := false
		th, err := thread.Start(func() {
			statictls.Touch()
			ctest.Recurse(stack - 32<<10) // Go's part of the stack of C is a few KiB
			ran = true
		}, &thread.Attr{StackSize: stack})
		require.NoError(t, err, stack)
		assert.Equal(t, stack, th.StackSize())
		assert.NoError(t, th.Join())
		assert.True(t, ran)
	}
}
