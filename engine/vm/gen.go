//go:build linux && amd64

package vm

import "synfire/engine/ir"

// gen emits the body of a program's loop: one group of 16 or 8 lanes. Registers
// are assigned as the text is walked; where none is free, the value whose next
// use is farthest goes, to memory if it cannot be had again otherwise (Belady's
// choice, the best for straight-line code).
//
// General registers: DI table of pointers, R8 data area, CX the lane's offset in
// bytes of an array, SI in bytes of a mask, DX lanes left, AX scratch; six more
// hold the pointers that are used most. K7 (Y15 of AVX2) holds the lanes of the
// tail, where body emits its masked version.
type gen struct {
	assembler
	l      *lowered
	wide   bool // AVX-512: 16 lanes, truth values in mask registers
	masked bool // the tail: memory outside the mask is not touched
	twice  bool // l is doubled: odd values are those of the next group

	uses [][]int32 // value -> where it is used, in order; len(ins) stands for the end
	next []int32   // value -> index in uses of its next use after pos

	regOf  []int8       // value -> vector register, -1
	maskOf []int8       // value -> mask register, -1
	vec    [32]ir.Value // vector register -> value
	mask   [8]ir.Value  // mask register -> value
	pins   uint32       // vector registers that this instruction needs
	kpins  uint32
	spill  []int32 // value -> offset in the data area in bytes, -1
	home   []bool  // value can be read again from its slot

	pos      int
	uniAt    []int32 // uniform -> offset in the data area in bytes
	trapAt   int32
	area     int32   // bytes of the data area
	ptrReg   []uint8 // pointer -> general register, 0 if none
	stubs    []stub
	spills   int
	reloads  int
	unrolled bool // there is a loop over two groups

	iotaAt, bitAt, highAt *mem             // vectors in the pool
	eights                map[uint32]int32 // word -> place of eight copies in the pool, AVX2
}

type stub struct {
	from, back int
	group      int32 // lanes after those of CX
	k          uint8 // AVX-512: mask of lanes that trap; AVX2: lanes are in AX
	trap       uint32
}

const free = ir.None

func (g *gen) isMask(v ir.Value) bool { return g.wide && isBool(&g.l.ins[v]) }

// group is the number of lanes of a body, vecBytes the length of a vector.
func (g *gen) group() int32 {
	if g.wide {
		return 16
	}
	return 8
}

func (g *gen) vecBytes() int32 { return 4 * g.group() }

// findUses fills uses from the live instructions of lanes.
func (g *gen) findUses() {
	g.uses = make([][]int32, len(g.l.ins))
	for n := range g.l.ins {
		in := &g.l.ins[n]
		if !g.emitted(n) {
			continue
		}
		switch in.Op {
		case ir.Scatter, ir.Scatter2, ir.Put:
			continue
		}
		for _, a := range operands(in) {
			if u := g.uses[a]; len(u) == 0 || u[len(u)-1] != int32(n) {
				g.uses[a] = append(u, int32(n))
			}
		}
	}
	for k, v := range g.l.outs {
		g.uses[v] = append(g.uses[v], int32(len(g.l.ins)+k))
	}
}

// emitted says that instruction n works on lanes and is needed.
func (g *gen) emitted(n int) bool { return g.l.live[n] && !g.l.uniform(ir.Value(n)) }

// body emits the program for one group of lanes.
func (g *gen) body(masked bool) {
	g.masked = masked
	n := len(g.l.ins)
	g.next = make([]int32, n)
	g.regOf, g.maskOf, g.home = make([]int8, n), make([]int8, n), make([]bool, n)
	for v := range n {
		g.regOf[v], g.maskOf[v] = -1, -1
	}
	for r := range g.vec {
		g.vec[r] = free
	}
	for r := range g.mask {
		g.mask[r] = free
	}
	g.spill = make([]int32, n)
	for v := range g.spill {
		g.spill[v] = -1
	}
	for k := range g.l.ins {
		if !g.emitted(k) {
			continue
		}
		g.pos = k
		g.pins, g.kpins = 0, 0
		g.instr(k, &g.l.ins[k])
		g.pins, g.kpins = 0, 0
		g.done()
	}
	first := len(g.l.prog.Slots) + len(g.l.rands)
	for k, v := range g.l.outs {
		g.pos = n + k
		g.pins, g.kpins = 0, 0
		if g.twice {
			k /= 2
		}
		g.saveWord(v, first+k, g.groupOf(int(v)))
		g.done()
	}
}

