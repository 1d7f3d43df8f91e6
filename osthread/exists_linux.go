package osthread

import "golang.org/x/sys/unix"

// threadExists reports whether the process has a thread of that id: by a signal 0 to it.
func threadExists(id int) bool { return unix.Tgkill(unix.Getpid(), id, 0) == nil }
