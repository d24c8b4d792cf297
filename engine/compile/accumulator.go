package compile

import (
	"synfire/engine/backend"
	"synfire/engine/connect"
	"synfire/engine/eqn"
	"synfire/engine/model"
)

// accumulator gathers what the pathways of one order add to a variable: one
// word for each neuron of each population that has the variable, laid end to end
// (design section 3, rule 6).
type accumulator struct {
	name  string // the variable's
	dim   eqn.Dim
	segs  []segment
	size  int
	two   bool // 64-bit sums of contributions without a proved bound
	fed   bool // 32-bit sums of what programs add, with a proved bound
	added []added
	parts []*part
	buf   backend.BufID
	from  []Share // of its stages
	scale float64
	exact bool         // the sums of the parts' weights bound it, not their in-degrees times the largest
	small *accumulator // what is below smallest/scale, where two
}

// smallest, in units of an accumulator's scale, is the least contribution of
// which no more than 2^-13 is rounded away.
const smallest = 0x1p12

// Share is the part of a stage's work that is for one object of Brian2, such as
// "neurongroup_stateupdater" or "synapses_pre", beside the parts of others.
type Share struct {
	Object string
	Part   float64
}

type segment struct {
	v   *model.Variable
	off int
}

// part is what one pathway of one connect call adds, where it depends on
// nothing that changes: constant synapses.
type part struct {
	*statement
	conn   *model.Conn
	v      *model.Variable
	weight connect.Column
	fixed  bool          // one weight for all: weight.Const
	need   float64       // the coarsest rounding that will do, see compiler.needs
	need16 float64       // the same in a table of 16 bits
	least  float64       // magnitude of given weights that are not 0, and a
	grain  float64       // power of two of which all are multiples
	sd     float64       // of drawn ones
	proj   *connect.Proj // with weights, once it was measured
}

func (a *accumulator) segment(v *model.Variable) int {
	for k := range a.segs {
		if a.segs[k].v == v {
			return k
		}
	}
	a.segs = append(a.segs, segment{v, a.size})
	a.size += (v.Group.Size + 63) / 64 * 64
	return len(a.segs) - 1
}

// offset is where a group's neurons begin.
func (a *accumulator) offset(g *model.NeuronGroup) int {
	for _, s := range a.segs {
		if s.v.Group == g {
			if a.two {
				return 2 * s.off
			}
			return s.off
		}
	}
	return 0
}

// binding is where the sums of a group's neurons stand.
func (a *accumulator) binding(g *model.NeuronGroup) backend.Binding {
	return backend.Binding{Buf: a.buf, Off: a.offset(g), Event: -1}
}

// of is an accumulator of some of the parts of a.
func (a *accumulator) of(parts []*part, exact bool) *accumulator {
	b := &accumulator{name: a.name, dim: a.dim, parts: parts, buf: backend.NoBuf, exact: exact}
	for _, p := range parts {
		b.segment(p.v)
	}
	return b
}
