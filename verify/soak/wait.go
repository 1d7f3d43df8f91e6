package main

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"time"

	"example.com/thread/osthread"
	"example.com/thread/osthread/executor"
	"example.com/thread/osthread/queue"
)

// shapes are the forms of one wait. Those that there are not are nil.
type shapes struct {
	plain   func() error
	try     func() error
	timeout func(time.Duration) error
	context func(context.Context) error
}

// errNo is the result of a call that reports false.
var errNo = errors.New("no")

func no(ok bool) error {
	if ok {
		return nil
	}
	return errNo
}

// refusals are the errors of a wait that has not taken its object.
var refusals = []error{
	errNo, osthread.ErrTimeout, queue.ErrEmpty, queue.ErrFull, executor.ErrBusy, executor.ErrFull, errBusy,
}

func isRefusal(err error) bool {
	return slices.ContainsFunc(refusals, func(r error) bool { return errors.Is(err, r) })
}

// forms are the shapes of f, in which no call returns an error but that with a
// context.
func forms(plain func(), try func() bool, timeout func(time.Duration) bool, ctx func(context.Context) error) shapes {
	return shapes{
		plain:   func() error { plain(); return nil },
		try:     func() error { return no(try()) },
		timeout: func(d time.Duration) error { return no(timeout(d)) },
		context: ctx,
	}
}

// wait waits in one of the shapes, and reports whether it has taken the object.
// A wait that has not must have had a reason: a timeout that has passed, a
// context that is done, a Cancel, or that the object was shut down.
func (w *worker) wait(s shapes) bool {
	shape, refused, err := w.anyShape(s)
	w.asleep.Store(nil)
	switch {
	case err == nil:
		w.count("taken", 1)
		return true
	case errors.Is(err, errCause):
		w.notice(err)
	case errors.Is(err, osthread.ErrShutdown) && w.stopped.Load():
	case refused(err):
		w.count("refused", 1)
	default:
		w.fail("%v: %s ended with %v", w, shape, err)
	}
	return false
}

var shapeNames = [...]string{"the plain shape", "the try shape", "the shape with a timeout", "the shape with a context"}

// anyShape waits in a shape that w picks. refused reports whether an error is
// one that the shape may end with.
func (w *worker) anyShape(s shapes) (shape string, refused func(error) bool, err error) {
	there := make([]int, 0, 4)
	for i, is := range []bool{s.plain != nil, s.try != nil, s.timeout != nil, s.context != nil} {
		if is {
			there = append(there, i)
		}
	}
	i := there[w.rnd.IntN(len(there))]
	shape = shapeNames[i]
	w.asleep.Store(&shapeNames[i])
	switch i {
	case 0:
		return shape, func(error) bool { return false }, s.plain()
	case 1:
		return shape, isRefusal, s.try()
	case 2:
		d := w.limit()
		begun := time.Now()
		err := s.timeout(d)
		took := time.Since(begun)
		if err != nil && isRefusal(err) && took < d {
			w.fail("%v: a timeout of %v has passed after %v", w, d, took)
		}
		return shape, isRefusal, err
	default:
		ctx, cancel := w.context()
		defer cancel()
		return shape, func(err error) bool { return errors.Is(err, errGaveUp) }, s.context(ctx)
	}
}

// limit is a duration: mostly short, now and then long, now and then none.
func (w *worker) limit() time.Duration {
	switch w.rnd.IntN(10) {
	case 0:
		return 0
	case 1:
		return time.Duration(w.rnd.IntN(5000)) * time.Microsecond
	default:
		return time.Duration(w.rnd.IntN(100)) * time.Microsecond
	}
}

// context returns a context that will be done, or is, with the cause errGaveUp.
func (w *worker) context() (context.Context, func()) {
	if w.rnd.IntN(2) == 0 {
		return context.WithTimeoutCause(w.ctx, w.limit(), errGaveUp)
	}
	ctx, cancel := context.WithCancelCause(w.ctx)
	switch w.rnd.IntN(8) {
	case 0:
		cancel(errGaveUp)
	default:
		go cancel(errGaveUp)
	}
	return ctx, func() { cancel(errGaveUp) }
}

// An awake keeps one of a load's workers out of waits that only another worker
// ends: of its places, one at least has a worker that is in none.
type awake struct {
	asleep atomic.Int64
	places int64
}

// guard returns plain with that restriction, or nil if the caller must not.
// The caller calls leave after the wait, in any case.
func (a *awake) guard(plain func() error) (guarded func() error, leave func()) {
	if a.asleep.Add(1) >= a.places {
		plain = nil
	}
	return plain, func() { a.asleep.Add(-1) }
}
