//go:build !(cgo && linux && lua)

package main

import (
	"errors"
	"fmt"
)

type state struct{}

func newState(int) (*state, error) {
	return nil, fmt.Errorf(
		"this build is without Lua: on Linux, with gcc and pkg-config, install it (Debian: apt-get install liblua5.4-dev) and use "+
			"go run -tags lua ./examples/lua: %w",
		errors.ErrUnsupported,
	)
}

func (*state) eval(string) (string, error) { return "", errors.ErrUnsupported }
func (*state) close()                      {}
