package headroom

import (
	"math"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestThreadsCountsTheProcess(t *testing.T) {
	before := ownThreads()
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
	assert.GreaterOrEqual(t, ownThreads(), 20)
	close(leave)
}

func TestTasksIsAtLeastOwnThreads(t *testing.T) {
	assert.GreaterOrEqual(t, tasks(), ownThreads())
	assert.Positive(t, cgroupRoom())
}

func TestReadInt(t *testing.T) {
	assert.Equal(t, math.MaxInt, readInt("/nonexistent"), "no limit")
	assert.Equal(t, math.MaxInt, readInt("/proc/self/status"), "no number")
	assert.Less(t, readInt("/proc/sys/kernel/pid_max"), math.MaxInt)
}

// The limits are read again before the room can be used up.
func TestNativeReadsTheLimitsAgain(t *testing.T) {
	threads.left.Store(0)
	assert.NoError(t, Native(0))
	left := threads.left.Load()
	assert.Less(t, left, int64(room(0)))
	assert.NoError(t, Native(0))
	assert.Equal(t, left-1, threads.left.Load())
	threads.left.Store(0)
	assert.NoError(t, Native(0))
	for range 3 {
		Settle()
	}
	assert.Zero(t, pending.Load())
}

// A reservation that is not settled may not be counted by the system yet.
func TestReservationsCount(t *testing.T) {
	threads.left.Store(0)
	assert.NoError(t, Native(0))
	free := threads.left.Load()
	pending.Add(1000)
	threads.left.Store(0)
	assert.NoError(t, Native(0))
	assert.Less(t, threads.left.Load(), free)
	pending.Add(-1000)
	Settle()
	Settle()
}

// A caller that is refused again and again, whatever it asks for, finds no room
// by the overflow of a budget.
func TestRefusedCallersFindNoRoom(t *testing.T) {
	defer func() { refusal = refused{} }()
	refusal = refused{0, time.Now().Add(time.Hour)}
	threads.left.Store(0)
	for range 10 {
		assert.ErrorIs(t, Native(min(1<<46, math.MaxInt)), syscall.EAGAIN)
	}
	assert.GreaterOrEqual(t, bytes.left.Load(), int64(-1<<46))
}

// Where the system refused a thread there is a limit for some time, unless it
// was its stack that there was no memory for.
func TestRefusalIsALimit(t *testing.T) {
	defer func() { refusal = refused{} }()
	if is64bit { // with 32 bits nothing is too big to be mapped
		Refused(os.NewSyscallError("pthread_create", syscall.EAGAIN), min(1<<62, math.MaxInt))
	}
	Refused(syscall.EPERM, 0)
	assert.NoError(t, Native(0))
	Settle()
	Refused(os.NewSyscallError("pthread_create", syscall.EAGAIN), 0)
	refusal.at = time.Now().Add(time.Hour) // it stands, however slow this is
	assert.ErrorIs(t, Native(0), syscall.EAGAIN)
	assert.ErrorIs(t, Pinned(), syscall.EAGAIN)
	refusal.at = time.Now().Add(-2 * nativeRefusal)
	assert.NoError(t, Native(0), "it asks the system again")
	assert.ErrorIs(t, Pinned(), syscall.EAGAIN, "also though that was let through")
	refusal.at = time.Now().Add(-2 * pinnedRefusal)
	assert.NoError(t, Pinned())
	assert.False(t, refusalStands.Load())
	Settle()
	Settle()
}

func TestMaxThreadsLeavesTheLimitAsItIs(t *testing.T) {
	defer debug.SetMaxThreads(debug.SetMaxThreads(777))
	assert.Equal(t, 777, maxThreads())
	assert.Equal(t, 777, maxThreads())
	assert.Equal(t, 777, debug.SetMaxThreads(777))
}

func TestGoThreadsAreCounted(t *testing.T) {
	assert.Positive(t, goThreadCount())
	for goThreadCount() > int64(ownThreads()) { // the runtime counts a thread before it makes it
		runtime.Gosched()
	}
}

func TestThreadsOfOthersAreTheUsers(t *testing.T) {
	before := threadsOfOthers()
	sleep := exec.Command("sleep", "100")
	if err := sleep.Start(); err != nil {
		t.Skip(err)
	}
	assert.Positive(t, threadsOfOthers())
	assert.LessOrEqual(t, threadsOfOthers(), tasks(), "%d before", before)
	assert.NoError(t, sleep.Process.Kill())
	assert.Error(t, sleep.Wait(), "killed")
}

func TestMemoryIsWhatTheLimitsLeave(t *testing.T) {
	if is64bit {
		assert.Equal(t, int64(noLimit), memory(100), "no limit")
	}
	assert.Positive(t, inUse(0))
	assert.Positive(t, inUse(5))
	assert.Less(t, inUse(5), inUse(0))
}
