package thread

import (
	"errors"
	"math"
	"os"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/thread/internal/leak"
	"example.com/thread/osthread/topology"
)

// node returns a memory node that the process may use.
func node(t *testing.T) int {
	top, err := topology.Read()
	require.NoError(t, err)
	for _, c := range top.CPUs {
		return c.Node
	}
	t.Skip("no processors are known")
	return 0
}

// mayPlace skips the test where the kernel has no memory nodes, or an emulator
// none of its calls.
func mayPlace(t *testing.T, err error) {
	t.Helper()
	if errors.Is(err, syscall.ENOSYS) || errors.Is(err, syscall.EPERM) || os.Getenv(leak.ExecEnv) != "" && err != nil {
		t.Skip(err)
	}
	require.NoError(t, err)
}

func TestMemoryPolicy(t *testing.T) {
	n := node(t)
	kinds(t, func(t *testing.T, attr func(Attr) *Attr) {
		bound := MemoryPolicy{MemoryBind, []int{n}}
		var inherited MemoryPolicy
		th, err := Start(func() {
			p, err := CurrentMemoryPolicy()
			assert.NoError(t, err)
			assert.Equal(t, bound, p)
			child, err := Start(func() { inherited, _ = CurrentMemoryPolicy() }, nil)
			if assert.NoError(t, err) {
				assert.NoError(t, child.Join())
			}
			for _, p := range []MemoryPolicy{
				{MemoryInterleave, []int{n}},
				{MemoryPreferred, []int{n}},
				{MemoryDefault, nil},
			} {
				assert.NoError(t, SetMemoryPolicy(p))
				now, err := CurrentMemoryPolicy()
				assert.NoError(t, err)
				assert.Equal(t, p, now)
			}
			assert.NoError(t, SetMemoryPolicy(bound))
			for _, p := range []MemoryPolicy{
				{Mode: -1},
				{Mode: MemoryInterleave + 1, Nodes: []int{n}},
				{Mode: MemoryDefault, Nodes: []int{n}},
				{Mode: MemoryBind},
				{Mode: MemoryBind, Nodes: []int{-1}},
				{Mode: MemoryBind, Nodes: []int{math.MaxInt}},
				{Mode: MemoryBind, Nodes: []int{mostNodes - 1}},
				{Mode: MemoryPreferred, Nodes: []int{n, n + 1}},
			} {
				assert.ErrorIs(t, SetMemoryPolicy(p), syscall.EINVAL, p)
			}
			now, err := CurrentMemoryPolicy()
			assert.NoError(t, err)
			assert.Equal(t, bound, now, "unchanged")
		}, attr(Attr{Memory: &bound}))
		mayPlace(t, err)
		require.NoError(t, th.Join())
		if osNative { // Go's runtime creates the others, from a thread of its own
			assert.Equal(t, bound, inherited)
		}
	})
	assert.Equal(t, ErrNotAttached, SetMemoryPolicy(MemoryPolicy{}))
	_, err := CurrentMemoryPolicy()
	assert.Equal(t, ErrNotAttached, err)
}

func TestMemoryPolicyThatIsRefusedStartsNothing(t *testing.T) {
	_, err := Start(func() { t.Error("it ran") }, &Attr{Memory: &MemoryPolicy{MemoryBind, []int{mostNodes - 1}}})
	if !errors.Is(err, syscall.ENOSYS) {
		assert.ErrorIs(t, err, syscall.EINVAL)
	}
	assert.ErrorIs(t, (&Attr{Memory: &MemoryPolicy{Mode: MemoryBind}}).Check(), syscall.EINVAL)
}
