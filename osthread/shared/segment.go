//go:build !plan9

package shared

import (
	"errors"
	"fmt"
	"os"
	"reflect"
	"sync/atomic"
	"unsafe"
)

// A segment is a header of 128 bytes, then the bytes of its users. The header
// is that of csrc/ost_segment.h, which says what each word is for. Attaching
// (segment.check) reads each word once and compares all; nothing is read from
// there again, and all bounds are those of the mapping, which no peer can
// change.
//
// A mapping beyond the end of its file kills by SIGBUS, which Go cannot recover
// from a foreign goroutine's read. A peer that can shrink the file could do
// that at any time, so a memfd is sealed against it before any other process
// has it, and AttachSegment refuses a descriptor that is not.

// SegmentHeader is the number of bytes before those of a segment's users.
const SegmentHeader = 128

const (
	segmentLayout = 1
	segmentOrder  = 0x01020304
	segmentWords  = uint32(unsafe.Sizeof(uintptr(0)))
)

// segmentMagic is "OSeg" in the memory of any processor.
var segmentMagic = *(*uint32)(unsafe.Pointer(&[4]byte{'O', 'S', 'e', 'g'}))

type segmentHead struct {
	magic, layout, order, words, version, zero uint32
	size                                       uint64
	_                                          [12]uint64
}

// A Segment is memory that processes share, mapped into this one. Linux has all
// three kinds; macOS files alone; elsewhere every function returns an error
// that is ErrUnsupported.
//
//	kind                      made by               opened by          sealed
//	memfd, for a child        CreateSegment         AttachSegment      yes
//	a file                    CreateSegmentFile     OpenSegmentFile    no
//	a name, as of shm_open    CreateSegmentShm      OpenSegmentShm     no
//
// C makes and opens the same by csrc/ost_segment.h. A segment that is not
// sealed can be shrunk by any process that may write to its file, which kills
// all that use the part beyond: use it between processes that trust each other.
// The memory is allocated when the segment is made, where the file system can.
//
// A Segment is not garbage collected: call Detach.
type Segment struct {
	mem    []byte // of the mapping, with the header; nil: detached
	file   *os.File
	sealed bool
}

// CreateSegment makes a segment of size bytes in a memfd (memfd_create(2)),
// sealed against shrinking and growing. version is its user's: a process that
// attaches states the same. The memory is zero. [Segment.File] is for a child.
func CreateSegment(size int, version uint32) (*Segment, error) {
	if err := checkSize(size); err != nil {
		return nil, err
	}
	f, err := memfd("osthread")
	if err != nil {
		return nil, err
	}
	s, err := makeSegment(f, size)
	if err != nil {
		return nil, err
	}
	if err := seal(f); err != nil {
		return nil, errors.Join(err, s.Detach())
	}
	s.sealed = true
	s.ready(version)
	return s, nil
}

// CreateSegmentFile makes a segment of size bytes in a new file, with the
// permissions perm before the umask. It returns an error that is fs.ErrExist if
// there is such a file. The memory is zero. os.Remove removes the name.
func CreateSegmentFile(path string, perm os.FileMode, size int, version uint32) (*Segment, error) {
	if err := checkSize(size); err != nil {
		return nil, err
	}
	f, err := openFile(path, os.O_CREATE|os.O_EXCL, perm)
	if err != nil {
		return nil, err
	}
	s, err := makeSegment(f, size)
	if err != nil {
		return nil, errors.Join(err, os.Remove(path))
	}
	s.ready(version)
	return s, nil
}

// OpenSegmentFile maps the segment in a file. It returns an error that is
// ErrBusy if its maker has not finished, and ErrLayout if it is no segment, or
// one of another layout, byte order, word size, size, or user version.
func OpenSegmentFile(path string, version uint32) (*Segment, error) {
	f, err := openFile(path, 0, 0)
	if err != nil {
		return nil, err
	}
	s, err := join(f, version)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return s, nil
}

