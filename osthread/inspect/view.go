package inspect

import (
	"reflect"
	"slices"
	"unsafe"

	"example.com/thread"
	"example.com/thread/internal/ident"
	"example.com/thread/internal/keep"
	"example.com/thread/internal/sight"
	"example.com/thread/internal/waitfor"
	"example.com/thread/internal/waits"
	"example.com/thread/internal/watch"
	"example.com/thread/osthread"
)

// A view is what all parties wait for and hold. Threads run while it is made,
// so each of its facts was true at some time meanwhile, but not all at one
// time. Two views with the same wait of a party, by its number, show that the
// party waited all the time in between. So the waits that both have stood at
// one time, between the two, and what a party holds did not change while it
// waited. A waiter that was woken goes on, although its wait is recorded until
// it runs: that it was still asleep is found out in the second view, so it was
// at that time.
type view struct {
	subjects []*subject
	bySlot   map[uintptr]*subject
	bySerial map[uint64]*subject
	byNative map[int]*subject // threads with a record, by the system's ids
	byParker map[unsafe.Pointer]*subject
	byParty  map[*watch.Party]*subject
	holders  map[any][]holder // by keyOf
	waiters  map[any]int      // by keyOf
}

// A subject is a party in a view.
type subject struct {
	key    any // the same in all views
	index  int // in subjects
	record *thread.Thread
	thread *osthread.Thread
	party  *watch.Party // nil: it holds nothing
	goid   uint64
	ended  bool

	waits   bool
	wait    waits.Wait
	need    need
	owned   bool // by its only server
	servers []*subject
	holds   []watch.Hold
}

type holder struct {
	subject *subject
	hold    watch.Hold
}

// A slotted is the key of a thread with a record.
type slotted uintptr

func newView() *view {
	l := &view{
		bySlot: map[uintptr]*subject{}, bySerial: map[uint64]*subject{},
		byNative: map[int]*subject{},
		byParker: map[unsafe.Pointer]*subject{}, byParty: map[*watch.Party]*subject{},
		holders: map[any][]holder{}, waiters: map[any]int{},
	}
	l.threads()
	if watch.On {
		l.parties()
	}
	for _, s := range l.subjects {
		if s.waits {
			l.resolve(s)
			s.check()
		}
	}
	return l
}

func (l *view) add(s *subject) *subject {
	s.index = len(l.subjects)
	l.subjects = append(l.subjects, s)
	if s.waits {
		l.byParker[s.wait.Parker] = s
		l.waiters[keyOf(s.wait.Object)]++
	}
	return s
}

// threads adds the living threads: those of package osthread in the order of
// their starts, and then those that only package thread knows.
func (l *view) threads() {
	known := make(map[*thread.Thread]bool)
	for th := range osthread.Threads() {
		record, _ := th.OSThread() // it has none, or not yet
		known[record] = true
		l.addThread(record, th)
	}
	for _, record := range thread.Threads() {
		if !known[record] {
			l.addThread(record, nil)
		}
	}
}

// addThread adds a thread, of which one of record and th may be nil.
func (l *view) addThread(record *thread.Thread, th *osthread.Thread) {
	s := &subject{key: th, record: record, thread: th}
	if record == nil {
		l.add(s)
		return
	}
	slot := keep.Slot(record)
	s.key = slotted(slot)
	s.wait, s.waits = waits.Of(slot)
	l.add(s)
	l.bySlot[slot], l.bySerial[record.Serial()], l.byNative[record.NativeID()] = s, s, s
}

// parties adds what watch mode knows: holds, and goroutines.
func (l *view) parties() {
	for _, state := range watch.States() {
		s := l.subjectOf(state)
		s.party, s.goid, s.holds = state.Party, state.Goid, append(s.holds, state.Holds...)
		l.byParty[state.Party] = s
		for _, h := range state.Holds {
			key := keyOf(h.Object)
			l.holders[key] = append(l.holders[key], holder{s, h})
		}
	}
}

// subjectOf returns the party of state: a thread that is known already, or a
// goroutine.
func (l *view) subjectOf(state watch.State) *subject {
	if s := l.bySlot[state.Slot]; s != nil {
		return s
	}
	s := &subject{key: state.Party, ended: ident.Row(state.Slot) != 0, wait: state.Wait, waits: state.Waits}
	return l.add(s)
}

// keyOf returns what an object is found by: itself, or the first element of a
// slice.
func keyOf(object any) any {
	if v := reflect.ValueOf(object); v.Kind() == reflect.Slice {
		return v.Pointer()
	}
	return object
}

