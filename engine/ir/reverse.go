package ir

import (
	"fmt"
	"math"
)

// Reverse is a program read backwards: it carries derivatives of some loss with
// respect to what the program writes over to what it reads. First run Tape, which
// leaves what the derivatives need in a column for each of Columns; then Lanes.
//
// Every float operation has the derivative of the real operation, saturations
// included; roundings to whole numbers have 0, to fixed point 1. A comparison has
// none but where it decides an event (StoreBit): there the derivative is a
// surrogate's. Whole numbers and truth values that are stored carry none.
type Reverse struct {
	Prog    *Prog
	Tape    *Prog   // Prog without its effects, storing one word of each lane to a slot for each of Columns, behind Prog's slots
	Columns []Value // what Tape stores
	at      []int32 // by value: its column; -1: none
	active  []bool  // by value: has a derivative that is wanted
	event   []bool  // by truth value: decides an event
	mask    []bool  // by truth value: made of bits of masks
	means   map[Value]Meaning
}

// Derivatives are those of the loss with respect to the words of each slot, as
// Env.Slots has the words (of a Mask slot: to the bit of each lane, one number
// each). nil: not wanted; what the program writes and another reads must have them.
// Where a program stores a word, its derivative with respect to the word before
// takes the place of that with respect to the word after.
type Derivatives struct {
	Slots     [][]float64
	Sums      [][]float64             // where not nil: for each Scatter and Scatter2, in their order, by lane in place of the slot's
	Surrogate func(x float64) float64 // the derivative of an event by what decides it, x above 0 where it takes place
}

// NewReverse prepares p. varies says of each slot that the derivative with respect
// to its words, as they are read, is wanted.
func NewReverse(p *Prog, varies []bool) (*Reverse, error) {
	if err := p.Verify(); err != nil {
		return nil, err
	}
	n := len(p.Ins)
	r := &Reverse{Prog: p, at: make([]int32, n), active: make([]bool, n), event: make([]bool, n), mask: make([]bool, n), means: map[Value]Meaning{}}
	for _, m := range p.Means {
		r.means[m.Value] = m
	}
	stored := map[uint32]bool{}
	for k := range p.Ins { // what depends on what varies
		in := &p.Ins[k]
		switch in.Op {
		case Load, Bit:
			if stored[in.Imm] {
				return nil, fmt.Errorf("ir: program %q, instruction %d: slot %q is read after it was written; derivatives are of programs that Builder made", p.Name, k, p.Slots[in.Imm].Name)
			}
			r.active[k], r.mask[k] = varies[in.Imm], in.Op == Bit
		case Gather, Uniform:
			r.active[k] = varies[in.Imm]
		case Store, StoreBit:
			stored[in.Imm] = true
		case AndB, OrB, NotB:
			r.mask[k] = r.mask[in.A] || in.Op != NotB && r.mask[in.B]
		}
		for _, v := range in.Operands() {
			r.active[k] = r.active[k] || r.active[v]
		}
		switch m, ok := r.means[Value(k)]; {
		case ok && m.As == Whole:
			r.active[k] = false
		case ok:
			r.active[k] = r.active[m.Of]
		}
	}
	// What an effect depends on.
	used := make([]bool, n)
	need := make([]bool, n)
	for k := n - 1; k >= 0; k-- {
		in := &p.Ins[k]
		if !in.Op.Defines() {
			r.effect(in, used, need)
			continue
		}
		if r.active[k] = r.active[k] && used[k]; !r.active[k] {
			continue
		}
		if m, ok := r.means[Value(k)]; ok {
			used[m.Of] = true
			continue
		}
		r.operands(in, k, used, need)
	}
	for k := range p.Ins {
		if r.at[k] = -1; need[k] && p.Ins[k].Op != Const {
			r.at[k] = int32(len(r.Columns))
			r.Columns = append(r.Columns, Value(k))
		}
	}
	r.Tape = Taped(p, r.Columns)
	return r, r.Tape.Verify()
}

