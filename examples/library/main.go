//go:build cgo && linux

// Library is package osthread for a C program, built with -buildmode=c-shared
// or c-archive. All its callers are threads that C made: it makes sure that
// each is known while it lives, that they and Go's threads share locks and a
// queue, and that nothing is left of those that have ended.
//
// program/main.c is the program; .ci/platforms/buildmodes builds and runs it.
package main

/*
#cgo CFLAGS: -I${SRCDIR}/../../csrc -D_GNU_SOURCE
#include "osthread.h"
*/
import "C"

import (
	"fmt"
	"os"
	"sync/atomic"
	"time"
	"unsafe"

	"example.com/thread"
	_ "example.com/thread/csrc" // is rebuilt if a header changes
	"example.com/thread/osthread"
	"example.com/thread/osthread/queue"
)

var (
	// visits is how often the calling thread has called lib_visit; visited adds
	// them up when threads end.
	visits    = thread.Key[*int]{Destructor: func(n *int) { destroyed.Add(1); visited.Add(int64(*n)) }}
	destroyed atomic.Int64
	visited   atomic.Int64
	// mine is likewise the thread's own; it holds the dummy.
	mine osthread.Local[*osthread.Thread]

	work    = queue.New[int](4)
	sum     atomic.Int64
	getters []*osthread.Thread
)

// failed prints what failed, and returns the result that C takes for failure.
func failed(what string, got ...any) C.int {
	fmt.Fprintln(os.Stderr, "library:", what, fmt.Sprint(got...))
	return 1
}

// lib_begin starts threads of Go's that get what the callers of lib_visit put.
//
//export lib_begin
func lib_begin() C.int {
	for _, pinned := range []bool{false, true} {
		t := osthread.New(func() error {
			for v := range work.All() {
				sum.Add(int64(v))
				work.TaskDone()
			}
			return nil
		}, &osthread.Attr{Pinned: pinned})
		if err := t.Start(); err != nil {
			return failed("start: ", err)
		}
		getters = append(getters, t)
	}
	return 0
}

// lib_visit is called by a thread of C. It adds 1 to counter under m, which C
// locks as well.
//
//export lib_visit
func lib_visit(m *C.ost_mutex_t, counter *C.long) C.int {
	me, low := osthread.Current(), thread.Current()
	if low == nil || !low.Alive() || low.Ident() != thread.Self() || !me.Daemon() {
		return failed("the calling thread: ", me, " ", low)
	}
	if n, ok := visits.Get(); ok {
		*n++
		if mine.Get() != me {
			return failed("another thread's value: ", mine.Get(), ", not ", me)
		}
	} else if err := visits.Set(new(1)); err != nil {
		return failed("set: ", err)
	} else if mine.Has() {
		return failed("a value of a thread that has ended: ", mine.Get())
	}
	mine.Set(me)

	l := (*thread.Lock)(unsafe.Pointer(m))
	l.Lock()
	*counter++
	l.Unlock()
	if err := work.Put(1); err != nil {
		return failed("put: ", err)
	}
	return 0
}

// lib_renew ends the calling thread's record; its next call makes another.
//
//export lib_renew
func lib_renew() C.int {
	low := thread.Current()
	if t, err := thread.Attach(); err != nil || t != low {
		return failed("attach: ", t, " ", err)
	}
	if err := thread.Detach(); err != nil || low.Alive() {
		return failed("detach: ", low, " ", err)
	}
	return 0
}

// lib_end waits until all is got that was put, in lib_visit's calls, and ends
// the threads of lib_begin.
//
//export lib_end
func lib_end(calls C.long) C.int {
	work.Join()
	work.Shutdown()
	for _, t := range getters {
		if err := t.Join(); err != nil {
			return failed("join: ", err)
		}
		if !gone(t.NativeID()) {
			return failed("the kernel still has ", t)
		}
	}
	if sum.Load() != int64(calls) {
		return failed("sum: ", sum.Load())
	}
	return 0
}

// gone waits until the kernel has removed a thread, which Join may precede by a
// moment. A goroutine that ended on Go's first thread would leave it asleep.
func gone(id int) bool {
	task := fmt.Sprintf("/proc/self/task/%d", id)
	for end := time.Now().Add(time.Minute); time.Now().Before(end); thread.Yield() {
		if _, err := os.Stat(task); os.IsNotExist(err) {
			return true
		}
	}
	return false
}

// lib_left looks for what is left of threads other than the caller, when they
// have ended, after that many records and calls of lib_visit.
//
//export lib_left
func lib_left(records, calls C.long) C.int {
	me := osthread.Current()
	for t := range osthread.Threads() {
		if t != me && t != osthread.Main() {
			return failed("left: ", t)
		}
	}
	for t := range mine.All() {
		if t != me {
			return failed("a value is left of ", t)
		}
	}
	if visited.Load() != int64(calls) {
		return failed("visited: ", visited.Load())
	}
	if destroyed.Load() != int64(records) {
		return failed("destroyed: ", destroyed.Load())
	}
	return 0
}

func main() {}
