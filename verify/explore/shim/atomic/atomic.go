// Package atomic has what the code under test uses of sync/atomic. Each
// operation is a step of the explorer.
package atomic

import (
	"sync/atomic"
	"unsafe"

	"example.com/thread/verify/explore/sched"
)

// An Int32 is an atomic.Int32.
type Int32 struct{ v atomic.Int32 }

// Load loads.
func (x *Int32) Load() int32 {
	sched.Step("Load", x)
	return x.v.Load()
}

// Store stores v.
func (x *Int32) Store(v int32) {
	sched.Step("Store", x)
	x.v.Store(v)
}

// Swap stores v, and returns what was there.
func (x *Int32) Swap(v int32) int32 {
	sched.Step("Swap", x)
	return x.v.Swap(v)
}

// CompareAndSwap stores v if x holds old.
func (x *Int32) CompareAndSwap(old, v int32) bool {
	sched.Step("CompareAndSwap", x)
	return x.v.CompareAndSwap(old, v)
}

// Add adds d, and returns the sum.
func (x *Int32) Add(d int32) int32 {
	sched.Step("Add", x)
	return x.v.Add(d)
}

// And clears the bits that are not in mask, and returns what was there.
func (x *Int32) And(mask int32) int32 {
	sched.Step("And", x)
	return x.v.And(mask)
}

// Or sets the bits of mask, and returns what was there.
func (x *Int32) Or(mask int32) int32 {
	sched.Step("Or", x)
	return x.v.Or(mask)
}

// An Int64 is an atomic.Int64.
type Int64 struct{ v atomic.Int64 }

// Load loads.
func (x *Int64) Load() int64 {
	sched.Step("Load", x)
	return x.v.Load()
}

// Store stores v.
func (x *Int64) Store(v int64) {
	sched.Step("Store", x)
	x.v.Store(v)
}

// Swap stores v, and returns what was there.
func (x *Int64) Swap(v int64) int64 {
	sched.Step("Swap", x)
	return x.v.Swap(v)
}

// CompareAndSwap stores v if x holds old.
func (x *Int64) CompareAndSwap(old, v int64) bool {
	sched.Step("CompareAndSwap", x)
	return x.v.CompareAndSwap(old, v)
}

// Add adds d, and returns the sum.
func (x *Int64) Add(d int64) int64 {
	sched.Step("Add", x)
	return x.v.Add(d)
}

// And clears the bits that are not in mask, and returns what was there.
func (x *Int64) And(mask int64) int64 {
	sched.Step("And", x)
	return x.v.And(mask)
}

// Or sets the bits of mask, and returns what was there.
func (x *Int64) Or(mask int64) int64 {
	sched.Step("Or", x)
	return x.v.Or(mask)
}

// A Uint32 is an atomic.Uint32.
type Uint32 struct{ v atomic.Uint32 }

// Load loads.
func (x *Uint32) Load() uint32 {
	sched.Step("Load", x)
	return x.v.Load()
}

// Store stores v.
func (x *Uint32) Store(v uint32) {
	sched.Step("Store", x)
	x.v.Store(v)
}

// Swap stores v, and returns what was there.
func (x *Uint32) Swap(v uint32) uint32 {
	sched.Step("Swap", x)
	return x.v.Swap(v)
}

// CompareAndSwap stores v if x holds old.
func (x *Uint32) CompareAndSwap(old, v uint32) bool {
	sched.Step("CompareAndSwap", x)
	return x.v.CompareAndSwap(old, v)
}

// Add adds d, and returns the sum.
func (x *Uint32) Add(d uint32) uint32 {
	sched.Step("Add", x)
	return x.v.Add(d)
}

// And clears the bits that are not in mask, and returns what was there.
func (x *Uint32) And(mask uint32) uint32 {
	sched.Step("And", x)
	return x.v.And(mask)
}

// Or sets the bits of mask, and returns what was there.
func (x *Uint32) Or(mask uint32) uint32 {
	sched.Step("Or", x)
	return x.v.Or(mask)
}

// A Uint64 is an atomic.Uint64.
type Uint64 struct{ v atomic.Uint64 }

