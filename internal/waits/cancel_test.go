package waits

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"

	"example.com/thread/internal/ident"
)

// An attached thread that has ended without Detach may be canceled when its row
// belongs to another thread, whose own request that must not replace.
func TestAskOfAThreadThatIsGoneLeavesTheNextOneAlone(t *testing.T) {
	const row = 1<<ident.RowBits - 1 // no thread of this test has it
	gone, next := ident.Make(1, row), ident.Make(2, row)
	own, late := errors.New("own"), errors.New("late")
	r, before := record(next), asked.Load()

	Own(gone)
	Forget(gone)
	assert.Nil(t, Ask(gone, Request{Cause: late}))
	assert.Equal(t, before, asked.Load(), "a request that nothing takes")

	Own(next)
	assert.Nil(t, Ask(next, Request{Cause: own}))
	assert.Nil(t, Ask(gone, Request{Cause: late}))
	Forget(gone)
	assert.Equal(t, own, r.requests.one.Cause)
	assert.True(t, r.isFor(next, false))
	Forget(next)
	assert.Equal(t, before, asked.Load())
	assert.Nil(t, Ask(next, Request{Cause: late}))
	assert.Equal(t, before, asked.Load())
}
