#include "textflag.h"

// The x86-64 ELF TLS ABI keeps the thread pointer itself in the word that FS
// points to.

TEXT ·threadPointer(SB), NOSPLIT, $0-8
	MOVQ 0(FS), AX
	MOVQ AX, ret+0(FP)
	RET

// See slotLoader in tp_linux_amd64.go.
TEXT ·loadSlot(SB), NOSPLIT, $0-0
	MOVQ ·slotOffset(SB), CX
	MOVQ 0(FS), AX
	MOVQ (AX)(CX*1), AX
	RET

DATA ·loadSlotAddr(SB)/8, $·loadSlot(SB)
GLOBL ·loadSlotAddr(SB), NOPTR|RODATA, $8

TEXT ·storeSlot(SB), NOSPLIT, $0-8
	MOVQ v+0(FP), DX
	MOVQ ·slotOffset(SB), CX
	MOVQ 0(FS), AX
	MOVQ DX, (AX)(CX*1)
	RET
