//go:build cgo && linux

// Post has a thread of C that wakes a thread of Go by a semaphore, which is a
// variable of C and, by a cast, a shared.Semaphore of Go. Neither calls the
// other for it. Note:
//
//   - The C code needs the path of the headers (-I), and _GNU_SOURCE on Linux; on
//     macOS -mmacosx-version-min=14.4.
//   - The import of csrc is for the go command: it keeps the headers in a vendor
//     folder, and builds this package anew if they change.
//   - The memory is C's. C must not keep a pointer to Go's. A variable that Go
//     uses may not be static.
//   - A goroutine that waits occupies its thread: the wait is on one of its own.
//
// It prints what C has put into a variable before each post.
//
//	go run ./examples/post
package main

/*
#cgo CFLAGS: -I${SRCDIR}/../../csrc -D_GNU_SOURCE
#include "osthread.h"
#include <pthread.h>

ost_sem_t posted = OST_SEM_INIT(0), taken = OST_SEM_INIT(1);
int value;

static void *post(void *unused)
{
	int i;

	for (i = 1; i <= 3; i++) {
		ost_sem_wait(&taken);
		value = i;
		ost_sem_post(&posted);
	}
	return unused;
}

static int start(void)
{
	pthread_t t;
	int err = pthread_create(&t, 0, post, 0);

	return err ? err : pthread_detach(t);
}
*/
import "C"

import (
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"
	"unsafe"

	"example.com/thread"
	_ "example.com/thread/csrc"
	"example.com/thread/osthread/shared"
)

func main() {
	if err := run(os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "post:", err)
		os.Exit(1)
	}
}

// run starts both threads, and waits for Go's.
func run(out io.Writer) error {
	if errno := C.start(); errno != 0 {
		return fmt.Errorf("pthread_create: %w", syscall.Errno(errno))
	}
	var err error
	t, startErr := thread.Start(func() { err = take(out) }, nil)
	if startErr != nil {
		return startErr
	}
	return errors.Join(t.Join(), err)
}

// take waits for what C posts.
func take(out io.Writer) error {
	posted := (*shared.Semaphore)(unsafe.Pointer(&C.posted))
	taken := (*shared.Semaphore)(unsafe.Pointer(&C.taken))
	for range 3 {
		if err := posted.Acquire(); err != nil {
			return err
		}
		fmt.Fprintln(out, C.value)
		if err := taken.Release(); err != nil {
			return err
		}
	}
	return nil
}
