//go:build linux && amd64

package vm

import (
	"math"

	"synfire/engine/ir"
)

// v writes an AVX-512 instruction without a mask.
func (g *gen) v(c code, d, a uint8, b arg, imm ...byte) { g.evex(c, d, a, b, 0, false, imm...) }

func (g *gen) tail() (k uint8, z bool) {
	if g.masked {
		return 7, true
	}
	return 0, false
}

// inMask brings a truth value into a mask register; it may use AX.
func (g *gen) inMask(v ir.Value) uint8 {
	if r := g.maskOf[v]; r >= 0 {
		g.kpins |= 1 << r
		return uint8(r)
	}
	r := g.kTemp()
	switch {
	case g.spill[v] >= 0:
		g.reloads++
		g.vex(kLoad, 0, r, 0, at(mem{base: r8, index: noIndex, disp: g.spill[v]}))
	case g.l.uniform(v):
		m := g.uniformMem(v)
		m.bcast = false
		g.vex(kLoad, 0, r, 0, at(m))
	default:
		g.vex(kLoad, 0, r, 0, at(g.bits(int(g.l.ins[v].Imm), g.groupOf(int(v)))))
	}
	g.defMask(int(v), r)
	return r
}

// Comparison predicates and those with the operands exchanged.
var comparisons = map[ir.Op]struct {
	code           code
	imm, exchanged byte
}{
	ir.LtF: {vCmpPS, 0x11, 0x1e}, ir.LeF: {vCmpPS, 0x12, 0x1d}, ir.EqF: {vCmpPS, 0, 0},
	ir.LtI: {vCmpD, 1, 6}, ir.LtU: {vCmpUD, 1, 6}, ir.EqI: {vCmpD, 0, 0},
}

var binaries = map[ir.Op]code{
	ir.AddF: vAddPS, ir.SubF: vSubPS, ir.MulF: vMulPS, ir.AddI: vAddD, ir.SubI: vSubD, ir.MulI: vMulLD,
	ir.And: vAnd, ir.Or: vOr, ir.Xor: vXor, ir.Shl: vSllVD, ir.ShrU: vSrlVD, ir.ShrS: vSraVD,
}

// pair orders two operands: the first in a register, the second where it is
// cheapest; exchanged says that they changed places, which need be allowed.
func (g *gen) pair(a, b ir.Value, may bool) (ra uint8, xb arg, exchanged bool) {
	if may && g.cheap(a) && !g.cheap(b) {
		a, b, exchanged = b, a, true
	}
	ra = g.inReg(a)
	return ra, g.operand(b), exchanged
}

