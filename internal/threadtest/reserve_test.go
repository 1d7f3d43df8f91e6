package threadtest

import (
	"runtime"
	"sync"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/thread"
)

// places returns by how much GOMAXPROCS exceeds base.
func places(base int) int { return runtime.GOMAXPROCS(0) - base }

func reserve(t *testing.T, n int) (release func()) {
	t.Helper()
	release, err := thread.Reserve(n)
	require.NoError(t, err)
	return release
}

// onePlaceOnly skips the test where GOMAXPROCS cannot be raised.
func onePlaceOnly(t *testing.T) {
	if runtime.GOARCH == "wasm" {
		t.Skip("one thread only")
	}
}

func TestReserveRaisesGOMAXPROCSUntilItIsReleased(t *testing.T) {
	onePlaceOnly(t)
	base := runtime.GOMAXPROCS(0)
	none := reserve(t, 0)
	assert.Equal(t, 0, places(base))
	three := reserve(t, 3)
	assert.Equal(t, 3, places(base))
	two := reserve(t, 2)
	assert.Equal(t, 5, places(base))
	two()
	two()
	assert.Equal(t, 5, places(base), "3 of 5 are reserved: not worth a stop of the world")
	two = reserve(t, 2)
	assert.Equal(t, 5, places(base))
	three()
	assert.Equal(t, 2, places(base))
	none()
	two()
	assert.Equal(t, 0, places(base))
}

func TestReserveRefusesABadNumber(t *testing.T) {
	base := runtime.GOMAXPROCS(0)
	for _, n := range []int{-1, 4097, int(^uint(0) >> 1), -int(^uint(0)>>1) - 1} {
		release, err := thread.Reserve(n)
		assert.ErrorIs(t, err, syscall.EINVAL)
		assert.Nil(t, release)
	}
	defer reserve(t, 1)()
	_, err := thread.Reserve(4096)
	assert.ErrorIs(t, err, syscall.EINVAL)
	assert.LessOrEqual(t, places(base), 1)
}

func TestReserveLeavesTheProgramsGOMAXPROCSAlone(t *testing.T) {
	onePlaceOnly(t)
	base := runtime.GOMAXPROCS(0)
	defer runtime.GOMAXPROCS(base)

	first := reserve(t, 2)
	runtime.GOMAXPROCS(7)
	first()
	assert.Equal(t, 7, runtime.GOMAXPROCS(0), "the program's")

	first = reserve(t, 2)
	assert.Equal(t, 9, runtime.GOMAXPROCS(0))
	runtime.GOMAXPROCS(5)
	second := reserve(t, 1)
	assert.Equal(t, 5+3, runtime.GOMAXPROCS(0), "both, beside what the program has set")
	first()
	assert.Equal(t, 5+1, runtime.GOMAXPROCS(0))
	second()
	assert.Equal(t, 5, runtime.GOMAXPROCS(0))
}

// A value that is not the default is restored, and so is the default.
func TestReserveRestoresGOMAXPROCS(t *testing.T) {
	onePlaceOnly(t)
	base := runtime.GOMAXPROCS(0)
	defer runtime.GOMAXPROCS(base)
	runtime.SetDefaultGOMAXPROCS()
	standard := runtime.GOMAXPROCS(0)
	for _, before := range []int{standard, standard + 3, 1} {
		runtime.GOMAXPROCS(before)
		release := reserve(t, 4)
		assert.Equal(t, before+4, runtime.GOMAXPROCS(0))
		release()
		assert.Equal(t, before, runtime.GOMAXPROCS(0))
	}
}

func TestReserveByManyAtOnce(t *testing.T) {
	base := runtime.GOMAXPROCS(0)
	var all sync.WaitGroup
	for n := range 8 {
		all.Go(func() {
			for range 50 {
				release := reserve(t, n)
				all.Go(release)
				release()
			}
		})
	}
	all.Wait()
	assert.Equal(t, 0, places(base))
}
