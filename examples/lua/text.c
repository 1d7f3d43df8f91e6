//go:build cgo && linux && lua

#define _GNU_SOURCE
#include "text.h"
#include <lauxlib.h>
#include <lualib.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

struct walk {
	FILE *out;
	uintptr_t top;		/* where on the stack text began */
	size_t stack;		/* how much of it there is */
	size_t used;
};

/*
 * Writes the value on top of Lua's stack; a list calls walk for each of its
 * values. Lua's own limit of 200 nested C calls does not count these. Returns
 * an error's message, or NULL. It must not raise one itself: that would jump
 * past fclose.
 */
__attribute__((noinline)) /* text's frame is to be above its own */
static const char *walk(lua_State *L, struct walk *w)
{
	char number[256];
	size_t used = w->top - (uintptr_t)number;
	const char *err = NULL;
	lua_Integer i;

	if (used > w->used)
		w->used = used;
	if (used > w->stack)
		return "nested too deeply for the stack of this thread";
	if (!lua_checkstack(L, 1))
		return "nested too deeply for Lua";
	if (lua_type(L, -1) == LUA_TNUMBER) {
		snprintf(number, sizeof(number), LUA_NUMBER_FMT,
			 lua_tonumber(L, -1));
		fputs(number, w->out);
		return NULL;
	}
	if (lua_type(L, -1) != LUA_TTABLE)
		return "neither a number nor a list";
	fputc('{', w->out);
	for (i = 1; lua_rawgeti(L, -1, i) != LUA_TNIL && !err; i++) {
		if (i > 1)
			fputc(',', w->out);
		err = walk(L, w);
		lua_pop(L, 1);
	}
	lua_pop(L, 1);
	fputc('}', w->out);
	return err;
}

/*
 * text(list) - returns the list as text, and how many bytes of the thread's
 * stack that took
 *
 * Its upvalue says how many it may take.
 */
static int text(lua_State *L)
{
	char *s = NULL;
	size_t len = 0;
	struct walk w = { .top = (uintptr_t)&s };
	const char *err = "out of memory";

	luaL_checktype(L, 1, LUA_TTABLE);
	lua_settop(L, 1);
	w.stack = (size_t)lua_tointeger(L, lua_upvalueindex(1));
	w.out = open_memstream(&s, &len);
	if (w.out) {
		err = walk(L, &w);
		if (fclose(w.out) && !err)
			err = "out of memory";
	}
	if (!err)
		lua_pushlstring(L, s, len);
	free(s);
	if (err) {
		lua_pushstring(L, err);
		return lua_error(L);
	}
	lua_pushinteger(L, (lua_Integer)w.used);
	return 2;
}

void text_open(lua_State *L, size_t stack)
{
	luaL_openlibs(L);
	lua_pushinteger(L, (lua_Integer)stack);
	lua_pushcclosure(L, text, 1);
	lua_setglobal(L, "text");
}

int text_run(lua_State *L, const char *chunk)
{
	int status = luaL_loadstring(L, chunk);

	return status == LUA_OK ? lua_pcall(L, 0, 1, 0) : status;
}
