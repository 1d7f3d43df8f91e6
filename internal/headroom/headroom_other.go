//go:build !linux

package headroom

import (
	"math"
	"time"
)

// The system's limits are not known here: its own refusal is all there is.

const (
	goStack = 0
	noLimit = math.MaxInt64 / 2
)

func room(time.Duration) int { return noLimit & math.MaxInt }

func memory(int64) int64 { return noLimit }

func stackBytes(int) int64 { return 0 }

func arenaBytes() int64 { return 0 }

// Refused has nothing to learn here.
func Refused(error, int) {}
