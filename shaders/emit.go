package shaders

import (
	"fmt"

	"synfire/engine/ir"
)

// memory says how a program's slots are reached: each function returns a cell,
// an expression of type uint (bool for bit), or the statement of an effect.
type memory struct {
	lane   string // the item, a uint
	step   string // the step, a uint
	host   func(word uint32) string
	load   func(slot uint32) string
	at     func(slot uint32, index string) cell
	bit    func(slot uint32) string
	store  func(slot uint32, word string) string
	setBit func(slot uint32, cond string) string
	trap   func(code uint32) string         // the statement of a trap
	rand   func(draw, stream uint32) string // a word of the lane's own item; nil: philox of it
	word   func(w uint32) string            // a constant; nil: as it is
}

func (m *memory) constant(w uint32) string {
	if m.word == nil {
		return fmt.Sprintf("0x%xu", w)
	}
	return m.word(w)
}

// Bit patterns of the limits in design section 3.
const (
	bits100  = "0x0d800000u" // 2^-100
	bits80   = "0x17800000u" // 2^-80
	bits40   = "0x53800000u" // 2^40
	bitsSign = "0x80000000u"
	bitsMag  = "0x7fffffffu"
)

// name is the variable that holds value v.
func name(p *ir.Prog, v ir.Value) string {
	return fmt.Sprintf("%c%d", "buuf"[resultType(&p.Ins[v])], v)
}

// resultType is the type of an instruction's result: its own, except for
// operations that fix it.
func resultType(in *ir.Instr) ir.Type {
	switch in.Op {
	case ir.Bit, ir.LtF, ir.LeF, ir.EqF, ir.LtI, ir.LtU, ir.EqI, ir.AndB, ir.OrB, ir.NotB:
		return ir.Bool
	case ir.AddF, ir.SubF, ir.MulF, ir.MulZ, ir.NegF, ir.AbsF, ir.FloorF, ir.Canon, ir.I2F, ir.Float:
		return ir.F32
	case ir.Const, ir.Load, ir.Uniform, ir.Gather, ir.Host, ir.Sel:
		return in.Type
	}
	return ir.U32
}

// fromWord turns the word expression w into a value of type t.
func fromWord(t ir.Type, w string) string {
	switch t {
	case ir.Bool:
		return "(" + w + ") != 0u"
	case ir.F32:
		return "uintBitsToFloat(" + w + ")"
	}
	return w
}

// toWord turns variable v of type t into a word.
func toWord(t ir.Type, v string) string {
	switch t {
	case ir.Bool:
		return v + " ? 1u : 0u"
	case ir.F32:
		return "floatBitsToUint(" + v + ")"
	}
	return v
}

// emit appends the statements of p, one for each instruction. Every float
// operation has a temporary of its own, marked precise, so that a compiler may
// neither fuse nor reorder; operations that drivers take liberties with are
// written on bits.
func emit(t *text, p *ir.Prog, m *memory) {
	for n := range p.Ins {
		in := &p.Ins[n]
		origin := fmt.Sprintf("%s: %d %s", p.Name, n, in.Op)
		if !in.Op.Defines() {
			if s := effect(p, in, m); s != "" {
				t.from(origin, "%s", s)
			}
			continue
		}
		v := name(p, ir.Value(n))
		if in.Op == ir.MulHi {
			t.from(origin, "uint %s, l%d; umulExtended(%s, %s, %s, l%d);", v, n, name(p, in.A), name(p, in.B), v, n)
			continue
		}
		typ := [...]string{"bool", "uint", "uint", "precise float"}[resultType(in)]
		if in.Op == ir.MulZ {
			t.from(origin, "precise float p%d = %s * %s;", n, name(p, in.A), name(p, in.B))
		}
		t.from(origin, "%s %s = %s;", typ, v, expression(p, n, m))
	}
}

