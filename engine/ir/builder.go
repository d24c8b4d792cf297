package ir

import (
	"fmt"
	"math"
)

// Builder makes a Prog. Its methods append instructions and return the value
// they define; equal instructions are shared, constant ones evaluated, and each
// value carries a Range from which the builder proves which clamps and flushes
// of the contract (design section 3, rules 3 and 4) are needed. The first
// mistake (a wrong type, an unknown slot) is kept and reported by Prog; values
// made after it are meaningless but harmless.
type Builder struct {
	p     Prog
	r     []Range // by value
	phase uint8
	seen  map[Instr]Value
	held  map[uint32]Value // what an Array or Mask slot holds for this lane
	names map[string]uint32
	err   error

	clamps int // see Clamps
}

// NewBuilder starts a program.
func NewBuilder(name string) *Builder {
	return &Builder{p: Prog{Name: name}, seen: map[Instr]Value{}, held: map[uint32]Value{}, names: map[string]uint32{}}
}

// Slot declares a slot, or returns the one of that name. Slots keep the order
// of their first declaration, also those that the finished program never uses.
func (b *Builder) Slot(name string, k Kind, t Type) uint32 {
	if n, ok := b.names[name]; ok {
		if s := b.p.Slots[n]; s.Kind != k || s.Type != t {
			b.fail("slot %q declared twice, as %s %s and as %s %s", name, s.Kind, s.Type, k, t)
		}
		return n
	}
	n := uint32(len(b.p.Slots))
	b.p.Slots = append(b.p.Slots, Slot{Name: name, Kind: k, Type: t})
	b.names[name] = n
	return n
}

// SetPhase makes Step, Host and Rand that follow refer to the step after
// Env.Step by p.
func (b *Builder) SetPhase(p uint8) { b.phase = p }

// Traps reserves trap codes 0 to n-1, so that Prog.Traps is at least n.
func (b *Builder) Traps(n int) { b.p.Traps = max(b.p.Traps, n) }

// Clamps counts the operands that were clamped so far because a result could
// have passed 2^126 (rule 4).
func (b *Builder) Clamps() int { return b.clamps }

// Err is the first mistake made so far.
func (b *Builder) Err() error { return b.err }

// Range is what is known about v.
func (b *Builder) Range(v Value) Range {
	if v < 0 || int(v) >= len(b.r) {
		return Range{}.full()
	}
	return b.r[v]
}

// TypeOf is the type of v.
func (b *Builder) TypeOf(v Value) Type {
	if v < 0 || int(v) >= len(b.p.Ins) {
		return F32
	}
	return b.p.Ins[v].Type
}

// Assume tells a fact about v that the maker has proved by other means; it
// narrows the known range. Only Lo, Hi and the fields that are not 0 count.
func (b *Builder) Assume(v Value, r Range) Value {
	if v >= 0 && int(v) < len(b.r) && b.p.Ins[v].Op != Const {
		r.Lo, r.Hi = single(r.Lo), single(r.Hi)
		b.r[v] = b.r[v].and(r)
	}
	return v
}

// Prog optimises and verifies the program. The builder must not be used after.
func (b *Builder) Prog() (*Prog, error) {
	if b.err != nil {
		return nil, b.err
	}
	p := optimise(&b.p)
	if err := p.Verify(); err != nil {
		return nil, err
	}
	return p, nil
}

func (b *Builder) fail(format string, args ...any) {
	if b.err == nil {
		b.err = fmt.Errorf("ir: program %q: %s", b.p.Name, fmt.Sprintf(format, args...))
	}
}

// means notes what a value stands for.
func (b *Builder) means(m Meaning) {
	if b.ok(m.Value) && b.p.Ins[m.Value].Op != Const {
		b.p.Means = append(b.p.Means, m)
	}
}

// Sources.

// Load reads this lane's word of an Array slot; a float has the range Stored.
func (b *Builder) Load(slot uint32) Value { return b.LoadRange(slot, Range{}) }

