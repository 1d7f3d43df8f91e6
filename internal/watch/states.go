package watch

import (
	"slices"

	"example.com/thread/internal/waits"
)

// A Member is a goroutine that has used an object.
type Member struct {
	Party *Party
	life  uint64
}

// HereAsMember returns the calling goroutine.
func HereAsMember() Member {
	p := here()
	return Member{p, p.life.Load()}
}

// IsCurrent reports whether Party is still that goroutine's: another one may
// have it once the goroutine has ended.
func (m Member) IsCurrent() bool { return m.Party.life.Load() == m.life }

// A Hold is one acquisition that was not released.
type Hold struct {
	Object any
	How    How
	N      int    // permits, tasks; 1 for a lock
	Number uint64 // no other acquisition of the party has it
	// PCs is the stack of the acquisition, innermost first, for
	// runtime.CallersFrames: up to 6 frames, the module's own among them.
	PCs []uintptr
	// HandedOff says that the object has been released by another goroutine
	// than had acquired it, now or earlier. Then the holder need not be the one
	// that will release it.
	HandedOff bool
}

// A State is what a party holds and sleeps for.
type State struct {
	Party *Party
	Goid  uint64
	Slot  uintptr // see Party.Slot
	Holds []Hold  // in the order of their acquisition
	Wait  waits.Wait
	Waits bool // see Party.Wait
}

// States returns the parties that hold or sleep for something. Parties go on
// meanwhile: each Hold has stood at some time during the call. Two calls that
// return the same party, object and number show that it has stood all the time
// in between.
func States() []State {
	var states []State
	each(func(p *Party) {
		if s := p.state(); len(s.Holds) > 0 || s.Waits {
			states = append(states, s)
		}
	})
	return states
}

func (p *Party) state() State {
	s := State{Party: p, Goid: p.Goid(), Slot: p.Slot()}
	s.Wait, s.Waits = p.Wait()
	for i := range p.top.Load() {
		var pcs [depth]uintptr
		number, e, how, n := p.at(i).look(&pcs)
		if number == 0 {
			continue
		}
		s.Holds = append(s.Holds, Hold{
			Object: e.object(), How: how, N: n, Number: number,
			PCs: trim(pcs[:]), HandedOff: handedOff(e.data),
		})
	}
	slices.SortFunc(s.Holds, func(a, b Hold) int { return int(a.Number - b.Number) })
	return s
}

// trim returns a copy of the return addresses before the first 0, and a 0
// behind them: runtime.CallersFrames expands what is inlined in the last one
// only if another follows.
func trim(pcs []uintptr) []uintptr {
	if i := slices.Index(pcs, 0); i >= 0 {
		pcs = pcs[:i]
	}
	return append(slices.Clone(pcs), 0)
}
