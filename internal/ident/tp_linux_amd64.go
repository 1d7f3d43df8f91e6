package ident

import "unsafe"

const hasThreadPointer = true

// threadPointer returns the address the processor keeps for the running thread.
func threadPointer() uintptr

// storeSlot sets the word at slotOffset from the thread pointer.
func storeSlot(v uintptr)

// slotLoader returns a function that returns the word at slotOffset from the
// thread pointer.
//
// That is the assembly function loadSlot, called by its address. A call by name
// goes through a wrapper, since assembly finds its arguments on the stack and
// Go in registers; that costs as much again as the two loads, 2.7 ns instead of
// 1.4, and a recursive lock needs two. The function takes nothing, has no
// frame, and returns its one word in AX, where Go expects a first result
// (cmd/compile/abi-internal.md; the tests of package thread fail if that
// changes).
func slotLoader() func() uintptr {
	code := unsafe.Pointer(&loadSlotAddr)
	return *(*func() uintptr)(unsafe.Pointer(&code))
}

// loadSlot must not be called by name, which would expect a result on the
// stack.
func loadSlot()

var _ = loadSlot // for the tools that do not see it in the assembly

// loadSlotAddr is what a func value points to: the address of the code.
var loadSlotAddr uintptr