// nextUse is the place of the next use of v after pos, or -1.
func (g *gen) nextUse(v ir.Value) int32 {
	u := g.uses[v]
	k := g.next[v]
	for int(k) < len(u) && int(u[k]) <= g.pos {
		k++
	}
	g.next[v] = k
	if int(k) < len(u) {
		return u[k]
	}
	return -1
}

// done frees the registers of values that are not used after pos.
func (g *gen) done() {
	for r, v := range g.vec {
		if v != free && g.nextUse(v) < 0 {
			g.vec[r], g.regOf[v] = free, -1
		}
	}
	for r, v := range g.mask {
		if v != free && g.nextUse(v) < 0 {
			g.mask[r], g.maskOf[v] = free, -1
		}
	}
}

// release frees operands that die here, so that the result may take their
// register; only for results written by an instruction that is the last to read them.
func (g *gen) release() {
	for r, v := range g.vec {
		if v != free && g.nextUse(v) < 0 {
			g.vec[r], g.regOf[v] = free, -1
			g.pins &^= 1 << r
		}
	}
	for r, v := range g.mask {
		if v != free && g.nextUse(v) < 0 {
			g.mask[r], g.maskOf[v] = free, -1
			g.kpins &^= 1 << r
		}
	}
}

// again says that v can be loaded again without having been spilled.
func (g *gen) again(v ir.Value) bool { return g.l.uniform(v) || g.home[v] || g.spill[v] >= 0 }

// temp takes a vector register for this instruction.
func (g *gen) temp() uint8 {
	limit := 32
	if !g.wide {
		limit = 15
	}
	best, far := -1, -1
	for r := range limit {
		if g.pins>>r&1 != 0 {
			continue
		}
		v := g.vec[r]
		if v == free {
			g.pins |= 1 << r
			return uint8(r)
		}
		score := int(g.nextUse(v)) - g.pos
		if g.again(v) {
			score *= 3
		}
		if score > far {
			best, far = r, score
		}
	}
	v := g.vec[best]
	if !g.again(v) {
		g.spill[v] = g.reserve(g.vecBytes())
		g.spills++
		g.saveVec(mem{base: r8, index: noIndex, disp: g.spill[v]}, uint8(best))
	}
	g.vec[best], g.regOf[v] = free, -1
	g.pins |= 1 << best
	return uint8(best)
}

// kTemp takes a mask register for this instruction.
func (g *gen) kTemp() uint8 {
	best, far := -1, -1
	for r := 1; r < 7; r++ {
		if g.kpins>>r&1 != 0 {
			continue
		}
		v := g.mask[r]
		if v == free {
			g.kpins |= 1 << r
			return uint8(r)
		}
		score := int(g.nextUse(v)) - g.pos
		if g.again(v) {
			score *= 3
		}
		if score > far {
			best, far = r, score
		}
	}
	v := g.mask[best]
	if !g.again(v) {
		g.spill[v] = g.reserve(4)
		g.spills++
		g.vex(kSave, 0, uint8(best), 0, at(mem{base: r8, index: noIndex, disp: g.spill[v]}))
	}
	g.mask[best], g.maskOf[v] = free, -1
	g.kpins |= 1 << best
	return uint8(best)
}

// reserve takes bytes of the data area.
func (g *gen) reserve(n int32) int32 {
	g.area = (g.area + n - 1) / n * n
	g.area += n
	return g.area - n
}

// def gives value n a register, which temp or kTemp has returned.
func (g *gen) def(n int, r uint8) {
	g.vec[r], g.regOf[n] = ir.Value(n), int8(r)
}

func (g *gen) defMask(n int, r uint8) {
	g.mask[r], g.maskOf[n] = ir.Value(n), int8(r)
}

// result takes a register for value n.
func (g *gen) result(n int) uint8 {
	r := g.temp()
	g.def(n, r)
	return r
}

func (g *gen) resultMask(n int) uint8 {
	r := g.kTemp()
	g.defMask(n, r)
	return r
}

// pointer is the base register of entry k of the table of pointers; it may use AX.
func (g *gen) pointer(k int) uint8 {
	if r := g.ptrReg[k]; r != 0 {
		return r
	}
	g.load64(rax, mem{base: rdi, index: noIndex, disp: int32(8 * k)})
	return rax
}

