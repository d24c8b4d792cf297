//go:build linux && amd64

package vm

import (
	"math"

	"synfire/engine/ir"
)

// y writes a 256-bit AVX2 instruction. Truth values are vectors of all ones or
// zeros.
func (g *gen) y(c code, d, a uint8, b arg, imm ...byte) { g.vex(c, 1, d, a, b, imm...) }

// inTruth brings a truth value into a register; it may use AX.
func (g *gen) inTruth(v ir.Value) uint8 {
	if g.regOf[v] >= 0 || g.l.uniform(v) || g.spill[v] >= 0 {
		return g.inReg(v)
	}
	r := g.temp()
	bit := g.vectorOnce(&g.bitAt, 1, 2, 4, 8, 16, 32, 64, 128)
	g.y(vBcastB, r, 0, at(g.bits(int(g.l.ins[v].Imm), g.groupOf(int(v)))))
	g.y(vAnd, r, r, at(bit))
	g.y(vCmpEqD, r, r, at(bit))
	g.def(int(v), r)
	return r
}

// anyKind brings a value of either kind into a register.
func (g *gen) anyKind(v ir.Value) uint8 {
	if isBool(&g.l.ins[v]) {
		return g.inTruth(v)
	}
	return g.inReg(v)
}

// nonzero turns words in r into truth values.
func (g *gen) nonzero(r uint8) {
	z := g.temp()
	g.y(vXor, z, z, reg(z))
	g.y(vCmpEqD, r, r, reg(z))
	g.y(vXor, r, r, at(g.word(^uint32(0))))
}

// instr256 emits one instruction for eight lanes.
func (g *gen) instr256(n int, in *ir.Instr) {
	switch in.Op {
	case ir.AddF, ir.MulF, ir.SubF, ir.AddI, ir.SubI, ir.MulI, ir.And, ir.Or, ir.Xor:
		a, b, _ := g.pair(in.A, in.B, in.Op.Commutes())
		g.release()
		g.y(binaries[in.Op], g.result(n), a, b)
	case ir.Shl, ir.ShrU, ir.ShrS:
		g.shift256(n, in)
	case ir.MulZ:
		p := g.temp()
		a, b, _ := g.pair(in.A, in.B, true)
		g.y(vMulPS, p, a, b)
		g.release()
		t := g.temp()
		g.y(vAnd, t, p, at(g.word(0x7fffffff)))
		g.y(vCmpPS, t, t, at(g.word(math.Float32bits(ir.FlushProduct))), 0x1d)
		g.y(vAnd, p, p, reg(t))
		g.def(n, p)
	case opMulT:
		c := g.inReg(in.C)
		t := g.temp()
		g.y(vCmpPS, t, c, g.operand(ir.Value(in.Imm)), 0x1d)
		p := g.temp()
		a, b, _ := g.pair(in.A, in.B, true)
		g.y(vMulPS, p, a, b)
		g.y(vAnd, p, p, reg(t))
		g.def(n, p)
	case ir.NegF:
		z := g.temp()
		g.y(vXor, z, z, reg(z))
		a := g.operand(in.A)
		g.release()
		g.y(vSubPS, g.result(n), z, a)
	case ir.AbsF:
		a := g.inReg(in.A)
		g.release()
		g.y(vAnd, g.result(n), a, at(g.word(0x7fffffff)))
	case ir.FloorF:
		a := g.operand(in.A)
		g.release()
		g.y(vRndScale, g.result(n), 0, a, 9)
	case ir.I2F:
		a := g.operand(in.A)
		g.release()
		g.y(vCvtDQ2PS, g.result(n), 0, a)
	case ir.F2I:
		a := g.inReg(in.A)
		t := g.temp()
		g.y(vMinPS, t, a, at(g.word(math.Float32bits(0x1p31-128))))
		g.release()
		g.y(vCvtTPS2DQ, g.result(n), 0, reg(t))
	case ir.Canon:
		a := g.inReg(in.A)
		t, d := g.temp(), g.temp()
		g.y(vAnd, t, a, at(g.word(0x7fffffff)))
		g.y(vCmpPS, t, t, at(g.word(math.Float32bits(ir.FlushStore))), 0x1d)
		g.y(vMinPS, d, a, at(g.word(math.Float32bits(ir.Saturate))))
		g.y(vMaxPS, d, d, at(g.word(math.Float32bits(-ir.Saturate))))
		g.y(vAnd, d, d, reg(t))
		g.def(n, d)
	case ir.MulHi:
		a, b := g.inReg(in.A), g.inReg(in.B)
		even, odd := g.temp(), g.temp()
		g.y(vMulUDQ, even, a, reg(b))
		g.y(vShiftQ, 2, odd, reg(a), 32)
		if !g.l.uniform(in.B) {
			t := g.temp()
			g.y(vShiftQ, 2, t, reg(b), 32)
			b = t
		}
		g.y(vMulUDQ, odd, odd, reg(b))
		g.y(vShiftQ, 2, even, reg(even), 32)
		g.y(vBlendD, even, even, reg(odd), 0xaa)
		g.def(n, even)
	case ir.LtF, ir.LeF, ir.EqF:
		c := comparisons[in.Op]
		a, b, exchanged := g.pair(in.A, in.B, true)
		imm := c.imm
		if exchanged {
			imm = c.exchanged
		}
		g.release()
		g.y(vCmpPS, g.result(n), a, b, imm)
	case ir.EqI:
		a, b, _ := g.pair(in.A, in.B, true)
		g.release()
		g.y(vCmpEqD, g.result(n), a, b)
	case ir.LtI:
		b, a, _ := g.pair(in.B, in.A, false)
		g.release()
		g.y(vCmpGtD, g.result(n), b, a)
	case ir.LtU:
		a, b := g.inReg(in.A), g.inReg(in.B)
		t, u := g.temp(), g.temp()
		g.y(vXor, t, a, at(g.word(1<<31)))
		g.y(vXor, u, b, at(g.word(1<<31)))
		g.y(vCmpGtD, t, u, reg(t))
		g.def(n, t)
	case ir.AndB, ir.OrB:
		c := vAnd
		if in.Op == ir.OrB {
			c = vOr
		}
		a, b := g.inTruth(in.A), g.inTruth(in.B)
		g.release()
		g.y(c, g.result(n), a, reg(b))
	case ir.NotB:
		a := g.inTruth(in.A)
		g.release()
		g.y(vXor, g.result(n), a, at(g.word(^uint32(0))))
	case ir.Sel:
		k := g.inTruth(in.A)
		b := g.anyKind(in.B)
		if g.isZero(in.C) {
			g.release()
			g.y(vAnd, g.result(n), k, reg(b))
			return
		}
		c := g.anyKind(in.C)
		g.release()
		g.y(vBlendV, g.result(n), c, reg(b), k<<4)
	case opMin, opMax:
		c := vMinPS
		if in.Op == opMax {
			c = vMaxPS
		}
		a := g.inReg(in.A)
		b := g.operand(in.B)
		g.release()
		g.y(c, g.result(n), a, b)
	default:
		g.memory256(n, in)
	}
}

