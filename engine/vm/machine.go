package vm

import (
	"fmt"
	"sync"

	"synfire/engine/ir"
	"synfire/engine/philox"
)

// A kernel sets d[i] to op of a[i], b[i], c[i] for every i; operands that the
// operation lacks may be nil. Truth values are the words 0 and 1.
type kernel func(op ir.Op, d, a, b, c []uint32)

// A filler sets dst to the random words of consecutive items from first on.
type filler func(dst []uint32, first, step, draw, stream uint32, key [2]uint32)

// An engine is what a mode of the register machine is made of.
type engine struct {
	kernel kernel
	fill   filler
	pack   func(mask, a []uint32) // sets bit i of mask to a[i]
}

var scalarEngine = engine{scalarKernel, scalarFill, storeBits}

// machine runs a lowered program one instruction after the other over blocks of
// lanes. Registers are blocks, reused as soon as their values are dead, so that
// all of them stay in the first-level cache.
//
// Operands are numbered: first the slots, read in place, then the uniforms, then
// the registers.
type machine struct {
	low   *lowered
	eng   *engine
	steps []step
	block int        // lanes of a block, a power of two
	regs  int        // registers
	fixed []int32    // uniforms that lanes use
	cols  [][3]int32 // operands of each effect
	loads []uint32   // slots that are read in place
	pool  sync.Pool
}

// A step is one instruction; d, a, b and c are operands, -1 if absent.
type step struct {
	op         ir.Op
	phase      uint8
	d, a, b, c int32
	imm, aux   uint32
}

type machineState struct {
	vals     [][]uint32
	uniforms []uint32
	columns  [][]uint32 // operands of effects
}

func newMachine(l *lowered, m Mode) *machine {
	c := &machine{low: l, eng: blockKernels(m)}
	c.allocate()
	for c.block = 1024; c.block > 128 && c.block*4*(c.regs+len(c.fixed)) > 40<<10; {
		c.block /= 2
	}
	c.pool.New = func() any { return c.newState() }
	return c
}

func (c *machine) newState() *machineState {
	slots, n := len(c.low.prog.Slots), len(c.low.uniforms)
	s := &machineState{
		vals:     make([][]uint32, slots+n+c.regs),
		uniforms: make([]uint32, n),
		columns:  make([][]uint32, 3*len(c.low.effects)),
	}
	c.low.constants(s.uniforms)
	mem := make([]uint32, c.block*(len(c.fixed)+c.regs))
	next := func() []uint32 {
		b := mem[:c.block:c.block]
		mem = mem[c.block:]
		return b
	}
	for _, k := range c.fixed {
		s.vals[slots+int(k)] = next()
	}
	for k := range c.regs {
		s.vals[slots+n+k] = next()
	}
	return s
}

// allocate turns live instructions into steps with registers.
func (c *machine) allocate() {
	l := c.low
	slots, unis := len(l.prog.Slots), len(l.uniforms)
	last := make([]int, len(l.ins))
	firstStore := make([]int, slots)
	for n := range firstStore {
		firstStore[n] = len(l.ins)
	}
	for n := range l.ins {
		in := &l.ins[n]
		if !l.live[n] || l.uniform(ir.Value(n)) {
			continue
		}
		for _, a := range operands(in) {
			last[a] = n
		}
		if in.Op == ir.Store && firstStore[in.Imm] > n {
			firstStore[in.Imm] = n
		}
	}
	for _, v := range l.outs {
		last[v] = len(l.ins)
	}
	place := make([]int32, len(l.ins))
	fixed := make([]bool, unis)
	var free []int32
	operand := func(v ir.Value) int32 {
		if v == ir.None {
			return -1
		}
		k := l.uni[v]
		if k < 0 {
			return place[v]
		}
		if !fixed[k] {
			fixed[k] = true
			c.fixed = append(c.fixed, k)
		}
		return int32(slots) + k
	}
	seen := make([]bool, slots)
	for n := range l.ins {
		in := &l.ins[n]
		if !l.live[n] || l.uniform(ir.Value(n)) {
			continue
		}
		switch in.Op {
		case ir.Scatter, ir.Scatter2, ir.Put:
			continue
		case ir.Load:
			if firstStore[in.Imm] >= last[n] && last[n] < len(l.ins) {
				place[n] = int32(in.Imm)
				if !seen[in.Imm] {
					seen[in.Imm] = true
					c.loads = append(c.loads, in.Imm)
				}
				continue
			}
		}
		ops := [3]ir.Value{ir.None, ir.None, ir.None}
		copy(ops[:], operands(in))
		s := step{in.Op, in.Phase, -1, operand(ops[0]), operand(ops[1]), operand(ops[2]), in.Imm, in.Aux}
		for k, a := range ops {
			if a == ir.None || l.uniform(a) || last[a] != n || int(place[a]) < slots {
				continue
			}
			if (k > 0 && a == ops[0]) || (k > 1 && a == ops[1]) {
				continue
			}
			free = append(free, place[a])
		}
		if in.Op < opKey && in.Op.Defines() {
			if len(free) == 0 {
				free = append(free, int32(slots+unis+c.regs))
				c.regs++
			}
			s.d = free[len(free)-1]
			free = free[:len(free)-1]
			place[n] = s.d
		}
		c.steps = append(c.steps, s)
	}
	for _, f := range l.effects {
		c.cols = append(c.cols, [3]int32{operand(f.a), operand(f.b), operand(f.c)})
	}
}

