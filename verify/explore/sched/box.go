package sched

import (
	"context"
	"time"
)

// A Box is an inbox (osthread/internal/inbox) and its server. Only packages of
// osthread can import it.
type Box interface {
	Do(fn func() error) error
	DoTimeout(fn func() error, d time.Duration) error
	DoContext(ctx context.Context, fn func() error) error
	Post(fn func()) error
	// Serve runs the calls until the box is closed and empty.
	Serve()
	Close(drop bool) (dropped int)
}

// NewBox returns a Box. The code under test sets it.
var NewBox func() Box
