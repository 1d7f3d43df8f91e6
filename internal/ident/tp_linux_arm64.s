#include "textflag.h"

TEXT ·threadPointer(SB), NOSPLIT, $0-8
	MRS TPIDR_EL0, R0
	MOVD R0, ret+0(FP)
	RET

TEXT ·loadSlot(SB), NOSPLIT, $0-8
	MRS TPIDR_EL0, R0
	MOVD ·slotOffset(SB), R1
	MOVD (R0)(R1), R0
	MOVD R0, ret+0(FP)
	RET

TEXT ·storeSlot(SB), NOSPLIT, $0-8
	MOVD v+0(FP), R2
	MRS TPIDR_EL0, R0
	MOVD ·slotOffset(SB), R1
	MOVD R2, (R0)(R1)
	RET
