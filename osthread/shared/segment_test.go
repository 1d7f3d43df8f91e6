//go:build linux

package shared_test

import (
	"encoding/binary"
	"io/fs"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"example.com/thread/osthread/shared"
)

func newSegment(t testing.TB, size int) *shared.Segment {
	t.Helper()
	s, err := shared.CreateSegment(size, 7)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, s.Detach()) })
	return s
}

// dup returns another file of the segment's, as a child gets it.
func dup(t testing.TB, s *shared.Segment) *os.File {
	t.Helper()
	fd, err := unix.FcntlInt(s.File().Fd(), unix.F_DUPFD_CLOEXEC, 0)
	require.NoError(t, err)
	return os.NewFile(uintptr(fd), "segment")
}

func TestSegmentIsTheSameMemoryForAll(t *testing.T) {
	s := newSegment(t, 4096)
	assert.Equal(t, 4096, s.Size())
	assert.True(t, s.Sealed())
	other, err := shared.AttachSegment(dup(t, s), 7)
	require.NoError(t, err)
	a, err := shared.SegmentAt[atomic.Uint64](s, 64)
	require.NoError(t, err)
	b, err := shared.SegmentAt[atomic.Uint64](other, 64)
	require.NoError(t, err)
	a.Store(42)
	assert.Equal(t, uint64(42), b.Load())
	require.NoError(t, other.Detach())
	assert.ErrorIs(t, other.Detach(), os.ErrClosed)
	assert.Zero(t, other.Size())
	_, err = other.Bytes(0, 0)
	assert.ErrorIs(t, err, os.ErrClosed)
	a.Store(43) // the memory lives on
}

func TestSegmentChecksBoundsAndAlignment(t *testing.T) {
	s := newSegment(t, 100)
	for _, c := range []struct{ offset, n int }{
		{-1, 1}, {0, -1}, {0, 101}, {100, 1}, {101, 0}, {1, int(^uint(0) >> 1)},
	} {
		_, err := s.Bytes(c.offset, c.n)
		assert.ErrorIs(t, err, shared.ErrInvalid, c)
	}
	b, err := s.Bytes(100, 0)
	require.NoError(t, err)
	assert.Empty(t, b)
	_, err = shared.SegmentAt[atomic.Uint64](s, 4)
	assert.ErrorIs(t, err, shared.ErrInvalid)
	_, err = shared.SegmentAt[atomic.Uint64](s, 96)
	assert.ErrorIs(t, err, shared.ErrInvalid)
	_, err = shared.SegmentAt[[101]byte](s, 0)
	assert.ErrorIs(t, err, shared.ErrInvalid)
	_, err = shared.SegmentAt[[100]byte](s, 0)
	require.NoError(t, err)
	_, err = shared.SegmentAt[struct{}](s, 100)
	require.NoError(t, err)
	_, err = shared.CreateSegment(-1, 0)
	assert.ErrorIs(t, err, shared.ErrInvalid)
	_, err = shared.CreateSegment(int(^uint(0)>>1), 0)
	assert.ErrorIs(t, err, shared.ErrInvalid)
}

func TestSegmentHasNoPointers(t *testing.T) {
	s := newSegment(t, 100)
	_, err := shared.SegmentAt[*int](s, 0)
	assert.ErrorIs(t, err, shared.ErrInvalid)
	_, err = shared.SegmentAt[struct{ a [2]struct{ s string } }](s, 0)
	assert.ErrorIs(t, err, shared.ErrInvalid)
	_, err = shared.SegmentAt[struct{ a [2]struct{ u uintptr } }](s, 0)
	assert.NoError(t, err)
}

func TestSegmentCannotBeShrunk(t *testing.T) {
	s := newSegment(t, 8192)
	assert.ErrorIs(t, s.File().Truncate(10), fs.ErrPermission)
	assert.ErrorIs(t, s.File().Truncate(1<<20), fs.ErrPermission)
}

