// Package connect turns connection rules into lists of synapses and packs them
// into tables. The list k -> (i, j, delay, weight) of a rule is a pure function
// of its definition and the seed; any range of sources or targets of it can be
// built by any number of threads with the same result.
package connect

import (
	"sync/atomic"

	"synfire/engine/ir"
)

// Rule is how a projection chooses its pairs. Names are NEST's.
type Rule uint8

// Connection rules. The order of the list is by source, then as drawn, except
// FixedIndegree and Proj.ByTarget (by target) and Given (as given); repeats are
// adjacent. What each rule draws, all with key Seed and stream Stream, as
// (item, step, draw) of philox.Word:
//
//   - FixedTotal: the source of draw k is MulHi(word(k, a, 0), NPre), attempt a
//     counting from 0 while the source is refused. A source is refused, by
//     MulHi(word(k, a, 1), NPost) >= room, where autapses or multapses are
//     forbidden: room is what its row can still take. Rows are the histogram of
//     these sources.
//   - FixedTotal, FixedOutdegree, FixedIndegree: the other end of synapse k is
//     MulHi(word(k, a, 2), size), attempts a counting while an end is forbidden or
//     is in the row already (multapses). A row without multapses that takes more
//     than half of the ends draws, so, those that it leaves out.
//   - Bernoulli: row r draws word(r, 0, n), n = 0, 1, ...: each is the distance to
//     the row's next pair, by a table of thresholds of the geometric distribution.
//   - AllToAll with P < 1 or PProg: pair (r, c) stands where
//     word(c, r, 0) < round(p * 2^32), r the row and c the other end.
//
// Cond and PProg run row by row: Step is the row, Lane the other end (under
// Bernoulli with P < 1: the number of the candidate in its row).
const (
	OneToOne       Rule = iota
	AllToAll            // with Cond: pairs for which it holds, each with probability PProg, or P if that is not 0
	Bernoulli           // each pair with probability P: rows drawn by skipping; Cond filters
	FixedTotal          // N synapses, both ends drawn uniformly
	FixedIndegree       // N sources for every target
	FixedOutdegree      // N targets for every source
	Given               // arrays I and J
)

// Column is a value of each synapse: exactly one of Prog, Array and neither (Const).
type Column struct {
	Const float64
	Array []float32 // by k
	// Prog computes it in blocks. Slots named "i" and "j" (Array, U32: indices in
	// the source and target population, subgroup offsets taken off), "k" is
	// ir.Lane, "out" (Array) takes the result; further slots are Tables bound to
	// Data of the same index. Rand items are k.
	Prog   *ir.Prog
	Data   [][]uint32
	Lo, Hi float64 // bounds that hold for every synapse
	Exact  *Exact  // of a delay: what gives its steps in place of Prog
	Each   int     // of a delay that is worked out: how many steps one of its whole steps is; 0: 1
}

// Exact works delays out in float64, from leaves that programs give (as Column's,
// each of its own type) and the indices of the synapses.
type Exact struct {
	Key    string // equal for what gives the same steps of the same leaves
	Leaves []Column
	Steps  func(i, j []uint32, leaves [][]uint32) ([]float64, error) // d/dt
}

// Proj is a projection: the rule, and the values of its synapses. It must not
// change once it was used; With makes one with other values.
type Proj struct {
	Name        string
	Rule        Rule
	NPre, NPost int  // sizes of the source and target ranges
	Same        bool // ranges of one population: i + PreOff == j + PostOff is an autapse
	PreOff      int  // offset of the range in its population, for autapses
	PostOff     int
	N           int     // of the Fixed rules
	Repeat      int     // n=: synapses per chosen pair, 0 means 1
	P           float64 // probability
	NoAutapses  bool
	NoMultapses bool
	I, J        []uint32 // Given
	Cond        *ir.Prog // Bool result in slot "out"; slots as for a Column
	PProg       *ir.Prog // F32 probability in slot "out"
	CondData    [][]uint32
	PData       [][]uint32
	ByTarget    bool // AllToAll and Bernoulli: rows are targets
	Seed        [2]uint32
	Stream      uint32 // of the rule's own draws; Column programs carry theirs

	Row0 int // the projection's first source row and first target in its Spec
	Tgt0 int

	Weight Column  // in the internal unit of the target variable
	Delay  Column  // internal unit of time; where Unit is 0, Const is a number of steps
	Unit   float64 // steps = int(delay*Unit + 0.5)

	rows          *rows // what prepare made; nil until first used
	weight, delay *column
	found         *Weights // what Weights found
	sums          *Sums    // what Sums found
}

// Spec is a table's content: projections with one effect over targets and
// sources laid end to end. Weight w is kept as floor(w*Scale + 0.5) in Width bits.
// It must not change once it was used; Rounded makes one with other roundings.
// Synapses of a Spec are numbered through its projections in order.
type Spec struct {
	Name       string
	NSrc, NTgt int
	Projs      []*Proj
	Scale      float64 // a power of two
	Width      int     // 0: one weight for all (Uniform), 16 or 32
	Uniform    int32

	stats atomic.Pointer[Stats] // what Measure found
	held  atomic.Int32          // see Hold
}

// Hold says that another network is yet to come which has this very table: a backend keeps what it has made of it.
func (s *Spec) Hold() { s.held.Add(1) }

// Release takes a Hold back.
func (s *Spec) Release() { s.held.Add(-1) }

// Held says that somebody holds the table.
func (s *Spec) Held() bool { return s.held.Load() > 0 }

// Rounded is the Spec with its weights kept in another way. What was measured
// holds for both.
func (s *Spec) Rounded(scale float64, width int, uniform int32) *Spec {
	t := &Spec{Name: s.Name, NSrc: s.NSrc, NTgt: s.NTgt, Projs: s.Projs, Scale: scale, Width: width, Uniform: uniform}
	t.stats.Store(s.stats.Load())
	return t
}
