//go:build !unix

package osthread

import (
	"errors"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestInterruptMainIsNotHere(t *testing.T) {
	assert.ErrorIs(t, InterruptMain(os.Interrupt), errors.ErrUnsupported)
}
