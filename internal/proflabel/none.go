//go:build portablepark

// Package proflabel stands in for the runtime's functions: native threads have
// no profiler labels.
package proflabel

import "unsafe"

func Get() unsafe.Pointer { return nil }

func Set(unsafe.Pointer) {}
