package compile

import (
	"fmt"
	"slices"

	"synfire/engine/eqn"
	"synfire/engine/model"
)

// side says whose words those of a synapse's variable are. What all synapses of a
// neuron have in common is kept once for the neuron (design section 6).
type side uint8

const (
	each     side = iota // one for each synapse
	bySource             // one for each source, of one connect call
	byTarget             // one for each target, of one connect call
	single               // one for all: a shared variable
)

func sideOf(post bool) side {
	if post {
		return byTarget
	}
	return bySource
}

// sides decides what is kept by neuron: what statements of one side's pathways
// alone assign, from constants, that side's variables and itself, with equal
// values at first, and one delay for all synapses.
func (c *compiler) sides(s *model.Synapses, changed map[*model.Variable]bool) (map[*model.Variable]side, error) {
	out := map[*model.Variable]side{}
	names := map[*model.Path]*model.Scope{nil: c.pathScope(s, -1, nil)}
	for _, w := range s.Paths {
		names[w] = c.pathScope(s, -1, w.Code)
	}
	type assignment struct {
		path *model.Path
		nth  int
	}
	by := map[*model.Variable][]assignment{} // who assigns what; an event-driven variable with those of its set
	for _, w := range s.Paths {
		for n, st := range w.Code {
			v := s.ByName[st.Target.ID]
			if v == nil || !changed[v] {
				continue
			}
			if v.Driven == nil {
				by[v] = append(by[v], assignment{w, n})
				continue
			}
			for _, x := range append(slices.Clone(v.Driven.Vars), v.Driven.Since) {
				by[x] = append(by[x], assignment{w, n})
			}
		}
		if w.Last != nil {
			by[w.Last] = append(by[w.Last], assignment{w, -1})
		}
	}
	alike := map[*model.Path]bool{}
	for _, w := range s.Paths {
		one, err := c.oneDelay(w)
		if err != nil {
			return nil, err
		}
		alike[w] = one
	}
	for v := range changed {
		switch {
		case v.Shared:
			out[v] = single
			continue
		case v.Equation != nil && v.Equation.Kind == eqn.Differential && v.Driven == nil || c.operated[v]:
			out[v] = each
			continue
		}
		at, path := bySource, (*model.Path)(nil) // path: kept for each delay of it
		for k, a := range by[v] {
			this := sideOf(a.path.Post)
			if !alike[a.path] && k == 0 && groupable(a.path) {
				path = a.path
			}
			if k > 0 && this != at || path == nil && !alike[a.path] || path != nil && path != a.path {
				at = each
				break
			}
			at = this
		}
		for k := range s.Conns {
			var g *model.Groups
			_, ok := v.NearWords(k, at == byTarget)
			if path != nil && at != each {
				var err error
				if g, err = c.groupsOf(path, k); err != nil {
					return nil, err
				}
				_, ok = v.NearGroups(k, at == byTarget, g)
			}
			if !ok && (keepEach == nil || !keepEach(v, k, at == byTarget, g)) {
				at = each
			}
		}
		out[v] = at
		if at != each {
			c.grouped[v] = path
		}
	}
	for again := true; again; {
		again = false
		for v, at := range out {
			if at == each || at == single {
				continue
			}
			near := func(x eqn.Expr, w *model.Path, locals []eqn.Stmt) bool {
				return c.near(s, x, names[w], locals, at, c.grouped[v], out)
			}
			ok := true
			for _, a := range by[v] {
				if a.nth < 0 {
					continue
				}
				st, locals := a.path.Code[a.nth], c.localsBefore(a.path, a.nth, names[a.path])
				ok = ok && near(st.X, a.path, locals)
				// A local variable of single synapses that is made of it before, and used after, needs it in their own program.
				for d, local := range a.path.Code[:a.nth] {
					if names[a.path].Resolve(local.Target.ID) != nil || !slices.ContainsFunc(a.path.Code[a.nth+1:], func(st eqn.Stmt) bool { return slices.Contains(eqn.Identifiers(st.X), local.Target.ID) }) {
						continue
					}
					locals, reads := c.localsBefore(a.path, d, names[a.path]), needs{reads: map[*model.Variable]bool{}}
					c.reads(local.X, names[a.path], locals, out, &reads)
					ok = ok && (!reads.reads[v] || near(local.X, a.path, locals))
				}
			}
			if d := drivenBy(s, v); d != nil {
				for _, x := range append(slices.Clone(d.Vars), d.Since) {
					ok = ok && out[x] == at && c.grouped[x] == c.grouped[v] && (x.Equation == nil || near(x.Equation.X, nil, nil))
				}
			}
			if !ok {
				out[v], again = each, true
				delete(c.grouped, v)
			}
		}
	}
	return out, nil
}

