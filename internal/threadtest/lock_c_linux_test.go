//go:build cgo && !android && !portablefutex

package threadtest

import (
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"example.com/thread"
	"example.com/thread/internal/ctest"
	"example.com/thread/internal/lockdown"
)

// If the kernel refuses a futex call to C, for this word only, C uses a
// fallback that neither loses a wakeup nor spins.
func TestLockInCFallsBackBehindAFilter(t *testing.T) {
	if err := lockdown.Available(); err != nil {
		t.Skip(err)
	}
	const (
		futexWait, waitBitset = 0, 9
		futexTime64           = 422 // on 32-bit systems; an unused number elsewhere
	)
	for _, c := range []struct {
		name    string
		numbers []uintptr
		ops     []uint32
	}{
		{"64-bit time", []uintptr{futexTime64}, []uint32{futexWait, 1, waitBitset}},
		{"absolute time", []uintptr{futexTime64, unix.SYS_FUTEX}, []uint32{waitBitset}},
		{"waits", []uintptr{futexTime64, unix.SYS_FUTEX}, []uint32{futexWait, waitBitset}},
	} {
		for _, errno := range []syscall.Errno{syscall.ENOSYS, syscall.EPERM} {
			t.Run(c.name+" "+errno.Error(), func(t *testing.T) {
				l, counter := new(thread.Lock), new(int64)
				const threads, times = 4, 5000
				var filtered []lockdown.Call
				for _, n := range c.numbers {
					for _, op := range c.ops {
						filtered = append(filtered, lockdown.Call{Number: n, Args: []lockdown.Arg{
							{
								Index: 0,
								Mask:  0xffffffff,
								Value: uint32(uintptr(unsafe.Pointer(l))),
							}, {Index: 1, Mask: 0x7f, Value: op},
						}})
					}
				}
				filters := make(chan struct{})
				other, err := thread.Start(func() { // without a filter
					<-filters
					for range times {
						l.Lock()
						*counter++
						l.Unlock()
					}
				}, nil)
				require.NoError(t, err)
				// The filter applies to this thread and to threads it creates.
				run(t, nil, func() {
					if !assert.NoError(t, lockdown.Thread(errno, filtered...)) {
						close(filters)
						return
					}
					l.Lock()
					var before, after unix.Rusage
					assert.NoError(t, unix.Getrusage(unix.RUSAGE_THREAD, &before))
					const d = 100 * time.Millisecond
					begun := time.Now()
					assert.Equal(t, syscall.ETIMEDOUT, ctest.LockFor(unsafe.Pointer(l), d))
					assert.GreaterOrEqual(t, time.Since(begun), d)
					assert.NoError(t, unix.Getrusage(unix.RUSAGE_THREAD, &after))
					assert.Less(
						t,
						after.Utime.Nano()+after.Stime.Nano()-before.Utime.Nano()-before.Stime.Nano(),
						int64(d/2),
						"spins",
					)
					close(filters)
					assert.Equal(t, syscall.Errno(0), ctest.Unlock(unsafe.Pointer(l)))
					ctest.AddUnder(unsafe.Pointer(l), counter, threads, times)
				})
				require.NoError(t, other.Join())
				assert.EqualValues(t, (threads+1)*times, *counter)
			})
		}
	}
}
