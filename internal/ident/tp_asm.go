//go:build (linux && (386 || arm64 || riscv64)) || (darwin && (amd64 || arm64)) || (windows && (amd64 || 386 || arm64))

package ident

const hasThreadPointer = true

// threadPointer returns the address the processor keeps for the running thread.
func threadPointer() uintptr

// loadSlot returns the word at slotOffset from the thread pointer.
func loadSlot() uintptr

// storeSlot sets the word at slotOffset from the thread pointer.
func storeSlot(v uintptr)

func slotLoader() func() uintptr { return loadSlot }
