//go:build !portablepark

package thread

import (
	"bytes"
	"context"
	"runtime/pprof"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestThreadsInheritProfilerLabels(t *testing.T) {
	kinds(t, func(t *testing.T, attr func(Attr) *Attr) {
		start := func() bool { // whether a profile shows the label
			leave := make(chan struct{})
			var th *Thread
			var err error
			th, err = Start(func() { <-leave }, attr(Attr{}))
			require.NoError(t, err)
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
