//go:build !((linux && (amd64 || 386 || arm64 || riscv64)) || (darwin && (amd64 || arm64)) || (windows && (amd64 || 386 || arm64)))

package ident

const hasThreadPointer = false

// With no thread pointer Setup leaves slotOffset 0, so none of these is
// reached.

func threadPointer() uintptr     { return 0 }
func slotLoader() func() uintptr { return table.load }
func storeSlot(uintptr)          {}
