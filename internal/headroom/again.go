//go:build !plan9

package headroom

import "syscall"

var errAgain error = syscall.EAGAIN
