package ir

import (
	"fmt"
	"strings"
)

func (k Kind) String() string {
	if k <= Accum {
		return [...]string{"array", "table", "mask", "accum"}[k]
	}
	return fmt.Sprintf("kind%d", k)
}

// slotKind is the kind of slot that each operation with one expects.
var slotKind = map[Op]Kind{
	Load: Array, Store: Array, Uniform: Table, Gather: Table, Put: Table,
	Bit: Mask, StoreBit: Mask, Scatter: Accum, Scatter2: Accum,
}

// Verify says whether p is well formed: operands are earlier values of the right
// types, slots exist and are of the right kind and type, trap codes are below
// Traps, and no lane can see what another lane of the same run writes: a table
// that the program Puts into is gathered only before, at the very index of the
// Put (a synapse's own element), and read by no Uniform.
func (p *Prog) Verify() error {
	puts := map[uint32]Value{} // by slot: the index of its Puts
	for n := range p.Ins {
		in := &p.Ins[n]
		if err := p.verify(in, n); err != nil {
			return fmt.Errorf("ir: program %q, instruction %d (%s): %w", p.Name, n, p.line(n), err)
		}
		if in.Op == Put {
			if at, ok := puts[in.Imm]; ok && at != in.A {
				return fmt.Errorf("ir: program %q, instruction %d (%s): slot %q is put at two indices, of which the order between lanes would show",
					p.Name, n, p.line(n), p.Slots[in.Imm].Name)
			}
			puts[in.Imm] = in.A
		}
	}
	put := map[uint32]bool{}
	for n := range p.Ins {
		in := &p.Ins[n]
		at, ok := puts[in.Imm]
		switch {
		case in.Op == Put:
			put[in.Imm] = true
		case ok && (in.Op == Uniform || in.Op == Gather && (in.A != at || put[in.Imm])):
			return fmt.Errorf("ir: program %q, instruction %d (%s): slot %q is put by this program; it may be gathered only before, at the index of the put",
				p.Name, n, p.line(n), p.Slots[in.Imm].Name)
		}
	}
	return nil
}

func (p *Prog) verify(in *Instr, n int) error {
	if in.Op >= numOps {
		return fmt.Errorf("unknown operation %d", in.Op)
	}
	if in.Type > F32 {
		return fmt.Errorf("unknown type %d", in.Type)
	}
	sig := signatures[in.Op]
	for i, v := range in.Operands() {
		if v < 0 || int(v) >= n {
			return fmt.Errorf("operand %d is value %d, expected an earlier one", i+1, v)
		}
		d := &p.Ins[v]
		if !d.Op.Defines() {
			return fmt.Errorf("operand %d, %s, has no value", i+1, d.Op)
		}
		if !fits(sig.args[i], d.Type) || sig.args[i] == '*' && !interchange(d.Type, in.Type) {
			return fmt.Errorf("operand %d is %s", i+1, d.Type)
		}
	}
	if r := sig.result; r != "-" && !fits(r[0], in.Type) {
		return fmt.Errorf("the result cannot be %s", in.Type)
	}
	if in.Op == Const && in.Type == Bool && in.Imm > 1 {
		return fmt.Errorf("truth value %d", in.Imm)
	}
	if in.Op == Trap && int(in.Imm) >= p.Traps {
		return fmt.Errorf("trap code %d, expected below %d", in.Imm, p.Traps)
	}
	if kind, ok := slotKind[in.Op]; ok {
		if int(in.Imm) >= len(p.Slots) {
			return fmt.Errorf("slot %d of %d", in.Imm, len(p.Slots))
		}
		s := p.Slots[in.Imm]
		if s.Kind != kind {
			return fmt.Errorf("slot %q is of kind %s, expected %s", s.Name, s.Kind, kind)
		}
		words := in.Op != Bit && in.Op != StoreBit && in.Op != Scatter && in.Op != Scatter2
		if words && !interchange(in.Type, s.Type) && (s.Type == F32 || in.Type != Bool || in.Op != Store && in.Op != Put) {
			return fmt.Errorf("slot %q holds %s", s.Name, s.Type)
		}
	}
	return nil
}

// String lists the program, one instruction a line: "7 f32 = mulf 3 6".
func (p *Prog) String() string {
	var s strings.Builder
	fmt.Fprintf(&s, "program %q, %d traps\n", p.Name, p.Traps)
	for n, slot := range p.Slots {
		fmt.Fprintf(&s, "slot %d %q %s %s\n", n, slot.Name, slot.Kind, slot.Type)
	}
	for n := range p.Ins {
		s.WriteString(p.line(n))
		s.WriteByte('\n')
	}
	return s.String()
}

func (p *Prog) line(n int) string {
	in := &p.Ins[n]
	var s strings.Builder
	if in.Op >= numOps || in.Op.Defines() {
		fmt.Fprintf(&s, "%d %s = ", n, in.Type)
	}
	s.WriteString(in.Op.String())
	if in.Op < numOps {
		for _, v := range in.Operands() {
			fmt.Fprintf(&s, " %d", v)
		}
	}
	switch in.Op {
	case Const:
		switch in.Type {
		case F32:
			fmt.Fprintf(&s, " %#08x %g", in.Imm, float32From(in.Imm))
		case I32:
			fmt.Fprintf(&s, " %d", int32(in.Imm))
		default:
			fmt.Fprintf(&s, " %#x", in.Imm)
		}
	case Load, Uniform, Gather, Bit, Store, StoreBit, Scatter, Scatter2, Put:
		if int(in.Imm) < len(p.Slots) {
			fmt.Fprintf(&s, " %q", p.Slots[in.Imm].Name)
		} else {
			fmt.Fprintf(&s, " slot %d", in.Imm)
		}
	case Host:
		fmt.Fprintf(&s, " word %d", in.Imm)
	case Rand:
		fmt.Fprintf(&s, " stream %#x draw %d", in.Imm, in.Aux)
	case Trap:
		fmt.Fprintf(&s, " code %d", in.Imm)
	}
	if in.Phase != 0 {
		fmt.Fprintf(&s, " phase %d", in.Phase)
	}
	return s.String()
}
