package osthread

import (
	"os"
	"slices"
	"time"

	"example.com/thread"
)

// Attr holds the attributes of a new thread. nil and the zero value stand for
// the defaults. The fields without a comment are those of thread.Attr.
type Attr struct {
	// Name need not be unique. "" stands for "Thread-N (function)", N counting
	// from 1, with the function's bare name; a function literal has the name of
	// the function around it. The system's tools show what fits, on Linux 15
	// bytes.
	Name string
	// Shutdown does not wait for daemons. A thread is a daemon, too, if New is
	// called on one; see Thread.SetDaemon.
	Daemon bool

	StackSize    int // bytes, for the frames of C code
	GuardSize    int // bytes
	Affinity     []int
	MeasureStack bool
	Policy       thread.Policy
	Priority     int
	Bandwidth    thread.Bandwidth
	ResetOnFork  bool
	QoS          thread.QoS
	Nice         int
	TimerSlack   time.Duration
	SignalMask   []os.Signal
	Memory       *thread.MemoryPolicy
	Apartment    thread.Apartment
	Pinned       bool
}

// Check returns the error that Thread.Start would return for a, or nil. It
// creates nothing, so it does not find what only the system can refuse. A nil
// Attr stands for the defaults.
func (a *Attr) Check() error {
	if a == nil {
		return nil
	}
	lower := a.lower()
	return lower.Check()
}

// Clone returns a copy that shares nothing with a, or nil if a is nil.
func (a *Attr) Clone() *Attr {
	if a == nil {
		return nil
	}
	b := *a
	b.Affinity, b.SignalMask = slices.Clone(a.Affinity), slices.Clone(a.SignalMask)
	if a.Memory != nil {
		b.Memory = &thread.MemoryPolicy{Mode: a.Memory.Mode, Nodes: slices.Clone(a.Memory.Nodes)}
	}
	return &b
}

// lower returns what package thread has of a.
func (a *Attr) lower() thread.Attr {
	return thread.Attr{
		StackSize: a.StackSize, GuardSize: a.GuardSize, MeasureStack: a.MeasureStack, Affinity: a.Affinity,
		Policy: a.Policy, Priority: a.Priority, Bandwidth: a.Bandwidth, ResetOnFork: a.ResetOnFork,
		QoS: a.QoS, Nice: a.Nice, TimerSlack: a.TimerSlack, SignalMask: a.SignalMask, Memory: a.Memory,
		Apartment: a.Apartment, Pinned: a.Pinned,
	}
}
