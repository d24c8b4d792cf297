package ir

import "math"

// optimise returns an equal program without what is not needed: loads of what
// this lane has stored take the stored value, stores that a later one overwrites
// go, equal values are shared, constants evaluated, and what reaches no effect
// is dropped. Every effect that stays keeps its bits. Traps always stay.
func optimise(p *Prog) *Prog {
	f := forwarder{seen: map[Instr]Value{}, held: map[uint32]Value{}, raw: map[uint32]int{}}
	f.out = Prog{Name: p.Name, Slots: p.Slots, Traps: p.Traps}
	f.out.Means = moved(p.Means, f.run(p.Ins, func(in *Instr) {}))
	ins, to := live(f.out.Ins)
	f.out.Ins, f.out.Means = ins, moved(f.out.Means, to)
	return &f.out
}

// forwarder rewrites instructions one after the other into out.
type forwarder struct {
	out  Prog
	seen map[Instr]Value  // pure instructions and reads
	held map[uint32]Value // by Array or Mask slot: what this lane's word is
	raw  map[uint32]int   // by slot: the Store or StoreBit that last wrote it
}

// run appends ins; change edits a copy of each first (slots, phases, codes). It
// gives where each value is now.
func (f *forwarder) run(ins []Instr, change func(*Instr)) []Value {
	to := make([]Value, len(ins))
	for n := range ins {
		in := ins[n]
		for i, v := range in.Operands() {
			*[]*Value{&in.A, &in.B, &in.C}[i] = to[v]
		}
		change(&in)
		to[n] = f.put(in)
	}
	return to
}

func (f *forwarder) put(in Instr) Value {
	if in.Op.Commutes() && in.A > in.B {
		in.A, in.B = in.B, in.A
	}
	switch in.Op {
	case Nop:
		return None
	case Load, Bit:
		if v, ok := f.held[in.Imm]; ok {
			switch t := f.out.Ins[v].Type; {
			case interchange(t, in.Type):
				return v
			case t == Bool && in.Type != F32: // a stored Bool read as a word
				return f.put(Instr{Op: Sel, Type: in.Type, A: v, B: f.con(in.Type, 1), C: f.con(in.Type, 0)})
			}
		}
		v := f.append(in)
		f.held[in.Imm] = v
		return v
	case Store, StoreBit:
		if v, ok := f.held[in.Imm]; ok && v == in.A {
			return None // the word is there already
		}
		if old, ok := f.raw[in.Imm]; ok {
			f.out.Ins[old] = Instr{Op: Nop, A: None, B: None, C: None}
		}
		f.raw[in.Imm] = int(f.append(in))
		f.held[in.Imm] = in.A
		return None
	case Put:
		for k := range f.seen { // tables change: what was gathered is no longer what is there
			if k.Op == Gather && k.Imm == in.Imm || k.Op == Uniform && k.Imm == in.Imm {
				delete(f.seen, k)
			}
		}
		return f.append(in)
	case Scatter, Scatter2:
		return f.append(in)
	case Trap:
		if c := &f.out.Ins[in.A]; c.Op == Const && c.Imm == 0 {
			return None
		}
	case Sel:
		if in.B == in.C {
			return in.B
		}
		if c := &f.out.Ins[in.A]; c.Op == Const {
			if c.Imm != 0 {
				return in.B
			}
			return in.C
		}
	}
	if w, ok := foldable(f.out.Ins, &in); ok {
		return f.con(in.Type, w)
	}
	if v, ok := f.seen[in]; ok {
		return v
	}
	v := f.append(in)
	f.seen[in] = v
	return v
}

func (f *forwarder) con(t Type, w uint32) Value {
	return f.put(Instr{Op: Const, Type: t, A: None, B: None, C: None, Imm: w})
}

func (f *forwarder) append(in Instr) Value {
	f.out.Ins = append(f.out.Ins, in)
	return Value(len(f.out.Ins) - 1)
}

// live compacts ins to its effects and what they need, and gives where each value
// is now; None: nowhere.
func live(ins []Instr) ([]Instr, []Value) {
	need := make([]bool, len(ins))
	for n := len(ins) - 1; n >= 0; n-- {
		in := &ins[n]
		if in.Op != Nop && !in.Op.Defines() {
			need[n] = true
		}
		if need[n] {
			for _, v := range in.Operands() {
				need[v] = true
			}
		}
	}
	to := make([]Value, len(ins))
	var out []Instr
	for n := range ins {
		if to[n] = None; !need[n] {
			continue
		}
		in := ins[n]
		for i, v := range in.Operands() {
			*[]*Value{&in.A, &in.B, &in.C}[i] = to[v]
		}
		to[n] = Value(len(out))
		out = append(out, in)
	}
	return out, to
}

// Part is a program to be run as part of a fused one.
type Part struct {
	Prog  *Prog
	Phase uint8    // added to the phase of Step, Host and Rand
	Slots []uint32 // by slot of Prog: the slot of the result
}

// Concat makes one program of parts that run one after the other on the same
// lanes: the application of step n, the update of step n+1, and so on. Slots of
// the result that no part names have an empty name. Trap codes of each part
// follow those of the part before. What one part stores and a later one loads is
// handed on in a value; of several stores to one slot the last stays; traps
// stay all, so that a value which a later part hides is still checked. Distinct
// slots of the result must be distinct memory.
func Concat(name string, parts ...Part) (*Prog, error) {
	f := forwarder{seen: map[Instr]Value{}, held: map[uint32]Value{}, raw: map[uint32]int{}}
	f.out.Name = name
	known := map[uint32]bool{}
	for n, part := range parts {
		p := part.Prog
		if len(part.Slots) != len(p.Slots) {
			return nil, errorf("concat %q: part %d (%q) has %d slots, %d are mapped", name, n, p.Name, len(p.Slots), len(part.Slots))
		}
		for i, to := range part.Slots {
			for int(to) >= len(f.out.Slots) {
				f.out.Slots = append(f.out.Slots, Slot{})
			}
			s, have := p.Slots[i], f.out.Slots[to]
			if known[to] && (s.Kind != have.Kind || !interchange(s.Type, have.Type)) {
				return nil, errorf("concat %q: slot %q of part %d (%q) is %s %s, mapped to %q, %s %s",
					name, s.Name, n, p.Name, s.Kind, s.Type, have.Name, have.Kind, have.Type)
			}
			if !known[to] {
				known[to], f.out.Slots[to] = true, s
			}
		}
		traps := uint32(f.out.Traps)
		f.out.Traps += p.Traps
		f.run(p.Ins, func(in *Instr) {
			if _, ok := slotKind[in.Op]; ok {
				in.Imm = part.Slots[in.Imm]
			}
			switch in.Op {
			case Step, Host, Rand:
				in.Phase += part.Phase
			case Trap:
				in.Imm += traps
			}
		})
	}
	f.out.Ins, _ = live(f.out.Ins)
	return &f.out, f.out.Verify()
}

func float32From(w uint32) float32 { return math.Float32frombits(w) }