// CreateSegmentShm is CreateSegmentFile for a name of POSIX's shm_open, a slash
// and no more slashes. RemoveSegmentShm removes the name.
func CreateSegmentShm(name string, perm os.FileMode, size int, version uint32) (*Segment, error) {
	path, err := shmPath(name)
	if err != nil {
		return nil, err
	}
	return CreateSegmentFile(path, perm, size, version)
}

// OpenSegmentShm is OpenSegmentFile for a name of POSIX's shm_open.
func OpenSegmentShm(name string, version uint32) (*Segment, error) {
	path, err := shmPath(name)
	if err != nil {
		return nil, err
	}
	return OpenSegmentFile(path, version)
}

// RemoveSegmentShm removes a name, as POSIX's shm_unlink: the memory lives on
// while a process has it.
func RemoveSegmentShm(name string) error {
	path, err := shmPath(name)
	if err != nil {
		return err
	}
	return os.Remove(path)
}

// AttachSegment maps the segment in the open file f, which a peer has passed,
// and takes f if it succeeds. It returns an error that is fs.ErrPermission if f
// is not sealed against shrinking, by which the peer could kill this process,
// and otherwise the errors of OpenSegmentFile.
func AttachSegment(f *os.File, version uint32) (*Segment, error) {
	if err := checkSealed(f); err != nil {
		return nil, err
	}
	s, err := join(f, version)
	if err == nil {
		s.sealed = true
	}
	return s, err
}

// File returns the segment's file, for exec.Cmd.ExtraFiles of a child: it is
// the segment's, and closed by Detach.
func (s *Segment) File() *os.File { return s.file }

// Sealed reports whether no other process can shrink the segment.
func (s *Segment) Sealed() bool { return s.sealed }

// Size returns the bytes of the segment's users, 0 once it is detached.
func (s *Segment) Size() int { return max(len(s.mem)-SegmentHeader, 0) }

// Detach unmaps the segment and closes its file. No pointer or slice into it
// may be used afterwards, which would crash the program. The memory lives on
// while another process has it. It returns an error that is os.ErrClosed if s
// is detached.
func (s *Segment) Detach() error {
	if s.mem == nil {
		return fmt.Errorf("shared: segment: detach: %w", os.ErrClosed)
	}
	mem := s.mem
	s.mem = nil
	return errors.Join(unmap(mem), s.file.Close())
}

// Bytes returns n bytes at offset, counted from behind the header, which is
// aligned to 128. It returns an error that is ErrInvalid if they are not all in
// the segment.
func (s *Segment) Bytes(offset, n int) ([]byte, error) {
	if offset < 0 || n < 0 || offset > s.Size() || n > s.Size()-offset {
		return nil, fmt.Errorf("shared: segment: %d bytes at %d of %d: %w", n, offset, s.Size(), ErrInvalid)
	}
	at := SegmentHeader + offset
	if s.mem == nil {
		return nil, fmt.Errorf("shared: segment: %w", os.ErrClosed)
	}
	return s.mem[at : at+n : at+n], nil
}

// SegmentAt returns the T at offset in s, counted from behind the header, which
// is aligned to 128. It returns an error that is ErrInvalid if it would not be
// all in the segment, if offset is not aligned as T is, or if T has pointers,
// which mean nothing to another process.
func SegmentAt[T any](s *Segment, offset int) (*T, error) {
	t := reflect.TypeFor[T]()
	if hasPointers(t) {
		return nil, fmt.Errorf("shared: segment: %v has pointers: %w", t, ErrInvalid)
	}
	b, err := s.Bytes(offset, int(t.Size()))
	if err != nil {
		return nil, err
	}
	if (SegmentHeader+offset)%t.Align() != 0 {
		return nil, fmt.Errorf("shared: segment: %v at %d: %w", t, offset, ErrInvalid)
	}
	if len(b) == 0 {
		return new(T), nil
	}
	return (*T)(unsafe.Pointer(unsafe.SliceData(b))), nil
}

