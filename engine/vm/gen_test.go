package vm

import (
	"math"
	"math/rand/v2"

	"synfire/engine/ir"
)

// maker makes random programs whose floats stay finite. Unlike programs from the
// builder they may hold -0 and subnormals: the modes must agree on those too.
type maker struct {
	r      *rand.Rand
	p      ir.Prog
	floats []ir.Value
	ints   []ir.Value
	bools  []ir.Value
	bound  map[ir.Value]float64 // exponent of the bound of a float
}

// Slots of random programs.
const (
	slotX = iota // Array F32, read only
	slotV        // Array F32
	slotN        // Array I32
	slotB        // Array Bool
	slotT        // Table F32 of 64 words
	slotM        // Mask, read and written
	slotS        // Mask, written
	slotA        // Accum I32 of 16 words
	slotD        // Accum of 16 two-word sums
	slotP        // Table I32, one word for each lane, written at Lane
	slotW        // Array F32
	numSlots
)

func (m *maker) add(in ir.Instr) ir.Value {
	switch in.Op.Args() {
	case 0:
		in.A = ir.None
		fallthrough
	case 1:
		in.B = ir.None
		fallthrough
	case 2:
		in.C = ir.None
	}
	m.p.Ins = append(m.p.Ins, in)
	v := ir.Value(len(m.p.Ins) - 1)
	if in.Op.Defines() {
		switch in.Type {
		case ir.F32:
			m.floats = append(m.floats, v)
		case ir.Bool:
			m.bools = append(m.bools, v)
		default:
			m.ints = append(m.ints, v)
		}
	}
	return v
}

func (m *maker) pick(list []ir.Value) ir.Value {
	if m.r.IntN(3) > 0 && len(list) > 6 {
		return list[len(list)-1-m.r.IntN(6)]
	}
	return list[m.r.IntN(len(list))]
}

// float picks a float that stays below 2^limit.
func (m *maker) float(limit float64) ir.Value {
	v := m.pick(m.floats)
	if m.bound[v] > limit {
		return m.bounded(ir.Instr{Op: ir.Canon, Type: ir.F32, A: v}, 40)
	}
	return v
}

func (m *maker) bounded(in ir.Instr, bound float64) ir.Value {
	v := m.add(in)
	m.bound[v] = bound
	return v
}

func (m *maker) constF() ir.Value {
	x := edgeFloats[m.r.IntN(len(edgeFloats))]
	return m.bounded(ir.Instr{Op: ir.Const, Type: ir.F32, Imm: math.Float32bits(x)}, 41)
}

var edgeFloats = []float32{0, 1, -1, 0.5, -0.5, 1.5, 2.5, -2.5, 0x1p-80, -0x1p-80, 0x1.fffffep-81, -0x1.fffffep-81,
	0x1p40, -0x1p40, 0x1.fffffep39, 0x1p-100, -0x1p-100, 0x1.8p-50, -0x1.8p-51, 0x1p-50, 0x1p-49, 0x1.000002p-50, 0.1, -0.7, 3, 100, -65, 1 << 23, 1<<24 + 2,
	-(1<<23 + 1), 0x1p31, -0x1p31, 0x1p31 - 128, -0x1p31 - 256, 0x1p32, 8388607.5, 0x1p-126, 0.49999997}

var edgeInts = []uint32{0, 1, 2, 3, 31, 32, 33, 127, 0x7fffffff, 0x80000000, 0x80000001, 0xffffffff, 1<<24 + 1, 1<<25 + 3, 0xdeadbeef, 0x55555555}

func newMaker(r *rand.Rand) *maker {
	m := &maker{r: r, bound: map[ir.Value]float64{}}
	m.p = ir.Prog{Name: "random", Traps: 2, Slots: make([]ir.Slot, numSlots)}
	copy(m.p.Slots, []ir.Slot{{Name: "x", Kind: ir.Array, Type: ir.F32}, {Name: "v", Kind: ir.Array, Type: ir.F32},
		{Name: "n", Kind: ir.Array, Type: ir.I32}, {Name: "b", Kind: ir.Array, Type: ir.Bool}, {Name: "t", Kind: ir.Table, Type: ir.F32},
		{Name: "m", Kind: ir.Mask, Type: ir.Bool}, {Name: "s", Kind: ir.Mask, Type: ir.Bool}, {Name: "a", Kind: ir.Accum, Type: ir.I32},
		{Name: "d", Kind: ir.Accum, Type: ir.I32}, {Name: "p", Kind: ir.Table, Type: ir.I32}, {Name: "w", Kind: ir.Array, Type: ir.F32}})
	return m
}

