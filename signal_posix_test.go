//go:build !plan9

package thread

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestStartRefusesSignalsThatAreNone(t *testing.T) {
	want := error(syscall.EINVAL)
	if !osSignalMask {
		want = errors.ErrUnsupported
	}
	for _, n := range []int{-1, 0, 65} {
		t.Run(fmt.Sprint(n), func(t *testing.T) {
			a := &Attr{SignalMask: []os.Signal{syscall.Signal(n)}}
			_, err := Start(func() { t.Error("the body ran") }, a)
			assert.ErrorIs(t, err, want)
			assert.Equal(t, err, a.Check())
			assert.Zero(t, NumThread())
			assert.Zero(t, records.count())
		})
	}
}