// expression is the right side of instruction n.
func expression(p *ir.Prog, n int, m *memory) string {
	in := &p.Ins[n]
	var a, b, c string
	for i, v := range in.Operands() {
		*[]*string{&a, &b, &c}[i] = name(p, v)
	}
	f := fmt.Sprintf
	switch in.Op {
	case ir.Const:
		return fromWord(in.Type, m.constant(in.Imm))
	case ir.Load:
		return fromWord(in.Type, m.load(in.Imm))
	case ir.Uniform:
		return fromWord(in.Type, m.at(in.Imm, "0u").get())
	case ir.Gather:
		return fromWord(in.Type, m.at(in.Imm, a).get())
	case ir.Bit:
		return m.bit(in.Imm)
	case ir.Lane:
		return m.lane
	case ir.Step:
		return m.step
	case ir.Host:
		return fromWord(in.Type, m.host(in.Imm))
	case ir.Rand:
		if p.Ins[in.A].Op == ir.Lane && m.rand != nil {
			return m.rand(in.Aux, in.Imm)
		}
		return f("philox(%s, %s, %s, %s)", a, m.step, m.constant(in.Aux), m.constant(in.Imm))
	case ir.AddF:
		return a + " + " + b
	case ir.SubF:
		return a + " - " + b
	case ir.MulF:
		return a + " * " + b
	case ir.MulZ:
		return f("(floatBitsToUint(p%d) & %s) < %s ? 0.0 : p%d", n, bitsMag, bits100, n)
	case ir.NegF:
		return f("uintBitsToFloat(negate(floatBitsToUint(%s)))", a)
	case ir.AbsF:
		return f("uintBitsToFloat(floatBitsToUint(%s) & %s)", a, bitsMag)
	case ir.FloorF:
		return f("floor(%s)", a)
	case ir.LtF, ir.LtU:
		return a + " < " + b
	case ir.LeF:
		return a + " <= " + b
	case ir.EqF, ir.EqI:
		return a + " == " + b
	case ir.Canon:
		return f("uintBitsToFloat(canon(floatBitsToUint(%s)))", a)
	case ir.F2I:
		return f("truncated(%s)", a)
	case ir.I2F:
		return f("float(int(%s))", a)
	case ir.Bits:
		return f("floatBitsToUint(%s)", a)
	case ir.Float:
		return f("uintBitsToFloat(%s)", a)
	case ir.AddI:
		return a + " + " + b
	case ir.SubI:
		return a + " - " + b
	case ir.MulI:
		return a + " * " + b
	case ir.And:
		return a + " & " + b
	case ir.Or:
		return a + " | " + b
	case ir.Xor:
		return a + " ^ " + b
	case ir.Shl:
		return f("%s << (%s & 31u)", a, b)
	case ir.ShrU:
		return f("%s >> (%s & 31u)", a, b)
	case ir.ShrS:
		return f("uint(int(%s) >> (%s & 31u))", a, b)
	case ir.LtI:
		return f("int(%s) < int(%s)", a, b)
	case ir.AndB:
		return a + " && " + b
	case ir.OrB:
		return a + " || " + b
	case ir.NotB:
		return "!" + a
	case ir.Sel:
		return a + " ? " + b + " : " + c
	}
	return f("unknown_operation_%d", in.Op) // Verify lets none through; the compiler names it if it does
}

// effect is the statement of an instruction without a result.
func effect(p *ir.Prog, in *ir.Instr, m *memory) string {
	var v [3]string
	for i, x := range in.Operands() {
		v[i] = name(p, x)
	}
	word := func(x ir.Value) string { return toWord(resultType(&p.Ins[x]), name(p, x)) }
	switch in.Op {
	case ir.Store:
		return m.store(in.Imm, word(in.A))
	case ir.StoreBit:
		return m.setBit(in.Imm, v[0])
	case ir.Scatter:
		return m.at(in.Imm, v[0]).atomic("Add", v[1]) + ";"
	case ir.Scatter2:
		low, high := m.at(in.Imm, "2u * "+v[0]), m.at(in.Imm, "2u * "+v[0]+" + 1u")
		carried := fmt.Sprintf("%s + (old + %s < old ? 1u : 0u)", v[2], v[1])
		return fmt.Sprintf("if ((%s | %s) != 0u) { uint old = %s; %s; }", v[1], v[2], low.atomic("Add", v[1]), high.atomic("Add", carried))
	case ir.Put:
		return m.at(in.Imm, v[0]).set(word(in.B))
	case ir.Trap:
		return fmt.Sprintf("if (%s) { %s }", v[0], m.trap(in.Imm))
	}
	return ""
}

// prelude holds the functions that emitted statements call. KEY and DRAWN stand for the
// expression of the two words of the Philox key.
const prelude = `uint negate(uint a) { return a == 0u ? 0u : a ^ 0x80000000u; }
uint canon(uint a) {
	uint m = a & 0x7fffffffu;
	return m < 0x17800000u ? 0u : m > 0x53800000u ? (a & 0x80000000u) | 0x53800000u : a;
}
uint truncated(float x) {
	precise float a = x;
	precise float low = a < uintBitsToFloat(0xcf000000u) ? uintBitsToFloat(0xcf000000u) : a;
	precise float c = low > uintBitsToFloat(0x4effffffu) ? uintBitsToFloat(0x4effffffu) : low;
	return uint(int(c));
}
uvec4 block(uint quad, uint step, uint draw, uint stream) {
	uvec4 c = uvec4(quad, step - DRAWN, draw, stream);
	uvec2 k = KEY;
	for (int i = 0; i < 10; i++) {
		uint h0, l0, h1, l1;
		umulExtended(0xd2511f53u, c.x, h0, l0);
		umulExtended(0xcd9e8d57u, c.z, h1, l1);
		c = uvec4(h1 ^ c.y ^ k.x, l1, h0 ^ c.w ^ k.y, l0);
		k += uvec2(0x9e3779b9u, 0xbb67ae85u);
	}
	return c;
}
uint philox(uint item, uint step, uint draw, uint stream) {
	uvec4 c = block(item >> 2, step, draw, stream);
	uint q = item & 3u;
	return q < 2u ? (q == 0u ? c.x : c.y) : (q == 2u ? c.z : c.w);
}
`
