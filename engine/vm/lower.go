package vm

import (
	"math"

	"synfire/engine/ir"
	"synfire/engine/philox"
)

// Operations of lowered programs alone; opKey is the first.
const (
	opKey       ir.Op = 200 + iota // word Imm%2 of the Philox key of round Imm/2
	opThreshold                    // least magnitude x for which A*x is not flushed by MulZ; A uniform
	opMulT                         // MulZ of A and the uniform B; C is |A|, Imm the threshold of B
	opMin                          // A < B ? A : B
	opMax                          // A > B ? A : B
)

// A randColumn is a set of random words for consecutive items, made for a whole
// block of lanes before the program runs over it: that of item Lane + offset.
type randColumn struct {
	stream, draw uint32
	phase        uint8
	offset       ir.Value // a uniform value, or None for 0
}

// lowered is a program rewritten for block-wise running: instruction n still
// defines value n. Copies, forwarded loads, dead code and overwritten stores are
// gone; values that are the same for all lanes are marked, to be worked out once
// per run.
type lowered struct {
	prog     *ir.Prog
	ins      []ir.Instr
	live     []bool
	uni      []int32    // place of a uniform value in the table of uniforms, -1 for values of lanes
	uniforms []ir.Value // those values in order, constants among them
	worked   []uniform  // those that are live and no constants
	rands    []randColumn
	effects  []effect
	outs     []ir.Value // values of lanes that effects need, each once
	written  []bool     // slots that the program stores to
	mixed    bool       // a slot takes both Scatter and Scatter2, which do not commute

	magnitude map[ir.Value]ir.Value // value -> its AbsF, while lowering
}

// uniform is an instruction of a uniform value: places in the table of uniforms.
type uniform struct {
	op       ir.Op
	phase    uint8
	to       int32
	a, b, c  int32 // operands, 0 for none
	imm, aux uint32
}

// operands lists the operands of an instruction of a lowered program.
func operands(in *ir.Instr) []ir.Value {
	switch in.Op {
	case opKey:
		return nil
	case opThreshold:
		return []ir.Value{in.A}
	case opMulT:
		return []ir.Value{in.A, in.B, in.C, ir.Value(in.Imm)}
	case opMin, opMax:
		return []ir.Value{in.A, in.B}
	}
	if in.Op == ir.Rand { // Imm is a column; a computed item is an operand
		if in.A == ir.None {
			return nil
		}
	}
	return in.Operands()
}

// doubled is the program for two groups of lanes, their instructions interleaved:
// value v becomes 2*v for the first and 2*v+1 for the second.
func (l *lowered) doubled() *lowered {
	d := &lowered{prog: l.prog, rands: l.rands, written: l.written}
	for n := range l.ins {
		for c := range ir.Value(2) {
			in := l.ins[n]
			for _, a := range []*ir.Value{&in.A, &in.B, &in.C} {
				if *a >= 0 {
					*a = 2**a + c
				}
			}
			if in.Op == opMulT {
				in.Imm = 2*in.Imm + uint32(c)
			}
			d.ins = append(d.ins, in)
			d.live = append(d.live, l.live[n])
			d.uni = append(d.uni, l.uni[n])
		}
	}
	for _, v := range l.outs {
		d.outs = append(d.outs, 2*v, 2*v+1)
	}
	return d
}

// isBool says that the instruction's result is a truth value.
func isBool(in *ir.Instr) bool {
	switch in.Op {
	case ir.Const, ir.Load, ir.Uniform, ir.Gather, ir.Host, ir.Sel:
		return in.Type == ir.Bool
	case ir.Bit, ir.LtF, ir.LeF, ir.EqF, ir.LtI, ir.LtU, ir.EqI, ir.AndB, ir.OrB, ir.NotB:
		return true
	}
	return false
}

