//go:build !portablefutex && !(386 || arm || mipsle)

package futex

import "golang.org/x/sys/unix"

// numbers are those of the futex calls.
var numbers = []uintptr{unix.SYS_FUTEX}
