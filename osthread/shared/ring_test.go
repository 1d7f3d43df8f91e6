//go:build !plan9

package shared_test

import (
	"bytes"
	"encoding/binary"
	"io"
	"math/rand/v2"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/thread/osthread/shared"
)

// memory returns n bytes of Go's, aligned to 8.
func memory(n int) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(make([]uint64, n/8+1)))), n)
}

func newRing(t testing.TB, capacity int, attr shared.RingAttr) (shared.Ring, []byte) {
	t.Helper()
	mem := memory(shared.RingSize(capacity))
	r, err := shared.NewRing(mem, capacity, attr)
	require.NoError(t, err)
	return r, mem
}

func sides(t testing.TB, r shared.Ring) (*shared.RingWriter, *shared.RingReader) {
	t.Helper()
	w, err := r.Writer()
	require.NoError(t, err)
	rd, err := r.Reader()
	require.NoError(t, err)
	return w, rd
}

func TestRingRejectsWrongGeometry(t *testing.T) {
	for _, capacity := range []int{-1, 0, 1, 32, 63, 96, 1<<30 + 1} {
		assert.Zero(t, shared.RingSize(capacity), capacity)
		_, err := shared.NewRing(memory(4096), capacity, shared.RingAttr{})
		assert.ErrorIs(t, err, shared.ErrInvalid, capacity)
	}
	size := shared.RingSize(64)
	_, err := shared.NewRing(memory(size)[:size-1], 64, shared.RingAttr{})
	assert.ErrorIs(t, err, shared.ErrInvalid)
	_, err = shared.NewRing(memory(size + 8)[4:], 64, shared.RingAttr{})
	assert.ErrorIs(t, err, shared.ErrInvalid)
	_, err = shared.OpenRing(memory(8))
	assert.ErrorIs(t, err, shared.ErrInvalid)
	_, err = shared.OpenRing(memory(4096))
	assert.ErrorIs(t, err, shared.ErrLayout)
}

func TestOpenRingReturnsTheRingThatWasMade(t *testing.T) {
	for _, attr := range []shared.RingAttr{{}, {Records: true}} {
		_, mem := newRing(t, 256, attr)
		r, err := shared.OpenRing(mem)
		require.NoError(t, err)
		assert.Equal(t, 256, r.Capacity())
		assert.Equal(t, attr.Records, r.Records())
		if attr.Records {
			assert.Equal(t, 120, r.Max())
		} else {
			assert.Equal(t, 256, r.Max())
		}
		_, err = shared.OpenRing(mem[:len(mem)-1])
		assert.ErrorIs(t, err, shared.ErrCorrupt)
	}
}

// Records of all lengths, in batches of random size, come out in order, as they
// went in, each in one piece and aligned.
func TestRingRecordsAreReadInOrder(t *testing.T) {
	r, _ := newRing(t, 1024, shared.RingAttr{Records: true})
	w, rd := sides(t, r)
	random := rand.New(rand.NewPCG(1, 2))
	sent, got, queued := 0, 0, 0
	length := func(i int) int { return i * 31 % (r.Max() + 1) }
	for got < 5000 {
		for range random.IntN(8) {
			record, err := w.Reserve(length(sent))
			if err != nil {
				require.ErrorIs(t, err, shared.ErrBusy)
				break
			}
			require.Len(t, record, length(sent))
			for i := range record {
				record[i] = byte(sent + i)
			}
			sent++
			queued++
		}
		require.NoError(t, w.Commit())
		for range random.IntN(8) {
			record, err := rd.Next()
			if err != nil {
				require.ErrorIs(t, err, shared.ErrBusy)
				require.Zero(t, queued)
				break
			}
			require.Len(t, record, length(got))
			require.Zero(t, uintptr(unsafe.Pointer(unsafe.SliceData(record)))%8)
			for i := range record {
				if record[i] != byte(got+i) {
					require.Equal(t, byte(got+i), record[i])
				}
			}
			got++
			queued--
		}
		rd.Release()
	}
}

func TestRingBytesAreReadInOrder(t *testing.T) {
	r, _ := newRing(t, 128, shared.RingAttr{})
	w, rd := sides(t, r)
	random := rand.New(rand.NewPCG(3, 4))
	buf := make([]byte, 200)
	var sent, got int
	for got < 100000 {
		n := random.IntN(len(buf))
		for i := range n {
			buf[i] = byte(sent + i)
		}
		done, err := w.TryWrite(buf[:n])
		if err != nil {
			require.ErrorIs(t, err, shared.ErrBusy)
			require.Equal(t, 128, sent-got)
		}
		require.True(t, err != nil || done == min(n, 128-(sent-got)))
		sent += done
		n, err = rd.TryRead(buf[:random.IntN(len(buf))])
		if err != nil {
			require.ErrorIs(t, err, shared.ErrBusy)
			require.Equal(t, sent, got)
		}
		for i := range n {
			if buf[i] != byte(got+i) {
				require.Equal(t, byte(got+i), buf[i])
			}
		}
		got += n
	}
}

