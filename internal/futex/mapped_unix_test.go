//go:build unix

package futex

import (
	"os"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
)

// mapped returns a word in memory as C has it.
func mapped(t *testing.T) *uint32 {
	page, err := unix.Mmap(-1, 0, os.Getpagesize(), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANON)
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, unix.Munmap(page)) })
	return (*uint32)(unsafe.Pointer(unsafe.SliceData(page)))
}
