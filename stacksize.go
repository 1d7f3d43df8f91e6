package thread

import (
	"fmt"
	"sync/atomic"
)

// MinStackSize is the least stack size in bytes that can be requested: 32 KiB,
// as in CPython. If the platform requires more (128 KiB with glibc on arm64)
// that is the least.
const MinStackSize = 32 << 10

// NoGuard as an Attr's GuardSize asks for a stack without a guard: C code that
// overflows the stack then corrupts other memory instead of ending the process.
const NoGuard = -1

var defaultStackSize atomic.Int64

// StackSize returns the stack size, in bytes, of new threads that request none.
// It is 0 initially, which stands for the platform's default: on Linux the
// limit of ulimit -s, or 2 MiB if that is unlimited, and with musl 128 KiB; on
// macOS 512 KiB; on Windows the value in the program's header, which Go's and
// mingw's linkers set to 2 MiB (Go's for 32-bit programs to 1 MiB).
func StackSize() int { return int(defaultStackSize.Load()) }

// SetStackSize sets what StackSize returns to n bytes, rounded up to whole
// pages, and returns the old value, like Python's threading.stack_size. n is 0
// or at least MinStackSize. If no thread can have a stack of n bytes it returns
// ErrStackSize and changes nothing. On platforms where all threads are pinned
// any n but 0 is errors.ErrUnsupported.
//
// A stack size bounds the frames of C code; Go code has its goroutine's stack.
func SetStackSize(n int) (old int, err error) {
	size, err := checkStackSize(n)
	if err != nil {
		return StackSize(), err
	}
	return int(defaultStackSize.Swap(int64(size))), nil
}

// checkStackSize returns n rounded up to whole pages, or an error if no thread
// can have a stack of n bytes.
func checkStackSize(n int) (int, error) {
	if n == 0 {
		return 0, nil
	}
	least, most, err := osStackBounds()
	if err != nil {
		return 0, err
	}
	if least = max(least, MinStackSize); n < least || n > most {
		return 0, fmt.Errorf("%w: %d bytes is not in %d to %d", ErrStackSize, n, least, most)
	}
	return roundUpToPage(n), nil
}

// checkGuardSize returns the guard size in bytes, rounded up to whole pages, or
// a negative number for the default.
func checkGuardSize(n, stack int) (int, error) {
	switch {
	case n == NoGuard:
		return 0, nil
	case n == 0:
		return -1, nil
	case n < 0, stack > 0 && n >= stack:
		return 0, fmt.Errorf("%w: a guard of %d bytes for a stack of %d", ErrStackSize, n, stack)
	}
	if _, most, err := osStackBounds(); err != nil {
		return 0, err
	} else if n > most {
		return 0, fmt.Errorf("%w: a guard of %d bytes", ErrStackSize, n)
	}
	return roundUpToPage(n), nil
}

func roundUpToPage(n int) int { return (n + pageSize - 1) &^ (pageSize - 1) }
