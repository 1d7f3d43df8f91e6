//go:build cgo && ((linux && !android) || windows)

package threadtest

import (
	"errors"
	"runtime"
	"runtime/debug"
	"testing"

	"github.com/stretchr/testify/assert"

	"example.com/thread"
	"example.com/thread/internal/ctest"
)

func TestAttrStackSizeAllowsDeepRecursionInC(t *testing.T) {
	ran := false
	stack := 256 << 20
	if runtime.GOOS == "windows" {
		stack = 64 << 20 // the most there
	}
	run(t, &thread.Attr{StackSize: stack}, func() {
		ctest.Recurse(stack / 5 * 4)
		ran = true
	})
	assert.True(t, ran)
}

// The stack size bounds C alone: Go code has its goroutine's stack.
func TestAttrStackSizeDoesNotLimitGo(t *testing.T) {
	run(t, smallStack, func() {
		assert.EqualValues(t, 0, grow(50_000)) // 50 MB of Go frames
		debug.FreeOSMemory()
		assert.Panics(t, func() { panic(1) })
	})
	run(t, leastStack(thread.MinStackSize), func() { assert.EqualValues(t, 0, grow(1000)) })
}

// leastStack returns an Attr with the smallest stack that the platform has, of
// at least n bytes.
func leastStack(n int) *thread.Attr {
	for ; ; n *= 2 {
		a := &thread.Attr{StackSize: n}
		if err := a.Check(); !errors.Is(err, thread.ErrStackSize) {
			return a
		}
	}
}

// grow makes the goroutine's stack grow by n KiB, and returns 0.
func grow(n int) (sum byte) {
	var frame [1 << 10]byte
	if n > 0 {
		sum = grow(n - 1)
	}
	frame[n%len(frame)] = sum
	return frame[0]
}