// randomProg makes a program of about n instructions.
func randomProg(r *rand.Rand, n int) *ir.Prog {
	m := newMaker(r)
	m.bounded(ir.Instr{Op: ir.Load, Type: ir.F32, Imm: slotX}, 41)
	m.constF()
	m.add(ir.Instr{Op: ir.Load, Type: ir.I32, Imm: slotN})
	m.add(ir.Instr{Op: ir.Const, Type: ir.I32, Imm: edgeInts[r.IntN(len(edgeInts))]})
	m.add(ir.Instr{Op: ir.Bit, Type: ir.Bool, Imm: slotM})
	lane := m.add(ir.Instr{Op: ir.Lane, Type: ir.I32})
	m.add(ir.Instr{Op: ir.LtF, Type: ir.Bool, A: m.floats[0], B: m.floats[1]})
	for len(m.p.Ins) < n {
		m.random(lane)
	}
	m.effects(lane)
	return &m.p
}

func (m *maker) random(lane ir.Value) {
	r := m.r
	switch k := r.IntN(34); k {
	case 0, 1:
		slot := []uint32{slotX, slotV, slotW}[r.IntN(3)]
		m.bounded(ir.Instr{Op: ir.Load, Type: ir.F32, Imm: slot}, 41)
	case 2:
		m.constF()
	case 3:
		m.add(ir.Instr{Op: ir.Const, Type: ir.I32, Imm: edgeInts[r.IntN(len(edgeInts))]})
	case 4, 5, 6:
		op := []ir.Op{ir.AddF, ir.SubF}[r.IntN(2)]
		a, b := m.float(100), m.float(100)
		m.bounded(ir.Instr{Op: op, Type: ir.F32, A: a, B: b}, max(m.bound[a], m.bound[b])+1)
	case 7, 8, 9:
		op := []ir.Op{ir.MulZ, ir.MulF, ir.MulZ}[r.IntN(3)]
		a, b := m.float(60), m.float(60)
		m.bounded(ir.Instr{Op: op, Type: ir.F32, A: a, B: b}, m.bound[a]+m.bound[b])
	case 10:
		a := m.pick(m.floats)
		op := []ir.Op{ir.NegF, ir.AbsF, ir.FloorF}[r.IntN(3)]
		m.bounded(ir.Instr{Op: op, Type: ir.F32, A: a}, m.bound[a])
	case 11, 12:
		op := []ir.Op{ir.LtF, ir.LeF, ir.EqF}[r.IntN(3)]
		m.add(ir.Instr{Op: op, Type: ir.Bool, A: m.pick(m.floats), B: m.pick(m.floats)})
	case 13:
		m.bounded(ir.Instr{Op: ir.Canon, Type: ir.F32, A: m.pick(m.floats)}, 40)
	case 14:
		m.add(ir.Instr{Op: ir.F2I, Type: ir.I32, A: m.pick(m.floats)})
	case 15:
		m.bounded(ir.Instr{Op: ir.I2F, Type: ir.F32, A: m.pick(m.ints)}, 32)
	case 16, 17:
		op := []ir.Op{ir.AddI, ir.SubI, ir.MulI, ir.MulHi, ir.And, ir.Or, ir.Xor}[r.IntN(7)]
		m.add(ir.Instr{Op: op, Type: ir.I32, A: m.pick(m.ints), B: m.pick(m.ints)})
	case 18:
		op := []ir.Op{ir.Shl, ir.ShrU, ir.ShrS}[r.IntN(3)]
		m.add(ir.Instr{Op: op, Type: ir.I32, A: m.pick(m.ints), B: m.pick(m.ints)})
	case 19:
		op := []ir.Op{ir.LtI, ir.LtU, ir.EqI}[r.IntN(3)]
		m.add(ir.Instr{Op: op, Type: ir.Bool, A: m.pick(m.ints), B: m.pick(m.ints)})
	case 20:
		if r.IntN(2) == 0 {
			m.add(ir.Instr{Op: ir.NotB, Type: ir.Bool, A: m.pick(m.bools)})
		} else {
			m.add(ir.Instr{Op: []ir.Op{ir.AndB, ir.OrB}[r.IntN(2)], Type: ir.Bool, A: m.pick(m.bools), B: m.pick(m.bools)})
		}
	case 21, 22:
		a, b := m.pick(m.floats), m.pick(m.floats)
		m.bounded(ir.Instr{Op: ir.Sel, Type: ir.F32, A: m.pick(m.bools), B: a, C: b}, max(m.bound[a], m.bound[b]))
	case 23:
		m.add(ir.Instr{Op: ir.Sel, Type: ir.I32, A: m.pick(m.bools), B: m.pick(m.ints), C: m.pick(m.ints)})
	case 24:
		m.add(ir.Instr{Op: ir.Sel, Type: ir.Bool, A: m.pick(m.bools), B: m.pick(m.bools), C: m.pick(m.bools)})
	case 25: // minimum or maximum
		a, b := m.pick(m.floats), m.pick(m.floats)
		c := m.add(ir.Instr{Op: []ir.Op{ir.LtF, ir.LeF}[r.IntN(2)], Type: ir.Bool, A: a, B: b})
		bound := max(m.bound[a], m.bound[b])
		if r.IntN(2) == 0 {
			a, b = b, a
		}
		m.bounded(ir.Instr{Op: ir.Sel, Type: ir.F32, A: c, B: a, C: b}, bound)
	case 26:
		if r.IntN(2) == 0 {
			m.add(ir.Instr{Op: ir.Step, Type: ir.I32, Phase: uint8(r.IntN(2))})
		} else {
			m.add(ir.Instr{Op: ir.Lane, Type: ir.I32})
		}
	case 27:
		switch r.IntN(4) {
		case 0:
			m.bounded(ir.Instr{Op: ir.Host, Type: ir.F32, Phase: uint8(r.IntN(2))}, 20)
		case 1:
			m.add(ir.Instr{Op: ir.Host, Type: ir.I32, Imm: 1, Phase: uint8(r.IntN(2))})
		case 2:
			m.add(ir.Instr{Op: ir.Host, Type: ir.Bool, Imm: 2, Phase: uint8(r.IntN(2))})
		case 3:
			m.bounded(ir.Instr{Op: ir.Uniform, Type: ir.F32, Imm: slotT}, 41)
		}
	case 28:
		mask := m.add(ir.Instr{Op: ir.Const, Type: ir.I32, Imm: 63})
		at := m.add(ir.Instr{Op: ir.And, Type: ir.I32, A: m.pick(m.ints), B: mask})
		m.bounded(ir.Instr{Op: ir.Gather, Type: ir.F32, A: at, Imm: slotT}, 41)
	case 29:
		item := lane
		switch r.IntN(3) {
		case 0:
			item = m.add(ir.Instr{Op: ir.AddI, Type: ir.I32, A: lane, B: m.pick(m.ints)})
		case 1:
			if r.IntN(8) == 0 {
				item = m.pick(m.ints)
			}
		}
		m.add(ir.Instr{Op: ir.Rand, Type: ir.U32, A: item, Imm: uint32(r.IntN(2)), Aux: uint32(r.IntN(2)), Phase: uint8(r.IntN(2))})
	case 30: // bits taken apart and put together
		w := m.add(ir.Instr{Op: ir.Bits, Type: ir.U32, A: m.pick(m.floats)})
		mant := m.add(ir.Instr{Op: ir.Const, Type: ir.U32, Imm: 0x007fffff})
		one := m.add(ir.Instr{Op: ir.Const, Type: ir.U32, Imm: 0x3f800000})
		w = m.add(ir.Instr{Op: ir.And, Type: ir.U32, A: w, B: mant})
		w = m.add(ir.Instr{Op: ir.Or, Type: ir.U32, A: w, B: one})
		m.bounded(ir.Instr{Op: ir.Float, Type: ir.F32, A: w}, 1)
	case 31:
		m.add(ir.Instr{Op: ir.Bit, Type: ir.Bool, Imm: slotM})
	case 32:
		m.add(ir.Instr{Op: ir.Load, Type: ir.Bool, Imm: slotB})
	case 33:
		switch r.IntN(5) {
		case 0:
			m.add(ir.Instr{Op: ir.Store, Type: ir.F32, A: m.bounded(ir.Instr{Op: ir.Canon, Type: ir.F32, A: m.pick(m.floats)}, 40), Imm: slotV})
		case 1:
			m.add(ir.Instr{Op: ir.Store, Type: ir.I32, A: m.pick(m.ints), Imm: slotN})
		case 2:
			m.add(ir.Instr{Op: ir.Store, Type: ir.Bool, A: m.pick(m.bools), Imm: slotB})
		case 3:
			m.add(ir.Instr{Op: ir.StoreBit, Type: ir.Bool, A: m.pick(m.bools), Imm: slotM})
		case 4:
			m.add(ir.Instr{Op: ir.Trap, A: m.pick(m.bools), Imm: uint32(r.IntN(2))})
		}
	}
}

