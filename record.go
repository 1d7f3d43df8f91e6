package thread

import (
	"cmp"
	"slices"
	"sync"
	"sync/atomic"

	"example.com/thread/internal/ident"
	"example.com/thread/internal/keep"
	"example.com/thread/internal/waits"
)

// A thread's slot (internal/ident) identifies the thread: it holds its serial
// and the row of its record, if there is one. It holds a row and not a pointer
// because the slot is memory of C, where no Go pointer may be stored. records
// keeps the record of every living thread reachable, and finds it by its row
// with two loads and no lock.
//
// A slot is written only by code on its own thread, while the goroutine cannot
// leave that thread. Model: verify/join.pml, with what ends a record (lost.go).
const unknown uintptr = ident.None

// Rows are kept in chunks, so that a row never moves while another thread reads
// it.
const (
	chunkBits = 8
	chunkSize = 1 << chunkBits
	maxChunks = 1 << (ident.RowBits - chunkBits)
)

type recordTable struct {
	chunks [maxChunks]atomic.Pointer[[chunkSize]atomic.Pointer[Thread]]

	mu      sync.Mutex
	unused  []uintptr // rows given back
	rows    uintptr   // rows ever used
	sweepAt int       // the number of records at which sweep scans
}

var records recordTable

// serials numbers threads. A serial is never reused, unlike a row, an ident or
// a native id.
var serials atomic.Uint64

func newSerial() uint64 { return serials.Add(1) }

// newSlot returns a slot for a thread without a record. On 32-bit systems the
// slot cannot hold a whole serial; what it holds stays the thread's serial when
// the thread gets a record.
func newSlot() uintptr {
	for {
		if s := ident.Make(newSerial(), 0); s != unknown {
			return s
		}
	}
}

// at returns the record with that slot, which add must have assigned, or nil if
// it has been removed.
func (r *recordTable) at(slot uintptr) *Thread {
	i := ident.Row(slot) - 1
	t := r.chunks[i>>chunkBits%maxChunks].Load()[i%chunkSize].Load()
	if t == nil || t.slot != slot {
		return nil
	}
	return t
}

// add assigns a row to t, whose serial is set.
func (r *recordTable) add(t *Thread) {
	t.permit.Spin, t.permit.For = &t.spin, parked
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
	waits.Own(t.slot)
	chunk.Load()[i%chunkSize].Store(t)
}

// remove frees t's row. The thread must have cleared its slot, or be gone.
func (r *recordTable) remove(t *Thread) {
	waits.Forget(t.slot)
	r.mu.Lock()
	defer r.mu.Unlock()
	i := ident.Row(t.slot) - 1
	r.chunks[i>>chunkBits].Load()[i%chunkSize].Store(nil)
	r.unused = append(r.unused, i)
}

// all returns the records of threads that the system has made.
func (r *recordTable) all() (all []*Thread) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range r.rows {
		if t := r.chunks[i>>chunkBits].Load()[i%chunkSize].Load(); t != nil && t.made.Load() {
			all = append(all, t)
		}
	}
	return all
}

// count returns the number of records.
func (r *recordTable) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.used()
}

// starts counts the threads that have got a record, by kind.
var starts [alien + 1]atomic.Uint64

// countStart counts t, whose Start or attachment has succeeded.
func (t *Thread) countStart() { starts[t.kind].Add(1) }

// startsByKind returns the counts by the names of kinds.
func startsByKind() map[string]uint64 {
	byKind := make(map[string]uint64, len(starts))
	for k := range starts {
		byKind[kind(k).String()] = starts[k].Load()
	}
	return byKind
}

func init() {
	keep.Kind = func(t any) string { return t.(*Thread).kind.String() }
	keep.Starts = startsByKind
	keep.Records = records.count
	keep.Slot = func(t any) uintptr { return t.(*Thread).slot }
}

// used is count with mu held.
func (r *recordTable) used() int { return int(r.rows) - len(r.unused) }

// Threads returns the records of all living threads that have one, by ascending
// serial: those from Start, the attached ones, and those of C that have called
// this package. The result may be stale by the time it is used.
func Threads() []*Thread {
	collectExited()
	all := records.all()
	all = slices.DeleteFunc(all, func(t *Thread) bool { return !t.Alive() })
	slices.SortFunc(all, func(a, b *Thread) int { return cmp.Compare(a.serial, b.serial) })
	return all
}