func TestRingShowsRoomAndDataInTwoPieces(t *testing.T) {
	r, _ := newRing(t, 64, shared.RingAttr{})
	w, rd := sides(t, r)
	_, err := w.TryWrite(make([]byte, 40))
	require.NoError(t, err)
	require.NoError(t, rd.Consume(0))
	a, b, err := rd.Data()
	require.NoError(t, err)
	assert.Len(t, a, 40)
	assert.Empty(t, b)
	require.NoError(t, rd.Consume(30))
	a, b, err = w.Room()
	require.NoError(t, err)
	assert.Len(t, a, 24)
	assert.Len(t, b, 30)
	assert.ErrorIs(t, w.Produce(55), shared.ErrInvalid)
	assert.ErrorIs(t, w.Produce(-1), shared.ErrInvalid)
	require.NoError(t, w.Produce(54))
	_, _, err = w.Room()
	require.ErrorIs(t, err, shared.ErrBusy)
	a, b, err = rd.Data()
	require.NoError(t, err)
	assert.Len(t, a, 34)
	assert.Len(t, b, 30)
	assert.ErrorIs(t, rd.Consume(65), shared.ErrInvalid)
	assert.ErrorIs(t, rd.Consume(-1), shared.ErrInvalid)
	require.NoError(t, rd.Consume(64))
	_, _, err = rd.Data()
	require.ErrorIs(t, err, shared.ErrBusy)
}

func TestRingHasCallsForItsKindOnly(t *testing.T) {
	r, _ := newRing(t, 64, shared.RingAttr{})
	w, rd := sides(t, r)
	_, err := w.Reserve(1)
	assert.ErrorIs(t, err, shared.ErrInvalid)
	_, err = rd.Next()
	assert.ErrorIs(t, err, shared.ErrInvalid)
	r, _ = newRing(t, 64, shared.RingAttr{Records: true})
	w, rd = sides(t, r)
	_, _, err = w.Room()
	assert.ErrorIs(t, err, shared.ErrInvalid)
	assert.ErrorIs(t, w.Produce(1), shared.ErrInvalid)
	_, _, err = rd.Data()
	assert.ErrorIs(t, err, shared.ErrInvalid)
	assert.ErrorIs(t, rd.Consume(1), shared.ErrInvalid)
}

func TestRingRecordsThatAreTooLongChangeNothing(t *testing.T) {
	r, _ := newRing(t, 128, shared.RingAttr{Records: true})
	w, rd := sides(t, r)
	for _, n := range []int{-1, r.Max() + 1, 1 << 30} {
		_, err := w.Reserve(n)
		assert.ErrorIs(t, err, shared.ErrTooLong)
	}
	_, err := w.TryWrite([]byte("four"))
	require.NoError(t, err)
	_, err = rd.TryRead(make([]byte, 3))
	assert.ErrorIs(t, err, shared.ErrTooLong)
	buf := make([]byte, 4)
	n, err := rd.TryRead(buf)
	require.NoError(t, err)
	assert.Equal(t, "four", string(buf[:n]))
}

func TestRingRecordsAreInvisibleUntilCommit(t *testing.T) {
	r, _ := newRing(t, 128, shared.RingAttr{Records: true})
	w, rd := sides(t, r)
	_, err := w.Reserve(8)
	require.NoError(t, err)
	_, err = rd.Next()
	assert.ErrorIs(t, err, shared.ErrBusy)
	w.Cancel()
	require.NoError(t, w.Commit())
	_, err = rd.Next()
	assert.ErrorIs(t, err, shared.ErrBusy)
	_, err = w.TryWrite([]byte("a"))
	require.NoError(t, err)
	record, err := rd.Next()
	require.NoError(t, err)
	assert.Equal(t, "a", string(record))
}

