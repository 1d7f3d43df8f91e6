package executor

import (
	"runtime"
	"strings"
	"sync/atomic"

	"example.com/thread/osthread"
	"example.com/thread/osthread/internal/protect"
)

// Callbacks are code of others: one may panic, call runtime.Goexit, finish
// another future, whose callbacks then run below it, or add more. Whatever it
// does, the ones behind it are called, and a chain of futures that finish each
// other does not use up the stack.

// A callback is a function that OnDone was given.
type callback struct {
	next *callback
	call func()
}

// addCallback makes c be called when t is done. It reports false, and does
// nothing, if t is.
func (t *task) addCallback(c *callback) bool {
	t.guard.Lock()
	defer t.guard.Unlock()
	if t.isDone() {
		return false
	}
	c.next = t.callbacks
	t.callbacks = c
	return true
}

func reversed(c *callback) (first *callback) {
	for c != nil {
		next := c.next
		c.next = first
		first, c = c, next
	}
	return first
}

// calling is how many callbacks have begun and not ended, in all goroutines. It
// bounds how many stand on one stack.
var calling atomic.Int64

const (
	// Below so many nobody looks at the stack. A callback's frames take some
	// 500 bytes, and Go's stacks end at 1 GB (250 MB with 32 bits).
	unlooked = 1000
	// So many on one stack, or so many frames of any kind, are too deep.
	deepCalls  = 100
	deepFrames = 2000
)

// callAll calls c and those behind it, in this goroutine unless its stack is
// deep in callbacks already.
func (c *callback) callAll() {
	if c != nil && calling.Load() >= unlooked && tooDeep() {
		go c.callHere()
		return
	}
	c.callHere()
}

func (c *callback) callHere() {
	for ; c != nil; c = c.next {
		c.callOne()
	}
}

// callOne calls c, and if that, or the hook that its panic is reported to, ends
// the goroutine, those behind it.
func (c *callback) callOne() {
	calling.Add(1)
	defer calling.Add(-1) // after the others: they stand on this stack
	protect.OnGoexit(c.next.callAll, c.callContained)
}

func (c *callback) callContained() {
	if p, ok := protect.Run(func() error { c.call(); return nil }).(*PanicError); ok {
		osthread.ReportPanic(p)
	}
}

// tooDeep looks how many callbacks stand on the calling goroutine's stack.
func tooDeep() bool {
	pcs := make([]uintptr, deepFrames)
	n := runtime.Callers(1, pcs)
	if n == len(pcs) {
		return true
	}
	frames := runtime.CallersFrames(pcs[:n])
	for calls := 0; ; {
		f, more := frames.Next()
		if strings.HasSuffix(f.Function, "executor.(*callback).callContained") {
			if calls++; calls == deepCalls {
				return true
			}
		}
		if !more {
			return false
		}
	}
}

// callbacks are those of futures that have ended with a thread: called one by
// one, so that another thread can go on where one was ended by C code.
type callbacks struct{ first, last *callback }

// add appends c and those behind it.
func (l *callbacks) add(c *callback) {
	if c == nil {
		return
	}
	if l.last == nil {
		l.first = c
	} else {
		l.last.next = c
	}
	for l.last = c; l.last.next != nil; {
		l.last = l.last.next
	}
}

// callAll calls them, even if one ends the goroutine.
func (l *callbacks) callAll() {
	defer func() {
		if l.first != nil {
			l.callAll()
		}
	}()
	for l.first != nil {
		c := l.first
		l.first = c.next
		c.next = nil
		c.callOne()
	}
}
