//go:build cgo && linux && lua

package contender

/*
#cgo pkg-config: lua5.4
#include <lauxlib.h>
#include <lualib.h>

// Returns a state with the function score, NULL without memory.
static lua_State *lua_open(void)
{
	lua_State *l = luaL_newstate();

	if (!l)
		return NULL;
	luaL_openlibs(l);
	if (luaL_dostring(l,
		"function score(request)\n"
		"	local sum = 0\n"
		"	for key, value in string.gmatch(request, '(%a+)=(%d+)') do\n"
		"		sum = sum + #key * tonumber(value)\n"
		"	end\n"
		"	return sum\n"
		"end")) {
		lua_close(l);
		return NULL;
	}
	return l;
}

// Returns what score returns, negative if it fails.
static lua_Integer lua_score(lua_State *l, const char *request, size_t n)
{
	lua_Integer sum = -1;

	lua_getglobal(l, "score");
	lua_pushlstring(l, request, n);
	if (lua_pcall(l, 1, 1, 0) == LUA_OK)
		sum = lua_tointeger(l, -1);
	lua_settop(l, 0);
	return sum;
}
*/
import "C"

import (
	"context"
	"errors"
	"unsafe"

	"example.com/thread/bench/internal/sample"
	"example.com/thread/osthread/executor"
)

// Tags are the arguments of the go command that built this program with Lua.
const Tags = "-tags lua "

const (
	luaRequest = "user=17;items=3;price=250;region=4"
	luaScore   = 4*17 + 5*3 + 5*250 + 6*4
)

var errScore = errors.New("lua: wrong score")

// interpreters: an interpreter lives on one thread, and goroutines have it
// score requests. Without this library, they send functions to a locked
// goroutine, each with a channel for the answer.
var interpreters = []Contender{
	{Baseline, true, of(func(c *crew) (sample.Sample, error) {
		w, err := executor.NewWorker(nil)
		if err != nil {
			return sample.Sample{}, err
		}
		s, err := scores(c, w.Call)
		return s, errors.Join(err, w.Shutdown(context.Background()))
	})},
	{"locked goroutine", false, of(func(c *crew) (sample.Sample, error) {
		type call struct {
			f    func() error
			done chan error
		}
		work := make(chan call)
		join, err := locked(func() {
			for k := range work {
				k.done <- k.f()
			}
		})
		if err != nil {
			return sample.Sample{}, err
		}
		s, err := scores(c, func(f func() error) error {
			k := call{f, make(chan error, 1)}
			work <- k
			return <-k.done
		})
		close(work)
		return s, errors.Join(err, join())
	})},
}

// scores makes an interpreter on the thread of call, and has the row's
// goroutines call it there.
func scores(c *crew, call func(func() error) error) (sample.Sample, error) {
	var lua *C.lua_State
	err := call(func() error {
		if lua = C.lua_open(); lua == nil {
			return errors.New("lua: no state")
		}
		return nil
	})
	if err != nil {
		return sample.Sample{}, err
	}
	request := luaRequest
	text, n := (*C.char)(unsafe.Pointer(unsafe.StringData(request))), C.size_t(len(request))
	failed := make([]error, c.spec.Threads)
	s, err := c.run(c.spec.Threads, c.spec.Threads, goroutine, func(i int, t *tally) {
		for !c.over() && failed[i] == nil {
			began := t.now()
			failed[i] = call(func() error {
				if C.lua_score(lua, text, n) != luaScore {
					return errScore
				}
				return nil
			})
			t.waited(began)
			t.step()
		}
	})
	closed := call(func() error { C.lua_close(lua); return nil })
	return s, errors.Join(append(failed, err, closed)...)
}
