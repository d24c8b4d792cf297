#include "textflag.h"

// func fetch(at unsafe.Pointer, n int)
TEXT ·fetch(SB), NOSPLIT, $0-16
	MOVQ at+0(FP), DI
	MOVQ n+8(FP), CX
	ADDQ DI, CX

next:
	PREFETCHT0 (DI)
	ADDQ $64, DI
	CMPQ DI, CX
	JLT  next
	RET

// func fetchEach(of unsafe.Pointer, at *uint32, n int)
TEXT ·fetchEach(SB), NOSPLIT, $0-24
	MOVQ of+0(FP), DI
	MOVQ at+8(FP), SI
	MOVQ n+16(FP), CX
	LEAQ (SI)(CX*4), CX

each:
	MOVL (SI), AX
	PREFETCHT0 (DI)(AX*4)
	ADDQ $4, SI
	CMPQ SI, CX
	JLT  each
	RET