// LoadRange is Load where the maker knows more about the words.
func (b *Builder) LoadRange(slot uint32, r Range) Value {
	s := b.slot(slot, Array)
	if v, ok := b.held[slot]; ok && interchange(b.TypeOf(v), s.Type) {
		return b.Assume(v, b.given(s.Type, r))
	}
	v := b.append(Instr{Op: Load, Type: s.Type, Imm: slot}, b.given(s.Type, r))
	b.held[slot] = v
	return v
}

// Uniform reads word 0 of a Table slot.
func (b *Builder) Uniform(slot uint32, r Range) Value {
	s := b.slot(slot, Table)
	return b.source(Instr{Op: Uniform, Type: s.Type, Imm: slot}, r)
}

// Gather reads word idx of a Table slot. The maker proves that idx is in range.
func (b *Builder) Gather(slot uint32, idx Value, r Range) Value {
	s := b.slot(slot, Table)
	if !b.want(Gather, 'i', idx) {
		return b.dummy(s.Type)
	}
	return b.source(Instr{Op: Gather, Type: s.Type, A: idx, Imm: slot}, r)
}

// Bit reads this lane's bit of a Mask slot.
func (b *Builder) Bit(slot uint32) Value {
	b.slot(slot, Mask)
	if v, ok := b.held[slot]; ok {
		return v
	}
	v := b.append(Instr{Op: Bit, Type: Bool, Imm: slot}, truthful)
	b.held[slot] = v
	return v
}

// Lane is the index of this lane's item.
func (b *Builder) Lane() Value { return b.source(Instr{Op: Lane, Type: I32}, Range{}) }

// Step is the current step (plus the phase).
func (b *Builder) Step() Value { return b.source(Instr{Op: Step, Type: I32, Phase: b.phase}, Range{}) }

// Host is host word k of the step (rule 9).
func (b *Builder) Host(k uint32, t Type, r Range) Value {
	return b.source(Instr{Op: Host, Type: t, Phase: b.phase, Imm: k}, r)
}

// Rand is the random word of an item at this step (rule 7).
func (b *Builder) Rand(item Value, stream, draw uint32) Value {
	if !b.want(Rand, 'i', item) {
		return b.dummy(U32)
	}
	return b.source(Instr{Op: Rand, Type: U32, Phase: b.phase, A: item, Imm: stream, Aux: draw}, Range{})
}

// F is a float constant: x rounded to float32, 0 below 2^-80 and +-2^100 beyond
// that (there is no infinity).
func (b *Builder) F(x float64) Value {
	f := float32(x)
	switch {
	case x != x:
		b.fail("a constant is not a number")
		f = 0
	case f < FlushStore && f > -FlushStore:
		f = 0
	case f > 0x1p100:
		f = 0x1p100
	case f < -0x1p100:
		f = -0x1p100
	}
	return b.con(F32, math.Float32bits(f))
}

// I is an I32 constant.
func (b *Builder) I(x int32) Value { return b.con(I32, uint32(x)) }

// U is a U32 constant.
func (b *Builder) U(x uint32) Value { return b.con(U32, x) }

// B is a truth value.
func (b *Builder) B(x bool) Value { return b.con(Bool, truth(x)) }

// Effects.

// Store writes this lane's word of an Array slot: a float as Canon keeps it.
func (b *Builder) Store(slot uint32, v Value) {
	if b.TypeOf(v) == F32 {
		v = b.Canon(v)
	}
	b.StoreRaw(slot, v)
}

// StoreRaw is Store without Canon, for floats that only programs which know
// their range read (LoadRange).
func (b *Builder) StoreRaw(slot uint32, v Value) {
	s := b.slot(slot, Array)
	if t := b.TypeOf(v); !b.ok(v) || !interchange(t, s.Type) && !(t == Bool && s.Type != F32) {
		b.fail("slot %q holds %s, stored is %s", s.Name, s.Type, t)
		return
	}
	if old, ok := b.held[slot]; ok && old == v {
		return
	}
	b.append(Instr{Op: Store, Type: b.TypeOf(v), A: v, Imm: slot}, Range{})
	b.held[slot] = v
}

