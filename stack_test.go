//go:build cgo && ((linux && !android) || windows)

package thread

import (
	"runtime/debug"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/thread/internal/ctest"
)

func TestDeepCRecursionOnABigStack(t *testing.T) {
	ran := false
	_, most, err := osStackBounds()
	require.NoError(t, err)
	stack := min(256<<20, most)
	run(t, &Attr{StackSize: stack}, func() {
		ctest.Recurse(stack / 5 * 4)
		ran = true
	})
	assert.True(t, ran)
}

// The stack size bounds C alone: Go code has its goroutine's stack.
func TestDeepGoRecursionOnASmallStack(t *testing.T) {
	run(t, smallStack, func() {
		assert.EqualValues(t, 0, grow(50_000)) // 50 MB of Go frames
		debug.FreeOSMemory()
		assert.Panics(t, func() { panicHere() })
	})
	run(t, &Attr{StackSize: max(MinStackSize, minStack)}, func() { assert.EqualValues(t, 0, grow(1000)) })
}
