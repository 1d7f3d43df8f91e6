//go:build linux && (386 || arm)

#include "textflag.h"

// handler returns, as that of handler_64.s.
TEXT handler<>(SB), NOSPLIT|NOFRAME, $0-0
	RET

DATA ·handlerPC(SB)/4, $handler<>(SB)
GLOBL ·handlerPC(SB), NOPTR, $4