func (m *maker) effects(lane ir.Value) {
	m.add(ir.Instr{Op: ir.Store, Type: ir.F32, A: m.bounded(ir.Instr{Op: ir.Canon, Type: ir.F32, A: m.pick(m.floats)}, 40), Imm: slotW})
	m.add(ir.Instr{Op: ir.StoreBit, Type: ir.Bool, A: m.pick(m.bools), Imm: slotS})
	m.add(ir.Instr{Op: ir.Store, Type: ir.I32, A: m.pick(m.ints), Imm: slotN})
	if m.r.IntN(3) > 0 {
		return
	}
	mask := m.add(ir.Instr{Op: ir.Const, Type: ir.I32, Imm: 15})
	at := m.add(ir.Instr{Op: ir.And, Type: ir.I32, A: m.pick(m.ints), B: mask})
	if m.r.IntN(2) == 0 {
		m.add(ir.Instr{Op: ir.Scatter, Type: ir.I32, A: at, B: m.pick(m.ints), Imm: slotA})
	}
	if m.r.IntN(2) == 0 {
		m.add(ir.Instr{Op: ir.Scatter2, Type: ir.I32, A: at, B: m.pick(m.ints), C: m.pick(m.ints), Imm: slotD})
	}
	if m.r.IntN(2) == 0 { // Put at lane - Lane0, a word of the host
		zero := m.add(ir.Instr{Op: ir.Host, Type: ir.I32, Imm: 3})
		at := m.add(ir.Instr{Op: ir.SubI, Type: ir.I32, A: lane, B: zero})
		old := m.add(ir.Instr{Op: ir.Gather, Type: ir.I32, A: at, Imm: slotP})
		sum := m.add(ir.Instr{Op: ir.AddI, Type: ir.I32, A: old, B: m.pick(m.ints)})
		m.add(ir.Instr{Op: ir.Put, Type: ir.I32, A: at, B: sum, Imm: slotP})
		if m.r.IntN(2) == 0 {
			m.add(ir.Instr{Op: ir.Put, Type: ir.I32, A: at, B: m.pick(m.ints), Imm: slotP})
		}
	}
}

