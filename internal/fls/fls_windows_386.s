#include "textflag.h"

// func atEndAddress() uintptr
TEXT ·atEndAddress(SB), NOSPLIT, $0-4
	MOVL	$·atEnd(SB), AX
	MOVL	AX, ret+0(FP)
	RET

// func resumeAddress() uintptr
TEXT ·resumeAddress(SB), NOSPLIT, $0-4
	MOVL	$·resume(SB), AX
	MOVL	AX, ret+0(FP)
	RET

// atEnd is called by Windows, with the value on the stack, which the callee
// takes off (stdcall). So does callback with what it gets. The frame holds the
// registers that a callee must preserve, for resume.
TEXT ·atEnd(SB), NOSPLIT|NOFRAME, $0
	MOVL	·inShutdown(SB), AX
	CALL	AX
	TESTB	AX, AX
	JNE	over
	MOVL	4(SP), AX
	SUBL	$24, SP
	MOVL	BX, 8(SP)
	MOVL	BP, 12(SP)
	MOVL	SI, 16(SP)
	MOVL	DI, 20(SP)
	LEAL	8(SP), CX
	MOVL	CX, 4(SP)
	MOVL	AX, 0(SP)
	MOVL	·callback(SB), AX
	CALL	AX
	ADDL	$16, SP
over:
	BYTE	$0xc2; BYTE $0x04; BYTE $0x00 // RET 4

// resume returns from the call of atEnd whose frame is on the stack, wherever
// the thread is.
TEXT ·resume(SB), NOSPLIT|NOFRAME, $0
	MOVL	4(SP), SP
	MOVL	0(SP), BX
	MOVL	4(SP), BP
	MOVL	8(SP), SI
	MOVL	12(SP), DI
	ADDL	$16, SP
	BYTE	$0xc2; BYTE $0x04; BYTE $0x00 // RET 4
