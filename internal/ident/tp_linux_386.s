#include "textflag.h"

// The i386 ELF TLS ABI keeps the thread pointer itself in the word that GS
// points to.

TEXT ·threadPointer(SB), NOSPLIT, $0-4
	MOVL 0(GS), AX
	MOVL AX, ret+0(FP)
	RET

TEXT ·loadSlot(SB), NOSPLIT, $0-4
	MOVL ·slotOffset(SB), CX
	MOVL 0(GS), AX
	MOVL (AX)(CX*1), AX
	MOVL AX, ret+0(FP)
	RET

TEXT ·storeSlot(SB), NOSPLIT, $0-4
	MOVL v+0(FP), DX
	MOVL ·slotOffset(SB), CX
	MOVL 0(GS), AX
	MOVL DX, (AX)(CX*1)
	RET