func TestAttachSegmentRejectsFilesThatCanBeShrunk(t *testing.T) {
	path := filepath.Join(t.TempDir(), "segment")
	s, err := shared.CreateSegmentFile(path, 0o600, 100, 7)
	require.NoError(t, err)
	assert.False(t, s.Sealed())
	f := dup(t, s)
	_, err = shared.AttachSegment(f, 7)
	assert.ErrorIs(t, err, fs.ErrPermission)
	require.NoError(t, f.Close())
	require.NoError(t, s.Detach())
}

func TestSegmentFileAndName(t *testing.T) {
	path := filepath.Join(t.TempDir(), "segment")
	name := "/osthread-" + filepath.Base(t.TempDir()) + "-" + filepath.Base(filepath.Dir(path))
	for _, c := range []struct {
		name   string
		create func() (*shared.Segment, error)
		open   func(version uint32) (*shared.Segment, error)
		remove func() error
	}{
		{
			"file",
			func() (*shared.Segment, error) { return shared.CreateSegmentFile(path, 0o600, 1000, 7) },
			func(v uint32) (*shared.Segment, error) { return shared.OpenSegmentFile(path, v) },
			func() error { return os.Remove(path) },
		},
		{
			"shm_open",
			func() (*shared.Segment, error) { return shared.CreateSegmentShm(name, 0o600, 1000, 7) },
			func(v uint32) (*shared.Segment, error) { return shared.OpenSegmentShm(name, v) },
			func() error { return shared.RemoveSegmentShm(name) },
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := c.open(7)
			assert.ErrorIs(t, err, fs.ErrNotExist)
			s, err := c.create()
			require.NoError(t, err)
			_, err = c.create()
			assert.ErrorIs(t, err, fs.ErrExist)
			_, err = c.open(8)
			assert.ErrorIs(t, err, shared.ErrLayout)
			other, err := c.open(7)
			require.NoError(t, err)
			a, err := s.Bytes(0, 1000)
			require.NoError(t, err)
			b, err := other.Bytes(0, 1000)
			require.NoError(t, err)
			a[999] = 1
			assert.Equal(t, a, b)
			require.NoError(t, other.Detach())
			require.NoError(t, s.Detach())
			require.NoError(t, c.remove())
			_, err = c.open(7)
			assert.ErrorIs(t, err, fs.ErrNotExist)
		})
	}
	for _, bad := range []string{"", "/", "/..", "a/b"} {
		_, err := shared.CreateSegmentShm(bad, 0o600, 1, 0)
		assert.ErrorIs(t, err, shared.ErrInvalid, bad)
		assert.ErrorIs(t, shared.RemoveSegmentShm(bad), shared.ErrInvalid, bad)
	}
}

// Each word of the header that is not as it must be is ErrLayout, and a segment
// that is not yet ready ErrBusy.
func TestOpenSegmentChecksTheHeader(t *testing.T) {
	path := filepath.Join(t.TempDir(), "segment")
	s, err := shared.CreateSegmentFile(path, 0o600, 100, 7)
	require.NoError(t, err)
	require.NoError(t, s.Detach())
	good, err := os.ReadFile(path)
	require.NoError(t, err)
	open := func(b []byte) error {
		require.NoError(t, os.WriteFile(path, b, 0o600))
		s, err := shared.OpenSegmentFile(path, 7)
		if err == nil {
			require.NoError(t, s.Detach())
		}
		return err
	}
	require.NoError(t, open(good))
	for at := 0; at < 32; at += 4 {
		if at == 20 {
			continue // not used
		}
		for bit := range 32 {
			b := append([]byte(nil), good...)
			put(b, at, binary.NativeEndian.Uint32(b[at:])^1<<bit)
			assert.ErrorIs(t, open(b), shared.ErrLayout, "%d %d", at, bit)
		}
	}
	b := append([]byte(nil), good...)
	put(b, 0, 0)
	assert.ErrorIs(t, open(b), shared.ErrBusy)
	assert.ErrorIs(t, open(nil), shared.ErrBusy)
	assert.ErrorIs(t, open(good[:127]), shared.ErrLayout)
	assert.ErrorIs(t, open(good[:200]), shared.ErrLayout)
}
