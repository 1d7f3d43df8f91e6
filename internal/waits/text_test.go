package waits

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
)

type named struct{}

func (*named) String() string { return "named" }

// The fields of an object change while it is waited for.
func TestTextOfReadsNoFields(t *testing.T) {
	o := &struct{ changes int }{7}
	assert.Equal(t, fmt.Sprintf("%s(%p)", TypeOf(o), o), TextOf(o))
	assert.Equal(t, "named", TextOf(new(named)))
	assert.Equal(t, "a word", TextOf("a word"))
}