// instr512 emits one instruction for 16 lanes.
func (g *gen) instr512(n int, in *ir.Instr) {
	switch in.Op {
	case ir.AddF, ir.MulF, ir.SubF, ir.AddI, ir.SubI, ir.MulI, ir.And, ir.Or, ir.Xor:
		a, b, _ := g.pair(in.A, in.B, in.Op.Commutes())
		g.release()
		g.v(binaries[in.Op], g.result(n), a, b)
	case ir.Shl, ir.ShrU, ir.ShrS:
		g.shift512(n, in)
	case ir.MulZ:
		g.mulZ512(n, in)
	case opMulT:
		a := g.inReg(in.C)
		k := g.kTemp()
		g.evex(vCmpPS, k, a, g.operand(ir.Value(in.Imm)), 0, false, 0x1d)
		x, y, _ := g.pair(in.A, in.B, true)
		g.release()
		g.evex(vMulPS, g.result(n), x, y, k, true)
	case ir.NegF: // 0 - A is +0 for both zeros
		z := g.temp()
		g.v(vXor, z, z, reg(z))
		a := g.operand(in.A)
		g.release()
		g.v(vSubPS, g.result(n), z, a)
	case ir.AbsF:
		a := g.inReg(in.A)
		g.release()
		g.v(vAnd, g.result(n), a, at(g.constant(0x7fffffff)))
	case ir.FloorF:
		a := g.operand(in.A)
		g.release()
		g.v(vRndScale, g.result(n), 0, a, 9)
	case ir.I2F:
		a := g.operand(in.A)
		g.release()
		g.v(vCvtDQ2PS, g.result(n), 0, a)
	case ir.F2I: // what lies below converts to -2^31 by itself
		a := g.inReg(in.A)
		t := g.temp()
		g.v(vMinPS, t, a, at(g.constant(math.Float32bits(0x1p31-128))))
		g.release()
		g.v(vCvtTPS2DQ, g.result(n), 0, reg(t))
	case ir.Canon:
		a := g.inReg(in.A)
		t, k := g.temp(), g.kTemp()
		g.v(vAnd, t, a, at(g.constant(0x7fffffff)))
		g.evex(vCmpPS, k, t, at(g.constant(math.Float32bits(ir.FlushStore))), 0, false, 0x1d)
		g.release()
		g.evex(vRange, g.result(n), a, at(g.constant(math.Float32bits(ir.Saturate))), k, true, 2) // least magnitude, sign of A
	case ir.MulHi:
		g.mulHi512(n, in)
	case ir.LtF, ir.LeF, ir.EqF, ir.LtI, ir.LtU, ir.EqI:
		c := comparisons[in.Op]
		a, b, exchanged := g.pair(in.A, in.B, true)
		imm := c.imm
		if exchanged {
			imm = c.exchanged
		}
		g.release()
		g.evex(c.code, g.resultMask(n), a, b, 0, false, imm)
	case ir.AndB, ir.OrB:
		c := kAnd
		if in.Op == ir.OrB {
			c = kOr
		}
		a := g.inMask(in.A)
		b := g.inMask(in.B)
		g.release()
		g.vex(c, 1, g.resultMask(n), a, reg(b))
	case ir.NotB:
		a := g.inMask(in.A)
		g.release()
		g.vex(kNot, 0, g.resultMask(n), 0, reg(a))
	case ir.Sel:
		g.sel512(n, in)
	case opMin, opMax:
		c := vMinPS
		if in.Op == opMax {
			c = vMaxPS
		}
		a := g.inReg(in.A)
		b := g.operand(in.B)
		g.release()
		g.v(c, g.result(n), a, b)
	case ir.Lane:
		g.laneNumber(rax, g.groupOf(n))
		t := g.temp()
		g.v(vBcastGPR, t, 0, reg(rax))
		g.v(vAddD, t, t, at(g.iota()))
		g.def(n, t)
	case ir.Load:
		if in.Type != ir.Bool {
			g.home[n] = true
			return
		}
		t := g.temp()
		g.loadLanes(t, g.lanes(int(in.Imm), g.groupOf(n)))
		g.evex(vTestMD, g.resultMask(n), t, reg(t), 0, false)
	case ir.Rand, ir.Bit:
		g.home[n] = true
	case ir.Gather:
		g.gather512(n, in)
	case ir.Store:
		g.saveWord(in.A, int(in.Imm), g.groupOf(n))
	case ir.StoreBit:
		k := g.inMask(in.A)
		g.beforeStore(in.Imm)
		m := g.bits(int(in.Imm), g.groupOf(n))
		if g.masked { // keep the bits outside
			old := g.kTemp()
			g.vex(kLoad, 0, old, 0, at(m))
			g.vex(kAndN, 1, old, 7, reg(old))
			t := g.kTemp()
			g.vex(kAnd, 1, t, k, reg(7))
			g.vex(kOr, 1, t, t, reg(old))
			k = t
		}
		g.vex(kSave, 0, k, 0, at(m))
	case ir.Trap:
		k := g.inMask(in.A)
		if g.masked {
			t := g.kTemp()
			g.vex(kAnd, 1, t, k, reg(7))
			k = t
		}
		g.vex(kTest, 0, k, 0, reg(k))
		from := g.jump(ccNotZero)
		g.stubs = append(g.stubs, stub{from: from, back: len(g.buf), group: g.groupOf(n) * g.group(), k: k, trap: in.Imm})
	}
}