func (c *machine) run(e *ir.Env, lo, hi int) {
	s := c.pool.Get().(*machineState)
	slots := len(c.low.prog.Slots)
	c.low.evalUniforms(e, s.uniforms)
	width := min(c.block, hi-lo)
	for _, k := range c.fixed {
		b := s.vals[slots+int(k)][:width]
		x := s.uniforms[k]
		for i := range b {
			b[i] = x
		}
	}
	for ; lo < hi; lo += c.block {
		c.runBlock(s, e, lo, min(hi, lo+c.block))
	}
	for _, k := range c.loads {
		s.vals[k] = nil // keep no memory of the caller alive
	}
	c.pool.Put(s)
}

func (c *machine) runBlock(s *machineState, e *ir.Env, lo, hi int) {
	n := hi - lo
	for _, k := range c.loads {
		s.vals[k] = e.Slots[k][lo:hi:hi]
	}
	val := func(k int32) []uint32 {
		if k < 0 {
			return nil
		}
		return s.vals[k][:n]
	}
	for i := range c.steps {
		t := &c.steps[i]
		d, a, b := val(t.d), val(t.a), val(t.b)
		switch t.op {
		case ir.Load:
			copy(d, e.Slots[t.imm][lo:hi])
		case ir.Gather:
			table := e.Slots[t.imm]
			for i, k := range a {
				d[i] = table[k]
			}
		case ir.Bit:
			mask := e.Slots[t.imm][lo/32:]
			for i := range d {
				d[i] = mask[i/32] >> (i % 32) & 1
			}
		case ir.Lane:
			for i := range d {
				d[i] = e.Lane0 + uint32(lo+i)
			}
		case ir.Rand:
			c.random(s, e, t, d, a, lo)
		case ir.Store:
			copy(e.Slots[t.imm][lo:hi], a)
		case ir.StoreBit:
			c.eng.pack(e.Slots[t.imm][lo/32:], a)
		case ir.Trap:
			for i, x := range a {
				if x != 0 {
					e.Traps[t.imm] = min(e.Traps[t.imm], e.Lane0+uint32(lo+i))
				}
			}
		default:
			c.eng.kernel(t.op, d, a, b, val(t.c))
		}
	}
	if len(c.cols) == 0 {
		return
	}
	for k, col := range c.cols {
		for j, x := range col {
			if x >= 0 {
				s.columns[3*k+j] = s.vals[x]
			} else {
				s.columns[3*k+j] = noWord
			}
		}
	}
	c.low.applyEffects(e, n, s.columns)
}

var noWord = []uint32{0}

func (c *machine) random(s *machineState, e *ir.Env, t *step, d, item []uint32, lo int) {
	if item != nil {
		for i, k := range item {
			d[i] = philox.Word(k, e.Step+uint32(t.phase)-e.Drawn, t.aux, t.imm, e.Seed)
		}
		return
	}
	r := &c.low.rands[t.imm]
	c.eng.fill(d, e.Lane0+uint32(lo)+c.low.offset(r, s.uniforms), e.Step+uint32(r.phase)-e.Drawn, r.draw, r.stream, e.Seed)
}

// storeBits sets bit i of mask to a[i].
func storeBits(mask, a []uint32) {
	for len(a) >= 32 {
		w := uint32(0)
		for i, x := range a[:32] {
			w |= x << i
		}
		mask[0] = w
		mask, a = mask[1:], a[32:]
	}
	if len(a) > 0 {
		w := uint32(0)
		for i, x := range a {
			w |= x << i
		}
		mask[0] = mask[0]&^(1<<len(a)-1) | w
	}
}

// scalarFill is the portable filler.
func scalarFill(dst []uint32, first, step, draw, stream uint32, key [2]uint32) {
	for i := 0; i < len(dst); {
		item := first + uint32(i)
		block := philox.Block([4]uint32{item / 4, step, draw, stream}, key)
		i += copy(dst[i:], block[item%4:])
	}
}

func (c *machine) listing() string {
	return fmt.Sprintf("%d steps over blocks of %d lanes, %d registers, %d uniform blocks, %d slots read in place\n",
		len(c.steps), c.block, c.regs, len(c.fixed), len(c.loads))
}