// groupOf is the group of lanes of value or instruction n: 0, or 1 for the next.
func (g *gen) groupOf(n int) int32 {
	if g.twice {
		return int32(n & 1)
	}
	return 0
}

// lanes is the address of a group's words of pointer k; it may use AX.
func (g *gen) lanes(k int, group int32) mem {
	return mem{base: g.pointer(k), index: rcx, disp: group * g.vecBytes()}
}

// bits is the address of a group's bits of a mask slot; it may use AX.
func (g *gen) bits(k int, group int32) mem {
	return mem{base: g.pointer(k), index: rsi, disp: group * g.group() / 8}
}

// source is the pointer of a Load's or a random column's words.
func (g *gen) source(in *ir.Instr) int {
	if in.Op == ir.Rand {
		return len(g.l.prog.Slots) + int(in.Imm)
	}
	return int(in.Imm)
}

// inReg brings a word value into a vector register and pins it; it may use AX.
func (g *gen) inReg(v ir.Value) uint8 {
	if r := g.regOf[v]; r >= 0 {
		g.pins |= 1 << r
		return uint8(r)
	}
	r := g.temp()
	switch {
	case g.spill[v] >= 0:
		g.reloads++
		g.loadVec(r, mem{base: r8, index: noIndex, disp: g.spill[v]})
	case g.l.uniform(v):
		g.loadUniform(r, v)
	default:
		g.loadLanes(r, g.lanes(g.source(&g.l.ins[v]), g.groupOf(int(v))))
	}
	g.def(int(v), r)
	return r
}

// operand is a word value as the last operand of an instruction: a register or
// memory. It may use AX; nothing else that may use AX comes before the instruction.
func (g *gen) operand(v ir.Value) arg {
	if r := g.regOf[v]; r >= 0 {
		g.pins |= 1 << r
		return reg(uint8(r))
	}
	switch {
	case g.spill[v] >= 0 && g.nextUse(v) < 0:
		g.reloads++
		return at(mem{base: r8, index: noIndex, disp: g.spill[v]})
	case g.spill[v] >= 0:
	case g.l.uniform(v):
		return at(g.uniformMem(v))
	case !g.masked && g.nextUse(v) < 0:
		return at(g.lanes(g.source(&g.l.ins[v]), g.groupOf(int(v))))
	}
	return reg(g.inReg(v))
}

// cheap says that v had better be a last operand: it would need a load.
func (g *gen) cheap(v ir.Value) bool { return g.regOf[v] < 0 }

// bitsOf is the word of a constant as the code sees it: truth values are all ones or zero.
func (g *gen) bitsOf(v ir.Value) uint32 {
	in := &g.l.ins[v]
	if isBool(in) && in.Imm != 0 {
		return ^uint32(0)
	}
	return in.Imm
}

func (g *gen) isConst(v ir.Value) bool { return g.l.ins[v].Op == ir.Const }

func (g *gen) isZero(v ir.Value) bool { return g.isConst(v) && g.l.ins[v].Imm == 0 }

// uniformMem is the address of a uniform value for all lanes.
func (g *gen) uniformMem(v ir.Value) mem {
	if g.isConst(v) {
		return g.word(g.bitsOf(v))
	}
	k := g.l.uni[v]
	if g.uniAt[k] < 0 {
		n := int32(4)
		if !g.wide {
			n = 32
		}
		g.uniAt[k] = g.reserve(n)
	}
	return mem{base: r8, index: noIndex, bcast: g.wide, disp: g.uniAt[k]}
}

// word is the address of a constant for all lanes.
func (g *gen) word(x uint32) mem {
	if g.wide {
		return g.constant(x)
	}
	return g.eight(x)
}

// beforeStore keeps values that were to be read from a slot which is written now.
func (g *gen) beforeStore(slot uint32) {
	for v := range g.home[:g.pos] {
		in := &g.l.ins[v]
		if !g.home[v] || in.Op == ir.Rand || in.Imm != slot || g.groupOf(v) != g.groupOf(g.pos) {
			continue
		}
		if g.nextUse(ir.Value(v)) >= 0 && g.spill[v] < 0 {
			pins, kpins := g.pins, g.kpins
			if g.isMask(ir.Value(v)) {
				g.inMask(ir.Value(v))
			} else if in.Op == ir.Bit {
				g.inTruth(ir.Value(v))
			} else {
				g.inReg(ir.Value(v))
			}
			g.pins, g.kpins = pins, kpins
		}
		g.home[v] = false
	}
}
