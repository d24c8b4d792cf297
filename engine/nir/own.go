package nir

import (
	"fmt"
	"slices"
	"strings"

	"synfire/engine"
	"synfire/engine/eqn"
	"synfire/engine/model"
)

// writer makes a graph of objects.
type writer struct {
	ext   *model.Externals
	nodes map[string]any
	edges []any
	cells map[*model.NeuronGroup]*population
	order []*population
	moves map[*model.Variable]bool // what code assigns
}

// population is a group as a node.
type population struct {
	g         *model.NeuronGroup
	v, i      *model.Variable // of the equations; i: nil where there is one equation
	node      map[string]any  // nil: an Input
	gain      func() error    // sets what spikes are multiplied with, once it is known where they arrive
	into      *model.Variable // where they do
	cleared   *model.Variable // a variable that is 0 at the begin of each step but for what spikes added in the last
	bias      []float64       // what it receives beside
	in, out   int             // edges from and to other populations
	firstFrom string          // the first Linear that leads to it
}

// From recognises NIR's nodes in the equations of groups, and matrices in synapses. What is none of them is an error that says
// which object, and why.
func From(objects []any) (*Graph, error) {
	w := &writer{nodes: map[string]any{}, cells: map[*model.NeuronGroup]*population{}, moves: map[*model.Variable]bool{}}
	var groups []*model.NeuronGroup
	var synapses []*model.Synapses
	cleared := map[*model.NeuronGroup]*model.Variable{}
	for _, o := range objects {
		switch o := o.(type) {
		case *model.NeuronGroup:
			if !o.Active() {
				return nil, fmt.Errorf("nir: %s is not active, which has no counterpart in NIR: remove it", o.Name())
			}
			if w.ext == nil {
				w.ext = o.Net.Externals()
			}
			groups = append(groups, o)
			for _, r := range o.Reactions {
				assigned(w.moves, r.Code, func(name string) *model.Variable { return o.ByName[name] })
			}
		case *model.Synapses:
			synapses = append(synapses, o)
			for _, p := range o.Paths {
				if p.Inactive {
					return nil, fmt.Errorf("nir: %s is not active, which has no counterpart in NIR: remove it", o.Name())
				}
				assigned(w.moves, p.Code, func(name string) *model.Variable {
					if v := o.ByName[name]; v != nil {
						return v
					}
					if y := o.End(name); y != nil {
						if r, ok := y.Ref.(model.EndRef); ok {
							return r.Var
						}
					}
					return nil
				})
			}
			for _, s := range o.Summed {
				w.moves[s.Var] = true
			}
		case *engine.SpikeMonitor, *engine.StateMonitor, *engine.RateMonitor:
		case *model.Regular: // of their owners, below
		case interface{ Name() string }:
			return nil, fmt.Errorf("nir: %s has no counterpart in NIR, whose graphs are of neurons, synapses and inputs of spikes", o.Name())
		}
	}
	if len(groups) == 0 {
		return nil, fmt.Errorf("nir: there is no group to be written")
	}
	for _, o := range groups[0].Net.Objects {
		r, ok := o.(*model.Regular)
		if !ok || r.Removed || r.Syn == nil && !slices.Contains(groups, r.Src.Group) || r.Syn != nil && !slices.Contains(synapses, r.Syn) {
			continue
		}
		if err := clears(r, cleared); err != nil {
			return nil, err
		}
		w.moves[cleared[r.Src.Group]] = true
	}
	for _, g := range groups {
		p, err := w.group(g, cleared[g])
		if err != nil {
			return nil, err
		}
		w.cells[g], w.order = p, append(w.order, p)
	}
	for _, s := range synapses {
		if err := w.synapses(s); err != nil {
			return nil, err
		}
	}
	if err := w.finish(); err != nil {
		return nil, err
	}
	return New(map[string]any{"type": "NIRGraph", "nodes": w.nodes, "edges": w.edges})
}

// clears finds the variable that an operation sets to 0 at each step.
func clears(r *model.Regular, cleared map[*model.NeuronGroup]*model.Variable) error {
	slot, _ := model.SlotRank(r.When)
	groups, _ := model.SlotRank("groups")
	synapses, _ := model.SlotRank("synapses")
	if r.Syn == nil && len(r.Code) == 1 && r.Regularly() && slot > groups && slot < synapses {
		g, st := r.Src.Group, r.Code[0]
		if v := g.ByName[st.Target.ID]; v != nil && st.Op == "=" && st.X.String() == "0" && r.Src.Hi-r.Src.Lo == g.Size && r.Dt() == g.Dt() && cleared[g] == nil {
			cleared[g] = v
			return nil
		}
	}
	return fmt.Errorf("nir: %s has no counterpart in NIR: of run_regularly, only what clears one variable of a whole group at each step has, in a slot between 'groups' and 'synapses'", r.Name())
}

