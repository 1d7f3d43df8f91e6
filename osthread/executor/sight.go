package executor

import (
	"unsafe"

	"example.com/thread/internal/sight"
	"example.com/thread/internal/waitfor"
)

// What package inspect asks of this one: the threads that can complete a
// future, or end a call of a Worker.

func init() { sight.Register(explain) }

func explain(object any, parker unsafe.Pointer) (sight.Reason, bool) {
	switch o := object.(type) {
	case *Worker:
		if !sight.Asleep(parker) {
			return sight.Reason{}, true
		}
		return anyOf([]*waitfor.Thread{&o.host}, o.thread != nil), true
	case interface{ base() *task }:
		if !sight.Asleep(parker) {
			return sight.Reason{}, true
		}
		return anyOf(o.base().servers(nil)), true
	default:
		return sight.Reason{}, false
	}
}

func anyOf(threads []*waitfor.Thread, known bool) (r sight.Reason) {
	if !known {
		return r
	}
	for _, t := range threads {
		slot, lives := t.Slot()
		if !lives {
			return sight.Reason{} // another one comes in its place, or the future fails
		}
		r.Slots = append(r.Slots, slot)
	}
	r.Needs = sight.Any
	return r
}
