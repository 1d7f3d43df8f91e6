#include <lua.h>
#include <stddef.h>

/*
 * text_open - give L Lua's libraries and the function text
 *
 * stack: how many bytes of the thread's stack text may use.
 */
void text_open(lua_State *L, size_t stack);

/*
 * text_run - run chunk and leave on top of Lua's stack what it returns, or the
 * error's message
 *
 * Returns LUA_OK, or the status of the error.
 */
int text_run(lua_State *L, const char *chunk);
