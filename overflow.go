package thread

import "sync/atomic"

// reportsOverflows says that threads have to show the handler where their
// stacks are, from now on.
var reportsOverflows atomic.Bool

// ReportStackOverflows has a line written to standard error when C code
// overflows the stack of a thread that Start makes from now on, before the
// process ends by the fault as it would otherwise:
//
//	thread "decoder" (4711): stack overflow in C code at 0x7f1c2a3fefc0: stack of 262144 bytes, see thread.Attr.StackSize
//
// The name is the system's. An overflow is a fault in the thread's guard: a
// frame of C that is larger than that may miss it (see Attr.GuardSize), and so
// does a thread without one.
//
// It installs a handler of SIGSEGV that calls the one before, which is Go's
// unless C code has installed another. So faults in Go code are still panics. A
// handler that C code installs later replaces it. It cannot be undone; each
// start of a thread takes some 5 us longer. A second call does nothing.
//
// It is supported on Linux with cgo, and elsewhere returns an error that is
// errors.ErrUnsupported.
func ReportStackOverflows() error {
	if !osReportsOverflows {
		return unsupported("report of stack overflows")
	}
	if err := osReportOverflows(); err != nil {
		return err
	}
	reportsOverflows.Store(true)
	return nil
}
