#include "textflag.h"

// GS points to the thread's array of pthread_getspecific values, whose first
// element is pthread_self. The array has no self pointer at a documented place,
// so the thread pointer here is pthread_self and Setup's distances are from it:
// the array lies inside the pthread structure.

TEXT ·threadPointer(SB), NOSPLIT, $0-8
	MOVQ 0(GS), AX
	MOVQ AX, ret+0(FP)
	RET

TEXT ·loadSlot(SB), NOSPLIT, $0-8
	MOVQ ·slotOffset(SB), CX
	MOVQ 0(GS), AX
	MOVQ (AX)(CX*1), AX
	MOVQ AX, ret+0(FP)
	RET

TEXT ·storeSlot(SB), NOSPLIT, $0-8
	MOVQ v+0(FP), DX
	MOVQ ·slotOffset(SB), CX
	MOVQ 0(GS), AX
	MOVQ DX, (AX)(CX*1)
	RET