// Taped is p without its effects that stores values of each lane, one slot for each
// behind the slots of p.
func Taped(p *Prog, values []Value) *Prog {
	tape := &Prog{Name: p.Name + " tape", Slots: append([]Slot(nil), p.Slots...), Ins: make([]Instr, 0, len(p.Ins)+len(values))}
	for _, in := range p.Ins {
		if !in.Op.Defines() {
			in = Instr{Op: Nop, A: None, B: None, C: None}
		}
		tape.Ins = append(tape.Ins, in)
	}
	for _, v := range values {
		t := p.Ins[v].Type
		tape.Ins = append(tape.Ins, Instr{Op: Store, Type: t, A: v, B: None, C: None, Imm: uint32(len(tape.Slots))})
		tape.Slots = append(tape.Slots, Slot{Name: fmt.Sprintf("tape %d", v), Kind: Array, Type: t})
	}
	tape.Ins, _ = live(tape.Ins)
	return tape
}

// Reaches lists the slots to which the program writes what depends on what varies.
func (r *Reverse) Reaches() (slots []uint32) {
	for k := range r.Prog.Ins {
		in := &r.Prog.Ins[k]
		v := None
		switch in.Op {
		case Store, StoreBit:
			v = in.A
		case Scatter, Scatter2, Put:
			v = in.B
		}
		if v != None && r.active[v] && (in.Type == F32 || in.Op != Store && in.Op != Put) {
			slots = append(slots, in.Imm)
		}
	}
	return slots
}

// effect marks what an effect hands derivatives to, and the values that this takes.
func (r *Reverse) effect(in *Instr, used, need []bool) {
	switch in.Op {
	case Store:
		used[in.A] = in.Type == F32 || used[in.A]
	case StoreBit:
		used[in.A] = true
		r.decides(in.A)
	case Scatter, Scatter2:
		used[in.B], need[in.A] = true, true
	case Put:
		used[in.B], need[in.A] = in.Type == F32 || used[in.B], true
	}
}

// decides marks the conditions that an event is made of.
func (r *Reverse) decides(v Value) {
	r.event[v] = true
	if in := &r.Prog.Ins[v]; in.Op == AndB || in.Op == OrB || in.Op == NotB {
		for _, x := range in.Operands() {
			r.decides(x)
		}
	}
}

// operands marks what the derivative of an instruction reaches and takes.
func (r *Reverse) operands(in *Instr, k int, used, need []bool) {
	to := func(vs ...Value) {
		for _, v := range vs {
			used[v] = true
		}
	}
	takes := func(vs ...Value) {
		for _, v := range vs {
			need[v] = true
		}
	}
	switch in.Op {
	case AddF, SubF, AddI, SubI:
		to(in.A, in.B)
	case MulF, MulZ:
		to(in.A, in.B)
		takes(in.A, in.B)
	case AbsF, Canon:
		to(in.A)
		takes(in.A)
	case NegF, I2F, Or, ShrU, Shl, And:
		to(in.A)
		if in.Op == Or || in.Op == And {
			to(in.B)
		}
	case Bits:
		to(in.A)
		takes(in.A)
	case Float:
		to(in.A)
		takes(Value(k))
	case LtF, LeF:
		if r.event[k] {
			to(in.A, in.B)
			takes(in.A, in.B)
		}
	case AndB, OrB:
		to(in.A, in.B)
		takes(in.A, in.B)
	case NotB:
		to(in.A)
	case Sel:
		to(in.B, in.C)
		takes(in.A)
		if in.Type == F32 && r.mask[in.A] {
			to(in.A)
			takes(in.B, in.C)
		}
	case Gather:
		takes(in.A)
	}
}

// block is how many lanes are done at a time.
const block = 64

type lanes [block]float64

// Scratch is memory that calls of Lanes use one after the other.
type Scratch struct{ a []lanes }

