#include "textflag.h"

// TPIDRRO_EL0 points to the thread's array of pthread_getspecific values; its
// low three bits may hold the number of the processor. runtime/tls_arm64.h
// masks them likewise.

#define MRS_TPIDRRO_R0 WORD $0xd53bd060 // MRS TPIDRRO_EL0, R0

TEXT ·threadPointer(SB), NOSPLIT, $0-8
	MRS_TPIDRRO_R0
	AND $~7, R0
	MOVD R0, ret+0(FP)
	RET

TEXT ·loadSlot(SB), NOSPLIT, $0-8
	MRS_TPIDRRO_R0
	AND $~7, R0
	MOVD ·slotOffset(SB), R1
	MOVD (R0)(R1), R0
	MOVD R0, ret+0(FP)
	RET

TEXT ·storeSlot(SB), NOSPLIT, $0-8
	MOVD v+0(FP), R2
	MRS_TPIDRRO_R0
	AND $~7, R0
	MOVD ·slotOffset(SB), R1
	MOVD R2, (R0)(R1)
	RET
