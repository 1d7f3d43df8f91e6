package queue

import (
	"errors"
	"fmt"

	"example.com/thread/osthread"
)

var (
	// ErrEmpty says that there was nothing to get in time.
	ErrEmpty = errors.New("queue is empty")
	// ErrFull says that there was no room in time.
	ErrFull = errors.New("queue is full")
	// ErrShutdown says that the queue is shut down: for Put, and for Get once
	// it is empty.
	ErrShutdown = osthread.ErrShutdown
	// ErrTooManyDone says that TaskDone was called more often than values were
	// put.
	ErrTooManyDone = errors.New("task done more often than put")
	// ErrNoCmp says that a priority queue was given nothing to compare by.
	ErrNoCmp = errors.New("no comparison function")
)

// misuse is what a method that cannot return an error panics with.
func misuse(what string, err error) error { return fmt.Errorf("queue: %s: %w", what, err) }