// newEnv makes memory for n lanes; guards of 64 words follow the lanes.
func newEnv(r *rand.Rand, n int) *ir.Env {
	e := &ir.Env{Lane0: r.Uint32N(1 << 20), Step: r.Uint32N(1000), Drawn: r.Uint32N(2000), Seed: [2]uint32{r.Uint32(), r.Uint32()}, HostN: 4,
		Traps: []uint32{ir.NoTrap, 1 << 19}, Slots: make([][]uint32, numSlots)}
	f := func(n int) []uint32 {
		w := make([]uint32, n)
		for i := range w {
			w[i] = math.Float32bits(edgeFloats[r.IntN(len(edgeFloats))])
			if r.IntN(2) == 0 {
				w[i] = math.Float32bits(float32(r.NormFloat64() * 10))
			}
		}
		return w
	}
	u := func(n int, limit uint32) []uint32 {
		w := make([]uint32, n)
		for i := range w {
			if w[i] = r.Uint32(); r.IntN(3) == 0 {
				w[i] = edgeInts[r.IntN(len(edgeInts))]
			}
			if limit > 0 {
				w[i] %= limit
			}
		}
		return w
	}
	const guard = 64
	e.Host = append(append(f(1), u(1, 0)[0], u(1, 2)[0], e.Lane0), append(f(1), u(1, 0)[0], u(1, 2)[0], 0)...)
	e.Slots[slotX], e.Slots[slotV], e.Slots[slotW] = f(n+guard), f(n+guard), f(n+guard)
	e.Slots[slotN], e.Slots[slotB] = u(n+guard, 0), u(n+guard, 2)
	e.Slots[slotT] = f(64)
	e.Slots[slotM], e.Slots[slotS] = u((n+31)/32+2, 0), u((n+31)/32+2, 0)
	e.Slots[slotA], e.Slots[slotD], e.Slots[slotP] = u(16, 0), u(32, 0), u(n+guard, 0)
	return e
}

func cloneEnv(e *ir.Env) *ir.Env {
	c := *e
	c.Slots = make([][]uint32, len(e.Slots))
	for k, s := range e.Slots {
		c.Slots[k] = append([]uint32(nil), s...)
	}
	c.Traps = append([]uint32(nil), e.Traps...)
	return &c
}
