// Package csrc holds C headers: osthread.h, the objects that C and Go share,
// with one header for each object, and create.h, how package thread makes a
// thread.
//
// A package whose C code includes one of them imports this package: so "go mod
// vendor" keeps the folder, and a change of a header, of which go build does
// not know otherwise, rebuilds the package.
package csrc

import "embed"

// Headers are the headers, for a program that compiles C code at run time. The
// linker leaves them out of others.
//
//go:embed *.h *.hpp
var Headers embed.FS