// lower rewrites p. With expand, for machine code, a Rand of a computed item
// becomes integer operations, and patterns that have an instruction become one.
func lower(p *ir.Prog, expand bool) *lowered {
	l := &lowered{prog: p, written: make([]bool, len(p.Slots)), magnitude: make(map[ir.Value]ir.Value)}
	for n := range p.Ins {
		switch in := &p.Ins[n]; in.Op {
		case ir.Store, ir.StoreBit, ir.Scatter, ir.Scatter2, ir.Put:
			l.written[in.Imm] = true
		}
	}
	remap := make([]ir.Value, len(p.Ins))
	stored := make(map[uint32]ir.Value)    // slot -> value of its last Store or StoreBit
	storedAt := make(map[uint32]int)       // slot -> that store, while nothing has read past it
	columns := make(map[randColumn]uint32) // column -> number
	for n := range p.Ins {
		in := p.Ins[n]
		at := func(v ir.Value) ir.Value {
			if v == ir.None {
				return v
			}
			return remap[v]
		}
		in.A, in.B, in.C = operandsOnly(&in, at)
		switch in.Op {
		case ir.Nop:
			continue
		case ir.Bits, ir.Float:
			remap[n] = in.A
			continue
		case ir.Load, ir.Bit:
			if v, ok := stored[in.Imm]; ok {
				if isBool(&l.ins[v]) == isBool(&in) {
					remap[n] = v
					continue
				}
				delete(storedAt, in.Imm)
			}
		case ir.Store, ir.StoreBit:
			if old, ok := storedAt[in.Imm]; ok {
				l.ins[old] = ir.Instr{Op: ir.Nop, A: ir.None, B: ir.None, C: ir.None}
			}
			stored[in.Imm], storedAt[in.Imm] = in.A, len(l.ins)
		case ir.Rand:
			if l.uniform(in.A) {
				break
			}
			offset, ok := l.laneOffset(in.A)
			if !ok {
				if expand {
					remap[n] = l.expandRand(&in)
					continue
				}
				break
			}
			key := randColumn{in.Imm, in.Aux, in.Phase, offset}
			k, seen := columns[key]
			if !seen {
				k = uint32(len(l.rands))
				columns[key] = k
				l.rands = append(l.rands, key)
			}
			in.A, in.Imm = ir.None, k
		}
		if expand {
			in = l.select1(in)
		}
		remap[n] = l.add(in)
	}
	l.finish()
	return l
}

func operandsOnly(in *ir.Instr, at func(ir.Value) ir.Value) (a, b, c ir.Value) {
	a, b, c = ir.None, ir.None, ir.None
	args := in.Op.Args()
	if args > 0 {
		a = at(in.A)
	}
	if args > 1 {
		b = at(in.B)
	}
	if args > 2 {
		c = at(in.C)
	}
	return a, b, c
}

// add appends an instruction and says whether its value is uniform.
func (l *lowered) add(in ir.Instr) ir.Value {
	v := ir.Value(len(l.ins))
	l.ins = append(l.ins, in)
	uniform := false
	switch in.Op {
	case ir.Const, ir.Step, ir.Host, ir.Uniform, opKey, opThreshold:
		uniform = true
	case opMulT, opMin, opMax:
	case ir.Lane, ir.Load, ir.Bit, ir.Nop:
	case ir.Rand:
		uniform = in.A != ir.None && l.uniform(in.A)
	case ir.Gather:
		uniform = !l.written[in.Imm] && l.uniform(in.A)
	default:
		uniform = in.Op.Pure()
		for _, a := range operands(&in) {
			uniform = uniform && l.uniform(a)
		}
	}
	if uniform {
		l.uni = append(l.uni, int32(len(l.uniforms)))
		l.uniforms = append(l.uniforms, v)
	} else {
		l.uni = append(l.uni, -1)
	}
	return v
}

func (l *lowered) uniform(v ir.Value) bool { return l.uni[v] >= 0 }

// laneOffset finds that v is Lane, or Lane plus a uniform value.
func (l *lowered) laneOffset(v ir.Value) (offset ir.Value, ok bool) {
	in := &l.ins[v]
	switch {
	case in.Op == ir.Lane:
		return ir.None, true
	case in.Op == ir.AddI && l.ins[in.A].Op == ir.Lane && l.uniform(in.B):
		return in.B, true
	case in.Op == ir.AddI && l.ins[in.B].Op == ir.Lane && l.uniform(in.A):
		return in.A, true
	}
	return ir.None, false
}

// drawnKey is the opKey that is not part of the key but Env.Drawn.
const drawnKey = 2 * philox.Rounds