func (w *writer) add(name string, node map[string]any) error {
	if w.nodes[name] != nil {
		return fmt.Errorf("nir: two nodes would be called %q: give the objects other names", name)
	}
	w.nodes[name] = node
	return nil
}

func (w *writer) edge(from, to string) { w.edges = append(w.edges, []any{from, to}) }

// list is numbers as JSON has them, n of them.
func list(v []float64, n int) []any {
	out := make([]any, n)
	for k := range out {
		out[k] = v[min(k, len(v)-1)]
	}
	return out
}

func (w *writer) reader(g *model.NeuronGroup) *reader {
	return &reader{whose: g.Name(), scope: g.Scope(w.ext), moves: func(y *eqn.Symbol) bool {
		v, ok := y.Ref.(*model.Variable)
		return ok && (w.moves[v] || v.Equation != nil && v.Equation.Kind != eqn.Parameter)
	}, get: func(y *eqn.Symbol) ([]float64, error) {
		if v, ok := y.Ref.(*model.Variable); ok && v.Equation != nil && v.Equation.Has("linked") {
			return nil, fmt.Errorf("%s is another group's (linked)", y.Name)
		}
		return values(g, y.Name)
	}}
}

// group recognises a population.
func (w *writer) group(g *model.NeuronGroup, cleared *model.Variable) (*population, error) {
	p := &population{g: g, cleared: cleared}
	var odes []*eqn.Equation
	for _, e := range g.Eqs.List {
		if e.Kind == eqn.Differential {
			odes = append(odes, e)
		}
	}
	if g.Generator != nil || len(odes) == 0 && g.Event("spike") != nil && len(g.Reactions) == 0 && cleared == nil {
		return p, w.add(g.Name(), map[string]any{"type": "Input", "shape": []any{float64(g.Size)}})
	}
	r := w.reader(g)
	if err := eqn.CheckEquations(g.Eqs, r.scope, nil); err != nil {
		return nil, err
	}
	at := eqn.Pos{Src: g.Eqs.Src, Line: 1, Col: 1}
	if len(odes) < 1 || len(odes) > 2 {
		return nil, r.fail(at, "it has %d differential equations, NIR's neurons have one or two", len(odes))
	}
	if g.RefKind != model.RefNone {
		return nil, r.fail(at, "NIR's neurons are not refractory")
	}
	for _, e := range g.Events {
		if e.Name != "spike" {
			return nil, r.fail(at, "the event %s", e.Name)
		}
	}
	forms := make([]form, len(odes))
	for k, e := range odes {
		var err error
		if forms[k], err = r.read(e.X); err != nil {
			return nil, err
		}
	}
	if len(odes) == 2 { // the membrane is what depends on the other
		if forms[1][odes[0].Name] != nil {
			odes[0], odes[1], forms[0], forms[1] = odes[1], odes[0], forms[1], forms[0]
		}
		if forms[1][odes[0].Name] != nil || forms[0][odes[1].Name] == nil {
			return nil, r.fail(odes[0].At, "of %s and %s, one has to follow the other, and that itself alone", odes[0].Name, odes[1].Name)
		}
		p.i = g.ByName[odes[1].Name]
	}
	p.v = g.ByName[odes[0].Name]
	kind, n := "", g.Size
	node := map[string]any{}
	p.node = node
	leak := forms[0][p.v.Name]
	v := p.v.Name
	allowed := []string{"", v}
	if cleared != nil {
		allowed = append(allowed, cleared.Name)
	}
	for k, f := range forms {
		may := allowed
		if p.i != nil {
			if may = append(slices.Clone(allowed), p.i.Name); k == 0 {
				may = []string{"", v, p.i.Name}
			} else {
				may = slices.DeleteFunc(may, func(x string) bool { return x == v })
			}
		}
		for name := range f {
			if !slices.Contains(may, name) {
				return nil, r.fail(odes[k].At, "d%s/dt depends on %s, which changes", odes[k].Name, name)
			}
		}
	}
	negative := func(v []float64) bool { return isAll(v, func(x float64) bool { return x < 0 }) }
	positive := func(v []float64) bool { return isAll(v, func(x float64) bool { return x > 0 }) }
	const noTime = "a time constant is 0: was it given its value?"
	zero := func(v []float64) bool { return isAll(v, func(x float64) bool { return x == 0 }) }
	inverse := func(v []float64) []float64 {
		return both(v, []float64{-1}, func(x, y float64) float64 { return y / x })
	}
	decay := func(tau []float64) (e []float64, err error) {
		for _, t := range tau {
			if p.i != nil { // v sees a current a step later, and all of it
				e = append(e, t/g.Dt())
				continue
			}
			x, err := stepping(g.Method, g.Parts(), g.Dt(), t)
			if err != nil || !(x > 0 && x < 1) {
				return nil, r.fail(at, "with the step %g s and the time constant %g s, spikes that arrive have no weight", g.Dt(), t)
			}
			e = append(e, x/(1-x))
		}
		return e, nil
	}
	direct := func(f form, of *model.Variable, tau []float64, name string) func() error { // the weight of spikes
		return func() error {
			switch p.into {
			case nil:
				node[name] = list([]float64{1}, n)
			case of: // they are added to the variable itself
				e, err := decay(tau)
				if err != nil {
					return err
				}
				node[name] = list(e, n)
			default:
				node[name] = list(both(f[cleared.Name], tau, mul), n)
			}
			return nil
		}
	}
	switch {
	case p.i != nil:
		kind = "CubaLI"
		if leak == nil || !negative(leak) || forms[1][p.i.Name] == nil || !negative(forms[1][p.i.Name]) {
			return nil, r.fail(odes[0].At, "%s and %s have to decay", v, p.i.Name)
		}
		mem, syn := inverse(leak), inverse(forms[1][p.i.Name])
		if !positive(mem) || !positive(syn) {
			return nil, r.fail(odes[0].At, "%s", noTime)
		}
		res := both(forms[0][p.i.Name], mem, mul)
		more := both(both(forms[1].constant(), syn, mul), res, mul) // a constant current shifts the leak
		node["tau_mem"], node["tau_syn"], node["r"] = list(mem, n), list(syn, n), list(res, n)
		node["v_leak"] = list(both(both(forms[0].constant(), mem, mul), more, func(x, y float64) float64 { return x + y }), n)
		p.gain = direct(forms[1], p.i, syn, "w_in")
	case leak == nil || zero(leak):
		kind = "I"
		p.bias = forms[0].constant()
		p.gain = func() error {
			if p.into == nil || p.into == p.v {
				node["r"] = list([]float64{1 / g.Dt()}, n)
			} else {
				node["r"] = list(forms[0][cleared.Name], n)
			}
			if zero(p.bias) {
				p.bias = nil
			} else {
				p.bias = both(p.bias, numbersOf(node["r"]), div)
			}
			return nil
		}
	case negative(leak):
		kind = "LI"
		tau := inverse(leak)
		if !positive(tau) {
			return nil, r.fail(odes[0].At, "%s", noTime)
		}
		node["tau"], node["v_leak"] = list(tau, n), list(both(forms[0].constant(), tau, mul), n)
		p.gain = direct(forms[0], p.v, tau, "r")
	default:
		return nil, r.fail(odes[0].At, "d%s/dt grows with %s: NIR's neurons decay or integrate", v, v)
	}
	if spike := g.Event("spike"); spike != nil {
		kind += "F"
		if err := w.fires(p, r, spike, node); err != nil {
			return nil, err
		}
	}
	node["type"] = kind
	return p, w.add(g.Name(), node)
}

