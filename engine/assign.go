package engine

import (
	"synfire/engine/backend"
	"synfire/engine/eqn"
	"synfire/engine/ir"
)

// An assignment whose value is the same for all synapses at a neuron, since it
// depends on what belongs to that neuron, does not depend on their order: it is
// done once for each neuron at which a synapse is due.

// sameForAll says whether a value depends only on constants, time and other
// variables of the end at which target stands.
func sameForAll(x eqn.Expr, sc eqn.Scope, locals []eqn.Stmt, target endRef) bool {
	for _, id := range eqn.Identifiers(x) {
		if k := lastOf(locals, id); k >= 0 {
			if !sameForAll(locals[k].X, sc, locals[:k], target) {
				return false
			}
			continue
		}
		y := sc.Resolve(id)
		if y == nil {
			return false
		}
		switch y.Kind {
		case eqn.Constant, eqn.Time, eqn.Timed:
		case eqn.Function:
			if eqn.IsRandom(id) {
				return false
			}
		case eqn.Subexpression:
			inner := sc
			if y.Scope != nil {
				inner = y.Scope
			}
			if !sameForAll(y.Expr, inner, nil, target) {
				return false
			}
		default:
			switch r := y.Ref.(type) {
			case endRef:
				if r.v == target.v || r.post != target.post && !r.v.shared {
					return false
				}
			case indexRef:
				if (r.name == "j") != target.post {
					return false
				}
			default:
				return false
			}
		}
	}
	return true
}

func lastOf(locals []eqn.Stmt, id string) int {
	for k := len(locals) - 1; k >= 0; k-- {
		if locals[k].Target.ID == id {
			return k
		}
	}
	return -1
}

// assign plans such an assignment: the synapses that are due are counted at each
// neuron, in whole numbers, and a map over the neurons stores the value.
func (c *compiler) assign(w *pathway, l carried, locals []eqn.Stmt, st eqn.Stmt, y *eqn.Symbol) error {
	s, k, r := w.delay.s, l.life.conn, y.Ref.(endRef)
	a := &accumulator{name: r.v.name, two: true, buf: backend.NoBuf}
	a.segment(r.v)
	count := eqn.Symbol{Name: y.Name, Kind: eqn.Variable, Type: eqn.Integer, Summed: true, Ref: r}
	one := st
	one.Op, one.X = "+=", &eqn.Num{At: st.X.Pos(), Value: 1, Int: true}
	if err := c.effect(w, l, nil, one, &count, a); err != nil {
		return err
	}
	sc := c.pathScope(s, k)
	m := &endLanes{lanes: *c.lanes(r.v.g, "assign "+r.v.name), sp: s.src}
	if r.post {
		m.sp = s.tgt
	}
	due := m.b.Gather(m.slot("sum", ir.Table, ir.U32, memory{acc: a}), m.b.Shl(m.b.Lane(), m.b.I(1)), ir.Range{})
	m.mask, m.respect = m.b.NotB(m.b.EqI(due, m.b.I(0))), true
	target := *sc.Resolve(st.Target.ID)
	last := st
	last.Target = &eqn.Name{At: st.Target.At, ID: st.Target.ID, Sym: &target}
	if err := eqn.Lower(m.b, append(append([]eqn.Stmt(nil), locals...), last), sc, m); err != nil {
		return sc.explain(err)
	}
	return c.stage(&m.lanes, r.v.g.n, -1, nil)
}

// endLanes is the eqn.Machine of a synapse's code that runs for the neurons of
// one end.
type endLanes struct {
	lanes
	sp span
}

func (m *endLanes) Load(y *eqn.Symbol) ir.Value {
	r, ok := y.Ref.(endRef)
	if !ok || r.v.builtin { // i or j, within the subgroup
		return m.b.SubI(m.b.Lane(), m.b.I(int32(m.sp.lo)))
	}
	return m.lanes.Load(r.v.sym)
}

func (m *endLanes) LoadLow(y *eqn.Symbol) ir.Value     { return m.lanes.LoadLow(y.Ref.(endRef).v.sym) }
func (m *endLanes) Store(y *eqn.Symbol, x ir.Value)    { m.store(y.Ref.(endRef).v, false, x) }
func (m *endLanes) StoreLow(y *eqn.Symbol, x ir.Value) { m.store(y.Ref.(endRef).v, true, x) }
