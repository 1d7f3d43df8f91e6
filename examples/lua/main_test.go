package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/thread/osthread"
)

// requireBuilt skips the test in a build without Lua, as err says.
func requireBuilt(t *testing.T, err error) {
	t.Helper()
	if errors.Is(err, errors.ErrUnsupported) {
		t.Skip(err)
	}
	require.NoError(t, err)
}

func machineOf(t *testing.T, stack int) *machine {
	t.Helper()
	m, err := newMachine(stack)
	requireBuilt(t, err)
	t.Cleanup(func() { assert.NoError(t, m.close()) })
	return m
}

func nested(depth int) string {
	var b strings.Builder
	for i := range depth {
		fmt.Fprintf(&b, "{%d,", i+1)
	}
	return b.String() + "{}" + strings.Repeat("}", depth)
}

func TestGoroutinesGetDeepListsFromOneThread(t *testing.T) {
	m := machineOf(t, stackSize)
	var asking sync.WaitGroup
	for i := range 16 {
		asking.Go(func() {
			depth := i * 6000
			text, used, err := m.nested(depth)
			assert.NoError(t, err)
			assert.True(t, text == nested(depth), depth) // Equal would print the lists
			assert.Greater(t, used, depth*256, "every list takes a frame")
			assert.Less(t, used, stackSize)
		})
	}
	asking.Wait()
	_, used, err := m.nested(90_000)
	require.NoError(t, err)
	assert.Greater(t, used, 16<<20, "more than threads have")
}

// Lua would not survive two threads at once, and count not two calls.
func TestStateIsUsedByOneAtATime(t *testing.T) {
	const goroutines, calls = 8, 200
	m := machineOf(t, 1<<20)
	var seen sync.Map
	var asking sync.WaitGroup
	for range goroutines {
		asking.Go(func() {
			for range calls {
				n, err := m.eval(`count = (count or 0) + 1 return tostring(count)`)
				assert.NoError(t, err)
				_, twice := seen.LoadOrStore(n, nil)
				assert.False(t, twice, n)
			}
		})
	}
	asking.Wait()
	last, err := m.eval(`return tostring(count)`)
	assert.NoError(t, err)
	assert.Equal(t, strconv.Itoa(goroutines*calls), last)
}

func TestTooDeepIsAnErrorAndTheWorkerGoesOn(t *testing.T) {
	m := machineOf(t, 1<<20)
	_, _, err := m.nested(100_000)
	assert.ErrorContains(t, err, "nested too deeply for the stack of this thread")
	_, err = m.eval(`return text({1, {"a"}})`)
	assert.ErrorContains(t, err, "neither a number nor a list")
	_, err = m.eval(`return text(`)
	assert.ErrorContains(t, err, "unexpected symbol")
	text, err := m.eval(`return (text({1, {2.5, {}}, {-3}, {{}}}))`)
	assert.NoError(t, err)
	assert.Equal(t, "{1,{2.5,{}},{-3},{{}}}", text)
}

func TestRunShowsBothStacks(t *testing.T) {
	before := osthread.NumThread()
	var w strings.Builder
	requireBuilt(t, run(&w))
	count := func(format string, a ...any) int { return strings.Count(w.String(), fmt.Sprintf(format, a...)) }
	assert.Equal(t, 2, count("  10 lists: %d characters took ", len(nested(10))), w.String())
	assert.Equal(t, 1, count("  100000 lists: %d characters took ", len(nested(100_000))), w.String())
	assert.Equal(t, 2, count("  300000 lists: nested too deeply for the stack of this thread\n"), w.String())
	assert.LessOrEqual(t, osthread.NumThread(), before)
}
