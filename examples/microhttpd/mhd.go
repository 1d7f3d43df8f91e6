//go:build cgo && linux && microhttpd

package main

// The binding: one function to start the library, one for it to call.

/*
#cgo pkg-config: libmicrohttpd
#include "mhd.h"
#include <stdlib.h>
*/
import "C"

import (
	"fmt"
	"runtime/cgo"
	"unsafe"
)

type daemon struct {
	c       *C.struct_MHD_Daemon
	handler cgo.Handle
}

// startDaemon has the library call handle on its threads, of which it makes so
// many, or perConnection.
func startDaemon(handle func(path string) (status int, body string), threads int) (*daemon, error) {
	h := cgo.NewHandle(handle)
	c, err := C.mhd_start(C.uint(threads), C.uintptr_t(h))
	if c == nil {
		h.Delete()
		// err may be nil: not all that fails there sets errno
		return nil, fmt.Errorf("libmicrohttpd does not start: %v", err)
	}
	return &daemon{c, h}, nil
}

func (d *daemon) addr() string { return fmt.Sprint("127.0.0.1:", C.mhd_port(d.c)) }

// stop closes all connections and returns when the library has joined its
// threads.
func (d *daemon) stop() {
	C.MHD_stop_daemon(d.c)
	d.handler.Delete()
}

// microhttpdAnswer returns a body that is the caller's to free.
//
//export microhttpdAnswer
func microhttpdAnswer(handler C.uintptr_t, path *C.char) (C.uint, unsafe.Pointer, C.size_t) {
	handle := cgo.Handle(handler).Value().(func(string) (int, string))
	status, body := handle(C.GoString(path))
	return C.uint(status), C.CBytes([]byte(body)), C.size_t(len(body))
}
