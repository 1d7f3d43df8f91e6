//go:build !plan9

package shared

import (
	"unsafe"

	"example.com/thread/internal/sight"
)

// What package inspect asks of this one: what ends a wait. The word of an
// object with an owner has the owner's id. A waiter that is about to get the
// object finds it free, or its own: then nothing is known. Readers, and the
// parties of all other objects, are not known.

func init() { sight.Register(explain) }

func explain(object any, parker unsafe.Pointer) (sight.Reason, bool) {
	switch o := object.(type) {
	case *Mutex:
		flags, err := o.flags()
		if err != nil || isPlain(flags) {
			return sight.Reason{}, true
		}
		return o.explain(), true
	case *RWMutex:
		if parker == unsafe.Pointer(&o.state) { // the writer waits for readers
			return sight.Reason{}, true
		}
		return o.writer.owner.explain(), true
	case *Once:
		return o.owner.explain(), true
	}
	return sight.Reason{}, false
}

// explain says that the owner of o must go on, if it is a living one.
func (o *owner) explain() sight.Reason {
	s := o.word.Load()
	if !canRobust || isFree(s) || isOver(s) || isDead(s) {
		return sight.Reason{}
	}
	return sight.Reason{Needs: sight.All, Owned: true, NativeID: int(s & ownerID)}
}
