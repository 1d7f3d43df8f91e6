package chart

import (
	"example.com/thread/bench/internal/result"
	"example.com/thread/bench/internal/words"
)

var titles = map[string]string{
	"lock":      "Lock",
	"recursive": "Recursive lock",
	"shared":    "Shared with C",
	"rwlock":    "Reader-writer lock",
	"condition": "Condition",
	"event":     "Event",
	"park":      "Park and wake",
	"semaphore": "Semaphore",
	"barrier":   "Barrier",
	"dropin":    "Change of the import of sync",
	"queue":     "Queue",
	"startjoin": "Start and join",
	"submit":    "Task to a pool of one thread",
	"call":      "Call on a given thread",
	"lua":       "Embedded interpreter on one thread",
	"callback":  "Callback from C",
	"identity":  "Identity",
	"lateness":  "Lateness of a timed wait",
	"many":      "Many threads",
	"waiters":   "Callers that wait for one object",
	"waitany":   "Wait for any of many locks",
	"tasks":     "Tasks in the queue of a pool",
}

// Title returns a kind of rows in words.
func Title(kind string) string {
	if t, ok := titles[kind]; ok {
		return t
	}
	return kind
}

// subtitle returns in words the parameters that all rows of a chart share.
func subtitle(shared []result.Param) string { return words.Params(shared) }
