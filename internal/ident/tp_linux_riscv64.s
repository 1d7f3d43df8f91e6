#include "textflag.h"

TEXT ·threadPointer(SB), NOSPLIT, $0-8
	MOV TP, ret+0(FP)
	RET

TEXT ·loadSlot(SB), NOSPLIT, $0-8
	MOV ·slotOffset(SB), X5
	ADD TP, X5
	MOV (X5), X5
	MOV X5, ret+0(FP)
	RET

TEXT ·storeSlot(SB), NOSPLIT, $0-8
	MOV v+0(FP), X6
	MOV ·slotOffset(SB), X5
	ADD TP, X5
	MOV X6, (X5)
	RET
