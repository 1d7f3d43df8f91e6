#include "textflag.h"

// See self_asm.go.

TEXT ·loadG(SB), NOSPLIT|NOFRAME, $0-0
	MOVD g, R0
	RET

DATA ·loadGAddr(SB)/8, $·loadG(SB)
GLOBL ·loadGAddr(SB), NOPTR|RODATA, $8

// A frame: R29 points to the caller's R29, and above it is the return address.
TEXT ·walkFrames(SB), NOSPLIT|NOFRAME, $0-0
	MOVD 0(g), R1 // the stack's lowest address
	MOVD 8(g), R2
	SUB  $16, R2  // the last address of a frame
	ADD  $48, R0, R3 // depth words
	MOVD R29, R4
	CMP  R1, R4
	BLO  end
	CMP  R2, R4
	BHI  end
	ADD  $16, R4, R1
	MOVD (R4), R4 // not the caller itself
next:
	CMP  R1, R4
	BLO  end
	CMP  R2, R4
	BHI  end
	MOVD 8(R4), R5
	MOVD R5, (R0)
	ADD  $8, R0
	CMP  R3, R0
	BEQ  full
	ADD  $16, R4, R1 // the next frame is above this one
	MOVD (R4), R4
	B    next
end:
	MOVD ZR, (R0)
full:
	RET

DATA ·walkFramesAddr(SB)/8, $·walkFrames(SB)
GLOBL ·walkFramesAddr(SB), NOPTR|RODATA, $8
