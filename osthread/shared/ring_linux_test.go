//go:build !portablefutex

package shared_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"example.com/thread/internal/leak"
	"example.com/thread/internal/park"
	"example.com/thread/internal/testutil"
	"example.com/thread/osthread/shared"
)

// A language has the sides of a ring in Go, or in C (ring_c_test.go).
type language struct {
	produce      func(mem []byte, from, to uint64) error
	consume      func(mem []byte, from uint64) (uint64, error)
	produceBytes func(mem []byte, total uint64) error
	consumeBytes func(mem []byte) (uint64, error)
	abuse        func(mem []byte, behind int, stop, calls *uint32, seed uint32)
}

var languages = map[string]language{
	"go": {goProduce, goConsume, goProduceBytes, goConsumeBytes, goAbuse},
}

var errWrong = errors.New("wrong record")

// Record i: its number, then bytes that follow from it. internal/ctest has the
// same for C.
func length(i uint64) int { return 8 + int(i%57) }

func fillRecord(p []byte, i uint64) {
	binary.NativeEndian.PutUint64(p, i)
	for k := 8; k < len(p); k++ {
		p[k] = byte(i + uint64(k))
	}
}

func right(p []byte, i uint64) bool {
	want := make([]byte, length(i))
	fillRecord(want, i)
	return bytes.Equal(p, want)
}

func goProduce(mem []byte, from, to uint64) error {
	r, err := shared.OpenRing(mem)
	if err != nil {
		return err
	}
	w, err := r.Writer()
	for i := from; err == nil && i < to; {
		for batch := 1 + i%7; batch > 0 && i < to; batch-- {
			record, err := w.Reserve(length(i))
			if errors.Is(err, shared.ErrBusy) {
				break
			}
			if err != nil {
				return err
			}
			fillRecord(record, i)
			i++
		}
		if err = w.Commit(); err == nil {
			err = w.WaitRoom(length(i))
		}
	}
	if err != nil {
		return err
	}
	return w.Close()
}

func goConsume(mem []byte, from uint64) (next uint64, err error) {
	r, err := shared.OpenRing(mem)
	if err != nil {
		return 0, err
	}
	rd, err := r.Reader()
	for next = from; err == nil; {
		var record []byte
		for record, err = rd.Next(); err == nil; record, err = rd.Next() {
			if !right(record, next) {
				return next, errWrong
			}
			next++
		}
		rd.Release()
		if errors.Is(err, shared.ErrBusy) {
			err = rd.Wait()
		}
	}
	if err == io.EOF {
		err = nil
	}
	return next, err
}

func goProduceBytes(mem []byte, total uint64) error {
	r, err := shared.OpenRing(mem)
	if err != nil {
		return err
	}
	w, err := r.Writer()
	buf := make([]byte, 300)
	for k := uint64(0); err == nil && k < total; {
		n := min(1+k%uint64(len(buf)), total-k)
		for j := range n {
			buf[j] = byte((k + j) % 251)
		}
		var done int
		done, err = w.Write(buf[:n])
		k += uint64(done)
	}
	if err != nil {
		return err
	}
	return w.Close()
}

func goConsumeBytes(mem []byte) (got uint64, err error) {
	r, err := shared.OpenRing(mem)
	if err != nil {
		return 0, err
	}
	rd, err := r.Reader()
	buf := make([]byte, 200)
	for err == nil {
		var n int
		n, err = rd.Read(buf[:1+got%uint64(len(buf))])
		for j := range n {
			if buf[j] != byte((got+uint64(j))%251) {
				return got, errWrong
			}
		}
		got += uint64(n)
	}
	if err == io.EOF {
		err = nil
	}
	return got, err
}

// goAbuse uses both sides of a ring that is mutated meanwhile.
func goAbuse(mem []byte, _ int, stop, calls *uint32, seed uint32) {
	random := rand.New(rand.NewPCG(uint64(seed), 0))
	buf := make([]byte, len(mem))
	for ; atomic.LoadUint32(stop) == 0; atomic.AddUint32(calls, 1) {
		r, err := shared.OpenRing(mem)
		if err != nil {
			continue
		}
		w, err1 := r.Writer()
		rd, err2 := r.Reader()
		if err1 != nil || err2 != nil {
			continue
		}
		for range 8 {
			use(w, rd, random, buf)
			_ = w.WaitRoomTimeout(random.IntN(100), 50*time.Microsecond)
			_ = rd.WaitTimeout(200 * time.Microsecond)
		}
		if random.IntN(16) == 0 {
			_ = w.Close()
			_ = rd.Close()
		}
	}
}