func (g *gen) shift512(n int, in *ir.Instr) {
	if g.isConst(in.B) {
		digit := map[ir.Op]uint8{ir.Shl: 6, ir.ShrU: 2, ir.ShrS: 4}[in.Op]
		a := g.operand(in.A)
		g.release()
		g.v(vShiftD, digit, g.result(n), a, byte(g.l.ins[in.B].Imm&31))
		return
	}
	b := g.inReg(in.B)
	t := g.temp()
	g.v(vAnd, t, b, at(g.constant(31)))
	a := g.inReg(in.A)
	g.release()
	g.v(binaries[in.Op], g.result(n), a, reg(t))
}

// mulZ512 compares the product's magnitude with 2^-100.
func (g *gen) mulZ512(n int, in *ir.Instr) {
	p := g.temp()
	a, b, _ := g.pair(in.A, in.B, true)
	g.v(vMulPS, p, a, b)
	g.release()
	t, k := g.temp(), g.kTemp()
	g.v(vAnd, t, p, at(g.constant(0x7fffffff)))
	g.evex(vCmpPS, k, t, at(g.constant(math.Float32bits(ir.FlushProduct))), 0, false, 0x1d)
	g.evex(vMov, p, 0, reg(p), k, true)
	g.def(n, p)
}

func (g *gen) mulHi512(n int, in *ir.Instr) {
	a, b := g.inReg(in.A), g.inReg(in.B)
	even, odd := g.temp(), g.temp()
	g.v(vMulUDQ, even, a, reg(b))
	g.v(vShiftQ, 2, odd, reg(a), 32)
	if !g.l.uniform(in.B) {
		t := g.temp()
		g.v(vShiftQ, 2, t, reg(b), 32)
		b = t
	}
	g.v(vMulUDQ, odd, odd, reg(b))
	g.v(vShiftQ, 2, even, reg(even), 32)
	m := g.vectorOnce(&g.highAt, 0, 0xffffffff)
	m.bcast = true
	g.evex(vTernlogQ, even, odd, at(m), 0, false, 0xf8) // even | odd&m
	g.def(n, even)
}

func (g *gen) sel512(n int, in *ir.Instr) {
	k := g.inMask(in.A)
	if in.Type == ir.Bool {
		b, c := g.inMask(in.B), g.inMask(in.C)
		t := g.kTemp()
		g.vex(kAnd, 1, t, k, reg(b))
		u := g.kTemp()
		g.vex(kAndN, 1, u, k, reg(c))
		g.vex(kOr, 1, t, t, reg(u))
		g.defMask(n, t)
		return
	}
	if g.isZero(in.C) {
		b := g.operand(in.B)
		g.release()
		c := vMov
		switch {
		case b.isMem && b.mem.bcast:
			c, b.mem.bcast = vBroadcast, false
		case b.isMem:
			c = vMovLoad
		}
		g.evex(c, g.result(n), 0, b, k, true)
		return
	}
	c := g.inReg(in.C)
	b := g.operand(in.B)
	g.release()
	g.evex(vBlendM, g.result(n), c, b, k, false)
}

func (g *gen) gather512(n int, in *ir.Instr) {
	index := g.inReg(in.A)
	d, k := g.temp(), g.kTemp()
	if g.masked {
		g.vex(kAnd, 1, k, 7, reg(7))
	} else {
		g.vex(kXnor, 1, k, k, reg(k))
	}
	g.v(vXor, d, d, reg(d))
	g.evex(vGather, d, 0, at(mem{base: g.pointer(int(in.Imm)), index: index, vector: true, scale: 2}), k, false)
	if in.Type == ir.Bool {
		g.evex(vTestMD, g.resultMask(n), d, reg(d), 0, false)
		return
	}
	g.def(n, d)
}
