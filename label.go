package thread

import (
	"unsafe"

	"example.com/thread/internal/ident"
	"example.com/thread/internal/proflabel"
)

// A labelling is the profiler labels of a thread's goroutine: thread=NAME
// beside those that the goroutine has had, which come back with Detach. All
// methods are called on the thread itself.
type labelling struct{ own, outer unsafe.Pointer }

// begin adds the name to outer.
func (l *labelling) begin(outer unsafe.Pointer, name string) {
	l.outer, l.own = outer, proflabel.WithThread(outer, name)
	proflabel.Set(l.own)
}

// rename changes the name in the goroutine's present labels.
func (l *labelling) rename(name string) {
	old := proflabel.Get()
	renamed := proflabel.WithThread(old, name)
	if old == l.own {
		l.own = renamed
	}
	proflabel.Set(renamed)
}

// end undoes begin, unless the goroutine has been given other labels.
func (l *labelling) end() {
	if proflabel.Get() == l.own {
		proflabel.Set(l.outer)
	}
}

// endLabels is called at the end of the calling thread, t. The runtime reuses
// the goroutine of a native thread for others.
func (t *Thread) endLabels() {
	if t.kind == native {
		proflabel.Set(nil)
		return
	}
	t.labels.end()
}

// isCaller reports whether t is the calling thread.
func (t *Thread) isCaller() bool { return !t.isZero() && ident.Slot() == t.slot }
