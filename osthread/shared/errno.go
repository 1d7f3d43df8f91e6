//go:build !netbsd && !dragonfly

package shared

import "syscall"

const (
	errnoOwnerDead      = syscall.EOWNERDEAD
	errnoNotRecoverable = syscall.ENOTRECOVERABLE
)
