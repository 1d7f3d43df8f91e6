package queue

import (
	"errors"
	"fmt"

	"example.com/thread/osthread"
)

var (
	// ErrEmpty is returned by a Get that ended before there was a value.
	ErrEmpty = errors.New("queue: empty")
	// ErrFull is returned by a Put that ended before there was room.
	ErrFull = errors.New("queue: full")
	// ErrShutdown is returned by Put once the queue is shut down, and by Get
	// once it is also empty.
	ErrShutdown = osthread.ErrShutdown
	// ErrTooManyDone is the misuse of calling TaskDone more often than there
	// were values put.
	ErrTooManyDone = errors.New("more tasks done than put")
	// ErrNoCmp is the misuse of a priority queue without a comparison function.
	ErrNoCmp = errors.New("no comparison function")
)

// misuse is the error that a method panics with if it cannot return one.
func misuse(method string, err error) error { return fmt.Errorf("queue: %s: %w", method, err) }
