package inspect

import (
	"fmt"
	"io"
	"os"
	"reflect"
	"runtime"
	"strconv"
	"time"

	"example.com/thread/internal/futex"
	"example.com/thread/internal/keep"
	"example.com/thread/internal/waits"
	"example.com/thread/internal/watch"
	"example.com/thread/osthread"
)

// Options are what a snapshot has beyond what is always in it. The zero value
// stands for nothing more.
type Options struct {
	// Stacks are the stacks of all parties. Without watch mode they are found
	// by the label thread=NAME that threads have in profiles, which stops the
	// world for microseconds. In watch mode, all goroutines are stopped while
	// Go writes their stacks, which takes some 10 us for each. With them comes
	// how much of their stacks for C threads have used, 20 us for each.
	Stacks bool
}

// Take returns a snapshot without stacks. Nothing is stopped for it.
func Take() *Snapshot { return TakeWith(Options{}) }

// TakeWith is Take with options.
func TakeWith(o Options) *Snapshot {
	l, found := findKnots()
	t := newTaker(l, found, o)
	t.gauges()
	return t.snapshot
}

// Dump writes a snapshot with stacks for a person; see Snapshot.WriteTo. It
// returns w's error.
func Dump(w io.Writer) error {
	_, err := TakeWith(Options{Stacks: true}).WriteTo(w)
	return err
}

// Deadlocks returns a snapshot, with stacks, of the parties that cannot go on,
// and nil if there are none. It finds parties that wait for each other without
// a limit: for locks, of which outside of watch mode RLocks and the objects of
// package shared that have owners alone have known holders, for the ends of
// threads, for calls of a Worker, for futures of pools, in queue.Join, and at a
// Barrier where as many as it has parties, and no others, have ever waited in
// watch mode. A deadlock that it returns is real: all its waits stood at one
// time; but see Deadlock.Unless. It does not find one that involves a wait for
// something else, like a Condition, which any other party could end; nor a lock
// that another party has unlocked than had locked it, or that its holder itself
// waits for.
func Deadlocks() *Snapshot {
	l, found := findKnots()
	if len(found) == 0 {
		return nil
	}
	return newTaker(l, found, Options{Stacks: true}).snapshot.only()
}

// A taker makes a snapshot.
type taker struct {
	view     *view
	now      int64
	snapshot *Snapshot
	objects  map[any]int // by keyOf
}

func newTaker(l *view, found []knot, o Options) *taker {
	t := &taker{view: l, now: futex.Now(), objects: map[any]int{}}
	t.snapshot = &Snapshot{Taken: time.Now(), Process: os.Getpid(), Watched: watch.On}
	for _, s := range l.subjects {
		p := describe(s)
		if o.Stacks && s.record != nil {
			use, _ := s.record.StackUse() // 0: the system does not report it
			p.StackUse, p.StackSize = use.Used, use.Size
		}
		t.snapshot.Parties = append(t.snapshot.Parties, p)
	}
	for i, s := range l.subjects {
		t.hold(i, s)
	}
	for i, s := range l.subjects { // after all holders are known
		t.wait(i, s)
	}
	for _, k := range found {
		t.snapshot.Deadlocks = append(t.snapshot.Deadlocks, Deadlock{k.cycle, k.behind, l.unless(k)})
	}
	if o.Stacks {
		t.stacks()
	}
	return t
}

// describe returns the party of s, without what it waits for and holds.
func describe(s *subject) Party {
	p := Party{Kind: KindThread, Goroutine: s.goid, Ended: s.ended}
	if s.thread == nil && s.record == nil {
		p.Kind, p.Name = KindGoroutine, "goroutine "+strconv.FormatUint(s.goid, 10)
		return p
	}
	if s.thread != nil {
		p.Name, p.Daemon = s.thread.Name(), s.thread.Daemon()
	}
	if s.record == nil {
		p.NativeID, p.Origin = s.thread.NativeID(), OriginGo
	} else {
		p.Origin = keep.Kind(s.record)
		p.Serial, p.NativeID = s.record.Serial(), s.record.NativeID()
		p.CPUTime, _ = s.record.CPUTime() // 0: the system does not report it
	}
	if s.thread == nil {
		p.Name, p.Daemon = s.record.Name(), true
	}
	if p.Name == "" {
		p.Name = "thread " + strconv.Itoa(p.NativeID)
	}
	return p
}

