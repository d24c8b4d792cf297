//go:build linux && amd64

package vm

import "synfire/engine/ir"

// Loads, stores and constants of both widths.

func (g *gen) instr(n int, in *ir.Instr) {
	if g.wide {
		g.instr512(n, in)
	} else {
		g.instr256(n, in)
	}
}

// loadVec loads a whole vector of the data area.
func (g *gen) loadVec(r uint8, m mem) {
	if g.wide {
		g.v(vMovLoad, r, 0, at(m))
	} else {
		g.y(vMovLoad, r, 0, at(m))
	}
}

func (g *gen) saveVec(m mem, r uint8) {
	if g.wide {
		g.v(vMovStore, r, 0, at(m))
	} else {
		g.y(vMovStore, r, 0, at(m))
	}
}

// loadLanes loads this group's words; lanes outside the tail become 0.
func (g *gen) loadLanes(r uint8, m mem) {
	switch {
	case g.wide:
		k, z := g.tail()
		g.evex(vMovLoad, r, 0, at(m), k, z)
	case g.masked:
		g.y(vMaskLoad, r, 15, at(m))
	default:
		g.y(vMovLoad, r, 0, at(m))
	}
}

// saveLanes stores this group's words, those of the tail alone.
func (g *gen) saveLanes(m mem, r uint8) {
	switch {
	case g.wide:
		k, _ := g.tail()
		g.evex(vMovStore, r, 0, at(m), k, false)
	case g.masked:
		g.y(vMaskSave, r, 15, at(m))
	default:
		g.y(vMovStore, r, 0, at(m))
	}
}

// loadUniform spreads a uniform value over a register.
func (g *gen) loadUniform(r uint8, v ir.Value) {
	m := g.uniformMem(v)
	switch {
	case g.isZero(v) && g.wide:
		g.v(vXor, r, r, reg(r))
	case g.isZero(v):
		g.y(vXor, r, r, reg(r))
	case g.wide:
		m.bcast = false
		g.v(vBroadcast, r, 0, at(m))
	default:
		g.y(vMovLoad, r, 0, at(m))
	}
}

// saveWord stores a value's words, truth values as 0 or 1, at a group's lanes
// of pointer k.
func (g *gen) saveWord(v ir.Value, k int, group int32) {
	var r uint8
	switch {
	case g.isMask(v):
		b := g.inMask(v)
		r = g.temp()
		one := g.constant(1)
		one.bcast = false
		g.evex(vBroadcast, r, 0, at(one), b, true)
	case isBool(&g.l.ins[v]):
		b := g.inTruth(v)
		r = g.temp()
		g.y(vAnd, r, b, at(g.word(1)))
	default:
		r = g.inReg(v)
	}
	if k < len(g.l.prog.Slots) {
		g.beforeStore(uint32(k))
	}
	g.saveLanes(g.lanes(k, group), r)
}

// laneNumber puts the item of a group's first lane into a general register.
func (g *gen) laneNumber(r uint8, group int32) {
	g.gpr(false, []byte{0x89}, rcx, reg(r))                                        // mov r, ecx
	g.gpr(false, []byte{0xc1}, 5, reg(r), 2)                                       // shr r, 2
	g.gpr(false, []byte{0x03}, r, at(mem{base: r8, index: noIndex, disp: laneAt})) // add r, lane0
	if group > 0 {
		g.imm32(0, r, group*g.group())
	}
}

// Offsets in the data area: the item of lane 0, the tail's mask (a word, for
// AVX2 a vector).
const (
	laneAt = 0
	tailAt = 32
	dataAt = 64
)

// vectorOnce is the address of a vector that is put into the pool on first use.
func (g *gen) vectorOnce(at **mem, words ...uint32) mem {
	if *at == nil {
		m := g.vector(words...)
		*at = &m
	}
	return **at
}

// iota is the vector 0, 1, 2, ...
func (g *gen) iota() mem {
	return g.vectorOnce(&g.iotaAt, []uint32{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}[:g.group()]...)
}

// eight is the address of eight copies of a word.
func (g *gen) eight(x uint32) mem {
	off, ok := g.eights[x]
	if !ok {
		off = g.vector(x, x, x, x, x, x, x, x).disp
		g.eights[x] = off
	}
	return mem{pool: true, index: noIndex, disp: off}
}
