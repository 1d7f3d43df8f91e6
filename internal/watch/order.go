package watch

import (
	"cmp"
	"slices"
	"sync"
	"sync/atomic"
	"unsafe"
)

// Lock order: locks that are acquired in one order here and in another there
// can deadlock, even if they never have. Each acquisition that waits without a
// limit while its party holds other locks makes an edge from each of these to
// the wanted one. A cycle of edges is an inversion, and is reported when its
// last edge is about to be made, before the caller waits.
//
// An edge has uses, and a cycle counts only if there is a use of each of its
// edges such that all of them can come together:
//
//   - The uses are of different goroutines: one alone cannot deadlock.
//   - No two of them hold the same other lock (a gate), unless both as readers:
//     only one at a time could have come as far.
//   - At each lock the use that holds it and the one that wants it exclude each
//     other, which two readers do not. (A writer that waits in between could
//     make them: that is not reported.)
//
// Locks that were handed off have no edges: their holder is not the party that
// acquired them. Attempts that end by themselves make none, but what they have
// acquired is held. So what is reported can happen if the goroutines can run at
// the same time, which is not known.
//
// An edge that a party has made is in a cache of its own (edgeCache), so that
// it takes the lock over the graph only once for each set of locks.

// A node is a lock in the graph. It does not keep the lock alive, and leaves
// the graph when the lock is collected.
type node struct {
	serial uint64 // no other node has it
	lock   Object
	out    map[*node]*edge
	in     map[*node]bool
}

// An Object describes a lock.
type Object struct {
	Address uintptr
	Value   string // as %T(%p)
	Name    string // see Name
}

type edge struct{ uses []*use }

// A use is how an edge came about.
type use struct {
	goid, life uint64
	held, want How
	gates      []gate // what the party held besides, by address
	heldAt     []uintptr
	wantedAt   []uintptr
	from, to   *node
	slot       uintptr
}

type gate struct {
	object uintptr
	how    How
}

const (
	maxUses   = 8      // of an edge
	maxCycle  = 6      // edges
	maxSearch = 10_000 // uses that a search checks
	cacheSize = 64
)

var (
	orderMu  sync.Mutex // may be locked under a shard's
	nodes    map[uintptr]*node
	made     uint64             // nodes
	reported map[string]bool    // cycles, by the serials of their nodes
	silenced map[[2]uint64]bool // pairs of nodes, by serials, the lesser first
	orderOff atomic.Bool
	epoch    atomic.Uint64 // of edgeCaches: nodes that have left the graph
	hook     atomic.Pointer[func(Inversion)]
)

// An Inversion is a cycle of locks: each step holds a lock and wants that of
// the next one, the last step that of the first.
type Inversion struct{ Steps []Step }

// A Step is what one goroutine of an Inversion has done: the last one is about
// to do it.
type Step struct {
	Goid         uint64
	Slot         uintptr // see Party.Slot
	Held, Wanted Object
	HeldAt       []uintptr // where Held was acquired; see Hold.PCs
	WantedAt     []uintptr
}

// SetOrderHook makes f be called for each inversion, once for the same locks,
// by the goroutine that is about to make it. nil: none is.
func SetOrderHook(f func(Inversion)) {
	if f == nil {
		hook.Store(nil)
		return
	}
	hook.Store(&f)
}

// SetOrder switches the search for inversions on, as it is at the start, or
// off.
func SetOrder(on bool) { orderOff.Store(!on) }

// SilenceOrder makes cycles in which the locks a and b follow one another go
// unreported, in either order.
func SilenceOrder(a, b any) {
	for _, o := range []any{a, b} {
		set(wordsOf(o).data, func(*info) {})
	}
	orderMu.Lock()
	defer orderMu.Unlock()
	if silenced == nil {
		silenced = map[[2]uint64]bool{}
	}
	silenced[pair(nodeOf(wordsOf(a), a), nodeOf(wordsOf(b), b))] = true
}

func pair(a, b *node) [2]uint64 {
	return [2]uint64{min(a.serial, b.serial), max(a.serial, b.serial)}
}

// An edgeCache has the acquisitions of its party that have made their edges, as
// hashes of what was held and wanted.
type edgeCache struct {
	epoch  uint64
	hashes [cacheSize]uint64
	busy   bool // the hook runs
}

func (c *edgeCache) known(hash uint64) bool {
	if e := epoch.Load(); c.epoch != e {
		c.hashes, c.epoch = [cacheSize]uint64{}, e
	}
	at := &c.hashes[hash>>(64-6)]
	known := *at == hash
	*at = hash
	return known
}

// Wants notes that p, the caller's party, is about to acquire the lock object,
// and will wait for it without a limit.
func (p *Party) Wants(object any, how How) {
	if p.top.Load() > 0 {
		p.wants(object, how)
	}
}

func (p *Party) wants(object any, how How) {
	e := wordsOf(object)
	if orderOff.Load() || p.orders.busy || p.orders.known(p.hash(e, how)) {
		return
	}
	var pcs [depth]uintptr
	walk(&pcs)
	found := p.addEdges(e, object, how, trim(pcs[:]))
	if f := hook.Load(); f != nil {
		p.orders.busy = true
		defer func() { p.orders.busy = false }()
		for _, i := range found {
			i.name()
			(*f)(i)
		}
	}
}

