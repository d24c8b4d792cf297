#include "textflag.h"

// The loops of deliver.go with prefetches, which Go has no words for. Groups of
// synapses lie anywhere in gigabytes; so while one is added, the index of the
// group 31 visits on and the entries of the one 20 visits on are on their way:
// the first three lines of its entries and the last (longer ones the processor
// foresees by itself). visits has 32 entries beyond n.
//
// SI visits, DX visits left, DI index, R8 entries, BX accumulator, AX count;
// GROUP leaves the group's first entry in R10 and its length, at least 1, in
// R11, or goes on to next.

#define INDEXAHEAD 124
#define ENTRYAHEAD 80

#define FETCH(size) \
	MOVL INDEXAHEAD(SI), R9; \
	PREFETCHT0 (DI)(R9*4); \
	MOVL ENTRYAHEAD(SI), R9; \
	MOVL (DI)(R9*4), R10; \
	MOVL 4(DI)(R9*4), R11; \
	PREFETCHT0 (R8)(R10*size); \
	LEAQ 64/size(R10), R12; \
	CMPQ R12, R11; \
	CMOVQGT R11, R12; \
	PREFETCHT0 (R8)(R12*size); \
	LEAQ 128/size(R10), R12; \
	CMPQ R12, R11; \
	CMOVQGT R11, R12; \
	PREFETCHT0 (R8)(R12*size)

#define GROUP \
	MOVL (SI), R9; \
	MOVL (DI)(R9*4), R10; \
	MOVL 4(DI)(R9*4), R11; \
	SUBQ R10, R11; \
	ADDQ R11, AX; \
	TESTQ R11, R11; \
	JEQ next

#define ADD16(off) \
	MOVL off(R10), R9; \
	MOVWLZX R9, R12; \
	SARL $16, R9; \
	ADDL R9, (BX)(R12*4)

// func visit16(visits *uint32, n int, index, packed, acc *uint32) (count uint64)
TEXT ·visit16(SB), NOSPLIT, $0-48
	MOVQ visits+0(FP), SI
	MOVQ n+8(FP), DX
	MOVQ index+16(FP), DI
	MOVQ packed+24(FP), R8
	MOVQ acc+32(FP), BX
	XORQ AX, AX
loop:
	FETCH(4)
	GROUP
	LEAQ (R8)(R10*4), R10
	SUBQ $4, R11
	JLT  rest
four:
	ADD16(0)
	ADD16(4)
	ADD16(8)
	ADD16(12)
	ADDQ $16, R10
	SUBQ $4, R11
	JGE  four
rest:
	ADDQ $4, R11
	JEQ  next
one:
	ADD16(0)
	ADDQ $4, R10
	DECQ R11
	JNE  one
next:
	ADDQ $4, SI
	DECQ DX
	JNE  loop
	MOVQ AX, count+40(FP)
	RET

#define ADD0(off) \
	MOVWLZX off(R10), R12; \
	ADDL R13, (BX)(R12*4)

// func visit0(visits *uint32, n int, index *uint32, targets *uint16, acc *uint32, w uint32) (count uint64)
TEXT ·visit0(SB), NOSPLIT, $0-56
	MOVQ visits+0(FP), SI
	MOVQ n+8(FP), DX
	MOVQ index+16(FP), DI
	MOVQ targets+24(FP), R8
	MOVQ acc+32(FP), BX
	MOVL w+40(FP), R13
	XORQ AX, AX
loop:
	FETCH(2)
	GROUP
	LEAQ (R8)(R10*2), R10
	SUBQ $4, R11
	JLT  rest
four:
	ADD0(0)
	ADD0(2)
	ADD0(4)
	ADD0(6)
	ADDQ $8, R10
	SUBQ $4, R11
	JGE  four
rest:
	ADDQ $4, R11
	JEQ  next
one:
	ADD0(0)
	ADDQ $2, R10
	DECQ R11
	JNE  one
next:
	ADDQ $4, SI
	DECQ DX
	JNE  loop
	MOVQ AX, count+48(FP)
	RET

#define ADD32(off) \
	MOVWLZX off(R10), R12; \
	MOVL 2*off(R13), R9; \
	ADDL R9, (BX)(R12*4)

// func visit32(visits *uint32, n int, index *uint32, targets *uint16, acc *uint32, weights *int32) (count uint64)
TEXT ·visit32(SB), NOSPLIT, $0-56
	MOVQ visits+0(FP), SI
	MOVQ n+8(FP), DX
	MOVQ index+16(FP), DI
	MOVQ targets+24(FP), R8
	MOVQ acc+32(FP), BX
	MOVQ weights+40(FP), CX
	XORQ AX, AX
loop:
	FETCH(2)
	MOVL ENTRYAHEAD(SI), R9
	MOVL (DI)(R9*4), R10
	PREFETCHT0 (CX)(R10*4)
	LEAQ 16(R10), R12
	CMPQ R12, R11
	CMOVQGT R11, R12
	PREFETCHT0 (CX)(R12*4)
	GROUP
	LEAQ (CX)(R10*4), R13
	LEAQ (R8)(R10*2), R10
	SUBQ $4, R11
	JLT  rest
four:
	ADD32(0)
	ADD32(2)
	ADD32(4)
	ADD32(6)
	ADDQ $8, R10
	ADDQ $16, R13
	SUBQ $4, R11
	JGE  four
rest:
	ADDQ $4, R11
	JEQ  next
one:
	ADD32(0)
	ADDQ $2, R10
	ADDQ $4, R13
	DECQ R11
	JNE  one
next:
	ADDQ $4, SI
	DECQ DX
	JNE  loop
	MOVQ AX, count+48(FP)
	RET
