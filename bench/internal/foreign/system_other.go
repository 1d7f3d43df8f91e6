//go:build !linux

// Elsewhere only the end of its input ends a child whose parent has exited.

package foreign

import "syscall"

// cAbsent is the reason why the program in C is absent, "" if it is not.
const cAbsent = "the program in C needs Linux: barriers, unnamed semaphores, gettid"

// attributes returns the attributes of a program's process.
func attributes() *syscall.SysProcAttr { return nil }
