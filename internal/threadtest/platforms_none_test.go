//go:build !windows && !(cgo && ((linux && !android) || darwin))

package threadtest

import (
	"errors"
	"testing"

	"example.com/thread"
)

// There is no C here.

func useStack(int) error { return errors.ErrUnsupported }

func meetsGuard(*testing.T, *thread.Attr) bool { return false }

func alienCall(func()) error { return errors.ErrUnsupported }

func cMemory(t *testing.T) (*uint32, error) { return nil, errors.ErrUnsupported }

func unlockAsC(*uint32) error { return errors.ErrUnsupported }

func inSTA() bool { return false }