func numbersOf(x any) (v []float64) {
	for _, e := range x.([]any) {
		v = append(v, e.(float64))
	}
	return v
}

// fires recognises threshold and reset.
func (w *writer) fires(p *population, r *reader, spike *model.GroupEvent, node map[string]any) error {
	n, v := p.g.Size, p.v.Name
	c, ok := spike.Cond.(*eqn.Binary)
	if !ok || c.Op != ">" && c.Op != "<" {
		return r.fail(spike.Cond.Pos(), "the threshold is %s; NIR's is %s > v_threshold", spike.Cond, v)
	}
	a, err := r.read(c.X)
	if err != nil {
		return err
	}
	b, err := r.read(c.Y)
	if err != nil {
		return err
	}
	if c.Op == "<" {
		a, b = b, a
	}
	f := a.plus(b, -1)
	slope := f[v]
	if slope == nil || len(f) > 2 || len(f) == 2 && f[""] == nil || !isAll(slope, func(x float64) bool { return x > 0 }) {
		return r.fail(spike.Cond.Pos(), "the threshold is %s; NIR's is %s > v_threshold, a constant", spike.Cond, v)
	}
	node["v_threshold"] = list(both(f.constant(), slope, func(x, y float64) float64 { return -x / y }), n)
	if len(p.g.Reactions) != 1 || len(p.g.Reactions[0].Code) != 1 {
		return r.fail(spike.Cond.Pos(), "its reset is not one assignment: NIR's is %s = v_reset", v)
	}
	st := p.g.Reactions[0].Code[0]
	if st.Target.ID != v || st.Op != "=" {
		return r.fail(st.Target.At, "its reset is %s %s %s; NIR's is %s = v_reset", st.Target.ID, st.Op, st.X, v)
	}
	to, err := r.read(st.X)
	if err != nil {
		return err
	}
	if !to.alone() {
		return r.fail(st.Target.At, "its reset is to %s, which changes", st.X)
	}
	node["v_reset"] = list(to.constant(), n)
	return nil
}

