//go:build !(cgo && linux && microhttpd)

package main

import (
	"errors"
	"fmt"
)

type daemon struct{}

func startDaemon(func(path string) (status int, body string), int) (*daemon, error) {
	return nil, fmt.Errorf(
		"this build is without libmicrohttpd: on Linux, with gcc and pkg-config, install it (Debian: apt-get install libmicrohttpd-dev) and use "+
			"go run -tags microhttpd ./examples/microhttpd: %w",
		errors.ErrUnsupported,
	)
}

func (*daemon) addr() string { return "" }
func (*daemon) stop()        {}