func hasPointers(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Array:
		return t.Len() > 0 && hasPointers(t.Elem())
	case reflect.Struct:
		for i := range t.NumField() {
			if hasPointers(t.Field(i).Type) {
				return true
			}
		}
		return false
	case reflect.Chan, reflect.Func, reflect.Interface, reflect.Map, reflect.Pointer, reflect.Slice, reflect.String,
		reflect.UnsafePointer:
		return true
	}
	return false
}

// makeSegment makes the new, empty file f, which it takes, a segment of size
// bytes, not yet ready.
func makeSegment(f *os.File, size int) (*Segment, error) {
	size += SegmentHeader
	err := allocate(f, size)
	if err == nil {
		var mem []byte
		if mem, err = mmap(f, size); err == nil {
			return &Segment{mem: mem, file: f}, nil
		}
	}
	return nil, errors.Join(err, f.Close())
}

func checkSize(size int) error {
	if size < 0 || size > maxInt-SegmentHeader {
		return fmt.Errorf("shared: segment of %d bytes: %w", size, ErrInvalid)
	}
	return nil
}

const maxInt = int(^uint(0) >> 1)

// ready writes the header, the magic last.
func (s *Segment) ready(version uint32) {
	h := s.head()
	atomic.StoreUint32(&h.layout, segmentLayout)
	atomic.StoreUint32(&h.order, segmentOrder)
	atomic.StoreUint32(&h.words, segmentWords)
	atomic.StoreUint32(&h.version, version)
	atomic.StoreUint64(&h.size, uint64(len(s.mem)))
	atomic.StoreUint32(&h.magic, segmentMagic)
}

func (s *Segment) head() *segmentHead {
	return (*segmentHead)(unsafe.Pointer(unsafe.SliceData(s.mem)))
}

// join maps the segment in f and checks it. It takes f if it succeeds.
func join(f *os.File, version uint32) (*Segment, error) {
	st, err := f.Stat()
	switch {
	case err != nil:
		return nil, err
	case st.Size() == 0:
		return nil, fmt.Errorf("shared: segment %s: not ready: %w", f.Name(), ErrBusy)
	case st.Size() < SegmentHeader || st.Size() > int64(maxInt):
		return nil, fmt.Errorf("shared: segment %s of %d bytes: %w", f.Name(), st.Size(), ErrLayout)
	}
	mem, err := mmap(f, int(st.Size()))
	if err != nil {
		return nil, err
	}
	s := &Segment{mem: mem, file: f}
	if err := s.check(version); err != nil {
		return nil, errors.Join(err, unmap(mem))
	}
	return s, nil
}

// check checks the header that another process has written.
func (s *Segment) check(version uint32) error {
	h := s.head()
	magic := atomic.LoadUint32(&h.magic)
	if magic == 0 {
		return fmt.Errorf("shared: segment %s: not ready: %w", s.file.Name(), ErrBusy)
	}
	for _, w := range []struct {
		name      string
		got, want uint64
	}{
		{"magic", uint64(magic), uint64(segmentMagic)},
		{"byte order", uint64(atomic.LoadUint32(&h.order)), segmentOrder},
		{"layout", uint64(atomic.LoadUint32(&h.layout)), segmentLayout},
		{"word size", uint64(atomic.LoadUint32(&h.words)), uint64(segmentWords)},
		{"version", uint64(atomic.LoadUint32(&h.version)), uint64(version)},
		{"size", atomic.LoadUint64(&h.size), uint64(len(s.mem))},
	} {
		if w.got != w.want {
			return fmt.Errorf("shared: segment %s: %s is %#x, not %#x: %w",
				s.file.Name(), w.name, w.got, w.want, ErrLayout)
		}
	}
	return nil
}
