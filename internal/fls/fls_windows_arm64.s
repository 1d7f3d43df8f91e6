#include "textflag.h"

// func atEndAddress() uintptr
TEXT ·atEndAddress(SB), NOSPLIT, $0-8
	MOVD	$·atEnd(SB), R0
	MOVD	R0, ret+0(FP)
	RET

// atEnd is called by Windows, with the value in R0. The assembler reads variables by way of R27, which is the caller's.
TEXT ·atEnd(SB), NOSPLIT|NOFRAME, $0
	STP.W	(R29, R30), -32(RSP)
	STP	(R0, R27), 16(RSP)
	MOVD	·inShutdown(SB), R16
	CALL	(R16)
	AND	$0xff, R0, R17
	MOVD	·callback(SB), R16
	LDP	16(RSP), (R0, R27)
	LDP.P	32(RSP), (R29, R30)
	CBNZ	R17, over
	JMP	(R16)
over:
	RET
