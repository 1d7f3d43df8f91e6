package ident

import (
	"fmt"
	"os"
	"path"
	"strconv"

	"golang.org/x/sys/unix"
)

// NativeID returns the kernel's id of the calling thread. A filter (seccomp(2))
// may refuse the call; then it reads /proc. It panics if both fail, since
// threads could not be distinguished.
func NativeID() int {
	if id := unix.Gettid(); id > 0 {
		return id
	}
	return nativeIDFromProc()
}

func nativeIDFromProc() int {
	link, err := os.Readlink("/proc/thread-self") // PID/task/TID
	if err != nil {
		panic(fmt.Errorf("thread: no gettid: %w", err))
	}
	id, err := strconv.Atoi(path.Base(link))
	if err != nil {
		panic(fmt.Errorf("thread: no gettid: %w", err))
	}
	return id
}

// Exists reports whether the process has a thread with that id: by a signal 0
// to it, or where a filter refuses that, by /proc. If both fail it is
// assumed to exist.
func Exists(id int) bool {
	switch unix.Tgkill(unix.Getpid(), id, 0) {
	case nil:
		return true
	case unix.ESRCH:
		return false
	}
	var st unix.Stat_t
	return unix.Stat("/proc/self/task/"+strconv.Itoa(id), &st) != unix.ENOENT ||
		unix.Stat("/proc/self/task", &st) != nil
}

func nativeID() int { return NativeID() }
