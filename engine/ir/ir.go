// Package ir is Synfire's intermediate representation: straight-line, typed
// programs over lanes (one lane is one neuron, one synapse or one event) that
// every backend runs with the same bits.
//
// A Prog is a list of instructions in single-assignment form: instruction n
// defines value n, operands name earlier values, there are no branches (Sel
// chooses), and stores happen in the order of the text. Eval, the scalar
// interpreter in eval.go, is the definition of what each instruction means;
// backends emit vector code or GLSL that equals it to the bit. Build programs
// with a Builder, which folds constants, shares common values, tracks the range
// of each value, and inserts the clamps and flushes that keep subnormals, -0,
// infinities and NaN from ever arising.
package ir

import "fmt"

// Type is the type of a value: one 32-bit word, or a truth value.
type Type uint8

// Types of values. I32 and U32 share every operation that does not name its
// signedness, and may stand for each other as operands.
const (
	Bool Type = iota
	I32
	U32
	F32
)

func (t Type) String() string { return [...]string{"bool", "i32", "u32", "f32"}[t] }

// Value names the result of an instruction by its index in Prog.Ins.
type Value int32

// None is the absent operand.
const None Value = -1

// Op is an operation.
type Op uint8

// The operations. "slot" is Instr.Imm, an index into Prog.Slots.
const (
	Nop Op = iota // defines nothing; left by passes until they compact

	// Sources.
	Const   // the word Imm
	Load    // word of this lane in an Array slot
	Uniform // word 0 of a Table slot, the same for all lanes
	Gather  // word A (I32 or U32, trusted to be in range) of a Table slot
	Bit     // bit of this lane in a Mask slot, Bool
	Lane    // index of this lane's item, I32
	Step    // the current step plus Phase, I32
	Host    // host word Imm of step Step+Phase (design section 3, rule 9)
	Rand    // U32: Philox word of item A, draw Aux, stream Imm, at step Step+Phase, counted from Env.Drawn

	// Float arithmetic; each is one correctly rounded IEEE binary32 operation
	// or works on the bits.
	AddF   // A + B
	SubF   // A - B
	MulF   // A * B, where the range proves that no flush is needed
	MulZ   // A * B, +0 where the rounded product's magnitude is below 2^-100
	NegF   // A with its sign bit flipped, except that 0 stays +0
	AbsF   // A with its sign bit cleared
	FloorF // largest whole number not above A
	LtF    // A < B
	LeF    // A <= B
	EqF    // A == B
	Canon  // A as a store keeps it: +0 below 2^-80, saturated at +-2^40
	F2I    // A clamped to [-2^31, 2^31-128] and truncated towards zero, I32
	I2F    // I32 A rounded to nearest even
	Bits   // the word of F32 A, U32
	Float  // the F32 whose word is A

	// Integer arithmetic, wrapping modulo 2^32; shift counts are taken modulo 32.
	AddI
	SubI
	MulI
	MulHi // high word of the unsigned 64-bit product
	And
	Or
	Xor
	Shl
	ShrU
	ShrS
	LtI // signed A < B
	LtU // unsigned A < B
	EqI

	// Truth values.
	AndB
	OrB
	NotB

	Sel // A (Bool) ? B : C, both of this instruction's type

	// Effects, in the order of the text.
	Store    // word of this lane in an Array slot = A (Bool as 0 or 1)
	StoreBit // bit of this lane in a Mask slot = A
	Scatter  // Accum slot: word A += B, wrapping (I32)
	Scatter2 // Accum slot of two-word sums: 64-bit element A += (B low, C high)
	Put      // Table slot: word A = B; the program's maker proves that no two lanes share A
	Trap     // if A (Bool): error Imm at this lane; the least lane is kept
	numOps
)

// Instr is one instruction.
type Instr struct {
	Op      Op
	Type    Type  // of the result; of the stored value for effects
	Phase   uint8 // Step, Host, Rand: steps after Env.Step, for programs that fuse steps
	A, B, C Value
	Imm     uint32
	Aux     uint32
}

// Kind says how a slot is indexed.
type Kind uint8

