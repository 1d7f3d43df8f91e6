//go:build darwin || windows

#include "textflag.h"

// The thread pointer is a word of the memory that GS points to.
//
// On Windows that memory is the thread environment block, and the word is its
// own address.
//
// On macOS it is the array of pthread_getspecific values, whose first element
// is pthread_self. The array has no self pointer at a documented place, so the
// thread pointer here is pthread_self and Setup's distances are from it: the
// array lies inside the pthread structure.

#ifdef GOOS_windows
#define SELF 0x30(GS)
#else
#define SELF 0(GS)
#endif

TEXT ·threadPointer(SB), NOSPLIT, $0-8
	MOVQ SELF, AX
	MOVQ AX, ret+0(FP)
	RET

TEXT ·loadSlot(SB), NOSPLIT, $0-8
	MOVQ ·slotOffset(SB), CX
	MOVQ SELF, AX
	MOVQ (AX)(CX*1), AX
	MOVQ AX, ret+0(FP)
	RET

TEXT ·storeSlot(SB), NOSPLIT, $0-8
	MOVQ v+0(FP), DX
	MOVQ ·slotOffset(SB), CX
	MOVQ SELF, AX
	MOVQ DX, (AX)(CX*1)
	RET
