package thread

import (
	"cmp"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"example.com/thread/internal/ident"
	"example.com/thread/internal/park"
)

// A thread's slot (internal/ident) tells who the thread is: its serial, and the
// row of its record, if it has one. The row stands for the record because the
// slot is memory of C, where no Go pointer may stay. records keeps every record
// of a living thread reachable and finds it by its row with two loads and no
// lock.
//
// Who may write a slot: only code on that very thread, while its goroutine
// cannot leave it.
const unknown uintptr = ident.None

// Rows are found in chunks, so that a row never moves while another thread
// reads it.
const (
	chunkBits = 8
	chunkSize = 1 << chunkBits
	maxChunks = 1 << (ident.RowBits - chunkBits)
)

type recordTable struct {
	chunks [maxChunks]atomic.Pointer[[chunkSize]atomic.Pointer[Thread]]

	mu      sync.Mutex
	unused  []uintptr // rows given back
	rows    uintptr   // rows ever handed out
	sweepAt int       // the number of records at which sweep looks
}

var records recordTable

// serials numbers threads. A serial is never used again, unlike a row, an ident
// or a native id.
var serials atomic.Uint64

func newSerial() uint64 { return serials.Add(1) }

// newSlot returns the slot of a thread without a record. On 32-bit systems it
// has no room for a whole serial; what it holds stays the thread's serial when
// it gets a record.
func newSlot() uintptr {
	for {
		if s := ident.Make(newSerial(), 0); s != unknown {
			return s
		}
	}
}

// at returns the record of slot, which must be one that add has handed out; nil
// if that has been removed.
func (r *recordTable) at(slot uintptr) *Thread {
	i := ident.Row(slot) - 1
	t := r.chunks[i>>chunkBits%maxChunks].Load()[i%chunkSize].Load()
	if t == nil || t.slot != slot {
		return nil
	}
	return t
}

// add gives t, which has its serial, a row.
func (r *recordTable) add(t *Thread) {
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
	t.slot = ident.Make(t.serial, i+1)
	chunk.Load()[i%chunkSize].Store(t)
}

// remove gives t's row back. The thread must have left its slot, or be gone.
func (r *recordTable) remove(t *Thread) {
	r.mu.Lock()
	defer r.mu.Unlock()
	i := ident.Row(t.slot) - 1
	r.chunks[i>>chunkBits].Load()[i%chunkSize].Store(nil)
	r.unused = append(r.unused, i)
}

// all returns the records of threads that have begun.
func (r *recordTable) all() (all []*Thread) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range r.rows {
		if t := r.chunks[i>>chunkBits].Load()[i%chunkSize].Load(); t != nil && t.begun.Load() {
			all = append(all, t)
		}
	}
	return all
}

// Threads returns the records of all threads that have one and are alive, with
// the lower serial first: those from Start, from the beginning of their body
// on, the attached ones, and those of C that have called this package. The
// result may be stale by the time it is used.
func Threads() []*Thread {
	collectOrphans()
	all := records.all()
	all = slices.DeleteFunc(all, func(t *Thread) bool { return !t.Alive() })
	slices.SortFunc(all, func(a, b *Thread) int { return cmp.Compare(a.serial, b.serial) })
	return all
}

// count returns the number of records.
func (r *recordTable) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.used()
}

// used is count for a caller that has mu.
func (r *recordTable) used() int { return int(r.rows) - len(r.unused) }

// Current returns the record of the calling thread: one made by Start, or
// attached by Attach or because C made it. It returns nil in a goroutine that
// has no thread of its own. It costs about 2 ns with cgo on amd64, 386, arm64
// and riscv64, and on Windows, and a system call elsewhere.
func Current() *Thread {
	slot := ident.Slot()
	if ident.Row(slot) != 0 {
		if t := records.at(slot); t != nil {
			return t
		}
	} else if slot != unknown {
		return nil
	}
	return firstSight()
}

func init() {
	park.SetOnThread(func() bool { return Current() != nil })
	ident.Unknown = func() { identify() }
}

// identify makes sure that the calling thread has a slot.
func identify() *Thread {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if t := Current(); t != nil {
		return t
	}
	if ident.Slot() == unknown { // no aliens here, or it cannot be told
		ident.SetSlot(newSlot())
	}
	return nil
}

// firstSight tells an alien thread, which it attaches, from one made by Go.
func firstSight() *Thread {
	runtime.LockOSThread() // the slot is to be this thread's
	defer runtime.UnlockOSThread()
	if slot := ident.Slot(); ident.Row(slot) != 0 {
		if t := records.at(slot); t != nil {
			return t // the goroutine was elsewhere a moment ago
		}
		// Of a pinned thread: its body unlocked itself, and ended elsewhere.
		ident.SetSlot(unknown)
	}
	if !osAliens {
		return nil
	}
	alienThread, known := calledByC()
	if !known {
		if known = initializing(); !known { // until then no thread of C is in Go
			alienThread, known = osMadeByC()
		}
	}
	if !alienThread {
		if known && ident.Slot() == unknown {
			ident.SetSlot(newSlot())
		}
		return nil
	}
	t, err := attach(alien)
	if err != nil {
		// The process has no memory or no key left for the watch. A record that
		// nobody removes at the thread's end could be taken for another's.
		return nil
	}
	return t
}

// calledByC reports whether the calling goroutine is one that the runtime lent
// to a thread of C for a call into Go: then the outermost function on its stack
// is the runtime's entry from C. It is not known in a coroutine of iter.Pull,
// which has a stack of its own.
func calledByC() (yes, known bool) {
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
	if last != "runtime.goexit" {
		return false, true
	}
	return before == "runtime.cgocallback", before != "runtime.corostart"
}

// calledByCAlone reports whether the innermost call from C is all that stands
// on the thread's stack of Go functions.
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
