#include "textflag.h"

// The thread pointer is the thread environment block, whose own address is at
// 0x30 from GS.

TEXT ·threadPointer(SB), NOSPLIT, $0-8
	MOVQ 0x30(GS), AX
	MOVQ AX, ret+0(FP)
	RET

TEXT ·loadSlot(SB), NOSPLIT, $0-8
	MOVQ ·slotOffset(SB), CX
	MOVQ 0x30(GS), AX
	MOVQ (AX)(CX*1), AX
	MOVQ AX, ret+0(FP)
	RET

TEXT ·storeSlot(SB), NOSPLIT, $0-8
	MOVQ v+0(FP), DX
	MOVQ ·slotOffset(SB), CX
	MOVQ 0x30(GS), AX
	MOVQ DX, (AX)(CX*1)
	RET