// expandRand writes Philox4x32-10 in integer operations (package philox).
func (l *lowered) expandRand(in *ir.Instr) ir.Value {
	op := func(o ir.Op, a, b ir.Value) ir.Value {
		return l.add(ir.Instr{Op: o, Type: ir.U32, A: a, B: b, C: ir.None})
	}
	word := func(x uint32) ir.Value {
		return l.add(ir.Instr{Op: ir.Const, Type: ir.U32, A: ir.None, B: ir.None, C: ir.None, Imm: x})
	}
	step := l.add(ir.Instr{Op: ir.Step, Type: ir.I32, A: ir.None, B: ir.None, C: ir.None, Phase: in.Phase})
	m0, m1 := word(philox.M0), word(philox.M1)
	key := func(k uint32) ir.Value {
		return l.add(ir.Instr{Op: opKey, Type: ir.U32, A: ir.None, B: ir.None, C: ir.None, Imm: k})
	}
	c := [4]ir.Value{op(ir.ShrU, in.A, word(2)), op(ir.SubI, step, key(drawnKey)), word(in.Aux), word(in.Imm)}
	for r := range uint32(philox.Rounds) {
		h0, l0 := op(ir.MulHi, c[0], m0), op(ir.MulI, c[0], m0)
		h1, l1 := op(ir.MulHi, c[2], m1), op(ir.MulI, c[2], m1)
		c = [4]ir.Value{
			op(ir.Xor, op(ir.Xor, h1, c[1]), key(2*r)), l1,
			op(ir.Xor, op(ir.Xor, h0, c[3]), key(2*r+1)), l0,
		}
	}
	sel := func(cond, a, b ir.Value) ir.Value {
		return l.add(ir.Instr{Op: ir.Sel, Type: ir.U32, A: cond, B: a, C: b})
	}
	last := op(ir.And, in.A, word(3))
	return sel(op(ir.EqI, last, word(0)), c[0], sel(op(ir.EqI, last, word(1)), c[1],
		sel(op(ir.EqI, last, word(2)), c[2], c[3])))
}

// select1 chooses a shorter operation for in, without changing a bit.
func (l *lowered) select1(in ir.Instr) ir.Instr {
	switch in.Op {
	case ir.MulZ:
		a, b := in.A, in.B
		if l.uniform(a) {
			a, b = b, a
		}
		if l.uniform(a) || !l.uniform(b) {
			return in
		}
		t := ir.Instr{Op: opThreshold, Type: ir.F32, A: b, B: ir.None, C: ir.None}
		if x := &l.ins[b]; x.Op == ir.Const {
			t = ir.Instr{Op: ir.Const, Type: ir.F32, A: ir.None, B: ir.None, C: ir.None, Imm: threshold(x.Imm)}
		}
		abs, ok := l.magnitude[a]
		if !ok {
			abs = a
			if l.ins[a].Op != ir.AbsF {
				abs = l.add(ir.Instr{Op: ir.AbsF, Type: ir.F32, A: a, B: ir.None, C: ir.None})
			}
			l.magnitude[a] = abs
		}
		return ir.Instr{Op: opMulT, Type: ir.F32, A: a, B: b, C: abs, Imm: uint32(l.add(t))}
	case ir.Sel:
		c := &l.ins[in.A]
		if in.Type == ir.Bool || c.Op != ir.LtF && c.Op != ir.LeF || l.uniform(in.B) && l.uniform(in.C) {
			return in
		}
		op, a, b := opMin, c.A, c.B
		switch {
		case in.B == c.A && in.C == c.B:
		case in.B == c.B && in.C == c.A:
			op, a, b = opMax, c.B, c.A
		default:
			return in
		}
		if c.Op == ir.LeF { // with equal zeros the other one is chosen
			a, b = b, a
		}
		return ir.Instr{Op: op, Type: in.Type, A: a, B: b, C: ir.None}
	}
	return in
}

// threshold is the least magnitude whose product with the float of word w is not
// below 2^-100, infinity if there is none. Rounding is monotone, so a factor's
// magnitude tells whether MulZ flushes.
func threshold(w uint32) uint32 {
	c := float(w &^ (1 << 31))
	if c == 0 {
		return word(float32(math.Inf(1)))
	}
	t := float32(ir.FlushProduct / float64(c))
	for t > 0 && float32(t*c) >= ir.FlushProduct {
		t = math.Nextafter32(t, 0)
	}
	for float32(t*c) < ir.FlushProduct {
		t = math.Nextafter32(t, float32(math.Inf(1)))
	}
	return word(t)
}

