//go:build !linux

package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "pdeathsig: the signal at the end of a thread is Linux's")
	os.Exit(1)
}
