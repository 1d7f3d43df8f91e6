// Package threadtest tests the exported API of package thread.
package threadtest

import (
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"example.com/thread"
	"example.com/thread/internal/keep"
	"example.com/thread/internal/leak"
	"example.com/thread/internal/testutil"
)

func TestMain(m *testing.M) {
	leak.Main(m, func() (left string) {
		thread.Threads() // drops the records of threads that are gone
		if n := thread.NumThread(); n != 0 {
			left += fmt.Sprintf(" %d threads", n)
		}
		if n := keep.Records(); n != 0 {
			left += fmt.Sprintf(" %d records", n)
		}
		return left
	})
}

// testTimeout bounds the wait for what must happen.
const testTimeout = testutil.Timeout

// The states of a Lock's word; see csrc/osthread.h.
const (
	free      = 0
	contended = 2
)

// hasNative reports whether threads are native unless they are asked to be
// pinned.
var hasNative = !errors.Is((&thread.Attr{StackSize: 1 << 20}).Check(), errors.ErrUnsupported)

// kinds runs f for native threads, where there are any, and pinned ones.
func kinds(t *testing.T, f func(t *testing.T, attr func(thread.Attr) *thread.Attr)) {
	for _, pinned := range []bool{false, true} {
		if pinned || hasNative {
			t.Run(fmt.Sprintf("pinned=%v", pinned), func(t *testing.T) {
				f(t, func(a thread.Attr) *thread.Attr { a.Pinned = pinned; return &a })
			})
		}
	}
}

// kindOf returns the kind of th: native, pinned, attached or alien.
func kindOf(th *thread.Thread) string {
	s := th.String() // thread "NAME" (KIND, STATE, ID)
	kind, _, _ := strings.Cut(s[strings.LastIndexByte(s, '(')+1:], ",")
	return kind
}

// run runs body on a thread and joins it.
func run(t *testing.T, attr *thread.Attr, body func()) {
	t.Helper()
	th, err := thread.Start(body, attr)
	require.NoError(t, err)
	require.NoError(t, th.Join())
}

// quiet keeps intended panics off standard error, and counts them.
func quiet(t *testing.T) *atomic.Int64 {
	var n atomic.Int64
	thread.SetPanicHook(func(*thread.Thread, *thread.PanicError) { n.Add(1) })
	t.Cleanup(func() { thread.SetPanicHook(nil) })
	return &n
}
