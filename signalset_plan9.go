package thread

import (
	"os"
	"strconv"
	"syscall"
)

// Signals are notes, which are text.

func signalNumber(os.Signal) (n int, numbered bool) { return 0, false }

func signalOf(n int) os.Signal { return syscall.Note(strconv.Itoa(n)) }
