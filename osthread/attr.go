package osthread

import (
	"os"
	"slices"

	"example.com/thread"
)

// Attr holds the attributes of a thread to come; nil and the zero value ask for
// the defaults. Those that are not explained here are as in thread.Attr.
type Attr struct {
	// Name need not be unique. "" stands for "Thread-N (function)", N counting
	// from 1, with the function's bare name; a function literal has the name of
	// the function around it. The system's tools show what fits, on Linux 15
	// bytes.
	Name string
	// Daemon threads are not waited for by Shutdown. A thread is one, too, if
	// the thread that calls New is; see Thread.SetDaemon.
	Daemon bool

	StackSize  int // bytes, for the frames of C code
	GuardSize  int // bytes
	Affinity   []int
	Policy     thread.Policy
	Priority   int
	QoS        thread.QoS
	Nice       int
	SignalMask []os.Signal
	Apartment  thread.Apartment
	Pinned     bool
}

// Check returns the error that Thread.Start would return for a, or nil. It
// makes nothing, so what the system alone can refuse is not seen. A nil Attr
// stands for the defaults.
func (a *Attr) Check() error {
	if a == nil {
		return nil
	}
	lower := a.lower()
	return lower.Check()
}

// lower is a without what package thread does not know, as a is now.
func (a *Attr) lower() thread.Attr {
	return thread.Attr{
		StackSize: a.StackSize, GuardSize: a.GuardSize, Affinity: slices.Clone(a.Affinity), Policy: a.Policy,
		Priority: a.Priority, QoS: a.QoS, Nice: a.Nice, SignalMask: slices.Clone(a.SignalMask), Apartment: a.Apartment,
		Pinned: a.Pinned,
	}
}