// Lanes carries derivatives back through lanes 0 to n-1, of which tape holds the
// columns. d changes in place.
func (r *Reverse) Lanes(tape [][]uint32, n int, d *Derivatives, s *Scratch) {
	for len(s.a) < len(r.Prog.Ins) {
		s.a = append(s.a, lanes{})
	}
	for lo := 0; lo < n; lo += block {
		r.block(tape, lo, min(n-lo, block), d, s.a)
	}
}

// word is value v of a lane.
func (r *Reverse) word(tape [][]uint32, v Value, lane int) uint32 {
	if c := r.at[v]; c >= 0 {
		return tape[c][lane]
	}
	return r.Prog.Ins[v].Imm
}

func (r *Reverse) float(tape [][]uint32, v Value, lane int) float64 {
	return float64(math.Float32frombits(r.word(tape, v, lane)))
}

// column is value v of all lanes from lo on, or the one of a constant.
func (r *Reverse) column(tape [][]uint32, v Value, lo, n int) (col []uint32, same float64) {
	if c := r.at[v]; c >= 0 {
		return tape[c][lo : lo+n], 0
	}
	return nil, float64(math.Float32frombits(r.Prog.Ins[v].Imm))
}

func (r *Reverse) block(tape [][]uint32, lo, n int, d *Derivatives, a []lanes) {
	for k := range r.active {
		if r.active[k] {
			a[k] = lanes{}
		}
	}
	ins, sums := r.Prog.Ins, len(d.Sums)
	for k := len(ins) - 1; k >= 0; k-- {
		in := &ins[k]
		if d.Sums != nil && (in.Op == Scatter || in.Op == Scatter2) {
			if sums--; r.active[in.B] {
				add(&a[in.B], d.Sums[sums][lo:lo+n], 1)
			}
			continue
		}
		if !in.Op.Defines() {
			r.backEffect(in, tape, lo, n, d, a)
			continue
		}
		if !r.active[k] {
			continue
		}
		g := a[k][:n]
		if m, ok := r.means[Value(k)]; ok {
			f := m.Scale
			if m.As == Total {
				f = 1 / f
			}
			if r.active[m.Of] {
				add(&a[m.Of], g, f)
			}
			continue
		}
		onA := in.A >= 0 && r.active[in.A]
		onB := in.B >= 0 && r.active[in.B]
		switch in.Op {
		case Load, Bit:
			if to := d.Slots[in.Imm]; to != nil {
				for i, x := range g {
					to[lo+i] += x
				}
			}
		case Uniform:
			if to := d.Slots[in.Imm]; to != nil {
				for _, x := range g {
					to[0] += x
				}
			}
		case Gather:
			if to := d.Slots[in.Imm]; to != nil {
				for i, x := range g {
					if x != 0 {
						to[r.word(tape, in.A, lo+i)] += x
					}
				}
			}
		case AddF, AddI, SubF, SubI:
			if onA {
				add(&a[in.A], g, 1)
			}
			if onB {
				f := 1.0
				if in.Op == SubF || in.Op == SubI {
					f = -1
				}
				add(&a[in.B], g, f)
			}
		case MulF, MulZ:
			if onA {
				col, same := r.column(tape, in.B, lo, n)
				product(&a[in.A], g, col, same)
			}
			if onB {
				col, same := r.column(tape, in.A, lo, n)
				product(&a[in.B], g, col, same)
			}
		case NegF, NotB:
			add(&a[in.A], g, -1)
		case AbsF:
			for i, x := range g {
				if r.word(tape, in.A, lo+i)>>31 != 0 {
					x = -x
				}
				a[in.A][i] += x
			}
		case Canon:
			for i, x := range g {
				if v := r.float(tape, in.A, lo+i); math.Abs(v) < float64(Saturate) {
					a[in.A][i] += x
				}
			}
		case I2F:
			add(&a[in.A], g, 1)
		case Bits, Float:
			v := in.A
			if in.Op == Float {
				v = Value(k)
			}
			for i, x := range g {
				w := r.word(tape, v, lo+i)
				ulp := math.Ldexp(1, int(w>>23&255)-150)
				if w>>31 != 0 {
					ulp = -ulp
				}
				switch {
				case w<<1 == 0:
				case in.Op == Bits:
					a[in.A][i] += x / ulp
				default:
					a[in.A][i] += float64(x * ulp)
				}
			}
		case And, Or, Shl, ShrU:
			r.bits(in, g, a)
		case LtF, LeF:
			if r.event[k] {
				for i, x := range g {
					x = float64(x * d.Surrogate(r.float(tape, in.B, lo+i)-r.float(tape, in.A, lo+i)))
					if onA {
						a[in.A][i] -= x
					}
					if onB {
						a[in.B][i] += x
					}
				}
			}
		case AndB, OrB:
			unless := uint32(0)
			if in.Op == OrB {
				unless = 1
			}
			for i, x := range g {
				if onA && r.word(tape, in.B, lo+i) != unless {
					a[in.A][i] += x
				}
				if onB && r.word(tape, in.A, lo+i) != unless {
					a[in.B][i] += x
				}
			}
		case Sel:
			on := [2]bool{r.active[in.C], onB}
			for i, x := range g {
				switch w := r.word(tape, in.A, lo+i); {
				case w != 0 && on[1]:
					a[in.B][i] += x
				case w == 0 && on[0]:
					a[in.C][i] += x
				}
			}
			if onA && in.Type == F32 && r.mask[in.A] {
				for i, x := range g {
					a[in.A][i] += float64(x * (r.float(tape, in.B, lo+i) - r.float(tape, in.C, lo+i)))
				}
			}
		}
	}
}

