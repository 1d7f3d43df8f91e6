//go:build !netbsd && !dragonfly && !js && !plan9

package shared

import "syscall"

const (
	errnoOwnerDead      = syscall.EOWNERDEAD
	errnoNotRecoverable = syscall.ENOTRECOVERABLE
)
