//go:build !linux

package thread

import "example.com/thread/internal/park"

const (
	osSignals         = false
	osReservedSignals = 0
	osFaults          = 0
	osUnblockable     = 0

	osInterrupts = false
)

func osSignalName(int) string { return "" }

func osChangeMask(MaskChange, SignalSet) (SignalSet, error) { return 0, unsupported("signal mask") }

func osPending() (SignalSet, error) { return 0, unsupported("pending signals of a thread") }

func osSend(*Thread, int) error { return unsupported("signal to a thread") }

func osQueue(*Thread, int, uintptr) error { return unsupported("signal to a thread") }

func osSigwait(*Thread, SignalSet, *park.Limit) (SignalInfo, error) {
	return SignalInfo{}, unsupported("wait for signals")
}

func osInterruptible() error { return unsupported("interrupting a call") }

func osInterrupt(*Thread) error { return unsupported("interrupting a call") }

func osDrain() {}
