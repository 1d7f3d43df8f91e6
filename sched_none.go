//go:build !linux && !windows && !(cgo && darwin)

package thread

import (
	"os"
	"runtime"
	"time"
)

// Systems of which nothing is known but what Go itself offers: threads run, end
// and are joined, and that is all. Native ids are 0.

const (
	osAffinity   = false
	osNice       = false
	osQoS        = false
	osSignalMask = false
	osMaxCPUs    = 0
)

var pageSize = os.Getpagesize()

func osStackBounds() (least, most int, err error) { return 0, 0, unsupported("stack size") }

func osNativeID() int { return 0 }

// osOnFirstThread cannot tell. Where it would be true the first thread sleeps
// from then on, which costs nothing else.
func osOnFirstThread() bool { return false }

func osClock() int64 { return 0 }

// osIsGone cannot ask.
func osIsGone(*Thread) bool { return false }

func osExists(int) bool { return false }

func osYield() { runtime.Gosched() }

// osApply has a name to keep: that the system shows none is no reason to refuse
// it.
func osApply(*Thread, *attrs) error { return nil }

func osSetName(*Thread, string) error { return nil }

func osGetName(*Thread) string { return "" }

func osSetAffinity(*Thread, []int) error { return unsupported("affinity") }

func osGetAffinity(*Thread) ([]int, error) { return nil, unsupported("affinity") }

func osPriorityBounds(Policy) (least, most int, err error) { return 0, 0, unsupported("priority") }

func osSetPriority(*Thread, Policy, int) error { return unsupported("priority") }

func osPriority(*Thread) (Policy, int, error) { return 0, 0, unsupported("priority") }

func osGetQoS(*Thread) (QoS, error) { return 0, unsupported("QoS class") }

func osSetNice(*Thread, int) error { return unsupported("niceness of a thread") }

func osCPUTime(int) (time.Duration, error) { return 0, unsupported("processor time of a thread") }
