// Package ident identifies the calling thread, in about a nanosecond.
//
// It owns two facts about the calling thread:
//
//   - the thread pointer: the address by which the processor finds the thread's
//     own memory. It differs between any two threads that live at once, and
//     stands at a fixed distance from pthread_self;
//   - the slot: one word that belongs to the thread and is 0 when the thread
//     begins.
//
// With cgo the slot is a thread-local variable of C, at a distance from the
// thread pointer that is the same in every thread; [Setup] learns that distance
// once. The slot dies with its thread and starts from 0 in the next one, so a
// stale value cannot be taken for a new thread's, however soon the system
// reuses pthread_t or thread id.
//
// On Windows, with and without cgo, the slot is the word of a TLS index, which
// lies in the thread environment block, that the thread pointer points to
// ([SetupAt]). It dies with its thread, too.
//
// Elsewhere without cgo, where no such index is left, and on processors for
// which no assembly stands here, the slot is a row of a table under the
// kernel's thread id (table.go). There the row outlives a thread that ends
// without clearing it.
//
// A goroutine that is not locked to its thread may be on another one by the
// time it uses a result of this package.
//
// # What a slot holds
//
// A slot is the thread's serial, a number that no other thread has or will
// have, and below it the row of the thread's record, 0 for a thread without
// one:
//
//	0                    not read yet, see [ID]
//	serial, row 0        made by Go, and without a record: ordinary goroutines run on it
//	serial, row n        the thread of record n, see [Row]
//
// So one load identifies the caller, and whether it has a thread of its own.
//
// A word of 32 bits has no room for both. Its lowest bit says which one it
// holds: 1 for the row, with the low 15 bits of the serial above it (the record
// has the whole serial); 0 for 31 bits of the serial of a thread without a
// record. No two living threads share a row. Serials of threads without a
// record repeat after 2,147,483,647 threads.
package ident

// None is the slot of a thread that has not set it.
const None = 0

// SerialInSlot reports whether a slot with a row holds the serial too: not
// where words have 32 bits.
const SerialInSlot = ^uintptr(0)>>63 == 1

// RowBits is the number of a slot's bits that hold the row: 4 million threads,
// which is PID_MAX_LIMIT of 64-bit Linux; 65,536 where the word has 32 bits.
const (
	RowBits = 16 + 6*(^uintptr(0)>>63)
	rowMask = 1<<RowBits - 1
)

// Make returns the slot of the thread with that serial and row.
func Make(serial uint64, row uintptr) uintptr {
	switch {
	case SerialInSlot:
		return uintptr(serial)<<RowBits | row
	case row == 0:
		return uintptr(serial) << 1
	default:
		return uintptr(serial)<<(RowBits+1) | row<<1 | 1
	}
}

// Row returns the row in slot, 0 for none.
func Row(slot uintptr) uintptr {
	if SerialInSlot {
		return slot & rowMask
	}
	return slot >> 1 & rowMask & -(slot & 1)
}

// Serial returns the serial in slot. Unless SerialInSlot, slot must have no
// row.
func Serial(slot uintptr) uint64 {
	if SerialInSlot {
		return uint64(slot >> RowBits)
	}
	return uint64(slot >> 1)
}

// Unknown is called on a thread that is not known yet, to give it a slot.
// Package thread sets it.
var Unknown = func() {}

// ID returns the calling thread's slot, which it sets if the thread is not
// known yet.
func ID() uintptr {
	if s := Slot(); s != None {
		return s
	}
	Unknown()
	return Slot()
}

var (
	// slotOffset is the distance from the thread pointer to the slot; 0, which
	// no layout has, stands for none.
	slotOffset uintptr
	// selfOffset is the distance from the thread pointer to pthread_self.
	selfOffset uintptr
)

// Setup learns the calling thread's pthread_self and the address of its slot,
// from which those of all threads follow. It must be called while the goroutine
// cannot move to another thread and before any other goroutine runs, which
// package initialization promises. Where this package cannot read the thread
// pointer it does nothing.
func Setup(self, slot uintptr) {
	if !hasThreadPointer {
		return
	}
	tp := threadPointer()
	selfOffset = self - tp
	setOffset(slot - tp)
}

// SetupAt is Setup for systems that report the slot's distance from the thread
// pointer. 0 undoes it.
func SetupAt(distance uintptr) {
	if hasThreadPointer {
		setOffset(distance)
	}
}

func setOffset(distance uintptr) {
	slotOffset = distance
	load = table.load
	if distance != 0 {
		load = slotLoader()
	}
}

// Fast reports whether the slot and [Self] cost about a nanosecond. Where they
// do not, Self must not be called.
func Fast() bool { return slotOffset != 0 }

// Self returns pthread_self of the calling thread.
func Self() uintptr { return threadPointer() + selfOffset }

// Slot returns the calling thread's word.
func Slot() uintptr { return load() }

// load is chosen by Setup. One indirect call, which the compiler inlines Slot
// to, costs less than a test and a direct one.
var load = table.load

// SetSlot sets the calling thread's word. A thread must set it back to 0 before
// it ends where [Fast] is false.
func SetSlot(v uintptr) {
	if slotOffset != 0 {
		storeSlot(v)
		return
	}
	table.store(v)
}
