#include "textflag.h"

// The loops of deliver.go with prefetches, which Go has no words for. Groups of
// synapses lie anywhere in gigabytes; so while one visit is added, the index of
// the visit 31 on and the entries of the one 12 on are on their way: the first
// lines of its entries and the last (longer ones the processor foresees by
// itself). visits has 32 entries beyond n.
//
// A visit is 8 bytes: group (4), number of groups (2), row of the accumulator (2).
// SI visits, DX visits left, DI index, R8 entries, AX count; BX the index of the
// next group, R14 groups left, R15 the accumulator.

#define INDEXAHEAD 248
#define ENTRYAHEAD 96

#define FETCH(size) \
	MOVL INDEXAHEAD(SI), R9; \
	PREFETCHT0 (DI)(R9*4); \
	MOVL ENTRYAHEAD(SI), R9; \
	MOVWLZX (ENTRYAHEAD+4)(SI), R12; \
	MOVL (DI)(R9*4), R10; \
	ADDQ R12, R9; \
	MOVL (DI)(R9*4), R11; \
	PREFETCHT0 (R8)(R10*size); \
	LEAQ 64/size(R10), R12; \
	CMPQ R12, R11; \
	CMOVQGT R11, R12; \
	PREFETCHT0 (R8)(R12*size); \
	LEAQ 128/size(R10), R12; \
	CMPQ R12, R11; \
	CMOVQGT R11, R12; \
	PREFETCHT0 (R8)(R12*size); \
	LEAQ 192/size(R10), R12; \
	CMPQ R12, R11; \
	CMOVQGT R11, R12; \
	PREFETCHT0 (R8)(R12*size)

// VISIT begins a visit.
#define VISIT \
	MOVL (SI), R9; \
	MOVWLZX 4(SI), R14; \
	MOVWLZX 6(SI), R15; \
	IMULQ stride+40(FP), R15; \
	ADDQ acc+32(FP), R15; \
	LEAQ (DI)(R9*4), BX

// GROUP begins a group: its first entry in R10, its length in R11.
#define GROUP \
	MOVL (BX), R10; \
	MOVL 4(BX), R11; \
	ADDQ $4, BX; \
	SUBQ R10, R11; \
	ADDQ R11, AX

// NEXT goes on with the visit's next group, or with the next visit. size is
// that of all accumulators: the first follows the last.
#define NEXT \
	ADDQ stride+40(FP), R15; \
	MOVQ R15, R9; \
	SUBQ size+48(FP), R9; \
	CMPQ R9, acc+32(FP); \
	CMOVQGE R9, R15; \
	DECQ R14; \
	JNE  group; \
	ADDQ $8, SI; \
	DECQ DX; \
	JNE  loop

#define ADD16(off) \
	MOVL off(R10), R9; \
	MOVWLZX R9, R12; \
	SARL $16, R9; \
	ADDL R9, (R15)(R12*4)

// LAST16 adds the entry if the group has it, and 0 otherwise: there is always
// something to read and room to add.
#define LAST16(off, n) \
	MOVL off(R10), R9; \
	MOVWLZX R9, R12; \
	SARL $16, R9; \
	CMPQ R11, $n; \
	CMOVLLT R13, R9; \
	ADDL R9, (R15)(R12*4)

// func visit16(visits *visit, n int, index, packed, acc *uint32, stride, size int) (count uint64)
TEXT ·visit16(SB), NOSPLIT, $0-64
	MOVQ visits+0(FP), SI
	MOVQ n+8(FP), DX
	MOVQ index+16(FP), DI
	MOVQ packed+24(FP), R8
	XORQ AX, AX
	XORQ R13, R13
loop:
	FETCH(4)
	VISIT
group:
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
	LAST16(0, -3)
	LAST16(4, -2)
	LAST16(8, -1)
	NEXT
	MOVQ AX, count+56(FP)
	RET