// resolve finds what the wait of s needs.
func (l *view) resolve(s *subject) {
	r := sight.Explain(s.wait.Object, s.wait.Parker)
	if r.Needs == sight.Unknown {
		r = l.inPools(s)
	}
	s.need = map[sight.Needs]need{sight.All: all, sight.Any: any1}[r.Needs]
	if s.need == unknown {
		return
	}
	s.owned = r.Owned
	l.addHolders(s, r)
	for _, slot := range r.Slots {
		s.addServer(l.bySlot[slot])
	}
	for _, parker := range r.Waiters {
		s.addServer(l.byParker[parker])
	}
	l.addMembers(s, r)
	if r.NativeID != 0 {
		s.addServer(l.byNative[r.NativeID])
	}
	if len(s.servers) == 0 && r.Serial != 0 {
		s.addServer(l.bySerial[r.Serial])
	}
	// A lock that its owner alone can unlock was handed off to s, whose wakeup
	// is on its way. Another lock others may unlock, and s may rely on that.
	if slices.Contains(s.servers, s) {
		s.need = unknown
	}
}

// check makes unknown what s needs, if its wait ended while that was found.
func (s *subject) check() {
	var now waits.Wait
	still := false
	switch key := s.key.(type) {
	case slotted:
		now, still = waits.Of(uintptr(key))
	case *watch.Party:
		now, still = key.Wait()
	}
	if !still || now.Number != s.wait.Number {
		s.need = unknown
	}
}

// inPools explains a wait for what only the graph of pools and workers knows:
// any of several futures.
func (l *view) inPools(s *subject) sight.Reason {
	if slot, ok := s.key.(slotted); ok && s.wait.Object != nil {
		if slots, known := waitfor.ServersOf(uintptr(slot)); known {
			return sight.Reason{Needs: sight.Any, Slots: slots}
		}
	}
	return sight.Reason{}
}

// addServer adds a party that can end the wait of s. If it is not known which
// party that is, nothing is known.
func (s *subject) addServer(server *subject) {
	if server == nil {
		s.need = unknown
		return
	}
	s.servers = append(s.servers, server)
}

// addHolders adds those that hold what s waits for. A holder that has ended
// releases nothing, but of an object that others may release it is not known
// that they will not; the same is true of one that was handed off.
func (l *view) addHolders(s *subject, r sight.Reason) {
	if !r.Holders {
		return
	}
	for _, h := range l.holders[keyOf(s.wait.Object)] {
		switch {
		case h.subject == s && h.hold.How == watch.Shared: // an upgrader
		case h.hold.HandedOff && !r.Owned, h.subject.ended && !r.Owned:
			s.need = unknown
		default:
			s.servers = append(s.servers, h.subject)
		}
	}
}

// addMembers adds those that s waits for at a barrier. If more or fewer are
// recorded as its waiters than it has, some of them go on already.
func (l *view) addMembers(s *subject, r sight.Reason) {
	key := keyOf(s.wait.Object)
	if len(r.Members) > 0 && l.waiters[key] != r.Waiting {
		s.need = unknown
		return
	}
	for _, m := range r.Members {
		member := l.byParty[m.Party]
		if member == nil {
			member = l.bySlot[m.Party.Slot()]
		}
		switch {
		case !m.IsCurrent():
			s.need = unknown
		case member == nil || !member.waits || keyOf(member.wait.Object) != key:
			s.addServer(member)
		}
	}
}

// nodes returns the graph.
func (l *view) nodes() []node {
	nodes := make([]node, len(l.subjects))
	for i, s := range l.subjects {
		n := node{waits: s.waits, ends: s.wait.Ends, gone: s.ended, need: s.need}
		for _, server := range s.servers {
			n.servers = append(n.servers, server.index)
		}
		nodes[i] = n
	}
	return nodes
}

// unless returns Deadlock.Unless of k.
func (l *view) unless(k knot) string {
	for _, i := range k.cycle {
		if _, ok := l.subjects[i].wait.Object.(*osthread.Barrier); ok {
			return "another party comes to the barrier"
		}
	}
	return ""
}

// findKnots returns a view and its knots. If it has any, a second view is made,
// and the result is that, with the knots that both have.
func findKnots() (*view, []knot) {
	first := newView()
	if len(knots(first.nodes())) == 0 {
		return first, nil
	}
	last := newView()
	return last, knots(last.nodesSince(first))
}

// nodesSince returns the graph without the waits that have begun since the view
// before, or that have other servers than then.
func (l *view) nodesSince(before *view) []node {
	old := make(map[any]*subject, len(before.subjects))
	for _, s := range before.subjects {
		old[s.key] = s
	}
	nodes := l.nodes()
	for i, s := range l.subjects {
		if s.waits && !s.stands(old[s.key]) {
			nodes[i].waits = false
		}
	}
	return nodes
}

// stands reports whether s, which waits, waited for the same servers in the
// view before, where it was before, if at all.
func (s *subject) stands(before *subject) bool {
	if before == nil || !before.waits || before.wait.Number != s.wait.Number ||
		before.need != s.need || len(before.servers) != len(s.servers) {
		return false
	}
	for i, server := range s.servers {
		if before.servers[i].key != server.key {
			return false
		}
	}
	return true
}
