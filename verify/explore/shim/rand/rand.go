// Package rand has what the code under test uses of math/rand/v2.
package rand

import (
	"math/rand/v2"

	"example.com/thread/verify/explore/sched"
)

// Uint32 returns 1, or 0 where the explorer lets happen what happens rarely.
func Uint32() uint32 {
	if !sched.On() {
		return rand.Uint32()
	}
	if sched.Rarely() {
		return 0
	}
	return 1
}
