#include "textflag.h"

// Both functions go through targets 16 at a time, look their events up, and write
// those whose event is not before step u, packed: the synapse's number, the target,
// the event's step, the row.

// func oweFirst(far *uint16, n int, since *uint32, u, k, row uint32, ks, js, steps, rows *uint32) int
TEXT ·oweFirst(SB), NOSPLIT, $0-80
	MOVQ far+0(FP), SI
	MOVQ n+8(FP), DX
	MOVQ since+16(FP), DI
	MOVL u+24(FP), AX
	VPBROADCASTD AX, Z16
	MOVL k+28(FP), AX
	VPBROADCASTD AX, Z17
	MOVL row+32(FP), AX
	VPBROADCASTD AX, Z18
	MOVQ ks+40(FP), R8
	MOVQ js+48(FP), R9
	MOVQ steps+56(FP), R10
	MOVQ rows+64(FP), R11
	VPADDD ·iota(SB), Z17, Z17
	VPXORD Z19, Z19, Z19
	MOVL $16, AX
	VPBROADCASTD AX, Z20
	XORQ R12, R12
first:
	VPMOVZXWD (SI), Z1
	KXNORW K1, K1, K1
	VPXORD Z2, Z2, Z2
	VPGATHERDD (DI)(Z1*4), K1, Z2
	VPSUBD Z16, Z2, Z3
	VPCMPD $5, Z19, Z3, K2
	VPCOMPRESSD.Z Z17, K2, Z4
	VPCOMPRESSD.Z Z1, K2, Z5
	VPCOMPRESSD.Z Z2, K2, Z6
	KMOVW K2, AX
	POPCNTL AX, AX
	VMOVDQU32 Z4, (R8)(R12*4)
	VMOVDQU32 Z5, (R9)(R12*4)
	VMOVDQU32 Z6, (R10)(R12*4)
	VMOVDQU32 Z18, (R11)(R12*4)
	ADDQ AX, R12
	VPADDD Z20, Z17, Z17
	ADDQ $32, SI
	SUBQ $16, DX
	JA first
	MOVQ R12, ret+72(FP)
	VZEROUPPER
	RET

// func oweMore(n int, since *uint32, u uint32, ks0, ks, js, steps, rows *uint32, row uint32) int
TEXT ·oweMore(SB), NOSPLIT, $0-80
	MOVQ n+0(FP), DX
	MOVQ since+8(FP), DI
	MOVL u+16(FP), AX
	VPBROADCASTD AX, Z16
	MOVQ ks0+24(FP), SI
	MOVQ ks+32(FP), R8
	MOVQ js+40(FP), R9
	MOVQ steps+48(FP), R10
	MOVQ rows+56(FP), R11
	MOVL row+64(FP), AX
	VPBROADCASTD AX, Z18
	VPXORD Z19, Z19, Z19
	XORQ R12, R12
	XORQ R13, R13
more:
	MOVL $-1, AX
	CMPQ DX, $16
	JGE whole
	MOVQ DX, CX
	MOVL $1, AX
	SHLL CX, AX
	DECL AX
whole:
	KMOVW AX, K3
	VMOVDQU32.Z (R9)(R13*4), K3, Z1
	VMOVDQU32 (SI)(R13*4), Z7
	KMOVW AX, K1
	VPXORD Z2, Z2, Z2
	VPGATHERDD (DI)(Z1*4), K1, Z2
	VPSUBD Z16, Z2, Z3
	VPCMPD $5, Z19, Z3, K3, K2
	VPCOMPRESSD.Z Z7, K2, Z4
	VPCOMPRESSD.Z Z1, K2, Z5
	VPCOMPRESSD.Z Z2, K2, Z6
	KMOVW K2, AX
	POPCNTL AX, AX
	VMOVDQU32 Z4, (R8)(R12*4)
	VMOVDQU32 Z5, (R9)(R12*4)
	VMOVDQU32 Z6, (R10)(R12*4)
	VMOVDQU32 Z18, (R11)(R12*4)
	ADDQ AX, R12
	ADDQ $16, R13
	SUBQ $16, DX
	JA more
	MOVQ R12, ret+72(FP)
	VZEROUPPER
	RET

DATA ·iota+0(SB)/4, $0
DATA ·iota+4(SB)/4, $1
DATA ·iota+8(SB)/4, $2
DATA ·iota+12(SB)/4, $3
DATA ·iota+16(SB)/4, $4
DATA ·iota+20(SB)/4, $5
DATA ·iota+24(SB)/4, $6
DATA ·iota+28(SB)/4, $7
DATA ·iota+32(SB)/4, $8
DATA ·iota+36(SB)/4, $9
DATA ·iota+40(SB)/4, $10
DATA ·iota+44(SB)/4, $11
DATA ·iota+48(SB)/4, $12
DATA ·iota+52(SB)/4, $13
DATA ·iota+56(SB)/4, $14
DATA ·iota+60(SB)/4, $15
GLOBL ·iota(SB), RODATA, $64
