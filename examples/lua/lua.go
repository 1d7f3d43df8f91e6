//go:build cgo && linux && lua

package main

// The binding: a state, and chunks for it to run. All of it is to be called on
// one thread at a time.

/*
#cgo pkg-config: lua5.4
#include "text.h"
#include <lauxlib.h>
#include <stdlib.h>
*/
import "C"

import (
	"errors"
	"unsafe"
)

type state struct{ c *C.lua_State }

// newState returns a state whose function text may use so many bytes of the
// thread's stack.
func newState(stack int) (*state, error) {
	c := C.luaL_newstate()
	if c == nil {
		return nil, errors.New("no memory for a Lua state")
	}
	C.text_open(c, C.size_t(stack))
	return &state{c}, nil
}

// eval runs chunk and returns what that returns, a string, or its error.
func (s *state) eval(chunk string) (string, error) {
	c := C.CString(chunk)
	defer C.free(unsafe.Pointer(c))
	defer C.lua_settop(s.c, 0)
	status := C.text_run(s.c, c)
	var size C.size_t
	result := C.lua_tolstring(s.c, -1, &size)
	if status != C.LUA_OK {
		return "", errors.New(C.GoStringN(result, C.int(size)))
	}
	return C.GoStringN(result, C.int(size)), nil
}

func (s *state) close() { C.lua_close(s.c) }