func TestRingWriterCloseIsEOFBehindTheData(t *testing.T) {
	for _, records := range []bool{false, true} {
		r, _ := newRing(t, 64, shared.RingAttr{Records: records})
		w, rd := sides(t, r)
		_, err := w.TryWrite([]byte("last"))
		require.NoError(t, err)
		require.NoError(t, w.Close())
		assert.ErrorIs(t, w.Close(), shared.ErrClosed)
		_, err = w.TryWrite([]byte("more"))
		assert.ErrorIs(t, err, shared.ErrClosed)
		buf := make([]byte, 8)
		n, err := rd.TryRead(buf)
		require.NoError(t, err)
		assert.Equal(t, "last", string(buf[:n]))
		_, err = rd.TryRead(buf)
		assert.Equal(t, io.EOF, err)
		_, err = r.Writer()
		assert.ErrorIs(t, err, shared.ErrClosed)
		rd, err = r.Reader()
		require.NoError(t, err)
		_, err = rd.TryRead(buf)
		assert.Equal(t, io.EOF, err)
	}
}

func TestRingReaderCloseFailsTheWritersSecondCall(t *testing.T) {
	for _, records := range []bool{false, true} {
		r, _ := newRing(t, 64, shared.RingAttr{Records: records})
		w, rd := sides(t, r)
		require.NoError(t, rd.Close())
		assert.ErrorIs(t, rd.Close(), shared.ErrClosed)
		_, err := rd.TryRead(make([]byte, 1))
		assert.ErrorIs(t, err, shared.ErrClosed)
		_, _ = w.TryWrite([]byte("a")) // may not have noticed
		_, err = w.TryWrite([]byte("a"))
		assert.ErrorIs(t, err, shared.ErrClosed)
		_, err = r.Reader()
		assert.ErrorIs(t, err, shared.ErrClosed)
		w, err = r.Writer()
		require.NoError(t, err)
		_, err = w.TryWrite([]byte("a"))
		assert.ErrorIs(t, err, shared.ErrClosed)
	}
}

// A handle that replaces one whose owner is gone continues where that stopped:
// what was committed is read, what was reserved is not, and what was not
// released is read again.
func TestRingHandleContinuesForAnother(t *testing.T) {
	r, mem := newRing(t, 256, shared.RingAttr{Records: true})
	w, rd := sides(t, r)
	for _, s := range []string{"a", "b"} {
		_, err := w.TryWrite([]byte(s))
		require.NoError(t, err)
	}
	lost, err := w.Reserve(1)
	require.NoError(t, err)
	lost[0] = 'x'
	r, err = shared.OpenRing(mem)
	require.NoError(t, err)
	w, err = r.Writer()
	require.NoError(t, err)
	_, err = w.TryWrite([]byte("c"))
	require.NoError(t, err)
	record, err := rd.Next()
	require.NoError(t, err)
	assert.Equal(t, "a", string(record))
	rd.Release()
	_, err = rd.Next() // b, not released
	require.NoError(t, err)
	rd, err = r.Reader()
	require.NoError(t, err)
	for _, want := range []string{"b", "c"} {
		record, err := rd.Next()
		require.NoError(t, err)
		assert.Equal(t, want, string(record))
	}
}

// Where the words of a ring are; csrc/ost_ring.h has the same.
const (
	atMagic, atLayout, atAttr, atCapacity = 0, 4, 8, 12
	atTail, atHead, atData                = 128, 256, 384
)

func put(mem []byte, at int, v uint32) { binary.NativeEndian.PutUint32(mem[at:], v) }

