//go:build !plan9

package thread

import (
	"os"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"

	"example.com/thread/internal/testutil"
)

func TestSignalSetOperations(t *testing.T) {
	a, b := Signals(syscall.SIGINT, syscall.Signal(64)), Signals(syscall.Signal(64), syscall.SIGTERM)
	assert.Equal(t, Signals(syscall.SIGINT, syscall.SIGTERM, syscall.Signal(64)), a.Union(b))
	assert.Equal(t, Signals(syscall.Signal(64)), a.Intersect(b))
	assert.Equal(t, Signals(syscall.SIGINT), a.Minus(b))
	assert.True(t, a.Has(syscall.SIGINT))
	assert.False(t, a.Has(syscall.SIGTERM))
	assert.Equal(t, 2, a.Len())
	assert.Equal(t, []os.Signal{syscall.SIGINT, syscall.Signal(64)}, a.List())
	assert.Equal(t, a, Signals(a.List()...))
	assert.True(t, SignalSet(0).IsEmpty())
	assert.NotNil(t, SignalSet(0).List(), "no signals, not the default mask")
	assert.Empty(t, SignalSet(0).String())
	assert.Equal(t, 64, AllSignals.Len())
	for s := range AllSignals.All() {
		assert.Equal(t, syscall.Signal(1), s)
		break
	}
}

func TestSignalSetRefusesWhatIsNoSignal(t *testing.T) {
	minus := -1 // a variable, as a Signal is unsigned on some systems
	for _, s := range []os.Signal{nil, notASignal{}, syscall.Signal(0), syscall.Signal(minus), syscall.Signal(65)} {
		assert.ErrorIs(t, testutil.PanicOf(func() { Signals(s) }), syscall.EINVAL, "%v", s)
		assert.False(t, AllSignals.Has(s), "%v", s)
	}
}

type notASignal struct{}

func (notASignal) String() string { return "none" }
func (notASignal) Signal()        {}
