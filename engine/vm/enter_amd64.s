//go:build linux

#include "textflag.h"

// func enter(code uintptr, ptrs, data unsafe.Pointer, n int)
//
// Calls machine code with the table of pointers in DI, the data area in R8 and
// the number of lanes in DX. The code keeps SP, BP, R14 and R15, uses no stack
// and runs for at most about 250 microseconds.
TEXT ·enter(SB), NOSPLIT, $8-32
	MOVQ code+0(FP), AX
	MOVQ ptrs+8(FP), DI
	MOVQ data+16(FP), R8
	MOVQ n+24(FP), DX
	CALL AX
	RET
