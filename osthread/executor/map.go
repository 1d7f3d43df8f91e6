package executor

import (
	"context"
	"errors"
	"iter"
	"runtime"

	"example.com/thread/internal/park"
)

// A window holds the futures of a Map that are submitted and whose results have
// not been asked for, the oldest first. Whatever ends the range, a break, a
// panic of seq or of the loop's body, a Goexit, the deferred cancel finds in it
// all that nobody will ask for.
type window[R any] struct{ futures []*Future[R] }

func (w *window[R]) push(f *Future[R]) { w.futures = append(w.futures, f) }

func (w *window[R]) pop() *Future[R] {
	f := w.futures[0]
	w.futures[0] = nil
	w.futures = w.futures[1:]
	return f
}

func (w *window[R]) cancel() {
	for _, f := range w.futures {
		f.Cancel()
	}
}

// Map ranges over the results of fn for the values of seq, in their order,
// while e works on up to ahead values that are yet to be yielded; 0 stands for
// any number: all of seq is then submitted first, as Python's map does without
// a buffersize. The work begins with the range, anew with each. An error of fn
// is yielded in its place, and the range goes on unless the loop breaks. A
// break cancels what has not begun and does not wait for what runs.
//
// If a value cannot be submitted the range yields what has been, then the error
// of Submit, and ends; with [Reject] a full backlog only makes it wait for its
// own oldest result first. A negative ahead panics with an error that is
// ErrInvalid. A Map on a thread of e's may wait for ever, see Future.Result.
func Map[T, R any](e *Executor, ahead int, seq iter.Seq[T], fn func(T) (R, error)) iter.Seq2[R, error] {
	return MapContext(context.Background(), e, ahead, seq, fn)
}

// MapContext is Map until ctx is done; it then yields, last, a zero R and ctx's
// cause, and cancels what has not begun (Python: map(timeout), which counts
// from the call). To stop what runs have fn look at ctx.
func MapContext[T, R any](
	ctx context.Context,
	e *Executor,
	ahead int,
	seq iter.Seq[T],
	fn func(T) (R, error),
) iter.Seq2[R, error] {
	if ahead < 0 {
		panic(invalid("Map: look-ahead of %d", ahead))
	}
	if fn == nil {
		fn = func(T) (r R, err error) { return r, nil }
	}
	return func(yield func(R, error) bool) {
		defer runtime.KeepAlive(e.handle)
		m := mapping[T, R]{ctx: ctx, e: e, fn: fn, yield: yield}
		defer m.cancel()
		for v := range seq {
			if !m.feed(v, ahead) {
				break
			}
		}
		m.drain()
	}
}

// A mapping is one range over a Map.
type mapping[T, R any] struct {
	window[R]
	ctx   context.Context
	e     *Executor
	fn    func(T) (R, error)
	yield func(R, error) bool
	held  *Future[R] // done, to be yielded next
	over  bool       // nothing is to be yielded any more
	err   error      // what to yield last
}

// feed submits v, and yields the oldest result if there are more than ahead. It
// reports whether to go on with seq.
func (m *mapping[T, R]) feed(v T, ahead int) bool {
	if ahead == 0 || len(m.futures) < ahead {
		return m.submit(v)
	}
	// The result is waited for before v is submitted and yielded after: so
	// ahead values are worked on while the loop's body runs.
	if !m.hold() {
		return false
	}
	more := m.submit(v)
	return m.give() && more
}

// submit submits v, and reports whether to go on with seq.
func (m *mapping[T, R]) submit(v T) bool {
	for {
		f, err := SubmitContext(m.ctx, m.e, func() (R, error) { return m.fn(v) })
		switch {
		case err == nil:
			m.push(f)
			return true
		case !errors.Is(err, ErrFull) || m.held == nil && len(m.futures) == 0:
			m.err = err
			return false
		case m.held == nil && !m.hold() || !m.give():
			return false
		}
	}
}

// hold waits for the oldest future, which is to be yielded next. If ctx ends
// first the range is over.
func (m *mapping[T, R]) hold() bool {
	f := m.pop()
	l, err := park.Until(m.ctx)
	if err == nil {
		err = f.awaitDone(l)
	}
	if err == nil {
		m.held = f
		return true
	}
	f.Cancel()
	m.end(err)
	return false
}

// give yields what is held, if there is anything, and reports whether the loop
// goes on.
func (m *mapping[T, R]) give() bool {
	if f := m.held; f != nil && !m.over {
		m.held = nil
		m.over = !m.yield(f.TryResult())
	}
	return !m.over
}

// end yields err as the last.
func (m *mapping[T, R]) end(err error) {
	if !m.over {
		m.over = true
		var zero R
		m.yield(zero, err)
	}
}

// drain yields what is left.
func (m *mapping[T, R]) drain() {
	for m.give() && len(m.futures) > 0 {
		if !m.hold() {
			return
		}
	}
	if m.err != nil {
		m.end(m.err)
	}
}
