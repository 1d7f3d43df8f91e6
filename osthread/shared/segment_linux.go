package shared

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// memfd_create(2), with seals (fcntl(2)); POSIX's shm_open is a file in
// /dev/shm, as in glibc and musl.

func memfd(name string) (*os.File, error) {
	fd, err := unix.MemfdCreate(name, unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	if err != nil {
		return nil, os.NewSyscallError("memfd_create", err)
	}
	return os.NewFile(uintptr(fd), "memfd:"+name), nil
}

func seal(f *os.File) error {
	const seals = unix.F_SEAL_SHRINK | unix.F_SEAL_GROW | unix.F_SEAL_SEAL
	return control(f, func(fd int) error {
		_, err := unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, seals)
		return os.NewSyscallError("fcntl", err)
	})
}

func checkSealed(f *os.File) error {
	return control(f, func(fd int) error {
		seals, err := unix.FcntlInt(uintptr(fd), unix.F_GET_SEALS, 0)
		if err != nil && !errors.Is(err, unix.EINVAL) { // of a file that cannot have seals
			return os.NewSyscallError("fcntl", err)
		}
		if err != nil || seals&unix.F_SEAL_SHRINK == 0 {
			return fmt.Errorf("shared: segment %s: not sealed against shrinking: %w", f.Name(), fs.ErrPermission)
		}
		return nil
	})
}

// allocate gives the file its size and its memory.
func allocate(f *os.File, size int) error {
	return control(f, func(fd int) error {
		for {
			err := unix.Fallocate(fd, 0, 0, int64(size))
			switch {
			case errors.Is(err, unix.EINTR):
			case errors.Is(err, unix.EOPNOTSUPP), errors.Is(err, unix.ENOSYS):
				return os.NewSyscallError("ftruncate", unix.Ftruncate(fd, int64(size)))
			default:
				return os.NewSyscallError("fallocate", err)
			}
		}
	})
}

func shmPath(name string) (string, error) {
	base := strings.TrimPrefix(name, "/")
	if base == "" || base == "." || base == ".." || strings.ContainsAny(base, "/\x00") {
		return "", fmt.Errorf("shared: segment %q: %w", name, ErrInvalid)
	}
	return "/dev/shm/" + base, nil
}