func (t *taker) hold(i int, s *subject) {
	p := &t.snapshot.Parties[i]
	for _, h := range s.holds {
		at := t.object(h.Object)
		p.Holds = append(p.Holds, Hold{Object: at, How: how(h), Taken: framesOf(h.PCs)})
		t.snapshot.Objects[at].Holders = append(t.snapshot.Objects[at].Holders, i)
	}
}

func how(h watch.Hold) string {
	switch h.How {
	case watch.Shared:
		return "shared"
	case watch.Permits:
		return count(h.N, "permit")
	case watch.Tasks:
		return count(h.N, "task")
	default:
		return ""
	}
}

func (t *taker) wait(i int, s *subject) {
	if !s.waits {
		return
	}
	at := t.object(s.wait.Object)
	w := &Wait{
		Object: at, For: time.Duration(t.now - s.wait.Since), Ends: s.wait.Ends,
		Needs: [...]Needs{unknown: NeedsUnknown, all: NeedsAll, any1: NeedsAny}[s.need],
	}
	if s.need != unknown {
		for _, server := range s.servers {
			w.Servers = append(w.Servers, server.index)
		}
	}
	t.snapshot.Parties[i].Wait = w
	o := &t.snapshot.Objects[at]
	o.Waiters = append(o.Waiters, i)
	if s.owned && len(o.Holders) == 0 {
		o.Holders = w.Servers // its owner, known without watch mode
	}
}

// object returns the index of an object, which it adds if it is new.
func (t *taker) object(object any) int {
	key := keyOf(object)
	i, known := t.objects[key]
	if !known {
		i = len(t.snapshot.Objects)
		t.objects[key] = i
		t.snapshot.Objects = append(t.snapshot.Objects, newObject(t.text(object), object))
	}
	return i
}

// text returns the String of an object. That of an RLock searches its owner
// among all threads, so of many RLocks it would take long.
func (t *taker) text(object any) string {
	switch o := object.(type) {
	case nil:
		return "something unknown"
	case *osthread.RLock:
		state := "unlocked"
		if o.Locked() {
			state = "locked"
		}
		return fmt.Sprintf("RLock(%p, %s, %d waiting)", o, state, o.Waiting())
	default:
		return waits.TextOf(object)
	}
}

// newObject returns an object with its name and first use, if they are known.
func newObject(text string, object any) Object {
	o := Object{Type: waits.TypeOf(object), Text: text}
	if !watch.On || reflect.ValueOf(object).Kind() != reflect.Pointer {
		return o
	}
	o.Name = watch.NameOf(object)
	if calls := callers(framesOf(watch.FirstUse(object))); len(calls) > 0 {
		o.FirstUse = &calls[0]
	}
	total := watch.TotalOf(object)
	o.Ended = Waits{total.Waits, time.Duration(total.Nanos)}
	return o
}

// framesOf returns the frames of a stack of return addresses, without those of
// this module that are its innermost ones.
func framesOf(pcs []uintptr) (frames []Frame) {
	if len(pcs) == 0 {
		return nil
	}
	next := runtime.CallersFrames(pcs)
	for more := true; more; {
		var f runtime.Frame
		if f, more = next.Next(); f.Function != "" {
			frames = append(frames, Frame{f.Function, f.File, f.Line})
		}
	}
	return frames
}

func (t *taker) stacks() {
	var byID map[uint64][]Frame
	if t.snapshot.Watched {
		byID = stacksByID()
	}
	byName := stacksByName()
	for i := range t.snapshot.Parties {
		p := &t.snapshot.Parties[i]
		if stack := byID[p.Goroutine]; stack != nil {
			p.Stacks = [][]Frame{stack}
		} else if p.Kind == KindThread {
			p.Stacks = byName[p.Name]
		}
	}
}