// Kinds of slots.
const (
	Array Kind = iota // one word for each lane
	Table             // read by index (Gather) or as a whole (Uniform)
	Mask              // one bit for each lane, lane k in bit k%32 of word k/32
	Accum             // added to by index (Scatter, Scatter2)
)

// Slot describes one buffer that a program touches. A backend binds it to memory.
type Slot struct {
	Name string
	Kind Kind
	Type Type
}

// Prog is a program. The zero value does nothing.
type Prog struct {
	Name  string
	Slots []Slot
	Ins   []Instr
	Traps int       // number of trap codes; each Trap's Imm is below it
	Means []Meaning // what values stand for, for derivatives
}

type signature struct {
	name    string
	args    string // one letter per operand: f float, i int word, b bool, * any
	result  string // likewise, - none, * of Instr.Type
	pure    bool
	commute bool
}

var signatures = [numOps]signature{
	Nop:   {"nop", "", "-", true, false},
	Const: {"const", "", "*", true, false}, Load: {"load", "", "*", false, false},
	Uniform: {"uniform", "", "*", false, false}, Gather: {"gather", "i", "*", false, false},
	Bit: {"bit", "", "b", false, false}, Lane: {"lane", "", "i", true, false},
	Step: {"step", "", "i", true, false}, Host: {"host", "", "*", true, false},
	Rand: {"rand", "i", "i", true, false},
	AddF: {"addf", "ff", "f", true, true}, SubF: {"subf", "ff", "f", true, false},
	MulF: {"mulf", "ff", "f", true, true}, MulZ: {"mulz", "ff", "f", true, true},
	NegF: {"negf", "f", "f", true, false}, AbsF: {"absf", "f", "f", true, false},
	FloorF: {"floorf", "f", "f", true, false}, LtF: {"ltf", "ff", "b", true, false},
	LeF: {"lef", "ff", "b", true, false}, EqF: {"eqf", "ff", "b", true, true},
	Canon: {"canon", "f", "f", true, false}, F2I: {"f2i", "f", "i", true, false},
	I2F: {"i2f", "i", "f", true, false}, Bits: {"bits", "f", "i", true, false},
	Float: {"float", "i", "f", true, false},
	AddI:  {"addi", "ii", "i", true, true}, SubI: {"subi", "ii", "i", true, false},
	MulI: {"muli", "ii", "i", true, true}, MulHi: {"mulhi", "ii", "i", true, true},
	And: {"and", "ii", "i", true, true}, Or: {"or", "ii", "i", true, true},
	Xor: {"xor", "ii", "i", true, true}, Shl: {"shl", "ii", "i", true, false},
	ShrU: {"shru", "ii", "i", true, false}, ShrS: {"shrs", "ii", "i", true, false},
	LtI: {"lti", "ii", "b", true, false}, LtU: {"ltu", "ii", "b", true, false},
	EqI: {"eqi", "ii", "b", true, true}, AndB: {"andb", "bb", "b", true, true},
	OrB: {"orb", "bb", "b", true, true}, NotB: {"notb", "b", "b", true, false},
	Sel: {"sel", "b**", "*", true, false}, Store: {"store", "*", "-", false, false},
	StoreBit: {"storebit", "b", "-", false, false}, Scatter: {"scatter", "ii", "-", false, false},
	Scatter2: {"scatter2", "iii", "-", false, false}, Put: {"put", "i*", "-", false, false},
	Trap: {"trap", "b", "-", false, false},
}

// String is the operation's name in listings.
func (o Op) String() string {
	if o < numOps {
		return signatures[o].name
	}
	return fmt.Sprintf("op%d", o)
}

// Args is the number of operands.
func (o Op) Args() int { return len(signatures[o].args) }

// Pure says that the operation reads no memory and has no effect, so that it
// may be shared, moved or dropped.
func (o Op) Pure() bool { return signatures[o].pure }

// Defines says that the operation has a result.
func (o Op) Defines() bool { return signatures[o].result != "-" }

// Commutes says that A and B may be exchanged without changing a bit.
func (o Op) Commutes() bool { return signatures[o].commute }

// Operands returns the instruction's operands, absent ones left out.
func (in *Instr) Operands() []Value { return []Value{in.A, in.B, in.C}[:in.Op.Args()] }
