//go:build cgo && !android

package thread

/*
#include <pthread.h>
#include <stdint.h>

// Finds the stack of a thread that lives. Returns 0 or an errno value.
static int ost_stack_(uintptr_t thread, uintptr_t *low, size_t *size)
{
	pthread_attr_t attr;
	void *p;
	int err = pthread_getattr_np((pthread_t)thread, &attr);

	if (err)
		return err;
	err = pthread_attr_getstack(&attr, &p, size);
	*low = (uintptr_t)p;
	pthread_attr_destroy(&attr);
	return err;
}
*/
import "C"

import (
	"encoding/binary"
	"os"
	"sync"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// How much of a stack has been used is read from the page tables: a stack is
// memory of its own, and the kernel makes its pages when they are touched, one
// by one since Linux 6.7 (MAP_STACK: no huge pages). A painted pattern, the
// other way, touches the whole stack at each start: 64 MiB take 30 ms, and stay
// in memory.
// glibc gives a stack to the next thread, but returns its pages to the kernel
// before.
//
// /proc/self/pagemap (Documentation/admin-guide/mm/pagemap.rst) also shows
// pages in swap space. mincore(2) shows those in memory alone. It serves where
// there is no such file, or not this process's, as with an emulator.

const osMeasuresStacks = true

const (
	inMemory = 1 << 63 // of an entry of pagemap
	inSwap   = 1 << 62

	pagesAtOnce = 4096
)

func osStackUse(t *Thread) (StackUse, error) {
	low, high, err := stackOf(t)
	if err != nil {
		return StackUse{}, err
	}
	touched, err := firstTouched(low, high)
	if err != nil {
		return StackUse{}, err
	}
	return StackUse{Size: int(high - low), Used: int(high - touched)}, nil
}

// stackOf returns where the stack of t is, which lives.
func stackOf(t *Thread) (low, high uintptr, err error) {
	var p C.uintptr_t
	var size C.size_t
	if errno := C.ost_stack_(C.uintptr_t(t.ident), &p, &size); errno != 0 {
		return 0, 0, os.NewSyscallError("pthread_getattr_np", syscall.Errno(errno))
	}
	return uintptr(p), uintptr(p) + uintptr(size), nil
}

// firstTouched returns the address of the lowest page from low to high that has
// been touched, high if none has.
func firstTouched(low, high uintptr) (uintptr, error) {
	if pagemapShows() {
		if f, err := os.Open("/proc/self/pagemap"); err == nil {
			defer f.Close()
			return firstPage(low, high, func(at uintptr, pages []bool) error { return readPagemap(f, at, pages) })
		}
	}
	return firstPage(low, high, mincore)
}

// firstPage is firstTouched by read, which says of the pages from an address
// on whether they have been touched.
func firstPage(low, high uintptr, read func(at uintptr, pages []bool) error) (uintptr, error) {
	size := uintptr(pageSize)
	at := low / size * size
	pages := make([]bool, min((high-at+size-1)/size, pagesAtOnce))
	for ; at < high; at += uintptr(len(pages)) * size {
		pages = pages[:min((high-at+size-1)/size, uintptr(len(pages)))]
		if err := read(at, pages); err != nil {
			return 0, err
		}
		for i, touched := range pages {
			if touched {
				return max(low, at+uintptr(i)*size), nil
			}
		}
	}
	return high, nil
}

func readPagemap(f *os.File, at uintptr, pages []bool) error {
	entries := make([]byte, 8*len(pages))
	if _, err := f.ReadAt(entries, int64(at)/int64(pageSize)*8); err != nil {
		return err
	}
	for i := range pages {
		pages[i] = binary.NativeEndian.Uint64(entries[8*i:])&(inMemory|inSwap) != 0
	}
	return nil
}

// mincore reads what is in memory. What is not mapped has not been touched: the
// first thread's stack grows.
func mincore(at uintptr, pages []bool) error {
	in := make([]byte, len(pages))
	call := func(from, n int) syscall.Errno {
		_, _, errno := unix.Syscall(unix.SYS_MINCORE, at+uintptr(from*pageSize), uintptr(n*pageSize),
			uintptr(unsafe.Pointer(&in[from])))
		return errno
	}
	errno := call(0, len(in))
	for i := 0; errno == unix.ENOMEM && i < len(in); i++ {
		if e := call(i, 1); e != 0 && e != unix.ENOMEM {
			errno = e
		}
	}
	if errno != 0 && errno != unix.ENOMEM {
		return os.NewSyscallError("mincore", errno)
	}
	for i := range pages {
		pages[i] = in[i]&1 != 0
	}
	return nil
}

// pagemapShows reports whether pagemap has the pages of this process: it tries
// two, of which one has been touched.
var pagemapShows = sync.OnceValue(func() bool {
	f, err := os.Open("/proc/self/pagemap")
	if err != nil {
		return false
	}
	defer f.Close()
	m, err := unix.Mmap(-1, 0, 2*pageSize, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
	if err != nil {
		return false
	}
	_ = unix.Madvise(m, unix.MADV_NOHUGEPAGE) // refused where there are none
	m[pageSize] = 1
	pages := make([]bool, 2)
	err = readPagemap(f, uintptr(unsafe.Pointer(&m[0])), pages)
	_ = unix.Munmap(m) // cannot fail
	return err == nil && !pages[0] && pages[1]
})
