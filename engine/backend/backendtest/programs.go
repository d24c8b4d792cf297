package backendtest

import (
	"math"

	"synfire/engine/ir"
)

// text writes programs one instruction after the other, as they stand: no
// builder between the suite and what it tests.
type text struct{ ir.Prog }

func write(name string) *text { return &text{ir.Prog{Name: name}} }

func (c *text) slot(name string, k ir.Kind, t ir.Type) uint32 {
	c.Slots = append(c.Slots, ir.Slot{Name: name, Kind: k, Type: t})
	return uint32(len(c.Slots) - 1)
}

func (c *text) put(in ir.Instr, args ...ir.Value) ir.Value {
	in.A, in.B, in.C = ir.None, ir.None, ir.None
	for i, a := range args {
		*[]*ir.Value{&in.A, &in.B, &in.C}[i] = a
	}
	c.Ins = append(c.Ins, in)
	return ir.Value(len(c.Ins) - 1)
}

// f, i and b are operations with a float, an integer and a truth value as result.
func (c *text) f(op ir.Op, args ...ir.Value) ir.Value {
	return c.put(ir.Instr{Op: op, Type: ir.F32}, args...)
}
func (c *text) i(op ir.Op, args ...ir.Value) ir.Value {
	return c.put(ir.Instr{Op: op, Type: ir.U32}, args...)
}
func (c *text) b(op ir.Op, args ...ir.Value) ir.Value {
	return c.put(ir.Instr{Op: op, Type: ir.Bool}, args...)
}

func (c *text) float(x float32) ir.Value {
	return c.put(ir.Instr{Op: ir.Const, Type: ir.F32, Imm: math.Float32bits(x)})
}
func (c *text) word(x uint32) ir.Value {
	return c.put(ir.Instr{Op: ir.Const, Type: ir.U32, Imm: x})
}

// of is an operation on a slot.
func (c *text) of(op ir.Op, slot uint32, args ...ir.Value) ir.Value {
	return c.put(ir.Instr{Op: op, Type: c.Slots[slot].Type, Imm: slot}, args...)
}

func (c *text) rand(stream, draw uint32) ir.Value {
	return c.put(ir.Instr{Op: ir.Rand, Type: ir.U32, Imm: stream, Aux: draw}, c.i(ir.Lane))
}

// unit is a uniform number in [0, 1).
func (c *text) unit(word ir.Value) ir.Value {
	return c.f(ir.MulF, c.f(ir.I2F, c.i(ir.ShrU, word, c.word(8))), c.float(0x1p-24))
}

func (c *text) trap(cond ir.Value, code uint32) {
	c.put(ir.Instr{Op: ir.Trap, Imm: code}, cond)
	c.Traps = max(c.Traps, int(code)+1)
}

// leak: v = 0.9375 v + drive + noise u, u uniform in [0, 1); fires above 1.
func leak(drive, noise float32, stream uint32) *ir.Prog {
	c := write("update")
	v, s := c.slot("v", ir.Array, ir.F32), c.slot("spike", ir.Mask, ir.Bool)
	x := c.f(ir.AddF, c.f(ir.MulZ, c.of(ir.Load, v), c.float(0.9375)), c.float(drive))
	if noise != 0 {
		x = c.f(ir.AddF, x, c.f(ir.MulZ, c.unit(c.rand(stream, 0)), c.float(noise)))
	}
	x = c.f(ir.Canon, x)
	c.of(ir.Store, v, x)
	c.of(ir.StoreBit, s, c.b(ir.LtF, c.float(1), x))
	return &c.Prog
}

// coin fires with probability rate.
func coin(rate float64, stream uint32) *ir.Prog {
	c := write("chance")
	s := c.slot("spike", ir.Mask, ir.Bool)
	fire := c.put(ir.Instr{Op: ir.Const, Type: ir.Bool, Imm: 1})
	if rate < 1 {
		fire = c.b(ir.LtU, c.rand(stream, 0), c.word(uint32(rate*0x1p32)))
	}
	c.of(ir.StoreBit, s, fire)
	return &c.Prog
}

// applied: v += acc / 1024.
func applied() *ir.Prog {
	c := write("apply")
	v, acc := c.slot("v", ir.Array, ir.F32), c.slot("acc", ir.Array, ir.I32)
	sum := c.f(ir.MulF, c.f(ir.I2F, c.of(ir.Load, acc)), c.float(0x1p-10))
	c.of(ir.Store, v, c.f(ir.Canon, c.f(ir.AddF, c.of(ir.Load, v), sum)))
	return &c.Prog
}

// zeroed: v = 0 where the neuron fired.
func zeroed() *ir.Prog {
	c := write("reset")
	v, s := c.slot("v", ir.Array, ir.F32), c.slot("spike", ir.Mask, ir.Bool)
	c.of(ir.Store, v, c.f(ir.Sel, c.of(ir.Bit, s), c.float(0), c.of(ir.Load, v)))
	return &c.Prog
}

// counter counts in an integer variable how often the stage has run.
func counter() *ir.Prog {
	c := write("count")
	n := c.slot("n", ir.Array, ir.U32)
	c.of(ir.Store, n, c.i(ir.AddI, c.of(ir.Load, n), c.word(1)))
	return &c.Prog
}
