#include "textflag.h"

// See self_asm.go.

TEXT ·loadG(SB), NOSPLIT, $0-0
	MOVQ (TLS), AX
	RET

DATA ·loadGAddr(SB)/8, $·loadG(SB)
GLOBL ·loadGAddr(SB), NOPTR|RODATA, $8

// A frame: BP points to the caller's BP, and above it is the return address.
TEXT ·walkFrames(SB), NOSPLIT, $0-0
	MOVQ (TLS), CX
	MOVQ 0(CX), DX // the stack's lowest address
	MOVQ 8(CX), SI
	SUBQ $16, SI   // the last address of a frame
	LEAQ 48(AX), DI // depth words
	MOVQ BP, CX
	CMPQ CX, DX
	JCS  end
	CMPQ CX, SI
	JHI  end
	LEAQ 16(CX), DX
	MOVQ (CX), CX // not the caller itself
next:
	CMPQ CX, DX
	JCS  end
	CMPQ CX, SI
	JHI  end
	MOVQ 8(CX), R8
	MOVQ R8, (AX)
	ADDQ $8, AX
	CMPQ AX, DI
	JEQ  full
	LEAQ 16(CX), DX // the next frame is above this one
	MOVQ (CX), CX
	JMP  next
end:
	MOVQ $0, (AX)
full:
	RET

DATA ·walkFramesAddr(SB)/8, $·walkFrames(SB)
GLOBL ·walkFramesAddr(SB), NOPTR|RODATA, $8
