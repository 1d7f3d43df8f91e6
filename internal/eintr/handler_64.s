//go:build linux && (amd64 || arm64 || riscv64)

#include "textflag.h"

// handler returns: to the restorer that the kernel has pushed, or put into the
// link register.
TEXT handler<>(SB), NOSPLIT|NOFRAME, $0-0
	RET

DATA ·handlerPC(SB)/8, $handler<>(SB)
GLOBL ·handlerPC(SB), NOPTR, $8
