// Package csrc holds C headers: osthread.h, the objects that C and Go share,
// with one header for each object, and create.h, how package thread makes a
// thread.
//
// Importing it keeps the folder where "go mod vendor" would drop one without Go
// files, and gives a program the headers to compile C code with at run time.
package csrc

import "embed"

// Headers are osthread.h and the headers that it includes.
//
//go:embed osthread.h ost_*.h
var Headers embed.FS
