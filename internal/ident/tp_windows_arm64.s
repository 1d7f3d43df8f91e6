#include "textflag.h"

// R18 holds the address of the thread environment block.

TEXT ·threadPointer(SB), NOSPLIT, $0-8
	MOVD R18_PLATFORM, R0
	MOVD R0, ret+0(FP)
	RET

TEXT ·loadSlot(SB), NOSPLIT, $0-8
	MOVD ·slotOffset(SB), R1
	MOVD (R18_PLATFORM)(R1), R0
	MOVD R0, ret+0(FP)
	RET

TEXT ·storeSlot(SB), NOSPLIT, $0-8
	MOVD v+0(FP), R2
	MOVD ·slotOffset(SB), R1
	MOVD R2, (R18_PLATFORM)(R1)
	RET
