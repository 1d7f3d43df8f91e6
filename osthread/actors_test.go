package osthread

import (
	"errors"
	"testing"

	"pgregory.net/rapid"

	"example.com/thread/internal/actors"
)

// startActor is the actors.Start of a thread.
func startActor(body func() error) (actors.Thread, error) { return Go(body) }

// checkSequences checks prop with the actors of t.
func checkSequences(t *testing.T, prop func(t *rapid.T, c *actors.Cast)) {
	t.Helper()
	c := actors.New(t, 4, startActor)
	actors.Check(t, 60, func(t *rapid.T) { prop(t, c) })
}

// fuzzSequences makes f a fuzz test of prop.
func fuzzSequences(f *testing.F, prop func(t *rapid.T, c *actors.Cast)) {
	c := actors.New(f, 4, startActor)
	actors.Fuzz(f, func(t *rapid.T) { prop(t, c) })
}

// mustPanic checks that f panics with an error that is want.
func mustPanic(t *rapid.T, want error, f func()) {
	t.Helper()
	if err := panicOf(f); !errors.Is(err, want) {
		t.Fatalf("got a panic with %v, want %v", err, want)
	}
}

// without returns as without a.
func without(as []*actors.Actor, a *actors.Actor) []*actors.Actor {
	for i := range as {
		if as[i] == a {
			return append(append([]*actors.Actor(nil), as[:i]...), as[i+1:]...)
		}
	}
	return as
}

// firstBefore returns the first of queue that still waits, if it stands before
// a, and otherwise nil.
func firstBefore(queue []*actors.Actor, a *actors.Actor) *actors.Actor {
	for _, b := range queue {
		if b == a {
			return nil
		}
		if b.Call.Waits() {
			return b
		}
	}
	return nil
}