// finish finds what is live and what effects need.
func (l *lowered) finish() {
	l.live = make([]bool, len(l.ins))
	for n := len(l.ins) - 1; n >= 0; n-- {
		in := &l.ins[n]
		if in.Op == ir.Nop {
			continue
		}
		if in.Op < opKey && !in.Op.Defines() {
			l.live[n] = true
		}
		if !l.live[n] {
			continue
		}
		for _, a := range operands(in) {
			l.live[a] = true
		}
		if in.Op == ir.Rand && in.A == ir.None {
			if off := l.rands[in.Imm].offset; off != ir.None {
				l.live[off] = true
			}
		}
	}
	for k, v := range l.uniforms {
		if in := &l.ins[v]; l.live[v] && in.Op != ir.Const {
			u := uniform{op: in.Op, phase: in.Phase, to: int32(k), imm: in.Imm, aux: in.Aux}
			for n, a := range operands(in) {
				*[]*int32{&u.a, &u.b, &u.c}[n] = l.uni[a]
			}
			l.worked = append(l.worked, u)
		}
	}
	out := make(map[ir.Value]bool)
	kind := make(map[uint32]ir.Op)
	for n := range l.ins {
		in := &l.ins[n]
		switch in.Op {
		case ir.Scatter, ir.Scatter2, ir.Put:
			if old, ok := kind[in.Imm]; ok && old != in.Op {
				l.mixed = true
			}
			kind[in.Imm] = in.Op
			l.effects = append(l.effects, effect{in.Op, in.Imm, in.A, in.B, in.C})
			for _, a := range operands(in) {
				if !l.uniform(a) && !out[a] {
					out[a] = true
					l.outs = append(l.outs, a)
				}
			}
		}
	}
}

// constants writes those of the uniform values that are the same in every run into u.
func (l *lowered) constants(u []uint32) {
	for k, v := range l.uniforms {
		if in := &l.ins[v]; in.Op == ir.Const {
			u[k] = in.Imm
		}
	}
}

// evalUniforms works out the other uniform values of a run into u.
func (l *lowered) evalUniforms(e *ir.Env, u []uint32) {
	for n := range l.worked {
		in := &l.worked[n]
		switch in.op {
		case ir.Step:
			u[in.to] = e.Step + uint32(in.phase)
		case ir.Host:
			u[in.to] = e.Host[int(in.phase)*e.HostN+int(in.imm)]
		case ir.Uniform:
			u[in.to] = e.Slots[in.imm][0]
		case opKey:
			x := e.Seed[in.imm%2]
			switch {
			case in.imm == drawnKey:
				x = e.Drawn
			case in.imm%2 == 0:
				x += in.imm / 2 * philox.W0
			default:
				x += in.imm / 2 * philox.W1
			}
			u[in.to] = x
		case opThreshold:
			u[in.to] = threshold(u[in.a])
		case ir.Gather:
			u[in.to] = e.Slots[in.imm][u[in.a]]
		case ir.Rand:
			u[in.to] = philox.Word(u[in.a], e.Step+uint32(in.phase)-e.Drawn, in.aux, in.imm, e.Seed)
		default:
			u[in.to] = evalWord(in.op, u[in.a], u[in.b], u[in.c])
		}
	}
}

// evalWord is ir.Eval of one pure operation.
func evalWord(op ir.Op, a, b, c uint32) uint32 {
	switch op { // the commonest, without the way through slices
	case ir.AddF:
		return word(float(a) + float(b))
	case ir.SubF:
		return word(float(a) - float(b))
	case ir.MulF:
		return word(float32(float(a) * float(b)))
	case ir.I2F:
		return word(float32(int32(a)))
	case ir.AddI:
		return a + b
	case ir.SubI:
		return a - b
	case ir.LtI:
		return truth(int32(a) < int32(b))
	case ir.LtF:
		return truth(float(a) < float(b))
	case ir.Sel:
		if a != 0 {
			return b
		}
		return c
	}
	d := [1]uint32{}
	scalarKernel(op, d[:], []uint32{a}, []uint32{b}, []uint32{c})
	return d[0]
}

// offset is the item of lane 0 of a random column, less Lane0.
func (l *lowered) offset(r *randColumn, u []uint32) uint32 {
	if r.offset == ir.None {
		return 0
	}
	return u[l.uni[r.offset]]
}

type counts struct{ loads, stores, ops, uniforms int }

func (l *lowered) count() counts {
	var n counts
	for v := range l.ins {
		if !l.live[v] {
			continue
		}
		switch op := l.ins[v].Op; {
		case op == ir.Const:
		case l.uniform(ir.Value(v)):
			n.uniforms++
		case op == ir.Load || op == ir.Bit || op == ir.Gather || op == ir.Rand:
			n.loads++
		case op < opKey && !op.Defines() && op != ir.Trap:
			n.stores++
		default:
			n.ops++
		}
	}
	return n
}

func float(w uint32) float32 { return math.Float32frombits(w) }
func word(f float32) uint32  { return math.Float32bits(f) }
