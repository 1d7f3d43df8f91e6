//go:build !windows

package threadtest

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"

	"example.com/thread"
)

func TestApartmentWithoutCOM(t *testing.T) {
	kinds(t, func(t *testing.T, attr func(thread.Attr) *thread.Attr) {
		for _, a := range []thread.Apartment{thread.ApartmentMTA, thread.ApartmentSTA} {
			assert.ErrorIs(t, attr(thread.Attr{Apartment: a}).Check(), errors.ErrUnsupported)
			_, err := thread.Start(func() { t.Error("the body ran") }, attr(thread.Attr{Apartment: a}))
			assert.ErrorIs(t, err, errors.ErrUnsupported)
		}
		assert.NoError(t, attr(thread.Attr{Apartment: thread.ApartmentNone}).Check())
		assert.Zero(t, thread.NumThread())
	})
}
