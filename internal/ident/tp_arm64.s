//go:build linux || darwin

#include "textflag.h"

// On Linux TPIDR_EL0 is the thread pointer. On macOS TPIDRRO_EL0 points to the
// thread's array of pthread_getspecific values; its low three bits may hold the
// number of the processor. runtime/tls_arm64.h masks them likewise.

#ifdef GOOS_darwin
#define MRS_TPIDRRO_R0 WORD $0xd53bd060 // MRS TPIDRRO_EL0, R0
#define LOAD_TP MRS_TPIDRRO_R0; AND $~7, R0
#else
#define LOAD_TP MRS TPIDR_EL0, R0
#endif

TEXT ·threadPointer(SB), NOSPLIT, $0-8
	LOAD_TP
	MOVD R0, ret+0(FP)
	RET

TEXT ·loadSlot(SB), NOSPLIT, $0-8
	LOAD_TP
	MOVD ·slotOffset(SB), R1
	MOVD (R0)(R1), R0
	MOVD R0, ret+0(FP)
	RET

TEXT ·storeSlot(SB), NOSPLIT, $0-8
	MOVD v+0(FP), R2
	LOAD_TP
	MOVD ·slotOffset(SB), R1
	MOVD R2, (R0)(R1)
	RET