// StoreBit writes this lane's bit of a Mask slot.
func (b *Builder) StoreBit(slot uint32, v Value) {
	b.slot(slot, Mask)
	if b.want(StoreBit, 'b', v) {
		b.append(Instr{Op: StoreBit, Type: Bool, A: v, Imm: slot}, Range{})
		b.held[slot] = v
	}
}

// Scatter adds v to word idx of an Accum slot, wrapping.
func (b *Builder) Scatter(slot uint32, idx, v Value) {
	b.slot(slot, Accum)
	if b.want(Scatter, 'i', idx, v) {
		b.append(Instr{Op: Scatter, Type: I32, A: idx, B: v, Imm: slot}, Range{})
	}
}

// Scatter2 adds the 64-bit number (lo, hi) to element idx of an Accum slot of
// two-word sums.
func (b *Builder) Scatter2(slot uint32, idx, lo, hi Value) {
	b.slot(slot, Accum)
	if b.want(Scatter2, 'i', idx, lo, hi) {
		b.append(Instr{Op: Scatter2, Type: I32, A: idx, B: lo, C: hi, Imm: slot}, Range{})
	}
}

// Put writes word idx of a Table slot: a float as Canon keeps it. The maker
// proves that no two lanes share an index.
func (b *Builder) Put(slot uint32, idx, v Value) {
	s := b.slot(slot, Table)
	if !b.want(Put, 'i', idx) {
		return
	}
	if b.TypeOf(v) == F32 {
		v = b.Canon(v)
	}
	if t := b.TypeOf(v); !b.ok(v) || !interchange(t, s.Type) && !(t == Bool && s.Type != F32) {
		b.fail("slot %q holds %s, put is %s", s.Name, s.Type, t)
		return
	}
	b.append(Instr{Op: Put, Type: b.TypeOf(v), A: idx, B: v, Imm: slot}, Range{})
}

// Trap reports error code at this lane where cond holds.
func (b *Builder) Trap(cond Value, code int) {
	if !b.want(Trap, 'b', cond) {
		return
	}
	if code < 0 {
		b.fail("trap code %d is negative", code)
		return
	}
	b.Traps(code + 1)
	if w, ok := b.constant(cond); ok && w == 0 {
		return
	}
	b.append(Instr{Op: Trap, Type: Bool, A: cond, Imm: uint32(code)}, Range{})
}

// LimitTrap reports code where v stands at the limit of stores, +-2^40 (rule 4).
func (b *Builder) LimitTrap(v Value, code int) {
	b.Trap(b.Le(b.F(0x1p40), b.Abs(v)), code)
}

// The workings.

// op appends a pure operation, or finds or folds it.
func (b *Builder) op(op Op, t Type, args ...Value) Value {
	in := Instr{Op: op, Type: t, A: None, B: None, C: None}
	if len(args) != op.Args() {
		b.fail("%s takes %d operands, not %d", op, op.Args(), len(args))
		return b.dummy(t)
	}
	sig := signatures[op]
	for i, v := range args {
		letter := sig.args[i]
		if letter != '*' && !b.want(op, letter, v) {
			return b.dummy(t)
		}
		if letter == '*' && (!b.ok(v) || !interchange(b.TypeOf(v), t)) {
			b.fail("%s: operand %d is %s, expected %s", op, i+1, b.TypeOf(v), t)
			return b.dummy(t)
		}
		switch i {
		case 0:
			in.A = v
		case 1:
			in.B = v
		case 2:
			in.C = v
		}
	}
	if w, ok := foldable(b.p.Ins, &in); ok {
		return b.con(t, w)
	}
	return b.shared(in)
}

// shared appends a pure instruction once.
func (b *Builder) shared(in Instr) Value {
	if in.Op.Commutes() && in.A > in.B {
		in.A, in.B = in.B, in.A
	}
	if v, ok := b.seen[in]; ok {
		return v
	}
	v := b.append(in, transfer(&in, b.r))
	b.seen[in] = v
	return v
}