func TestRingRejectsCorruptWords(t *testing.T) {
	open := func(mem []byte) error {
		r, err := shared.OpenRing(mem)
		if err == nil {
			_, err = r.Writer()
		}
		if err == nil {
			_, err = r.Reader()
		}
		return err
	}
	for _, c := range []struct {
		name string
		at   int
		v    uint32
		want error
	}{
		{"magic", atMagic, 0, shared.ErrLayout},
		{"layout", atLayout, 2, shared.ErrLayout},
		{"attributes", atAttr, 1 << 20, shared.ErrCorrupt},
		{"no power of two", atCapacity, 255, shared.ErrCorrupt},
		{"capacity beyond memory", atCapacity, 512, shared.ErrCorrupt},
		{"capacity beyond all", atCapacity, 1 << 31, shared.ErrCorrupt},
		{"tail beyond capacity", atTail, 264, shared.ErrCorrupt},
		{"head beyond tail", atHead, 8, shared.ErrCorrupt},
		{"tail within a frame", atTail, 9, shared.ErrCorrupt},
	} {
		t.Run("open "+c.name, func(t *testing.T) {
			_, mem := newRing(t, 256, shared.RingAttr{Records: true})
			put(mem, c.at, c.v)
			assert.ErrorIs(t, open(mem), c.want)
		})
	}
	for _, c := range []struct {
		name string
		at   int
		v    uint32
	}{
		{"tail beyond capacity", atTail, 16 + 256 + 8},
		{"tail backwards", atTail, 8},
		{"tail far", atTail, 1 << 30},
		{"tail within a frame", atTail, 17},
		{"record beyond tail", atData + 16, 9},
		{"record beyond max", atData + 16, 121},
		{"record beyond all", atData + 16, 0x7fffffff},
		{"pad that does not end the data", atData + 16, 1<<31 | 8},
		{"pad beyond tail", atData + 16, 1<<31 | (256 - 16 - 8)},
	} {
		t.Run("next "+c.name, func(t *testing.T) {
			r, mem := newRing(t, 256, shared.RingAttr{Records: true})
			w, rd := sides(t, r)
			_, err := w.TryWrite([]byte("a"))
			require.NoError(t, err)
			_, err = rd.Next()
			require.NoError(t, err)
			if c.at != atTail {
				_, err = w.TryWrite([]byte("b"))
				require.NoError(t, err)
			}
			put(mem, c.at, c.v)
			_, err = rd.Next()
			assert.ErrorIs(t, err, shared.ErrCorrupt)
			_, err = rd.TryRead(make([]byte, 256))
			assert.ErrorIs(t, err, shared.ErrCorrupt)
		})
	}
	for _, v := range []uint32{8, 32, 1 << 30, 17} {
		r, mem := newRing(t, 64, shared.RingAttr{Records: true})
		w, rd := sides(t, r)
		_, err := w.TryWrite(make([]byte, 8))
		require.NoError(t, err)
		_, err = rd.TryRead(make([]byte, 8))
		require.NoError(t, err)
		_, err = w.Reserve(24)
		require.NoError(t, err)
		_, err = w.Reserve(24)
		require.ErrorIs(t, err, shared.ErrBusy)
		put(mem, atHead, v)
		_, err = w.Reserve(24)
		assert.ErrorIs(t, err, shared.ErrCorrupt, v)
	}
}

// Every word of a ring in use is mutated: calls fail or succeed, each within
// its memory, which bounds checks, and -race's checkptr, see to.
func TestRingSurvivesMutation(t *testing.T) {
	rounds := 1_000_000
	if testing.Short() {
		rounds = 20_000
	}
	for _, records := range []bool{false, true} {
		r, mem := newRing(t, 512, shared.RingAttr{Records: records})
		random := rand.New(rand.NewPCG(5, 6))
		w, rd := sides(t, r)
		good := bytes.Clone(mem)
		buf := make([]byte, 512)
		for i := range rounds / 2 {
			at := random.IntN(len(mem)/4) * 4
			put(mem, at, mutant(random, binary.NativeEndian.Uint32(mem[at:])))
			use(w, rd, random, buf)
			if i%64 == 0 {
				copy(mem, good)
				fresh, err := shared.OpenRing(mem)
				require.NoError(t, err)
				w, rd = sides(t, fresh)
			}
		}
	}
}

// mutant returns a value that v might be mistaken for.
func mutant(random *rand.Rand, v uint32) uint32 {
	switch random.IntN(6) {
	case 0:
		return 1 << random.IntN(32)
	case 1:
		return v ^ 1<<random.IntN(32)
	case 2:
		return v + 8*uint32(random.IntN(129)-64)
	case 3:
		return 1<<31 | 8*uint32(random.IntN(64))
	case 4:
		return 0
	}
	return random.Uint32()
}

// use makes some calls on both sides; the results do not matter.
func use(w *shared.RingWriter, rd *shared.RingReader, random *rand.Rand, buf []byte) {
	for range random.IntN(4) {
		if record, err := w.Reserve(random.IntN(256)); err == nil {
			clear(record)
		}
		if a, b, err := w.Room(); err == nil {
			clear(a)
			clear(b)
			_ = w.Produce(random.IntN(len(a) + len(b) + 1))
		}
	}
	_ = w.Commit()
	_, _ = w.TryWrite(buf[:random.IntN(len(buf))])
	for range random.IntN(4) {
		if record, err := rd.Next(); err == nil {
			copy(buf, record)
		}
		if a, b, err := rd.Data(); err == nil {
			copy(buf, a)
			copy(buf, b)
			_ = rd.Consume(random.IntN(len(a) + len(b) + 1))
		}
	}
	rd.Release()
	_, _ = rd.TryRead(buf[:random.IntN(len(buf))])
}