// synapses recognises a matrix.
func (w *writer) synapses(s *model.Synapses) error {
	from, to := w.cells[s.Src.Group], w.cells[s.Tgt.Group]
	of := func(y *eqn.Symbol) *model.Variable {
		if end, ok := y.Ref.(model.EndRef); ok {
			return end.Var
		}
		v, _ := y.Ref.(*model.Variable)
		return v
	}
	r := &reader{whose: s.Name(), scope: s.Scope(w.ext), moves: func(y *eqn.Symbol) bool {
		v := of(y)
		return v != nil && (w.moves[v] || v.Equation != nil && v.Equation.Kind != eqn.Parameter)
	}, get: func(y *eqn.Symbol) ([]float64, error) {
		end, ok := y.Ref.(model.EndRef)
		if !ok {
			return values(s, y.Name)
		}
		ix, side := "i", s.Src
		if end.Post {
			ix, side = "j", s.Tgt
		}
		at, err := values(s, ix)
		if err != nil {
			return nil, err
		}
		v, err := values(side.Group, end.Var.Name)
		if err != nil {
			return nil, err
		}
		for k, x := range at {
			at[k] = v[min(int(x)+side.Lo, len(v)-1)]
		}
		return at, nil
	}}
	if from == nil || to == nil {
		return fmt.Errorf("nir: %s leads between groups of which one is not written: name both", s.Name())
	}
	var at eqn.Pos
	if len(s.Paths) > 0 && len(s.Paths[0].Code) > 0 {
		at = s.Paths[0].Code[0].Target.At
	}
	switch {
	case to.node == nil:
		return r.fail(at, "it leads to %s, an input", to.g.Name())
	case len(s.Paths) != 1 || s.Paths[0].Post || len(s.Paths[0].Code) != 1 || s.Paths[0].Event != "spike" || len(s.Summed) > 0 || slices.ContainsFunc(s.Eqs.List, func(e *eqn.Equation) bool { return e.Kind == eqn.Differential }):
		return r.fail(at, "NIR's connections are matrices: on_pre= of one '+=', and nothing that learns or changes by itself, was expected")
	case s.Paths[0].When != "synapses":
		return r.fail(at, "its spikes arrive in the slot '%s', a step before those of NIR's connections", s.Paths[0].When)
	case from.node != nil && from.g.Event("spike") == nil:
		return r.fail(at, "it passes on values of %s", from.g.Name())
	}
	st := s.Paths[0].Code[0]
	y := s.End(st.Target.ID)
	end, ok := model.EndRef{}, false
	if y != nil {
		end, ok = y.Ref.(model.EndRef)
	}
	if !ok || !end.Post || st.Op != "+=" && st.Op != "-=" {
		return r.fail(st.Target.At, "its code is %s %s ..., where a variable of the target and += were expected", st.Target.ID, st.Op)
	}
	main := to.v
	if to.i != nil {
		main = to.i
	}
	if end.Var != main && (to.cleared == nil || end.Var != to.cleared) {
		return r.fail(st.Target.At, "it adds to %s of %s, where NIR's %s receives spikes in %s", end.Var.Name, to.g.Name(), to.node["type"], main.Name)
	}
	if to.into != nil && to.into != end.Var {
		return r.fail(st.Target.At, "it adds to %s of %s, others to %s", end.Var.Name, to.g.Name(), to.into.Name)
	}
	to.into = end.Var
	f, err := r.read(st.X)
	if err != nil {
		return err
	}
	if !f.alone() {
		return r.fail(st.X.Pos(), "what it adds, %s, changes", st.X)
	}
	weight := f.constant()
	if st.Op == "-=" {
		weight = both(weight, []float64{-1}, mul)
	}
	i, err := values(s, "i")
	if err != nil {
		return err
	}
	j, err := values(s, "j")
	if err != nil {
		return err
	}
	delays, err := values(s, "delay")
	if err != nil {
		return err
	}
	rows, cols := to.g.Size, from.g.Size
	kinds := slices.Compact(slices.Sorted(slices.Values(delays)))
	byRow, byCol := delaysOf(j, s.Tgt.Lo, delays, rows), delaysOf(i, s.Src.Lo, delays, cols)
	single := len(kinds) < 2 || byRow != nil || byCol != nil
	if len(kinds) == 0 {
		kinds = []float64{0}
	} else if single {
		kinds = kinds[:1]
	}
	if err := (engine.Work{}).Room(40*int64(rows)*int64(cols)*int64(len(kinds)), "%s as %d matrices of %d x %d", s.Name(), len(kinds), rows, cols); err != nil {
		return err
	}
	for k, d := range kinds {
		name := s.Name()
		if len(kinds) > 1 {
			name = fmt.Sprintf("%s_%d", name, k)
		}
		m := make([][]float64, rows)
		for o := range m {
			m[o] = make([]float64, cols)
		}
		for x := range i {
			if single || delays[x] == d {
				m[int(j[x])+s.Tgt.Lo][int(i[x])+s.Src.Lo] += weight[min(x, len(weight)-1)]
			}
		}
		matrix := make([]any, rows)
		for o := range m {
			matrix[o] = list(m[o], cols)
		}
		if err := w.add(name, map[string]any{"type": "Linear", "weight": matrix}); err != nil {
			return err
		}
		start, end := name, name
		late := map[string]any{"type": "Delay"}
		switch {
		case single && byCol != nil && isAll(byCol, func(x float64) bool { return x == 0 }):
			late = nil
		case single && byCol != nil:
			late["delay"], start = list(byCol, cols), name+"_delay"
		case single && byRow != nil:
			late["delay"], end = list(byRow, rows), name+"_delay"
		case d == 0:
			late = nil
		default:
			late["delay"], start = list([]float64{d}, cols), name+"_delay"
		}
		if late != nil {
			if err := w.add(name+"_delay", late); err != nil {
				return err
			}
			if start != name {
				w.edge(start, name)
			} else {
				w.edge(name, end)
			}
		}
		w.edge(from.g.Name(), start)
		w.edge(end, to.g.Name())
		if to.firstFrom == "" {
			to.firstFrom = name
		}
	}
	if from != to {
		from.out++
	}
	to.in++
	return nil
}

