//go:build cgo && !windows

package main

/*
#include "ticker.h"

extern void goTick(uintptr_t user, int n);

static struct ticker *start(int threads, int ticks, uintptr_t user)
{
	return ticker_start(threads, ticks, goTick, user);
}
*/
import "C"

import (
	"fmt"
	"runtime/cgo"
	"runtime/debug"

	"example.com/thread/osthread"
)

// A Ticker calls a function on threads that the C library makes.
type Ticker struct {
	c    *C.struct_ticker
	user cgo.Handle
}

// NewTicker starts threads that each call f(0) to f(ticks-1).
func NewTicker(threads, ticks int, f func(n int)) (*Ticker, error) {
	user := cgo.NewHandle(f) // C keeps a number, never a Go pointer
	c, err := C.start(C.int(threads), C.int(ticks), C.uintptr_t(user))
	if c == nil {
		user.Delete()
		return nil, fmt.Errorf("ticker_start: %w", err)
	}
	return &Ticker{c, user}, nil
}

// Close waits for the library's threads. Only then may the handle go.
func (t *Ticker) Close() {
	C.ticker_stop(t.c)
	t.user.Delete()
}

// goTick is what C calls. No panic may leave it: there is no Go caller that
// could recover it, so the process would end.
//
//export goTick
func goTick(user C.uintptr_t, n C.int) {
	defer func() {
		if v := recover(); v != nil {
			osthread.ReportPanic(&osthread.PanicError{Value: v, Stack: debug.Stack()})
		}
	}()
	f := cgo.Handle(user).Value().(func(int))
	f(int(n))
}
