// Package context has what the code under test uses of package context. Its
// functions of a context are the explorer's callers.
package context

import (
	"context"

	"example.com/thread/verify/explore/sched"
)

// What is used as it is.
type (
	Context    = context.Context
	CancelFunc = context.CancelFunc
)

// Canceled is context.Canceled.
var Canceled = context.Canceled

// Background is context.Background.
func Background() Context { return context.Background() }

// Cause is context.Cause.
func Cause(c Context) error { return context.Cause(c) }

// WithCancel is context.WithCancel.
func WithCancel(parent Context) (Context, CancelFunc) { return context.WithCancel(parent) }

// AfterFunc calls f once c is done.
func AfterFunc(c Context, f func()) (stop func() bool) {
	if !sched.On() {
		return context.AfterFunc(c, f)
	}
	return sched.When(func() bool { return c.Err() != nil }, f)
}
