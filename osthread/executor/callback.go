package executor

import (
	"runtime"
	"strings"
	"sync/atomic"

	"example.com/thread/osthread"
	"example.com/thread/osthread/internal/protect"
)

// Callbacks are code of others. A callback may panic, call runtime.Goexit,
// complete another future, whose callbacks then run below it, or add more. In
// every case the callbacks after it are called, and a chain of futures that
// complete each other does not exhaust the stack.

// A callback is a function given to OnDone.
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

// calling is the number of callbacks that have begun and not ended, in all
// goroutines. It bounds how many are on one stack.
var calling atomic.Int64

const (
	// Below this number the stack is not inspected. A callback's frames take
	// some 500 bytes, and Go's stacks end at 1 GB (250 MB with 32 bits).
	uninspected = 1000
	// Limits of one stack: callbacks, and frames of any kind.
	deepCalls  = 100
	deepFrames = 2000
)

// callAll calls c and those after it, in this goroutine unless its stack is
// already deep in callbacks.
func (c *callback) callAll() {
	if c != nil && calling.Load() >= uninspected && tooDeep() {
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

// callOne calls c. If c, or the hook that gets its panic, ends the goroutine,
// it calls those after it.
func (c *callback) callOne() {
	calling.Add(1)
	defer calling.Add(-1) // after the others, which are on this stack
	protect.OnGoexit(c.next.callAll, c.callContained)
}

func (c *callback) callContained() {
	if p, ok := protect.Run(func() error { c.call(); return nil }).(*PanicError); ok {
		osthread.ReportPanic(p)
	}
}

// tooDeep reports whether too many callbacks are on the calling goroutine's
// stack.
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

// callbacks is a list of the callbacks of futures that have ended with a
// thread. They are called one by one, so that another thread can continue where
// C code has ended one.
type callbacks struct{ first, last *callback }

// add appends c and those after it.
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

// callAll calls all of them, even if one ends the goroutine.
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