// memory256 emits sources and effects.
func (g *gen) memory256(n int, in *ir.Instr) {
	switch in.Op {
	case ir.Lane:
		g.laneNumber(rax, g.groupOf(n))
		t := g.temp()
		g.vex(vMovD, 0, t, 0, reg(rax))
		g.y(vBcastD, t, 0, reg(t))
		g.y(vAddD, t, t, at(g.iota()))
		g.def(n, t)
	case ir.Load:
		if in.Type != ir.Bool {
			g.home[n] = true
			return
		}
		t := g.temp()
		g.loadLanes(t, g.lanes(int(in.Imm), g.groupOf(n)))
		g.nonzero(t)
		g.def(n, t)
	case ir.Rand, ir.Bit:
		g.home[n] = true
	case ir.Gather:
		index := g.inReg(in.A)
		d, k := g.temp(), g.temp()
		if g.masked {
			g.y(vMov, k, 0, reg(15))
		} else {
			g.y(vCmpEqD, k, k, reg(k))
		}
		g.y(vXor, d, d, reg(d))
		g.y(vGather, d, k, at(mem{base: g.pointer(int(in.Imm)), index: index, vector: true, scale: 2}))
		if in.Type == ir.Bool {
			g.nonzero(d)
		}
		g.def(n, d)
	case ir.Store:
		g.saveWord(in.A, int(in.Imm), g.groupOf(n))
	case ir.StoreBit:
		k := g.inTruth(in.A)
		g.beforeStore(in.Imm)
		base := g.ptrReg[in.Imm]
		if base == 0 {
			base = r13
			g.load64(base, mem{base: rdi, index: noIndex, disp: int32(8 * in.Imm)})
		}
		m := at(mem{base: base, index: rsi, disp: g.groupOf(n)})
		if g.masked { // keep the bits outside; DX is free in the tail
			t := g.temp()
			g.y(vAnd, t, k, reg(15))
			k = t
			g.y(vMovMsk, rdx, 0, reg(15))
			g.gpr(false, []byte{0xf7}, 2, reg(rdx)) // not edx
			g.gpr(false, []byte{0x22}, rdx, m)      // and dl, m
		}
		g.y(vMovMsk, rax, 0, reg(k))
		if g.masked {
			g.gpr(false, []byte{0x09}, rdx, reg(rax)) // or eax, edx
		}
		g.gpr(false, []byte{0x88}, rax, m) // mov m, al
	case ir.Trap:
		k := g.inTruth(in.A)
		if g.masked {
			t := g.temp()
			g.y(vAnd, t, k, reg(15))
			k = t
		}
		g.y(vMovMsk, rax, 0, reg(k))
		g.gpr(false, []byte{0x85}, rax, reg(rax)) // test eax, eax
		from := g.jump(ccNotZero)
		g.stubs = append(g.stubs, stub{from: from, back: len(g.buf), group: g.groupOf(n) * g.group(), trap: in.Imm})
	}
}

func (g *gen) shift256(n int, in *ir.Instr) {
	a := g.inReg(in.A)
	if g.isConst(in.B) {
		digit := map[ir.Op]uint8{ir.Shl: 6, ir.ShrU: 2, ir.ShrS: 4}[in.Op]
		g.release()
		g.y(vShiftD, digit, g.result(n), reg(a), byte(g.l.ins[in.B].Imm&31))
		return
	}
	b := g.inReg(in.B)
	t := g.temp()
	g.y(vAnd, t, b, at(g.word(31)))
	g.release()
	g.y(binaries[in.Op], g.result(n), a, reg(t))
}
