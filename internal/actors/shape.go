package actors

import (
	"context"
	"time"

	"pgregory.net/rapid"
)

// A Shape is a form of a call that waits, with what bounds it.
type Shape int

const (
	Plain      Shape = iota
	Try              // a timeout of 0
	Negative         // a negative timeout
	Short            // a timeout that ends within the step
	Long             // a timeout that does not
	Huge             // the longest timeout
	Context          // a context that the machine may cancel
	Done             // a context that is done before
	Background       // a context that is never done
)

func (s Shape) String() string {
	return [...]string{
		"Plain", "Try", "Negative", "Short", "Long", "Huge", "Context", "Done", "Background",
	}[s]
}

// DrawShape draws a Shape, most often one that the machine can end.
func DrawShape(t *rapid.T) Shape {
	return rapid.SampledFrom([]Shape{
		Plain, Context, Try, Context, Short, Plain, Long, Context, Done, Negative, Context, Huge, Background,
	}).Draw(t, "shape")
}

// Waits reports whether a call of that shape waits until it is served.
func (s Shape) Waits() bool { return s == Plain || s >= Long && s != Done }

// Timeout returns the timeout of the shape, if it has one.
func (s Shape) Timeout() time.Duration {
	switch s {
	case Negative:
		return -time.Hour
	case Short:
		return 20 * time.Microsecond
	case Long:
		return 5 * time.Hour
	case Huge:
		return 1<<63 - 1
	default:
		return 0
	}
}

// Forms are the forms of one call.
type Forms struct {
	Plain   func() error
	Timeout func(d time.Duration) error
	Context func(ctx context.Context) error
}

// Bool returns the forms of a call of which only that with a context returns an
// error.
func Bool(plain func(), timeout func(d time.Duration) bool, ctx func(ctx context.Context) error) Forms {
	return Forms{
		Plain:   func() error { plain(); return nil },
		Timeout: func(d time.Duration) error { return OrTimeout(timeout(d)) },
		Context: ctx,
	}
}

// OrTimeout returns ErrTimeout if a call has reported false.
func OrTimeout(ok bool) error {
	if !ok {
		return ErrTimeout
	}
	return nil
}

// Call makes the call in the form s.
func (f Forms) Call(ctx context.Context, s Shape) error {
	switch s {
	case Plain:
		return f.Plain()
	case Context, Done:
		return f.Context(ctx)
	case Background:
		return f.Context(context.Background())
	default:
		return f.Timeout(s.Timeout())
	}
}

// Unserved returns the errors with one of which a call of the shape s must end
// that cannot be served now; nil if it waits. A call with a timeout of 0 or
// less does not wait, so it does not notice that the thread was canceled. With
// a short timeout or a context that is done a call may notice, and need not.
func (a *Actor) Unserved(s Shape, timeout error) (must []error) {
	switch s {
	case Try, Negative:
		return []error{timeout}
	case Short:
		must = []error{timeout}
	case Done:
		must = []error{ErrContext}
	}
	if a.Asked {
		must = append(must, ErrThread)
	}
	return must
}
