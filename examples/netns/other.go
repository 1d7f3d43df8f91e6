//go:build !linux

package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "netns: network namespaces are Linux's")
	os.Exit(1)
}
