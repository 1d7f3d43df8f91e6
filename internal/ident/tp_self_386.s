//go:build linux || windows

#include "textflag.h"

// The thread pointer is a word of the memory that a segment register points
// to: on Windows of the thread environment block, where it is the block's own
// address; in the i386 ELF TLS ABI of the thread's control block.

#ifdef GOOS_windows
#define SELF 0x18(FS)
#else
#define SELF 0(GS)
#endif

TEXT ·threadPointer(SB), NOSPLIT, $0-4
	MOVL SELF, AX
	MOVL AX, ret+0(FP)
	RET

TEXT ·loadSlot(SB), NOSPLIT, $0-4
	MOVL ·slotOffset(SB), CX
	MOVL SELF, AX
	MOVL (AX)(CX*1), AX
	MOVL AX, ret+0(FP)
	RET

TEXT ·storeSlot(SB), NOSPLIT, $0-4
	MOVL v+0(FP), DX
	MOVL ·slotOffset(SB), CX
	MOVL SELF, AX
	MOVL DX, (AX)(CX*1)
	RET
