//go:build windows && !portablefutex

package futex

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"golang.org/x/sys/windows"
)

const counts = false

// sleepers is for the tests that counts lets run.
func sleepers(*uint32) int { panic("this system does not count sleepers") }

func TestTimeoutIsRoundedUpAndFinite(t *testing.T) {
	assert.Equal(t, uintptr(windows.INFINITE), timeout(Never))
	for _, deadline := range []int64{math.MinInt64, -1, 0} {
		assert.Zero(t, timeout(deadline), deadline)
	}
	for _, deadline := range []int64{Never - 1, After(30 * 24 * time.Hour)} {
		assert.EqualValues(t, longest, timeout(deadline), deadline)
	}
	for _, d := range []time.Duration{1, time.Millisecond, 5*time.Second + 1} {
		deadline := After(d)
		ms := timeout(deadline)
		assert.GreaterOrEqual(t, Now()+int64(ms)*int64(time.Millisecond), deadline, d)
	}
}
