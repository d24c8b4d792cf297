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
