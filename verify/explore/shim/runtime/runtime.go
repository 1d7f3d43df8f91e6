// Package runtime has what the code under test uses of package runtime.
package runtime

import (
	"runtime"

	"example.com/thread/verify/explore/sched"
)

// Gosched yields.
func Gosched() {
	if !sched.On() {
		runtime.Gosched()
		return
	}
	sched.Yield()
}

// LockOSThread locks the caller to its thread.
func LockOSThread() {
	if !sched.On() {
		runtime.LockOSThread()
		return
	}
	sched.Pin(1)
}

// UnlockOSThread undoes one LockOSThread.
func UnlockOSThread() {
	if !sched.On() {
		runtime.UnlockOSThread()
		return
	}
	sched.Pin(-1)
}
