//go:build cgo && linux && !android

package thread

import (
	"runtime/debug"
	"testing"

	"github.com/stretchr/testify/assert"

	"example.com/thread/internal/ctest"
)

func TestDeepCRecursionOnABigStack(t *testing.T) {
	ran := false
	run(t, &Attr{StackSize: 256 << 20}, func() {
		ctest.Recurse(200 << 20)
		ran = true
	})
	assert.True(t, ran)
}

// The stack size bounds C alone: Go code has its goroutine's stack.
func TestDeepGoRecursionOnASmallStack(t *testing.T) {
	run(t, &Attr{StackSize: 64 << 10}, func() {
		assert.EqualValues(t, 0, grow(50_000)) // 50 MB of Go frames
		debug.FreeOSMemory()
		assert.Panics(t, func() { panicHere() })
	})
	run(t, &Attr{StackSize: MinStackSize}, func() { assert.EqualValues(t, 0, grow(1000)) })
}

// C code that overflows its stack meets the guard, and the process ends by SIGSEGV.
func TestOverflowOfAStackMeetsItsGuard(t *testing.T) {
	for _, guard := range []int{0, 128 << 10} {
		out, err := child(t, func() {
			th, err := Start(func() { ctest.Recurse(1 << 30) }, &Attr{StackSize: 256 << 10, GuardSize: guard})
			must(err)
			must(th.Join())
		})
		assert.True(t, endedBySegv(out, err), "%v\n%s", err, out)
	}
}

func TestGuardSizes(t *testing.T) {
	for _, guard := range []int{NoGuard, 1, 4096, 64 << 10} {
		run(t, &Attr{StackSize: 256 << 10, GuardSize: guard}, func() { ctest.Recurse(64 << 10) })
	}
}
