//go:build !windows

package executor

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"

	"example.com/thread"
	"example.com/thread/osthread"
)

func TestWorkerInAnApartmentWhereThereIsNoCOM(t *testing.T) {
	for _, a := range []thread.Apartment{thread.ApartmentMTA, thread.ApartmentSTA} {
		attr := &osthread.Attr{Apartment: a}
		assert.ErrorIs(t, attr.Check(), errors.ErrUnsupported)
		_, err := NewWorker(attr)
		assert.ErrorIs(t, err, errors.ErrUnsupported)
	}
}
