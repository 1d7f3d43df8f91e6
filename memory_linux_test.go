package thread

import (
	"errors"
	"os"
	"regexp"
	"runtime"
	"strconv"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"example.com/thread/internal/leak"
)

// lockedKiB returns how much memory of the process is locked.
func lockedKiB(t *testing.T) int {
	status, err := os.ReadFile("/proc/self/status")
	require.NoError(t, err)
	m := regexp.MustCompile(`VmLck:\s*(\d+) kB`).FindSubmatch(status)
	require.NotNil(t, m)
	n, err := strconv.Atoi(string(m[1]))
	require.NoError(t, err)
	return n
}

func TestLockMemory(t *testing.T) {
	leak.InChild(t, func() {
		if !mayLockAll() {
			assert.ErrorIs(t, LockMemory(), syscall.EPERM)
			return
		}
		switch err := LockMemory(); {
		case errors.Is(err, syscall.EINVAL), errors.Is(err, syscall.EPERM), errors.Is(err, syscall.ENOSYS):
			t.Skip("an old kernel, an emulator, or a filter: ", err)
		default:
			require.NoError(t, err)
		}
		assert.NoError(t, LockMemory(), "again")
		before := lockedKiB(t)
		assert.Positive(t, before)
		// Threads and Go's memory come as before.
		for range 10 {
			th, err := Start(func() {}, &Attr{})
			require.NoError(t, err)
			assert.NoError(t, th.Join())
		}
		b := make([]byte, 64<<20)
		for i := 0; i < len(b); i += 4096 {
			b[i] = 1
		}
		assert.Greater(t, lockedKiB(t), before, "what is mapped later is locked")
		runtime.KeepAlive(b)
		assert.NoError(t, UnlockMemory())
		assert.Zero(t, lockedKiB(t))
		assert.NoError(t, UnlockMemory())
	})
}

// With a limit a later mmap would fail, and end the process.
func TestLockMemoryIsRefusedWithALimit(t *testing.T) {
	needRoot(t)
	leak.InChild(t, func() {
		require.NoError(t, unix.Setrlimit(unix.RLIMIT_MEMLOCK, &unix.Rlimit{Cur: 4096, Max: 4096}))
		becomeNobody()
		assert.ErrorIs(t, LockMemory(), syscall.EPERM)
		assert.Zero(t, lockedKiB(t))
		assert.NoError(t, UnlockMemory())
	})
}
