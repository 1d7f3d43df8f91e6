#include "textflag.h"

// func atEndAddress() uintptr
TEXT ·atEndAddress(SB), NOSPLIT, $0-8
	MOVD	$·atEnd(SB), R0
	MOVD	R0, ret+0(FP)
	RET

// func resumeAddress() uintptr
TEXT ·resumeAddress(SB), NOSPLIT, $0-8
	MOVD	$·resume(SB), R0
	MOVD	R0, ret+0(FP)
	RET

// atEnd is called by Windows, with the value in R0. The assembler reads
// variables by way of R27, which is the caller's. The frame holds the registers
// that a callee must preserve, for resume.
TEXT ·atEnd(SB), NOSPLIT|NOFRAME, $0
	STP.W	(R29, R30), -176(RSP)
	STP	(R19, R20), 16(RSP)
	STP	(R21, R22), 32(RSP)
	STP	(R23, R24), 48(RSP)
	STP	(R25, R26), 64(RSP)
	STP	(R27, g), 80(RSP)
	FSTPD	(F8, F9), 96(RSP)
	FSTPD	(F10, F11), 112(RSP)
	FSTPD	(F12, F13), 128(RSP)
	FSTPD	(F14, F15), 144(RSP)
	MOVD	R0, 160(RSP)
	MOVD	·inShutdown(SB), R16
	CALL	(R16)
	AND	$0xff, R0, R17
	CBNZ	R17, over
	MOVD	160(RSP), R0
	MOVD	RSP, R1
	MOVD	·callback(SB), R16
	CALL	(R16)
over:
	MOVD	RSP, R0
	JMP	·resume(SB)

// resume returns from the call of atEnd whose frame is in R0, wherever the
// thread is.
TEXT ·resume(SB), NOSPLIT|NOFRAME, $0
	MOVD	R0, RSP
	LDP	16(RSP), (R19, R20)
	LDP	32(RSP), (R21, R22)
	LDP	48(RSP), (R23, R24)
	LDP	64(RSP), (R25, R26)
	LDP	80(RSP), (R27, g)
	FLDPD	96(RSP), (F8, F9)
	FLDPD	112(RSP), (F10, F11)
	FLDPD	128(RSP), (F12, F13)
	FLDPD	144(RSP), (F14, F15)
	LDP.P	176(RSP), (R29, R30)
	RET
