package thread

import (
	"fmt"
	"sync/atomic"
)

// MinStackSize is the least stack size in bytes that may be asked for: 32 KiB,
// as in CPython. Where the platform's own least is more (128 KiB with glibc on
// arm64) that holds.
const MinStackSize = 32 << 10

// NoGuard as an Attr's GuardSize asks for a stack without a guard: C code that
// overflows it then overwrites other memory instead of ending the process.
const NoGuard = -1

var defaultStackSize atomic.Int64

// StackSize returns the stack size, in bytes, of threads to come that do not
// ask for one. 0, which it is at first, stands for the platform's default: on
// Linux the limit that ulimit -s shows, 2 MiB if that is unlimited, with musl
// 128 KiB; on macOS 512 KiB; on Windows what the program's header says, by Go's
// linker and mingw's 2 MiB (32-bit programs of Go's linker 1 MiB).
func StackSize() int { return int(defaultStackSize.Load()) }

// SetStackSize sets what StackSize returns, rounded up to whole pages, and
// returns what it was; as Python's threading.stack_size. n is 0 or at least
// MinStackSize, in bytes; any n that no thread could have is ErrStackSize and
// leaves the setting as it was. Where threads are always pinned any n but 0 is
// errors.ErrUnsupported.
//
// A stack size bounds the frames of C code; Go code has its goroutine's stack.
func SetStackSize(n int) (old int, err error) {
	size, err := checkStackSize(n)
	if err != nil {
		return StackSize(), err
	}
	return int(defaultStackSize.Swap(int64(size))), nil
}

// checkStackSize returns n rounded up to whole pages, or why no thread can have
// a stack of n bytes.
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

// checkGuardSize returns the guard in bytes, rounded up to whole pages; less
// than 0 asks for the default.
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
