//go:build cgo && !android

package threadtest

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"example.com/thread"
	"example.com/thread/internal/buildinfo"
	"example.com/thread/internal/ctest"
	"example.com/thread/internal/leak"
	"example.com/thread/internal/testutil"
)

// C code that overflows its stack meets the guard, and the process ends by
// SIGSEGV.
func TestAttrGuardSizeStopsAStackOverflow(t *testing.T) {
	for _, guard := range []int{0, 128 << 10} {
		out, err := leak.Child(t, func() {
			attr := &thread.Attr{StackSize: 256 << 10, GuardSize: guard}
			th, err := thread.Start(func() { ctest.Recurse(1 << 30) }, attr)
			testutil.Must(err)
			testutil.Must(th.Join())
		})
		if buildinfo.Sanitized {
			assert.Contains(t, out, "stack-overflow")
			continue
		}
		assert.True(t, endedBySegv(out, err), "%v\n%s", err, out)
	}
}