// A sharedRing is a ring in a segment, and before it some words for the test.
type sharedRing struct {
	segment *shared.Segment
	words   *[8]uint32
	mem     []byte
	behind  []byte
}

const (
	ringAt = 128
	behind = 4096 // bytes behind the ring that nothing must touch
)

func openSharedRing(s *shared.Segment) (sharedRing, error) {
	words, err := shared.SegmentAt[[8]uint32](s, 0)
	if err != nil {
		return sharedRing{}, err
	}
	mem, err := s.Bytes(ringAt, s.Size()-ringAt-behind)
	if err != nil {
		return sharedRing{}, err
	}
	rest, err := s.Bytes(s.Size()-behind, behind)
	return sharedRing{s, words, mem, rest}, err
}

func newSharedRing(t testing.TB, capacity int, records bool) sharedRing {
	t.Helper()
	s, err := openSharedRing(newSegment(t, ringAt+shared.RingSize(capacity)+behind))
	require.NoError(t, err)
	_, err = shared.NewRing(s.mem, capacity, shared.RingAttr{Records: records, ProcessShared: true})
	require.NoError(t, err)
	return s
}

// The children of these tests run a role: the test's binary, with the segment
// as its descriptor 3.
const (
	roleEnv = "OSTHREAD_TEST_ROLE"
	fromEnv = "OSTHREAD_TEST_FROM"
)