// Load loads.
func (x *Uint64) Load() uint64 {
	sched.Step("Load", x)
	return x.v.Load()
}

// Store stores v.
func (x *Uint64) Store(v uint64) {
	sched.Step("Store", x)
	x.v.Store(v)
}

// Swap stores v, and returns what was there.
func (x *Uint64) Swap(v uint64) uint64 {
	sched.Step("Swap", x)
	return x.v.Swap(v)
}

// CompareAndSwap stores v if x holds old.
func (x *Uint64) CompareAndSwap(old, v uint64) bool {
	sched.Step("CompareAndSwap", x)
	return x.v.CompareAndSwap(old, v)
}

// Add adds d, and returns the sum.
func (x *Uint64) Add(d uint64) uint64 {
	sched.Step("Add", x)
	return x.v.Add(d)
}

// And clears the bits that are not in mask, and returns what was there.
func (x *Uint64) And(mask uint64) uint64 {
	sched.Step("And", x)
	return x.v.And(mask)
}

// Or sets the bits of mask, and returns what was there.
func (x *Uint64) Or(mask uint64) uint64 {
	sched.Step("Or", x)
	return x.v.Or(mask)
}

// A Uintptr is an atomic.Uintptr.
type Uintptr struct{ v atomic.Uintptr }

// Load loads.
func (x *Uintptr) Load() uintptr {
	sched.Step("Load", x)
	return x.v.Load()
}

// Store stores v.
func (x *Uintptr) Store(v uintptr) {
	sched.Step("Store", x)
	x.v.Store(v)
}

// Swap stores v, and returns what was there.
func (x *Uintptr) Swap(v uintptr) uintptr {
	sched.Step("Swap", x)
	return x.v.Swap(v)
}

// CompareAndSwap stores v if x holds old.
func (x *Uintptr) CompareAndSwap(old, v uintptr) bool {
	sched.Step("CompareAndSwap", x)
	return x.v.CompareAndSwap(old, v)
}

// Add adds d, and returns the sum.
func (x *Uintptr) Add(d uintptr) uintptr {
	sched.Step("Add", x)
	return x.v.Add(d)
}

// And clears the bits that are not in mask, and returns what was there.
func (x *Uintptr) And(mask uintptr) uintptr {
	sched.Step("And", x)
	return x.v.And(mask)
}

// Or sets the bits of mask, and returns what was there.
func (x *Uintptr) Or(mask uintptr) uintptr {
	sched.Step("Or", x)
	return x.v.Or(mask)
}

// A Bool is an atomic.Bool.
type Bool struct{ v atomic.Bool }

// Load loads.
func (x *Bool) Load() bool {
	sched.Step("Load", x)
	return x.v.Load()
}

// Store stores v.
func (x *Bool) Store(v bool) {
	sched.Step("Store", x)
	x.v.Store(v)
}

// Swap stores v, and returns what was there.
func (x *Bool) Swap(v bool) bool {
	sched.Step("Swap", x)
	return x.v.Swap(v)
}

// CompareAndSwap stores v if x holds old.
func (x *Bool) CompareAndSwap(old, v bool) bool {
	sched.Step("CompareAndSwap", x)
	return x.v.CompareAndSwap(old, v)
}

// A Pointer is an atomic.Pointer.
type Pointer[T any] struct{ v atomic.Pointer[T] }

// Load loads.
func (x *Pointer[T]) Load() *T {
	sched.Step("Load", x)
	return x.v.Load()
}

// Store stores v.
func (x *Pointer[T]) Store(v *T) {
	sched.Step("Store", x)
	x.v.Store(v)
}

// Swap stores v, and returns what was there.
func (x *Pointer[T]) Swap(v *T) *T {
	sched.Step("Swap", x)
	return x.v.Swap(v)
}

// CompareAndSwap stores v if x holds old.
func (x *Pointer[T]) CompareAndSwap(old, v *T) bool {
	sched.Step("CompareAndSwap", x)
	return x.v.CompareAndSwap(old, v)
}

// StorePointer stores v.
func StorePointer(p *unsafe.Pointer, v unsafe.Pointer) {
	sched.Step("Store", p)
	atomic.StorePointer(p, v)
}
