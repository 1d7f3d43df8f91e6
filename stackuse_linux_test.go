//go:build cgo && !android

package thread

import (
	"errors"
	"os"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/thread/internal/ctest"
	"example.com/thread/internal/leak"
)

// The use of a stack is right to the page, whatever shows it.
func TestStackUseIsThatOfCFrames(t *testing.T) {
	for how, read := range map[string]func(low, high uintptr) (uintptr, error){
		"pagemap": firstTouched,
		"mincore": func(low, high uintptr) (uintptr, error) { return firstPage(low, high, mincore) },
	} {
		for _, n := range []int{1, 64 << 10, 1 << 20, 16<<20 + 12345, 64 << 20} {
			th := startWith(t, &Attr{StackSize: n + 256<<10, MeasureStack: true}, func() {
				me := Current()
				first, err := me.StackUse()
				assert.NoError(t, err)
				assert.GreaterOrEqual(t, first.Size, n+256<<10)
				assert.Less(t, first.Used, 64<<10, "with little on it")
				lowest := ctest.Touch(n)
				low, high, err := stackOf(me)
				assert.NoError(t, err)
				touched, err := read(low, high)
				assert.NoError(t, err)
				if n >= 64<<10 { // deeper than all else
					assert.Equal(t, lowest&^uintptr(pageSize-1), touched, how)
				}
				use, err := me.StackUse()
				assert.NoError(t, err)
				assert.Equal(t, int(high-touched), use.Used, how)
				again, err := me.StackUse()
				assert.NoError(t, err)
				assert.Equal(t, use, again)
			})
			require.NoError(t, th.Join())
			use, err := th.StackUse()
			require.NoError(t, err)
			assert.InDelta(t, n, use.Used, 64<<10, "at the end")
		}
	}
}

func startWith(t *testing.T, a *Attr, f func()) *Thread {
	th, err := Start(f, a)
	require.NoError(t, err)
	return th
}

// What another thread asks is what the thread itself would see.
func TestStackUseOfAnotherThread(t *testing.T) {
	kinds(t, func(t *testing.T, attr func(Attr) *Attr) {
		used, end := make(chan uintptr), make(chan struct{})
		th := startWith(t, attr(Attr{}), func() {
			used <- ctest.Touch(64 << 10) // musl has stacks of 128 KiB
			<-end
		})
		lowest := <-used
		use, err := th.StackUse()
		assert.NoError(t, err)
		assert.GreaterOrEqual(t, use.Used, 64<<10)
		assert.Less(t, use.Used, 128<<10, lowest)
		close(end)
		assert.NoError(t, th.Join())
		_, err = th.StackUse()
		assert.Equal(t, ErrEnded, err, "it was not measured")
	})
	_, err := new(Thread).StackUse()
	assert.Equal(t, ErrEnded, err)
}

// A stack that a thread before has used is as new.
func TestStackUseOfAStackThatIsUsedAgain(t *testing.T) {
	slack := 64.0 * 1024
	if os.Getenv(leak.ExecEnv) != "" {
		slack *= 8 // the memory that an emulator maps may have larger pages
	}
	for _, n := range []int{4 << 20, 0} {
		for range 20 {
			th := startWith(t, &Attr{StackSize: 8 << 20, MeasureStack: true}, func() { ctest.Touch(n + 1) })
			require.NoError(t, th.Join())
			use, err := th.StackUse()
			require.NoError(t, err)
			assert.InDelta(t, n, use.Used, slack)
		}
	}
}

func TestStackUseOfAttachedThreads(t *testing.T) {
	th, err := Attach()
	require.NoError(t, err)
	use, err := th.StackUse()
	assert.NoError(t, err)
	assert.Positive(t, use.Used)
	assert.Greater(t, use.Size, use.Used)
	got := make(chan error)
	go func() {
		runtime.LockOSThread() // another thread
		defer runtime.UnlockOSThread()
		_, err := th.StackUse()
		got <- err
	}()
	assert.ErrorIs(t, <-got, errors.ErrUnsupported)
	assert.NoError(t, Detach())
	_, err = th.StackUse()
	assert.Equal(t, ErrEnded, err)
}

// On the first thread the limit is the size, and what the stack has not grown
// to is not mapped.
func TestStackUseWhatIsNotMapped(t *testing.T) {
	low := uintptr(pageSize) // no process has it mapped
	for _, read := range []func(low, high uintptr) (uintptr, error){
		firstTouched,
		func(low, high uintptr) (uintptr, error) { return firstPage(low, high, mincore) },
	} {
		at, err := read(low, low+4*uintptr(pageSize))
		assert.NoError(t, err)
		assert.Equal(t, low+4*uintptr(pageSize), at)
	}
}