// source appends an instruction that reads no memory which the program writes.
func (b *Builder) source(in Instr, r Range) Value {
	if in.Op != Gather && in.Op != Rand {
		in.A = None
	}
	in.B, in.C = None, None
	if v, ok := b.seen[in]; ok {
		return b.Assume(v, b.given(in.Type, r))
	}
	v := b.append(in, b.given(in.Type, r))
	b.seen[in] = v
	return v
}

func (b *Builder) append(in Instr, r Range) Value {
	switch in.Op.Args() {
	case 0:
		in.A, in.B, in.C = None, None, None
	case 1:
		in.B, in.C = None, None
	case 2:
		in.C = None
	}
	b.p.Ins = append(b.p.Ins, in)
	b.r = append(b.r, r)
	return Value(len(b.p.Ins) - 1)
}

func (b *Builder) con(t Type, w uint32) Value {
	return b.shared(Instr{Op: Const, Type: t, A: None, B: None, C: None, Imm: w})
}

func (b *Builder) dummy(t Type) Value { return b.con(t, 0) }

func (b *Builder) given(t Type, r Range) Range {
	switch t {
	case F32:
		return r.full()
	case Bool:
		return truthful
	}
	if r.Lo == 0 && r.Hi == 0 {
		return wholeInt
	}
	r.Tiny, r.Grain = 1, 1
	return r
}

func (b *Builder) ok(v Value) bool { return v >= 0 && int(v) < len(b.p.Ins) && b.p.Ins[v].Op.Defines() }

// want checks that each operand is of the letter's type.
func (b *Builder) want(op Op, letter byte, vs ...Value) bool {
	for i, v := range vs {
		if !b.ok(v) {
			b.fail("%s: operand %d is no value", op, i+1)
			return false
		}
		if !fits(letter, b.TypeOf(v)) {
			b.fail("%s: operand %d is %s", op, i+1, b.TypeOf(v))
			return false
		}
	}
	return true
}

// slot checks a slot's index and kind.
func (b *Builder) slot(n uint32, k Kind) Slot {
	if int(n) >= len(b.p.Slots) {
		b.fail("there is no slot %d (of %d)", n, len(b.p.Slots))
		return Slot{Kind: k, Type: F32}
	}
	s := b.p.Slots[n]
	if s.Kind != k {
		b.fail("slot %q is of kind %s, used as %s", s.Name, s.Kind, k)
	}
	return s
}

// constant is the word of v where it is a Const.
func (b *Builder) constant(v Value) (uint32, bool) {
	if b.ok(v) && b.p.Ins[v].Op == Const {
		return b.p.Ins[v].Imm, true
	}
	return 0, false
}

// foldable evaluates in where all its operands are constants.
func foldable(ins []Instr, in *Instr) (uint32, bool) {
	if !in.Op.Pure() || in.Op.Args() == 0 || in.Op == Rand || !in.Op.Defines() {
		return 0, false
	}
	var list [4]Instr
	n := 0
	for _, v := range in.Operands() {
		if ins[v].Op != Const {
			return 0, false
		}
		list[n] = ins[v]
		n++
	}
	list[n] = *in
	args := []*Value{&list[n].A, &list[n].B, &list[n].C}
	for i := range n {
		*args[i] = Value(i)
	}
	var v [4]uint32
	evalLane(&Prog{Ins: list[:n+1]}, &Env{}, 0, v[:])
	return v[n], true
}

// interchange says that values of types s and t may stand for each other.
func interchange(s, t Type) bool {
	return s == t || (s == I32 || s == U32) && (t == I32 || t == U32)
}

func fits(letter byte, t Type) bool {
	switch letter {
	case 'f':
		return t == F32
	case 'i':
		return t == I32 || t == U32
	case 'b':
		return t == Bool
	}
	return true
}