// drivenBy is the set of event-driven equations that a variable, or the time of
// their last assignment, belongs to.
func drivenBy(s *model.Synapses, v *model.Variable) *model.Driven {
	for _, d := range s.Driven {
		if d.Since == v || v.Driven == d {
			return d
		}
	}
	return nil
}

// near says whether a value is the same for all synapses of a neuron at one side.
func (c *compiler) near(s *model.Synapses, x eqn.Expr, sc eqn.Scope, locals []eqn.Stmt, at side, path *model.Path, sides map[*model.Variable]side) bool {
	post := at == byTarget
	return settledBy(x, sc, locals, func(ref any) bool {
		switch r := ref.(type) {
		case *model.Variable:
			if r.Syn != s { // of a neuron's subexpression
				return false
			}
			if by, ok := sides[r]; ok {
				return by == single || by == at && (c.grouped[r] == nil || c.grouped[r] == path)
			}
			for k := range s.Conns {
				if _, ok := r.NearWords(k, post); !ok {
					return false
				}
			}
			return true
		case model.EndRef:
			return r.Var.Shared || r.Post == post
		case model.IndexRef:
			return (r.Name == "j") == post
		case model.DegreeRef:
			return r.Post == post
		}
		return false
	})
}

// oneDelay says whether all synapses of each connect call have one delay.
func (c *compiler) oneDelay(w *model.Path) (bool, error) {
	s := w.Delay.Syn
	for _, l := range w.Lives() {
		if l.Delays.Lazy == nil && l.Delays.List == nil {
			continue
		}
		spec, err := c.pathSpec(w, l)
		if err != nil {
			return false, err
		}
		stats, err := c.measure(spec)
		if err != nil {
			return false, err
		}
		if stats.MinDelay != stats.MaxDelay {
			return false, nil
		}
	}
	return len(s.Conns) > 0, nil
}

// groupable says whether what a pathway assigns may be kept by neuron and delay: its
// synapses have had no others that are still in flight.
func groupable(w *model.Path) bool {
	lives := w.Lives()
	return len(lives) > 0 && len(lives) == len(w.Delay.Syn.Conns)
}

// groupsOf are the synapses of a connect call by neuron and delay of a pathway.
func (c *compiler) groupsOf(w *model.Path, conn int) (*model.Groups, error) {
	for _, l := range w.Lives() {
		if l.Life.Conn != conn {
			continue
		}
		if g := l.Life.Groups; g != nil {
			return g, nil
		}
		if g := c.groups[l.Life]; g != nil {
			return g, nil
		}
		spec, err := c.pathSpec(w, l)
		if err != nil {
			return nil, err
		}
		g, err := w.Delay.Syn.GroupsOf(c.w, spec.Projs[0], w.Post)
		c.groups[l.Life] = g
		return g, err
	}
	return nil, fmt.Errorf("internal: %s has no delays for its synapses", w.FullName())
}

// group notes the groups of a variable that is kept for each delay of a pathway.
func (c *compiler) group(l *learned, w *model.Path) error {
	if w == nil {
		return nil
	}
	l.path = w
	for k := range l.v.Syn.Conns {
		g, err := c.groupsOf(w, k)
		if err != nil {
			return err
		}
		l.groups = append(l.groups, g)
	}
	return nil
}
