//go:build !windows

package thread

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestApartmentWhereThereIsNoCOM(t *testing.T) {
	kinds(t, func(t *testing.T, attr func(Attr) *Attr) {
		for _, a := range []Apartment{ApartmentMTA, ApartmentSTA} {
			assert.ErrorIs(t, attr(Attr{Apartment: a}).Check(), errors.ErrUnsupported)
			_, err := Start(func() { t.Error("the body ran") }, attr(Attr{Apartment: a}))
			assert.ErrorIs(t, err, errors.ErrUnsupported)
		}
		assert.NoError(t, attr(Attr{Apartment: ApartmentNone}).Check())
		assert.Zero(t, NumThread())
	})
}
