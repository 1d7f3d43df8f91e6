//go:build !linux

// Elsewhere the end of its input alone ends a child whose parent is gone.

package foreign

import "syscall"

// cAbsent says why the program in C cannot be here; "" if it can.
const cAbsent = "the program in C needs Linux: barriers, unnamed semaphores, gettid"

// attributes of a program's process.
func attributes() *syscall.SysProcAttr { return nil }
