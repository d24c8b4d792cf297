package compile

import (
	"synfire/engine/backend"
	"synfire/engine/eqn"
	"synfire/engine/ir"
	"synfire/engine/model"
)

// An assignment whose value is the same for all synapses at a neuron, since it
// depends on what belongs to that neuron, does not depend on their order: it is
// done once for each neuron at which a synapse is due.

// sameForAll says whether a value depends only on constants, time and other
// variables of the end at which target stands.
func sameForAll(x eqn.Expr, sc eqn.Scope, locals []eqn.Stmt, target model.EndRef) bool {
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
			case model.EndRef:
				if r.Var == target.Var || r.Post != target.Post && !r.Var.Shared {
					return false
				}
			case model.IndexRef:
				if (r.Name == "j") != target.Post {
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
func (c *compiler) assign(w *model.Path, l model.Carried, locals []eqn.Stmt, st eqn.Stmt, y *eqn.Symbol) error {
	s, k, r := w.Delay.Syn, l.Life.Conn, y.Ref.(model.EndRef)
	a := &accumulator{name: r.Var.Name, two: true, buf: backend.NoBuf}
	a.segment(r.Var)
	count := eqn.Symbol{Name: y.Name, Kind: eqn.Variable, Type: eqn.Integer, Summed: true, Ref: r}
	one := st
	one.Op, one.X = "+=", &eqn.Num{At: st.X.Pos(), Value: 1, Int: true}
	if err := c.effect(w, l, nil, one, &count, a); err != nil {
		return err
	}
	sc := c.pathScope(s, k)
	m := &endLanes{Lanes: *c.lanes(r.Var.Group, "assign "+r.Var.Name), sp: s.Src}
	if r.Post {
		m.sp = s.Tgt
	}
	due := m.B.Gather(m.Slot("sum", ir.Table, ir.U32, model.Memory{Acc: a}), m.B.Shl(m.B.Lane(), m.B.I(1)), ir.Range{})
	m.Mask, m.Respect = m.B.NotB(m.B.EqI(due, m.B.I(0))), true
	target := *sc.Resolve(st.Target.ID)
	last := st
	last.Target = &eqn.Name{At: st.Target.At, ID: st.Target.ID, Sym: &target}
	if err := eqn.Lower(m.B, append(append([]eqn.Stmt(nil), locals...), last), sc, m); err != nil {
		return sc.Explain(err)
	}
	return c.stage(&m.Lanes, r.Var.Group.Size, -1, nil)
}

// endLanes is the eqn.Machine of a synapse's code that runs for the neurons of
// one end.
type endLanes struct {
	model.Lanes
	sp model.Span
}

func (m *endLanes) Load(y *eqn.Symbol) ir.Value {
	r, ok := y.Ref.(model.EndRef)
	if !ok || r.Var.Builtin { // i or j, within the subgroup
		return m.B.SubI(m.B.Lane(), m.B.I(int32(m.sp.Lo)))
	}
	return m.Lanes.Load(r.Var.Symbol)
}

func (m *endLanes) LoadLow(y *eqn.Symbol) ir.Value {
	return m.Lanes.LoadLow(y.Ref.(model.EndRef).Var.Symbol)
}
func (m *endLanes) Store(y *eqn.Symbol, x ir.Value)    { m.StoreIn(y.Ref.(model.EndRef).Var, false, x) }
func (m *endLanes) StoreLow(y *eqn.Symbol, x ir.Value) { m.StoreIn(y.Ref.(model.EndRef).Var, true, x) }
