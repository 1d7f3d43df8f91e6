package shared

import (
	"fmt"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// Files alone: macOS has no memfd and no seals, and its shm_open needs C.

func memfd(string) (*os.File, error) {
	return nil, fmt.Errorf("shared: segment without a file: %w", ErrUnsupported)
}

func seal(*os.File) error { return nil }

func checkSealed(f *os.File) error {
	return fmt.Errorf("shared: segment %s: cannot be sealed against shrinking: %w", f.Name(), fs.ErrPermission)
}

// allocate gives the file its size. Its memory is allocated when it is used.
func allocate(f *os.File, size int) error {
	return control(f, func(fd int) error {
		return os.NewSyscallError("ftruncate", unix.Ftruncate(fd, int64(size)))
	})
}

func shmPath(string) (string, error) {
	return "", fmt.Errorf("shared: shm_open: %w", ErrUnsupported)
}
