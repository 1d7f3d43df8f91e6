//go:build linux && !386 && !amd64 && !arm && !arm64 && !riscv64

// Package eintr has no handler on this processor.
package eintr

import (
	"errors"
	"syscall"
)

// Supported says that there is no handler.
const Supported = false

// Installed is never called.
var Installed func(sig syscall.Signal)

// Install returns errors.ErrUnsupported.
func Install(syscall.Signal) error { return errors.ErrUnsupported }
