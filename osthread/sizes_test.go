package osthread

import (
	"testing"
	"unsafe"

	"github.com/stretchr/testify/assert"
)

// A program may have a million of these.
func TestLocksEventAndConditionAreSmall(t *testing.T) {
	assert.LessOrEqual(t, unsafe.Sizeof(Lock{}), uintptr(16))
	assert.LessOrEqual(t, unsafe.Sizeof(RLock{}), uintptr(24))
	assert.LessOrEqual(t, unsafe.Sizeof(RWLock{}), uintptr(32))
	assert.LessOrEqual(t, unsafe.Sizeof(Event{}), uintptr(16))
	assert.LessOrEqual(t, unsafe.Sizeof(Condition{}), uintptr(24))
	assert.LessOrEqual(t, unsafe.Sizeof(Semaphore{}), uintptr(32))
}
