#include "textflag.h"

// The thread pointer is the thread environment block, whose own address is at
// 0x18 from FS.

TEXT ·threadPointer(SB), NOSPLIT, $0-4
	MOVL 0x18(FS), AX
	MOVL AX, ret+0(FP)
	RET

TEXT ·loadSlot(SB), NOSPLIT, $0-4
	MOVL ·slotOffset(SB), CX
	MOVL 0x18(FS), AX
	MOVL (AX)(CX*1), AX
	MOVL AX, ret+0(FP)
	RET

TEXT ·storeSlot(SB), NOSPLIT, $0-4
	MOVL v+0(FP), DX
	MOVL ·slotOffset(SB), CX
	MOVL 0x18(FS), AX
	MOVL DX, (AX)(CX*1)
	RET
