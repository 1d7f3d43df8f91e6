#include "textflag.h"

// func atEndAddress() uintptr
TEXT ·atEndAddress(SB), NOSPLIT, $0-8
	MOVQ	$·atEnd(SB), AX
	MOVQ	AX, ret+0(FP)
	RET

// atEnd is called by Windows, with the value in CX. Below the value's place lies the space that callees may use.
TEXT ·atEnd(SB), NOSPLIT|NOFRAME, $0
	SUBQ	$40, SP
	MOVQ	CX, 32(SP)
	MOVQ	·inShutdown(SB), AX
	CALL	AX
	MOVQ	32(SP), CX
	ADDQ	$40, SP
	TESTB	AX, AX
	JNE	over
	MOVQ	·callback(SB), AX
	JMP	AX
over:
	RET
