//go:build !windows

// Package pump is where a thread in a single-threaded apartment of COM waits.
// Other systems than Windows have none.
package pump

// A Pump is where one thread sleeps.
type Pump struct{}

// New returns nil: a thread with an apartment cannot be started here.
func New() (*Pump, error) { return nil, nil }

// Sleep is never called.
func (*Pump) Sleep() {}

// Attend is never called.
func (*Pump) Attend() {}

// Wake is never called.
func (*Pump) Wake() {}

// Close is never called.
func (*Pump) Close() {}
