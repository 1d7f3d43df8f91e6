//go:build netbsd || dragonfly || js

package shared

import "syscall"

// Go's package syscall has no such numbers there, and no mutex is robust.
const (
	errnoOwnerDead      = syscall.Errno(0)
	errnoNotRecoverable = syscall.Errno(0)
)