// inRole runs role in a child, and reports whether this is one.
func inRole(t *testing.T, roles map[string]func(r sharedRing, l language, from uint64) error) {
	name, lang := os.Getenv(roleEnv), os.Getenv("OSTHREAD_TEST_LANGUAGE")
	if name == "" {
		return
	}
	err := func() error {
		s, err := shared.AttachSegment(os.NewFile(3, "segment"), 7)
		if err != nil {
			return err
		}
		r, err := openSharedRing(s)
		if err != nil {
			return err
		}
		from, err := strconv.ParseUint(os.Getenv(fromEnv), 10, 64)
		if err != nil {
			return err
		}
		return roles[name](r, languages[lang], from)
	}()
	if err != nil {
		fmt.Fprintln(os.Stderr, t.Name(), name, lang, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// child starts this test's role in a process.
func child(t *testing.T, ctx context.Context, r sharedRing, test, role, lang string, from uint64) (
	*exec.Cmd, *bytes.Buffer,
) {
	t.Helper()
	cmd := leak.Command(ctx, "-test.run=^"+test+"$", "-test.timeout=1m")
	cmd.Env = append(os.Environ(), leak.ChildEnv+"="+test, roleEnv+"="+role,
		"OSTHREAD_TEST_LANGUAGE="+lang, fromEnv+"="+strconv.FormatUint(from, 10))
	cmd.ExtraFiles = []*os.File{r.segment.File()}
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	require.NoError(t, cmd.Start())
	return cmd, &out
}

var ringRoles = map[string]func(r sharedRing, l language, from uint64) error{
	"produce": func(r sharedRing, l language, n uint64) error { return l.produce(r.mem, 0, n) },
	"consume": func(r sharedRing, l language, n uint64) error {
		next, err := l.consume(r.mem, 0)
		if err == nil && next != n {
			err = fmt.Errorf("got %d records, want %d", next, n)
		}
		return err
	},
	"produceBytes": func(r sharedRing, l language, n uint64) error { return l.produceBytes(r.mem, n) },
	"consumeBytes": func(r sharedRing, l language, n uint64) error {
		got, err := l.consumeBytes(r.mem)
		if err == nil && got != n {
			err = fmt.Errorf("got %d bytes, want %d", got, n)
		}
		return err
	},
	"abuse": func(r sharedRing, l language, seed uint64) error {
		l.abuse(r.mem, behind, &r.words[0], &r.words[1], uint32(seed))
		return nil
	},
	"endless": func(r sharedRing, l language, from uint64) error { return l.produce(r.mem, from, 1<<63) },
}

// Writer and reader in Go and in C, in one process and in two, through a ring
// so small that both wait again and again.
func TestRingBetweenLanguagesAndProcesses(t *testing.T) {
	inRole(t, ringRoles)
	n := uint64(200_000)
	if testing.Short() {
		n = 5_000
	}
	for wl, writer := range languages {
		for rl, reader := range languages {
			for _, records := range []bool{true, false} {
				for _, capacity := range []int{256, 16384} {
					name := fmt.Sprintf("writer=%s/reader=%s/records=%v/capacity=%d", wl, rl, records, capacity)
					t.Run(name, func(t *testing.T) {
						role, total := "consume", n
						if !records {
							role, total = "consumeBytes", 16*n
						}
						produce := func(mem []byte) {
							if records {
								assert.NoError(t, writer.produce(mem, 0, total))
							} else {
								assert.NoError(t, writer.produceBytes(mem, total))
							}
						}
						one := newSharedRing(t, capacity, records)
						done := make(chan struct{})
						go func() { defer close(done); produce(one.mem) }()
						within(t, func() { assert.NoError(t, ringRoles[role](one, reader, total)) })
						<-done
						two := newSharedRing(t, capacity, records)
						cmd, out := child(t, t.Context(), two, "TestRingBetweenLanguagesAndProcesses", role, rl, total)
						within(t, func() { produce(two.mem) })
						assert.NoError(t, cmd.Wait(), out)
					})
				}
			}
		}
	}
}

// A writer that is killed leaves what it has committed, in order and whole, and
// the next one continues. The reader, which sleeps meanwhile, misses nothing.
func TestRingSurvivesKilledWriters(t *testing.T) {
	inRole(t, ringRoles)
	kills := 40
	if testing.Short() {
		kills = 4
	}
	for lang := range languages {
		t.Run(lang, func(t *testing.T) {
			r := newSharedRing(t, 1024, true)
			ring, err := shared.OpenRing(r.mem)
			require.NoError(t, err)
			rd, err := ring.Reader()
			require.NoError(t, err)
			next := uint64(0)
			// read reads what there is.
			read := func() {
				for {
					record, err := rd.Next()
					if err != nil {
						require.ErrorIs(t, err, shared.ErrBusy)
						rd.Release()
						return
					}
					require.True(t, right(record, next), next)
					next++
				}
			}
			for range kills {
				from := next
				ctx, cancel := context.WithCancel(t.Context())
				cmd, out := child(t, ctx, r, "TestRingSurvivesKilledWriters", "endless", lang, from)
				end := from + rand.Uint64N(2000)
				for next <= end {
					require.NoError(t, rd.WaitTimeout(time.Minute), out)
					read()
				}
				cancel()
				_ = cmd.Wait()
				require.Equal(t, syscall.SIGKILL, cmd.ProcessState.Sys().(syscall.WaitStatus).Signal(), out)
				read()
			}
		})
	}
}

// Two processes use both ends of a ring while every word of it is mutated:
// calls return, in time, and touch nothing else.
func TestRingSurvivesMutationByAnotherProcess(t *testing.T) {
	inRole(t, ringRoles)
	mutations := testutil.Times(t, "OSTHREAD_TEST_MUTATIONS", 100_000, 20_000)
	step := 512
	if testing.Short() {
		step = 64
	}
	for lang := range languages {
		for _, records := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s/records=%v", lang, records), func(t *testing.T) {
				r := newSharedRing(t, 512, records)
				stop := &r.words[0]
				cmd, out := child(t, t.Context(), r, "TestRingSurvivesMutationByAnotherProcess", "abuse", lang, 1)
				done := make(chan struct{})
				go func() { defer close(done); goAbuse(r.mem, behind, stop, &r.words[2], 2) }()
				var exited atomic.Bool
				var failed error
				waited := make(chan struct{})
				go func() { defer close(waited); failed = cmd.Wait(); exited.Store(true) }()
				random := rand.New(rand.NewPCG(7, 8))
				words := unsafe.Slice((*uint32)(unsafe.Pointer(unsafe.SliceData(r.mem))), len(r.mem)/4)
				attr := shared.RingAttr{Records: records, ProcessShared: true}
				for i := range mutations / 4 {
					if i%step == 0 { // each side has made calls in between
						theirs, ours := atomic.LoadUint32(&r.words[1]), atomic.LoadUint32(&r.words[2])
						testutil.Await(func() bool {
							return exited.Load() ||
								atomic.LoadUint32(&r.words[1]) != theirs && atomic.LoadUint32(&r.words[2]) != ours
						})
					}
					park.Pause(16)
					w := &words[random.IntN(len(words))]
					if i%2 == 0 { // mostly what calls read
						w = &words[[]int{0, 2, 3, 4, 5, 32, 64, 96}[random.IntN(8)]]
					}
					atomic.StoreUint32(w, mutant(random, atomic.LoadUint32(w)))
					if i%16 == 0 {
						_, err := shared.NewRing(r.mem, 512, attr)
						require.NoError(t, err)
					}
				}
				atomic.StoreUint32(stop, 1)
				within(t, func() { <-done })
				within(t, func() { <-waited })
				assert.NoError(t, failed, out)
				assert.Equal(t, make([]byte, behind), r.behind)
			})
		}
	}
}
