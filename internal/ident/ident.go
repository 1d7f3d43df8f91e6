// Package ident tells which thread is calling, in about a nanosecond.
//
// It owns two facts about the calling thread:
//
//   - the thread pointer: the address by which the processor finds the thread's own memory. It differs between any
//     two threads that live at once, and stands at a fixed distance from pthread_self;
//   - the slot: one word that belongs to the thread and is 0 when the thread begins. What the words mean is the
//     caller's business (package thread keeps the number of the thread's record there).
//
// With cgo the slot is a thread-local variable of C, at a distance from the thread pointer that is the same in
// every thread; [Setup] learns that distance once. The slot dies with its thread and starts from 0 in the next one, so
// a stale value cannot be taken for a new thread's, however soon the system reuses pthread_t or thread id.
//
// Without cgo, and on processors for which no assembly stands here, the slot is a row of a table under the kernel's
// thread id (table.go). There the row outlives a thread that ends without clearing it.
//
// A goroutine that is not locked to its thread may be on another one by the time it looks at any result of this
// package.
package ident

// None is the slot of a thread that has not set it.
const None = 0

var (
	// slotOffset is the distance from the thread pointer to the slot; 0, which no layout has, stands for none.
	slotOffset uintptr
	// selfOffset is the distance from the thread pointer to pthread_self.
	selfOffset uintptr
)

// Setup learns the calling thread's pthread_self and the address of its slot, from which those of all threads follow.
// It must be called while the goroutine cannot move to another thread and before any other goroutine runs, which
// package initialization promises. Where this package cannot read the thread pointer it does nothing.
func Setup(self, slot uintptr) {
	if !hasThreadPointer {
		return
	}
	tp := threadPointer()
	selfOffset = self - tp
	slotOffset = slot - tp
}

// SetupAt is Setup for systems that tell the slot's distance from the thread pointer. 0 undoes it.
func SetupAt(distance uintptr) {
	if hasThreadPointer {
		slotOffset = distance
	}
}

// Fast reports whether the slot and [Self] cost about a nanosecond. Where they do not, Self must not be called.
func Fast() bool { return slotOffset != 0 }

// Self returns pthread_self of the calling thread.
func Self() uintptr { return threadPointer() + selfOffset }

// Slot returns the calling thread's word.
func Slot() uintptr {
	if slotOffset != 0 {
		return loadSlot()
	}
	return table.load()
}

// SetSlot sets the calling thread's word. A thread must set it back to 0 before it ends where [Fast] is false.
func SetSlot(v uintptr) {
	if slotOffset != 0 {
		storeSlot(v)
		return
	}
	table.store(v)
}