// delaysOf are the delays by neuron of one side, nil where synapses of one differ.
func delaysOf(end []float64, first int, delays []float64, n int) []float64 {
	out, known := make([]float64, n), make([]bool, n)
	for x, k := range end {
		at := int(k) + first
		if known[at] && out[at] != delays[x] {
			return nil
		}
		out[at], known[at] = delays[x], true
	}
	var some float64 // neurons without synapses go with the others
	for k := range out {
		if known[k] {
			some = out[k]
		}
	}
	for k := range out {
		if !known[k] {
			out[k] = some
		}
	}
	return out
}

// finish adds gains, biases, and the ends that NIR asks for: an Input for what nothing leads to, and Outputs.
func (w *writer) finish() error {
	last := !slices.ContainsFunc(w.order, func(p *population) bool { return p.node != nil && p.out == 0 })
	for _, p := range w.order {
		if p.node == nil {
			if p.out == 0 {
				return fmt.Errorf("nir: nothing follows the input %s", p.g.Name())
			}
			continue
		}
		if err := p.gain(); err != nil {
			return err
		}
		name, n := p.g.Name(), p.g.Size
		if p.bias != nil {
			if p.firstFrom != "" && !strings.HasSuffix(p.firstFrom, "_delay") && w.nodes[p.firstFrom+"_delay"] == nil {
				m := w.nodes[p.firstFrom].(map[string]any)
				m["type"], m["bias"] = "Affine", list(p.bias, n)
			} else {
				m := make([]any, n)
				for k := range m {
					m[k] = []any{0.0}
				}
				if err := w.add(name+"_bias", map[string]any{"type": "Affine", "weight": m, "bias": list(p.bias, n)}); err != nil {
					return err
				}
				if err := w.add(name+"_input", map[string]any{"type": "Input", "shape": []any{1.0}}); err != nil {
					return err
				}
				w.edge(name+"_input", name+"_bias")
				w.edge(name+"_bias", name)
			}
		}
		if p.in == 0 && p.bias == nil {
			if err := w.add(name+"_input", map[string]any{"type": "Input", "shape": []any{float64(n)}}); err != nil {
				return err
			}
			w.edge(name+"_input", name)
		}
		if last || p.out == 0 {
			if err := w.add(name+"_output", map[string]any{"type": "Output", "shape": []any{float64(n)}}); err != nil {
				return err
			}
			w.edge(name, name+"_output")
		}
	}
	return nil
}
