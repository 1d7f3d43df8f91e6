package queue

import (
	"unsafe"

	"example.com/thread/internal/sight"
)

// What package inspect asks of this one: that a Join waits for the parties that
// have taken values and not called TaskDone. Get and Put wait for any party.

func init() { sight.Register(explain) }

func explain(object any, parker unsafe.Pointer) (r sight.Reason, ok bool) {
	if q, ok := object.(interface {
		isJoinedAt(parker unsafe.Pointer) bool
	}); ok {
		if q.isJoinedAt(parker) {
			r = sight.Reason{Needs: sight.All, Holders: true}
		}
		return r, true
	}
	return r, false
}

// isJoinedAt reports whether the caller that sleeps at parker is in Join.
func (q *Queue[T]) isJoinedAt(parker unsafe.Pointer) bool {
	if !q.tryLock() {
		return false
	}
	defer q.mu().Unlock()
	for n := q.joiners.Head(); n != nil; n = n.Next() {
		if n.Parker() == parker {
			return true
		}
	}
	return false
}
