//go:build !plan9

package threadtest

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"

	"example.com/thread/internal/buildinfo"
	"example.com/thread/osthread/shared"
)

// checkOtherProcesses tries whether objects can be shared between processes.
func checkOtherProcesses(t *testing.T, cell string) {
	err := new(shared.Semaphore).Init(0, true)
	switch {
	case cell == "no", buildinfo.PortableFutex:
		assert.ErrorIs(t, err, errors.ErrUnsupported)
	case cell == "yes, 14.4" && errors.Is(err, errors.ErrUnsupported):
		t.Skip(err)
	case cell == "yes", cell == "yes, 14.4":
		assert.NoError(t, err)
	default:
		unknownCell(t, cell)
	}
}

// checkRobust tries what mutexes of package shared can be besides.
func checkRobust(t *testing.T, cell string) {
	if buildinfo.PortableFutex {
		t.Skip("with portablefutex the kernel knows no futex of ours")
	}
	for _, attr := range []shared.MutexAttr{{Robust: true}, {Inherit: true}} {
		err := new(shared.Mutex).Init(attr)
		switch {
		case cell == "no":
			assert.ErrorIs(t, err, errors.ErrUnsupported)
		case cell == "yes":
			assert.NoError(t, err)
		default:
			unknownCell(t, cell)
		}
	}
}
