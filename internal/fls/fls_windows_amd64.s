#include "textflag.h"

// func atEndAddress() uintptr
TEXT ·atEndAddress(SB), NOSPLIT, $0-8
	MOVQ	$·atEnd(SB), AX
	MOVQ	AX, ret+0(FP)
	RET

// func resumeAddress() uintptr
TEXT ·resumeAddress(SB), NOSPLIT, $0-8
	MOVQ	$·resume(SB), AX
	MOVQ	AX, ret+0(FP)
	RET

// atEnd is called by Windows, with the value in CX. Below the value's place
// lies the space that callees may use. The frame of the call of callback holds
// the registers that a callee must preserve, for resume.
TEXT ·atEnd(SB), NOSPLIT|NOFRAME, $0
	SUBQ	$40, SP
	MOVQ	CX, 32(SP)
	MOVQ	·inShutdown(SB), AX
	CALL	AX
	MOVQ	32(SP), CX
	ADDQ	$40, SP
	TESTB	AX, AX
	JNE	over
	SUBQ	$264, SP
	MOVQ	BX, 32(SP)
	MOVQ	BP, 40(SP)
	MOVQ	SI, 48(SP)
	MOVQ	DI, 56(SP)
	MOVQ	R12, 64(SP)
	MOVQ	R13, 72(SP)
	MOVQ	R14, 80(SP)
	MOVQ	R15, 88(SP)
	MOVUPS	X6, 96(SP)
	MOVUPS	X7, 112(SP)
	MOVUPS	X8, 128(SP)
	MOVUPS	X9, 144(SP)
	MOVUPS	X10, 160(SP)
	MOVUPS	X11, 176(SP)
	MOVUPS	X12, 192(SP)
	MOVUPS	X13, 208(SP)
	MOVUPS	X14, 224(SP)
	MOVUPS	X15, 240(SP)
	MOVQ	SP, DX
	MOVQ	·callback(SB), AX
	CALL	AX
	MOVQ	SP, CX
	JMP	·resume(SB)
over:
	RET

// resume returns from the call of atEnd whose frame is in CX, wherever the
// thread is.
TEXT ·resume(SB), NOSPLIT|NOFRAME, $0
	MOVQ	CX, SP
	MOVQ	32(SP), BX
	MOVQ	40(SP), BP
	MOVQ	48(SP), SI
	MOVQ	56(SP), DI
	MOVQ	64(SP), R12
	MOVQ	72(SP), R13
	MOVQ	80(SP), R14
	MOVQ	88(SP), R15
	MOVUPS	96(SP), X6
	MOVUPS	112(SP), X7
	MOVUPS	128(SP), X8
	MOVUPS	144(SP), X9
	MOVUPS	160(SP), X10
	MOVUPS	176(SP), X11
	MOVUPS	192(SP), X12
	MOVUPS	208(SP), X13
	MOVUPS	224(SP), X14
	MOVUPS	240(SP), X15
	ADDQ	$264, SP
	RET
