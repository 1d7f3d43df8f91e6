//go:build !linux && !windows && !(cgo && darwin)

package thread

import (
	"os"
	"runtime"
	"time"
)

// Systems without a file of their own, which have what Go itself offers:
// threads run, end and are joined. Native ids are 0.

const (
	osAffinity   = false
	osNice       = false
	osBandwidth  = false
	osSlack      = false
	osQoS        = false
	osSignalMask = false
	osMaxCPUs    = 0
)

var pageSize = os.Getpagesize()

func osStackBounds() (least, most int, err error) { return 0, 0, unsupported("stack size") }

func osNativeID() int { return 0 }

// osOnFirstThread does not know. If the answer should be true the first thread
// stays parked, which costs nothing else.
func osOnFirstThread() bool { return false }

func osClock() int64 { return 0 }

func osIsGone(*Thread) bool { return false }

func osExists(int) bool { return false }

func osYield() { runtime.Gosched() }

// osSetName returns nil: the name is kept, and the system shows none.
func osSetName(*Thread, string) error { return nil }

func osGetName(*Thread) string { return "" }

func osSetAffinity(*Thread, []int) error { return unsupported("affinity") }

func osGetAffinity(*Thread) ([]int, error) { return nil, unsupported("affinity") }

func osPriorityBounds(Policy) (least, most int, err error) { return 0, 0, unsupported("priority") }

func osSetPriority(*Thread, Policy, int) error { return unsupported("priority") }

func osPriority(*Thread) (Policy, int, error) { return 0, 0, unsupported("priority") }

func osSetQoS(QoS) error { return unsupported("QoS class") }

func osGetQoS(*Thread) (QoS, error) { return 0, unsupported("QoS class") }

func osSetBandwidth(*Thread, Bandwidth) error { return unsupported("bandwidth of a thread") }

func osBandwidthOf(*Thread) (Bandwidth, error) {
	return Bandwidth{}, unsupported("bandwidth of a thread")
}

func osSetResetOnFork(*Thread, bool) error { return unsupported("reset on fork") }

func osResetOnFork(*Thread) (bool, error) { return false, unsupported("reset on fork") }

func osSetNice(*Thread, int) error { return unsupported("niceness of a thread") }

func osSetTimerSlack(*Thread, time.Duration) error { return unsupported("timer slack of a thread") }

func osTimerSlack(*Thread) (time.Duration, error) { return 0, unsupported("timer slack of a thread") }

func osSetSignalMask(uint64) error { return unsupported("signal mask") }

const osNeverBlocked = 0

func osCPUTime(int) (time.Duration, error) { return 0, unsupported("processor time of a thread") }
