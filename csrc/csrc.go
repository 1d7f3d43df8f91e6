// Package csrc holds C headers: osthread.h, the locks that C and Go share, and
// create.h, how package thread makes a thread.
//
// It has no Go code. Importing it keeps the folder where "go mod vendor" would
// drop one without Go files.
package csrc
