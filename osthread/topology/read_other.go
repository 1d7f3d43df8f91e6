//go:build !linux

package topology

import (
	"errors"
	"fmt"
)

// Read returns an error that errors.Is errors.ErrUnsupported.
func Read() (*Machine, error) {
	return nil, fmt.Errorf("topology: processors: %w", errors.ErrUnsupported)
}

// Allowed returns an error that errors.Is errors.ErrUnsupported.
func Allowed() (Set, error) {
	return Set{}, fmt.Errorf("topology: allowed processors: %w", errors.ErrUnsupported)
}
