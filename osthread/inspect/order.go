package inspect

import (
	"fmt"
	"strings"

	"example.com/thread/internal/keep"
	"example.com/thread/internal/watch"
	"example.com/thread/osthread"
)

// An Inversion is a cycle of locks that were acquired in different orders: each
// step holds a lock and wants that of the next one, the last step that of the
// first. It can deadlock if the steps come together, even if it never has.
type Inversion struct {
	Steps []Step `json:"steps"`
}

// A Step is what one goroutine or thread of an Inversion has done; the last one
// is about to do it.
type Step struct {
	Goroutine uint64  `json:"goroutine"`        // its id in Go's dumps
	Thread    string  `json:"thread,omitempty"` // the name of its thread, if it has one that lives
	Held      string  `json:"held"`             // the lock: its type, address and name
	HeldAt    []Frame `json:"held_at"`          // where it was acquired
	Wanted    string  `json:"wanted"`
	WantedAt  []Frame `json:"wanted_at"`
}

// String returns the inversion as a text of several lines.
func (i *Inversion) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "LOCK ORDER: %s acquired in different orders, which can deadlock\n", count(len(i.Steps), "lock"))
	for _, s := range i.Steps {
		party := fmt.Sprintf("goroutine %d", s.Goroutine)
		if s.Thread != "" {
			party = fmt.Sprintf("%q, %s,", s.Thread, party)
		}
		fmt.Fprintf(&b, "  %s acquired %s in\n", party, s.Held)
		writeFrames(&b, s.HeldAt)
		fmt.Fprintf(&b, "  and then wanted %s in\n", s.Wanted)
		writeFrames(&b, s.WantedAt)
	}
	return b.String()
}

func writeFrames(b *strings.Builder, frames []Frame) {
	for _, line := range fold(callers(frames)) {
		fmt.Fprintf(b, "      %s\n", line)
	}
}

// SetLockOrder switches the search for inversions off, or on again, as it is
// from the start in watch mode.
func SetLockOrder(on bool) { watch.SetOrder(on) }

// IgnoreLockOrder keeps inversions in which the locks a and b follow one
// another from being reported: pointers to a Lock, RLock or RWLock that may be
// acquired in both orders, for a reason that watch mode cannot see. Outside of
// watch mode it does nothing.
func IgnoreLockOrder(a, b any) {
	if watch.On {
		watch.SilenceOrder(a, b)
	}
}

func init() {
	watch.SetOrderHook(func(i watch.Inversion) { report(&Report{Inversion: newInversion(i)}) })
}

// threadNames returns the names of living threads by their slots.
func threadNames() map[uintptr]string {
	names := map[uintptr]string{}
	for th := range osthread.Threads() {
		if record, err := th.OSThread(); err == nil {
			names[keep.Slot(record)] = th.Name()
		}
	}
	return names
}

func newInversion(i watch.Inversion) *Inversion {
	r, names := &Inversion{}, threadNames()
	for _, s := range i.Steps {
		r.Steps = append(r.Steps, Step{
			Goroutine: s.Goid, Thread: names[s.Slot], Held: s.Held.String(), HeldAt: framesOf(s.HeldAt),
			Wanted: s.Wanted.String(), WantedAt: framesOf(s.WantedAt),
		})
	}
	return r
}
