package osthread

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestLocalValuesArePerThread(t *testing.T) {
	made := 0
	l := Local[[]string]{New: func() []string { made++; return []string{"new"} }}
	th := start(t, func() error {
		assert.False(t, l.Has())
		assert.Equal(t, []string{"new"}, l.Get())
		l.Set(nil)
		assert.True(t, l.Has())
		assert.Nil(t, l.Get())
		l.Delete()
		assert.Equal(t, []string{"new"}, l.Get())
		for th, v := range l.All() {
			assert.Same(t, Current(), th)
			assert.Equal(t, []string{"new"}, v)
		}
		other := start(t, func() error { assert.False(t, l.Has()); return nil })
		return other.Join()
	})
	require.NoError(t, th.Join())
	assert.Equal(t, 2, made)
	for range l.All() {
		t.Error("a value has outlived its thread")
	}
}
