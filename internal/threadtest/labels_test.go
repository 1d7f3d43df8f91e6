//go:build !portablepark

package threadtest

import (
	"bytes"
	"context"
	"fmt"
	"runtime/pprof"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/thread"
	"example.com/thread/internal/proflabel"
)

// The labels of a thread are those of its starter and its name, in the order
// and with the lookup that runtime/pprof relies on.
func TestThreadNameIsAProfilerLabel(t *testing.T) {
	if proflabel.WithThread(nil, "x") == nil {
		t.Skip("not with this Go, or portablepark")
	}
	kinds(t, func(t *testing.T, attr func(thread.Attr) *thread.Attr) {
		profile := func() string { // while a named thread waits
			leave := make(chan struct{})
			th, err := thread.Start(func() { <-leave }, attr(thread.Attr{Name: "grinder"}))
			require.NoError(t, err)
			th.NativeID() // waits until the thread runs
			var b bytes.Buffer
			require.NoError(t, pprof.Lookup("goroutine").WriteTo(&b, 1))
			close(leave)
			require.NoError(t, th.Join())
			return b.String()
		}
		assert.Contains(t, profile(), `"thread":"grinder"`)
		for _, labels := range [][]string{{"job", "x"}, {"zone", "y"}, {"job", "x", "thread", "other", "zone", "y"}} {
			pprof.Do(t.Context(), pprof.Labels(labels...), func(context.Context) {
				b := profile()
				assert.Contains(t, b, `"thread":"grinder"`)
				for i := 0; i < len(labels); i += 2 {
					if labels[i] != "thread" {
						assert.Contains(t, b, fmt.Sprintf("%q:%q", labels[i], labels[i+1]))
					}
				}
			})
		}
	})
}

func TestThreadInheritsProfilerLabels(t *testing.T) {
	kinds(t, func(t *testing.T, attr func(thread.Attr) *thread.Attr) {
		start := func() bool { // whether a profile shows the label
			leave := make(chan struct{})
			var th *thread.Thread
			var err error
			th, err = thread.Start(func() { <-leave }, attr(thread.Attr{}))
			require.NoError(t, err)
			th.NativeID()                         // waits until the thread runs
			pprof.SetGoroutineLabels(t.Context()) // it is not this goroutine's
			var b bytes.Buffer
			require.NoError(t, pprof.Lookup("goroutine").WriteTo(&b, 1))
			close(leave)
			require.NoError(t, th.Join())
			return bytes.Contains(b.Bytes(), []byte(`"job":"inherited"`))
		}
		var seen bool
		pprof.Do(t.Context(), pprof.Labels("job", "inherited"), func(context.Context) { seen = start() })
		assert.True(t, seen, "with labels")
		assert.False(t, start(), "after a thread with labels")
	})
}
