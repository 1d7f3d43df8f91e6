//go:build cgo && !android

package thread

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"example.com/thread/internal/ctest"
)

// C code that overflows its stack meets the guard, and the process ends by
// SIGSEGV.
func TestOverflowOfAStackMeetsItsGuard(t *testing.T) {
	for _, guard := range []int{0, 128 << 10} {
		out, err := child(t, func() {
			th, err := Start(func() { ctest.Recurse(1 << 30) }, &Attr{StackSize: 256 << 10, GuardSize: guard})
			must(err)
			must(th.Join())
		})
		if Sanitized {
			assert.Contains(t, out, "stack-overflow")
			continue
		}
		assert.True(t, endedBySegv(out, err), "%v\n%s", err, out)
	}
}
