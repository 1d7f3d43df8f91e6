//go:build !linux && !windows

package ident

import (
	"bytes"
	"runtime"
	"strconv"
)

// nativeID has no system call here that Go offers. Threads with a word have a
// goroutine locked to them, so that goroutine's number identifies them as well,
// and is never reused. It stands in the first line of a
// stack trace: "goroutine 18 [running]:". This takes about a microsecond.
func nativeID() int {
	line := make([]byte, 64)
	line = line[:runtime.Stack(line, false)]
	fields := bytes.Fields(line)
	if len(fields) < 2 {
		return 0
	}
	n, _ := strconv.Atoi(string(fields[1]))
	return n
}

// Exists has no system call to ask here and returns true. Go keeps its threads,
// unless a goroutine ends while it is locked to one.
func Exists(int) bool { return true }
