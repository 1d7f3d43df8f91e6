package headroom

import (
	"math"
	"runtime"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestThreadsCountsTheProcess(t *testing.T) {
	before := threads()
	assert.Positive(t, before)
	started, leave := make(chan struct{}), make(chan struct{})
	for range 20 {
		go func() {
			runtime.LockOSThread()
			started <- struct{}{}
			<-leave
			runtime.UnlockOSThread()
		}()
		<-started
	}
	assert.GreaterOrEqual(t, threads(), 20)
	close(leave)
}

func TestTheSystemHasMoreTasksThanTheProcess(t *testing.T) {
	assert.GreaterOrEqual(t, tasks(), threads())
	assert.Positive(t, cgroupRoom())
}

func TestReadInt(t *testing.T) {
	assert.Equal(t, math.MaxInt, readInt("/nonexistent"), "no limit")
	assert.Equal(t, math.MaxInt, readInt("/proc/self/status"), "no number")
	assert.Less(t, readInt("/proc/sys/kernel/pid_max"), math.MaxInt)
}

// However much room there is, it is looked at again before it can be used up.
func TestCheckLooksAgain(t *testing.T) {
	unlooked.Store(0)
	assert.NoError(t, Check())
	left := unlooked.Load()
	assert.Less(t, left, int64(room()))
	assert.NoError(t, Check())
	assert.Equal(t, left-1, unlooked.Load())
	unlooked.Store(0)
	assert.NoError(t, Check())
	assert.NotErrorIs(t, Check(), syscall.EAGAIN)
}