// hash returns a hash of the locks that p holds and the one that it wants.
func (p *Party) hash(wanted eface, how How) uint64 {
	h := mix(0, wanted.data, how)
	for i := range p.top.Load() {
		if at := p.at(i); at.number.Load() != 0 && at.how < Permits {
			h = mix(h, at.object, at.how)
		}
	}
	return h
}

func mix(h uint64, object unsafe.Pointer, how How) uint64 {
	h = (h ^ uint64(uintptr(object)) + uint64(how)) * golden
	return h ^ h>>29
}

// addEdges adds the edges to the wanted lock, and returns the inversions that
// are new with them.
func (p *Party) addEdges(e eface, wanted any, how How, at []uintptr) (found []Inversion) {
	held := p.locks(e.data)
	if len(held) == 0 || handedOff(e.data) {
		return nil
	}
	orderMu.Lock()
	defer orderMu.Unlock()
	to := nodeOf(e, wanted)
	for i, h := range held {
		if h.HandedOff {
			continue
		}
		u := &use{
			goid: p.Goid(), life: p.life.Load(), slot: p.Slot(), held: h.How, want: how, gates: gates(held, i),
			heldAt: h.PCs, wantedAt: at, from: nodeOf(wordsOf(h.Object), h.Object), to: to,
		}
		if u.add() {
			if cycle := u.cycle(); cycle != nil {
				found = append(found, inversion(cycle))
			}
		}
	}
	return found
}

// locks returns p's holds of locks other than the one that is wanted.
func (p *Party) locks(wanted unsafe.Pointer) []Hold {
	return slices.DeleteFunc(p.state().Holds, func(h Hold) bool {
		return h.How >= Permits || wordsOf(h.Object).data == wanted
	})
}

func gates(held []Hold, but int) (gs []gate) {
	for i, h := range held {
		if i != but {
			gs = append(gs, gate{uintptr(wordsOf(h.Object).data), h.How})
		}
	}
	slices.SortFunc(gs, func(a, b gate) int {
		return cmp.Compare(a.object, b.object)
	})
	return gs
}

// add adds u to its edge. It returns false if that has room for no more, or has
// uses that make it needless: a use of the same goroutine, or of two others,
// with the same gates and modes.
func (u *use) add() bool {
	e := u.from.out[u.to]
	if e == nil {
		e = new(edge)
		u.from.out[u.to] = e
		u.to.in[u.from] = true
	}
	same := 0
	for _, v := range e.uses {
		if v.held == u.held && v.want == u.want && slices.Equal(v.gates, u.gates) {
			if same++; same == 2 || v.life == u.life {
				return false
			}
		}
	}
	if len(e.uses) == maxUses {
		return false
	}
	e.uses = append(e.uses, u)
	return true
}

// cycle returns uses that are a new inversion with u, which is the last of
// them, or nil.
func (u *use) cycle() (uses []*use) {
	looked := 0
	path := []*use{u}
	var search func() bool
	search = func() bool {
		last := path[len(path)-1]
		for to, e := range last.to.out {
			closes := to == u.from
			if !closes && (len(path) == maxCycle-1 || onPath(path, to)) {
				continue
			}
			for _, v := range e.uses {
				if looked++; looked > maxSearch {
					return false
				}
				if !follows(path, v) || closes && !excludes(v.want, u.held) {
					continue
				}
				path = append(path, v)
				if closes && news(path) || !closes && search() {
					return true
				}
				path = path[:len(path)-1]
			}
		}
		return false
	}
	if !search() {
		return nil
	}
	return append(path[1:], u)
}

func onPath(path []*use, n *node) bool {
	return slices.ContainsFunc(path, func(u *use) bool { return u.from == n || u.to == n })
}

func excludes(a, b How) bool { return a == Exclusive || b == Exclusive }

// follows reports whether v, which holds what the last use of the path wants,
// can come together with all of them.
func follows(path []*use, v *use) bool {
	if !excludes(path[len(path)-1].want, v.held) {
		return false
	}
	for _, u := range path {
		if u.life == v.life || u.from == v.from || u.shutsOut(v) {
			return false
		}
	}
	return true
}

// shutsOut reports whether u and v hold a lock that not both can hold.
func (u *use) shutsOut(v *use) bool {
	for _, a := range u.gates {
		for _, b := range v.gates {
			if a.object == b.object && excludes(a.how, b.how) {
				return true
			}
		}
	}
	return false
}

// news reports whether a cycle is neither silenced nor reported already, and
// notes that it is.
func news(cycle []*use) bool {
	serials := make([]uint64, len(cycle))
	for i, u := range cycle {
		if silenced[pair(u.from, u.to)] {
			return false
		}
		serials[i] = u.from.serial
	}
	slices.Sort(serials)
	key := make([]byte, 0, 8*len(serials))
	for _, s := range serials {
		key = append(key, (*[8]byte)(unsafe.Pointer(&s))[:]...)
	}
	if reported[string(key)] {
		return false
	}
	if reported == nil {
		reported = map[string]bool{}
	}
	reported[string(key)] = true
	return true
}

func inversion(cycle []*use) (i Inversion) {
	for _, u := range cycle {
		i.Steps = append(i.Steps, Step{
			Goid: u.goid, Slot: u.slot,
			Held: u.from.lock, Wanted: u.to.lock, HeldAt: u.heldAt, WantedAt: u.wantedAt,
		})
	}
	return i
}
