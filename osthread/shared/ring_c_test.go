//go:build linux && cgo && !portablefutex

package shared_test

import (
	"math/rand/v2"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/thread/internal/ctest"
	"example.com/thread/osthread/shared"
)

func init() {
	languages["c"] = language{
		ctest.RingProduce, ctest.RingConsume, ctest.RingProduceBytes, ctest.RingConsumeBytes, ctest.RingAbuse,
	}
}

// Processes of C that are killed at random points while they write, or wait for
// room, leave whole records in order, and what sleeps is woken.
func TestRingSurvivesKilledProcessesOfC(t *testing.T) {
	kills := 1000
	if testing.Short() {
		kills = 50
	}
	r := newSharedRing(t, 1024, true)
	ring, err := shared.OpenRing(r.mem)
	require.NoError(t, err)
	rd, err := ring.Reader()
	require.NoError(t, err)
	next := uint64(0)
	for i := range kills {
		pid, err := ctest.RingFork(r.mem, next, false)
		require.NoError(t, err)
		timer := time.AfterFunc(time.Duration(rand.IntN(2000))*time.Microsecond, func() {
			assert.NoError(t, syscall.Kill(pid, syscall.SIGKILL))
		})
		var status syscall.WaitStatus
		for dead := false; ; {
			record, err := rd.Next()
			if err == nil {
				require.True(t, right(record, next), "%d of %d", next, i)
				next++
				continue
			}
			require.ErrorIs(t, err, shared.ErrBusy)
			rd.Release()
			if dead {
				break
			}
			if i%2 == 0 { // otherwise the writer waits for room mostly
				_ = rd.WaitTimeout(time.Millisecond)
			}
			got, err := syscall.Wait4(pid, &status, syscall.WNOHANG, nil)
			require.NoError(t, err)
			dead = got == pid
		}
		timer.Stop()
		require.Equal(t, syscall.SIGKILL, status.Signal(), status)
	}
	assert.NotZero(t, next)
}

// A reader that is killed has released what it has read, or not; the next one
// continues there, and the writer, which waits for room, is woken.
func TestRingSurvivesKilledReadersOfC(t *testing.T) {
	kills := 1000
	if testing.Short() {
		kills = 50
	}
	r := newSharedRing(t, 1024, true)
	ring, err := shared.OpenRing(r.mem)
	require.NoError(t, err)
	w, err := ring.Writer()
	require.NoError(t, err)
	sent := uint64(0)
	write := func() {
		for {
			record, err := w.Reserve(length(sent))
			if err != nil {
				require.ErrorIs(t, err, shared.ErrBusy)
				require.NoError(t, w.Commit())
				return
			}
			fillRecord(record, sent)
			sent++
		}
	}
	released := uint64(0)
	for range kills {
		// What the last one has not released is read again.
		pid, err := ctest.RingFork(r.mem, released, true)
		require.NoError(t, err)
		timer := time.AfterFunc(time.Duration(rand.IntN(2000))*time.Microsecond, func() {
			assert.NoError(t, syscall.Kill(pid, syscall.SIGKILL))
		})
		var status syscall.WaitStatus
		for {
			write()
			_ = w.WaitRoomTimeout(64, time.Millisecond)
			got, err := syscall.Wait4(pid, &status, syscall.WNOHANG, nil)
			require.NoError(t, err)
			if got == pid {
				break
			}
		}
		timer.Stop()
		require.Equal(t, syscall.SIGKILL, status.Signal(), status)
		rd, err := ring.Reader()
		require.NoError(t, err)
		unread := uint64(0)
		for err == nil {
			_, err = rd.Next()
			unread++
		}
		released = sent - (unread - 1)
	}
	assert.NotZero(t, released)
}

func TestSegmentOfGoIsThatOfC(t *testing.T) {
	s := newSegment(t, 100)
	n, err := shared.SegmentAt[uint64](s, 8)
	require.NoError(t, err)
	f := dup(t, s)
	fd, err := syscall.Dup(int(f.Fd()))
	require.NoError(t, err)
	_, err = ctest.SegmentUse(fd, 8)
	assert.ErrorIs(t, err, syscall.EPROTO)
	wrong, err := ctest.SegmentUse(fd, 7)
	require.NoError(t, err)
	assert.Zero(t, wrong)
	assert.Equal(t, uint64(1), *n)
	require.NoError(t, f.Close())

	path := filepath.Join(t.TempDir(), "segment")
	require.NoError(t, ctest.SegmentFile(path, true, 9))
	assert.ErrorIs(t, ctest.SegmentFile(path, true, 9), syscall.EEXIST)
	assert.ErrorIs(t, ctest.SegmentFile(path, false, 10), syscall.EPROTO)
	require.NoError(t, ctest.SegmentFile(path, false, 9))
	of, err := shared.OpenSegmentFile(path, 9)
	require.NoError(t, err)
	assert.Equal(t, 100, of.Size())
	fd, err = syscall.Dup(int(of.File().Fd()))
	require.NoError(t, err)
	_, err = ctest.SegmentUse(fd, 9)
	assert.ErrorIs(t, err, syscall.EPERM)
	require.NoError(t, syscall.Close(fd))
	require.NoError(t, of.Detach())

	name := "/osthread" + strings.ReplaceAll(path, "/", "-")
	require.NoError(t, ctest.SegmentShm(name, true, 9))
	of, err = shared.OpenSegmentShm(name, 9)
	require.NoError(t, err)
	require.NoError(t, of.Detach())
	require.NoError(t, ctest.SegmentShm(name, false, 9))
	require.NoError(t, shared.RemoveSegmentShm(name))
	assert.ErrorIs(t, ctest.SegmentShm(name, false, 9), syscall.ENOENT)
}

func init() { abuse["c"] = ctest.ObjectsAbuse }

func TestObjectsOfGoAreLaidOutAsThoseOfC(t *testing.T) {
	assert.Equal(t, ctest.ObjectsSize, int(unsafe.Sizeof(objects{})))
}
