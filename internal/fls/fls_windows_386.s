#include "textflag.h"

// func atEndAddress() uintptr
TEXT ·atEndAddress(SB), NOSPLIT, $0-4
	MOVL	$·atEnd(SB), AX
	MOVL	AX, ret+0(FP)
	RET

// atEnd is called by Windows, with the value on the stack, which the callee takes off (stdcall).
TEXT ·atEnd(SB), NOSPLIT|NOFRAME, $0
	MOVL	·inShutdown(SB), AX
	CALL	AX
	TESTB	AX, AX
	JNE	over
	MOVL	·callback(SB), AX
	JMP	AX
over:
	BYTE	$0xc2; BYTE $0x04; BYTE $0x00 // RET 4
