package thread

import (
	"runtime"
	"sync"
	"sync/atomic"

	"example.com/thread/internal/ident"
	"example.com/thread/internal/park"
)

// A thread's slot (internal/ident) tells who the thread is:
//
//	unknown (0)   not looked at yet
//	goThread (1)  made by Go, and without a record: ordinary goroutines run on it
//	n >= 2        the thread of record n
//
// The number stands for the record because the slot is memory of C, where no Go pointer may stay. records keeps every
// record of a living thread reachable and finds it by its number with two loads and no lock.
//
// Who may write a slot: only code on that very thread, while its goroutine cannot leave it. unknown -> goThread is the one exception; the
// goroutine may have moved between the look and the store, but only to another thread made by Go without a record, for
// which the store is true as well.
const (
	unknown  uintptr = ident.None
	goThread uintptr = 1
	firstRec uintptr = 2
)

// Rows are found in chunks, so that a row never moves while another thread reads it.
const (
	chunkBits = 8
	chunkSize = 1 << chunkBits
	maxChunks = 1 << 14 // 4 million threads: PID_MAX_LIMIT of 64-bit Linux
)

type recordTable struct {
	chunks [maxChunks]atomic.Pointer[[chunkSize]atomic.Pointer[Thread]]

	mu     sync.Mutex
	unused []uintptr // rows given back
	rows   uintptr   // rows ever handed out
}

var records recordTable

// serials numbers records. A serial is never used again, unlike a slot, an ident or a native id.
var serials atomic.Uint64

// at returns the record n, which must be one that add has handed out.
func (r *recordTable) at(n uintptr) *Thread {
	i := n - firstRec
	return r.chunks[i>>chunkBits%maxChunks].Load()[i%chunkSize].Load()
}

// add gives t a row and a serial.
func (r *recordTable) add(t *Thread) {
	t.serial = serials.Add(1)
	t.permit.Spin = &t.spin
	r.mu.Lock()
	defer r.mu.Unlock()
	var i uintptr
	if last := len(r.unused) - 1; last >= 0 {
		i, r.unused = r.unused[last], r.unused[:last]
	} else {
		i = r.rows
		r.rows++
	}
	chunk := &r.chunks[i>>chunkBits]
	if chunk.Load() == nil {
		chunk.Store(new([chunkSize]atomic.Pointer[Thread]))
	}
	chunk.Load()[i%chunkSize].Store(t)
	t.slot = i + firstRec
}

// remove gives t's row back. The thread must have left its slot, or be gone.
func (r *recordTable) remove(t *Thread) {
	r.mu.Lock()
	defer r.mu.Unlock()
	i := t.slot - firstRec
	r.chunks[i>>chunkBits].Load()[i%chunkSize].Store(nil)
	r.unused = append(r.unused, i)
}

// count returns the number of records. For tests.
func (r *recordTable) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return int(r.rows) - len(r.unused)
}

// Current returns the record of the calling thread: one made by Start, or attached by Attach or because C made it. It returns
// nil in a goroutine that has no thread of its own. It costs about 2 ns with cgo on amd64, 386, arm64 and riscv64, and a
// system call elsewhere.
func Current() *Thread {
	if n := ident.Slot(); n >= firstRec {
		return records.at(n)
	} else if n == goThread {
		return nil
	}
	return firstSight()
}

func init() { park.SetOnThread(func() bool { return Current() != nil }) }

// firstSight tells an alien thread, which it attaches, from one made by Go.
func firstSight() *Thread {
	if !osAliens {
		return nil
	}
	if !calledByC() {
		ident.SetSlot(goThread)
		return nil
	}
	t, err := attach(alien)
	if err != nil {
		// The process has no memory or no key left for the watch. A record that nobody removes at the thread's end could be taken for another's.
		return nil
	}
	return t
}

// calledByC reports whether the calling goroutine is one that the runtime lent to a thread of C for a call into Go: then
// the outermost function on its stack is the runtime's entry from C.
func calledByC() bool {
	pcs := make([]uintptr, 64)
	n := runtime.Callers(0, pcs)
	for n == len(pcs) {
		pcs = make([]uintptr, 4*len(pcs))
		n = runtime.Callers(0, pcs)
	}
	var last, before string
	for frames, more := runtime.CallersFrames(pcs[max(0, n-2):n]), true; more; {
		var f runtime.Frame
		f, more = frames.Next()
		before, last = last, f.Function
	}
	return last == "runtime.goexit" && before == "runtime.cgocallback"
}

// calledByCAlone reports whether the innermost call from C is all that stands on the thread's stack of Go functions.
func calledByCAlone() bool {
	pcs := make([]uintptr, 64) // the call is a dozen functions away
	frames := runtime.CallersFrames(pcs[:runtime.Callers(0, pcs)])
	for f, more := frames.Next(); more; f, more = frames.Next() {
		if f.Function == "runtime.cgocallback" {
			f, more = frames.Next()
			return f.Function == "runtime.goexit" && !more
		}
	}
	return false
}