#define ADD0(off) \
	MOVWLZX off(R10), R12; \
	ADDL CX, (R15)(R12*4)

#define LAST0(off, n) \
	MOVWLZX off(R10), R12; \
	MOVL CX, R9; \
	CMPQ R11, $n; \
	CMOVLLT R13, R9; \
	ADDL R9, (R15)(R12*4)

// func visit0(visits *visit, n int, index *uint32, targets *uint16, acc *uint32, stride, size int, w uint32) (count uint64)
TEXT ·visit0(SB), NOSPLIT, $0-72
	MOVQ visits+0(FP), SI
	MOVQ n+8(FP), DX
	MOVQ index+16(FP), DI
	MOVQ targets+24(FP), R8
	MOVL w+56(FP), CX
	XORQ AX, AX
	XORQ R13, R13
loop:
	FETCH(2)
	VISIT
group:
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
	LAST0(0, -3)
	LAST0(2, -2)
	LAST0(4, -1)
	NEXT
	MOVQ AX, count+64(FP)
	RET

#define ADD32(off) \
	MOVWLZX off(R10), R12; \
	MOVL 2*off(R13), R9; \
	ADDL R9, (R15)(R12*4)

#define LAST32(off, n) \
	MOVWLZX off(R10), R12; \
	XORL R9, R9; \
	CMPQ R11, $n; \
	CMOVLGE 2*off(R13), R9; \
	ADDL R9, (R15)(R12*4)

// func visit32(visits *visit, n int, index *uint32, targets *uint16, acc *uint32, stride, size int, weights *int32) (count uint64)
TEXT ·visit32(SB), NOSPLIT, $0-72
	MOVQ visits+0(FP), SI
	MOVQ n+8(FP), DX
	MOVQ index+16(FP), DI
	MOVQ targets+24(FP), R8
	MOVQ weights+56(FP), CX
	XORQ AX, AX
loop:
	FETCH(2)
	PREFETCHT0 (CX)(R10*4)
	LEAQ 16(R10), R12
	CMPQ R12, R11
	CMOVQGT R11, R12
	PREFETCHT0 (CX)(R12*4)
	LEAQ 32(R10), R12
	CMPQ R12, R11
	CMOVQGT R11, R12
	PREFETCHT0 (CX)(R12*4)
	VISIT
group:
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
	LAST32(0, -3)
	LAST32(2, -2)
	LAST32(4, -1)
	NEXT
	MOVQ AX, count+64(FP)
	RET

// func fetchIndex(visits *visit, n int, index *uint32)
TEXT ·fetchIndex(SB), NOSPLIT, $0-24
	MOVQ visits+0(FP), SI
	MOVQ n+8(FP), DX
	MOVQ index+16(FP), DI
loop:
	MOVL (SI), R9
	PREFETCHT0 (DI)(R9*4)
	ADDQ $8, SI
	DECQ DX
	JNE  loop
	RET

// func fetchEntries(visits *visit, n int, index *uint32, entries unsafe.Pointer, size int)
TEXT ·fetchEntries(SB), NOSPLIT, $0-40
	MOVQ visits+0(FP), SI
	MOVQ n+8(FP), DX
	MOVQ index+16(FP), DI
	MOVQ entries+24(FP), R8
	MOVQ size+32(FP), CX
loop:
	MOVL (SI), R9
	MOVWLZX 4(SI), R12
	MOVL (DI)(R9*4), R10
	ADDQ R12, R9
	MOVL (DI)(R9*4), R11
	IMULQ CX, R10
	IMULQ CX, R11
	PREFETCHT0 (R8)(R10*1)
	ADDQ $64, R10
	CMPQ R10, R11
	CMOVQGT R11, R10
	PREFETCHT0 (R8)(R10*1)
	PREFETCHT0 (R8)(R11*1)
	ADDQ $8, SI
	DECQ DX
	JNE  loop
	RET
