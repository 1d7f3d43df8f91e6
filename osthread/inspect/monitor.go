package inspect

import (
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"example.com/thread/internal/watch"
	"example.com/thread/osthread"
	"example.com/thread/osthread/internal/protect"
)

// In watch mode a goroutine searches for deadlocks. It reports each once: a
// deadlock is known by the numbers of its waits, which do not end.

// interval is how often the monitor searches. A deadlock is reported by the
// second search at the latest, so within half a second if a processor is free.
const interval = 250 * time.Millisecond

// A Report is what watch mode has found: one of its fields is not nil.
type Report struct {
	// Deadlock has the parties of one deadlock, with their stacks, and one
	// element in Deadlocks.
	Deadlock *Snapshot `json:"deadlock,omitempty"`
	// Inversion has locks that are acquired in different orders.
	Inversion *Inversion `json:"inversion,omitempty"`
}

// String returns the report as a text of several lines.
func (r *Report) String() string {
	switch {
	case r.Deadlock != nil:
		return r.Deadlock.String()
	case r.Inversion != nil:
		return r.Inversion.String()
	default:
		return ""
	}
}

var hook atomic.Pointer[func(*Report)]

// SetHook sets the function that gets what watch mode finds: each deadlock
// within a second, and each inversion of the order of locks before the last of
// its goroutines waits, both once. nil stands for a function that writes the
// report to stderr. f may be called by several goroutines at once: for a
// deadlock by one of this package, which searches for no others meanwhile; for
// an inversion by the goroutine that is about to make it. It must not wait for
// the parties of the report. Its panic for a deadlock is reported as
// [osthread.ReportPanic] does. Outside of watch mode, f is not called.
func SetHook(f func(*Report)) {
	if f == nil {
		hook.Store(nil)
		return
	}
	hook.Store(&f)
}

func report(r *Report) {
	if f := hook.Load(); f != nil {
		(*f)(r)
		return
	}
	fmt.Fprint(os.Stderr, r) // there is nobody else to report its error to
}

func init() { watch.OnEnable(sync.OnceFunc(func() { go monitor(new(reported)) })) }

// monitor reports deadlocks. A hook that calls runtime.Goexit ends its
// goroutine, not the search.
func monitor(m *reported) {
	protect.OnGoexit(func() { go monitor(m) }, func() {
		for range time.Tick(interval) {
			for _, s := range m.search() {
				reportDeadlock(s)
			}
		}
	})
}

// reportDeadlock recovers a panic of the hook: nobody else could, on the
// goroutine of the monitor.
func reportDeadlock(s *Snapshot) {
	defer func() {
		if v := recover(); v != nil {
			osthread.ReportPanic(protect.Panicked(v))
		}
	}()
	report(&Report{Deadlock: s})
}

// A first is a wait of a knot: waits of one party have different numbers.
type first struct {
	party  any // a subject's key
	number uint64
}

// A reported has the first waits of deadlocks that were reported.
type reported map[first]bool

// search returns the deadlocks that have come since it was called before.
func (m *reported) search() (fresh []*Snapshot) {
	l, found := findKnots()
	now := make(reported, len(found))
	for _, k := range found {
		id := l.firstOf(k)
		now[id] = true
		if !(*m)[id] {
			fresh = append(fresh, newTaker(l, []knot{k}, Options{Stacks: true}).snapshot.only())
		}
	}
	*m = now
	return fresh
}

// firstOf returns the wait of the first party of k, or if that has ended, of
// the first one behind it. No later party comes before.
func (l *view) firstOf(k knot) first {
	s := l.subjects[k.cycle[0]]
	if !s.waits {
		s = l.subjects[k.behind[0]]
	}
	return first{s.key, s.wait.Number}
}