// bits are operations that keep the low bits of a float's word or move them, which
// the approximations of functions begin with.
func (r *Reverse) bits(in *Instr, g []float64, a []lanes) {
	for x, y := range map[Value]Value{in.A: in.B, in.B: in.A} {
		c := &r.Prog.Ins[y]
		if !r.active[x] || c.Op != Const || x == in.B && (in.Op == Shl || in.Op == ShrU) {
			continue
		}
		switch {
		case in.Op == Or, in.Op == And && c.Imm&1 != 0:
			add(&a[x], g, 1)
		case in.Op == Shl:
			add(&a[x], g, math.Ldexp(1, int(c.Imm&31)))
		case in.Op == ShrU && c.Imm&31 < 23:
			add(&a[x], g, math.Ldexp(1, -int(c.Imm&31)))
		}
	}
}

// backEffect takes the derivatives with respect to what an effect writes.
func (r *Reverse) backEffect(in *Instr, tape [][]uint32, lo, n int, d *Derivatives, a []lanes) {
	if in.Op == Nop || in.Op == Trap || d.Slots[in.Imm] == nil {
		return
	}
	of := d.Slots[in.Imm]
	switch in.Op {
	case Store, StoreBit:
		on := r.active[in.A]
		for i := range n {
			if on {
				a[in.A][i] += of[lo+i]
			}
			of[lo+i] = 0
		}
	case Put:
		on := r.active[in.B]
		for i := range n {
			at := r.word(tape, in.A, lo+i)
			if on {
				a[in.B][i] += of[at]
			}
			of[at] = 0
		}
	case Scatter, Scatter2:
		if r.active[in.B] {
			each := uint32(1)
			if in.Op == Scatter2 {
				each = 2
			}
			for i := range n {
				a[in.B][i] += of[each*r.word(tape, in.A, lo+i)]
			}
		}
	}
}

func add(to *lanes, g []float64, f float64) {
	for i, x := range g {
		to[i] += float64(f * x)
	}
}

func product(to *lanes, g []float64, col []uint32, same float64) {
	if col == nil {
		add(to, g, same)
		return
	}
	for i, x := range g {
		to[i] += float64(x * float64(math.Float32frombits(col[i])))
	}
}
