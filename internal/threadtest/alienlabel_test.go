//go:build cgo && linux && !android && !portablepark

package threadtest

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/thread"
	"example.com/thread/internal/ctest"
)

// A thread of C has the label in all of its calls, and the next one, which gets
// the same goroutine, has its own.
func TestAlienThreadHasAProfilerLabel(t *testing.T) {
	needLabels(t)
	for _, name := range []string{"alien", "other"} {
		require.NoError(t, ctest.Aliens(1, func(int) {
			assert.NotContains(t, labelsHere(t), `"alien"`, "before it is attached")
			thread.Current()
			assert.NoError(t, thread.SetName(name))
			assert.Equal(t, `{"thread":"`+name+`"}`, labelsHere(t))
		}))
	}
	require.NoError(t, ctest.Aliens(1, func(int) {
		_, err := thread.Attach()
		assert.NoError(t, err)
		assert.NoError(t, thread.SetName("alien"))
		assert.NoError(t, thread.Detach())
		assert.NotContains(t, labelsHere(t), `"alien"`)
	}))
}
