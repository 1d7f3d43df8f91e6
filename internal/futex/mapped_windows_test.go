package futex

import (
	"testing"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/windows"
)

// mapped returns a word in memory as C has it.
func mapped(t *testing.T) *uint32 {
	page, err := windows.VirtualAlloc(
		0,
		unsafe.Sizeof(uint32(0)),
		windows.MEM_COMMIT|windows.MEM_RESERVE,
		windows.PAGE_READWRITE,
	)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, windows.VirtualFree(page, 0, windows.MEM_RELEASE)) })
	return *(**uint32)(unsafe.Pointer(&page)) // vet takes a plain conversion for a mistake
}
