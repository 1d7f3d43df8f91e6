//go:build !linux

package main

import (
	"fmt"

	"example.com/thread"
)

// kernelsView returns a row of what the library says of t, where there is no
// /proc.
func kernelsView(t *thread.Thread) string {
	return fmt.Sprintf("%s\t%d\t%#x\t%d", t.Name(), t.NativeID(), t.Ident(), t.StackSize())
}
