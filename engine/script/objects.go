package script

import (
	"fmt"
	"slices"
	"strings"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"

	"synfire/engine"
	"synfire/engine/eqn"
	"synfire/engine/script/array"
	"synfire/engine/script/memory"
)

// cells is what a group of the script stands for: an engine group or a range of one.
type cells interface {
	engine.Cells
	Var(name string) (*engine.Var, error)
	Sub(lo, hi int) (*engine.Subgroup, error)
	Spikes() ([]int, error)
	RunRegularly(code string, o engine.RegularOptions) (*engine.Regular, error)
	Group() *engine.NeuronGroup
}

// opaque has the methods that all objects of a network share as values.
type opaque struct{}

func (opaque) Freeze()               {}
func (opaque) Truth() starlark.Bool  { return true }
func (opaque) Hash() (uint32, error) { return 0, fmt.Errorf("unhashable: an object of the network") }

// group is a NeuronGroup, PoissonGroup, SpikeGeneratorGroup or a Subgroup.
type group struct {
	opaque
	x     *script
	c     cells
	class string
}

func (g *group) String() string {
	return fmt.Sprintf("<%s %s, %d neurons>", g.class, g.c.Name(), g.c.N())
}
func (g *group) Type() string { return g.class }
func (g *group) Len() int     { return g.c.N() }
func (g *group) object() object {
	if whole, ok := g.c.(*engine.NeuronGroup); ok {
		return whole
	}
	return nil
}

func (g *group) Attr(name string) (starlark.Value, error) {
	g.x.aliases()
	switch name {
	case "N":
		return starlark.MakeInt(g.c.N()), nil
	case "name":
		return starlark.String(g.c.Name()), nil
	case "dt":
		return array.Quantity{Value: g.c.Group().Dt(), Dim: second}, nil
	case "t":
		return array.Quantity{Value: g.c.Group().T(), Dim: second}, nil
	case "run_regularly", "run_at":
		return g.x.method(g, name, g.runRegularly), nil
	case "active":
		if w, ok := g.c.(*engine.NeuronGroup); ok {
			return starlark.Bool(w.Active()), nil
		}
		return nil, withHint("set that of the whole group", "a part of a group has no active of its own")
	case "start", "stop":
		if s, ok := g.c.(*engine.Subgroup); ok {
			lo, hi := s.Bounds()
			if name == "stop" {
				lo = hi
			}
			return starlark.MakeInt(lo), nil
		}
	case "spikes":
		v, err := g.c.Spikes()
		if err != nil {
			return nil, err
		}
		return whole(v), nil
	case "run_on_event":
		return g.x.method(g, name, g.runOnEvent), nil
	case "set_event_schedule":
		return g.x.method(g, name, g.setEventSchedule), nil
	case "set_spikes":
		if g.class == "SpikeGeneratorGroup" {
			return g.x.method(g, name, g.setSpikes), nil
		}
	}
	if hint, ok := absentAttrs[name]; ok {
		return nil, eqn.As(eqn.Unsupported, withHint(hint, "Brian2 has .%s of a group; Synfire does not yet", name))
	}
	return variableAttr(g.x, g.c.Name(), name, g.c.Group().VarNames(), g.c.Var)
}

func (g *group) AttrNames() []string {
	return append([]string{"N", "active", "dt", "name", "run_at", "run_regularly", "t"}, g.c.Group().VarNames()...)
}

func (g *group) SetField(name string, v starlark.Value) error {
	switch name {
	case "active":
		if w, ok := g.c.(*engine.NeuronGroup); ok {
			return setActive(w, v)
		}
	case "N", "name", "dt", "t", "run_at", "run_regularly":
		return fmt.Errorf("%s.%s cannot be assigned", g.c.Name(), name)
	}
	if l, ok := v.(*linked); ok {
		if w, whole := g.c.(*engine.NeuronGroup); whole {
			return w.Link(name, l.Linked)
		}
		return fmt.Errorf("%s.%s: a variable is linked for a whole group", g.c.Name(), name)
	}
	w, err := g.Attr(name)
	if err != nil {
		return err
	}
	return assign(g.c.Name(), name, w, v)
}

// linked is what linked_var() gives.
type linked struct {
	opaque
	engine.Linked
}

func (l *linked) String() string { return "<linked_var>" }
func (l *linked) Type() string   { return "linked_var" }

// linkedVar is linked_var(G, 'v', index=) or linked_var(G.v, index=).
func linkedVar(x *script, c *call) (starlark.Value, error) {
	l := &linked{}
	switch v := c.Get("group_or_variable").(type) {
	case *group:
		if !c.Has("name") {
			c.failf("group_or_variable", "linked_var(group, 'name') takes the name of the variable too")
			break
		}
		name := c.str("name", "")
		w, err := v.c.Var(name)
		if err != nil && c.err == nil {
			_, err = variableAttr(x, v.c.Name(), name, v.c.Group().VarNames(), v.c.Var)
			c.fail("name", err)
		}
		l.Var = w
	case *variable:
		if c.Has("name") {
			c.failf("name", "name= goes with a group: a variable was given")
		}
		l.Var = v.v
	default:
		c.failf("group_or_variable", "linked_var() takes a group and the name of a variable, or a variable, not %s", array.Describe(c.Val["group_or_variable"]))
	}
	switch v := c.Get("index").(type) {
	case nil:
	case starlark.String:
		if v != "i" {
			c.failf("index", "index= is a list of whole numbers, or 'i', not the name of a variable")
		}
	default:
		l.Index = c.indices("index")
		if l.Index == nil {
			l.Index = []int{}
		}
	}
	if c.err != nil {
		return nil, c.err
	}
	return l, nil
}

// assign puts a value into a variable that an attribute gave; other attributes
// cannot be assigned.
func assign(owner, name string, to, v starlark.Value) error {
	if to, ok := to.(*variable); ok {
		return to.set(nil, v)
	}
	return fmt.Errorf("%s.%s cannot be assigned", owner, name)
}

// slice is P[lo:hi].
func (g *group) slice(lo, hi, step starlark.Value) (starlark.Value, error) {
	g.x.aliases()
	s, err := resolveSlice(lo, hi, step, g.c.N())
	if err != nil {
		return nil, err
	}
	if s.Step != 1 {
		return nil, fmt.Errorf("a subgroup is contiguous: it takes no step")
	}
	for _, b := range []starlark.Value{lo, hi} {
		if k, ok := b.(starlark.Int); ok {
			if n, ok := k.Int64(); !ok || n > int64(g.c.N()) || n < -int64(g.c.N()) {
				return nil, eqn.As(eqn.BadIndex, fmt.Errorf("subgroup %s[%s:%s] is out of range: %s has %d neurons", g.c.Name(), bound(lo), bound(hi), g.c.Name(), g.c.N()))
			}
		}
	}
	return g.sub(s.Lo, s.Hi)
}

func bound(v starlark.Value) string {
	if v == starlark.None {
		return ""
	}
	return v.String()
}

func (g *group) sub(lo, hi int) (starlark.Value, error) {
	s, err := g.c.Sub(lo, hi)
	if err != nil {
		return nil, err
	}
	return &group{x: g.x, c: s, class: "Subgroup"}, nil
}

// Get is P[3] or P[[3, 4, 5]]: a subgroup, as in Brian2.
func (g *group) Get(ix starlark.Value) (starlark.Value, bool, error) {
	if _, text := ix.(starlark.String); text {
		return nil, false, withHint("index the variable instead: P.v['i > 5']", "a group cannot be indexed by a condition")
	}
	pick, err := array.Selection(ix, g.c.N())
	if err != nil {
		return nil, false, err
	}
	for k := range pick {
		if pick[k] != pick[0]+k {
			return nil, false, fmt.Errorf("a subgroup is contiguous: these indices are not")
		}
	}
	if len(pick) == 0 {
		return nil, false, fmt.Errorf("a subgroup of no neuron")
	}
	s, err := g.sub(pick[0], pick[len(pick)-1]+1)
	return s, true, err
}

func (g *group) runRegularly(c *call) (starlark.Value, error) {
	code, o := c.regularly()
	if c.err != nil {
		return nil, c.err
	}
	r, err := g.c.RunRegularly(code, o)
	return &regular{r: r}, err
}

// whole is the group itself, which the caller's method needs.
func (g *group) whole(method string) (*engine.NeuronGroup, error) {
	if w, ok := g.c.(*engine.NeuronGroup); ok {
		return w, nil
	}
	return nil, fmt.Errorf("%s() belongs to a whole group, not to a subgroup", method)
}

func (g *group) runOnEvent(c *call) (starlark.Value, error) {
	w, err := g.whole("run_on_event")
	event, code, s := c.str("event", ""), c.str("code", ""), c.schedule()
	if c.err != nil {
		return nil, c.err
	}
	if err != nil {
		return nil, err
	}
	return starlark.None, w.RunOnEvent(event, code, s)
}

func (g *group) setEventSchedule(c *call) (starlark.Value, error) {
	w, err := g.whole("set_event_schedule")
	event, s := c.str("event", ""), c.schedule()
	if c.err != nil {
		return nil, c.err
	}
	if err != nil {
		return nil, err
	}
	return starlark.None, w.SetEventSchedule(event, s)
}

// schedule reads when= and order=.
func (c *call) schedule() engine.Schedule {
	s := engine.Schedule{When: c.str("when", "")}
	if c.Has("order") {
		n := c.integer("order", 0)
		s.Order = &n
	}
	return s
}

func (g *group) setSpikes(c *call) (starlark.Value, error) {
	indices, t, period := c.indices("indices"), c.sortedTimes(), c.seconds("period", 0)
	if c.err != nil {
		return nil, c.err
	}
	return starlark.None, g.c.Group().SetSpikes(indices, t, period)
}

// absentAttrs are attributes of Brian2's groups that ours do not have.
var absentAttrs = map[string]string{
	"get_states": "read the variables: P.v", "set_states": "assign to the variables: P.v = ...", "equations": "`synfire info` shows the equations as compiled",
	"user_equations": "", "summed_updaters": "", "state": "write P.v", "state_updater": "", "thresholder": "", "resetter": "", "namespace": "", "clock": "",
	"register_synapses": "", "custom_operation": "", "before_run": "", "after_run": "",
}

// variable is a variable of a group or of synapses: what P.v is.
type variable struct {
	opaque
	x     *script
	owner string
	name  string
	v     *engine.Var
	bare  bool  // P.v_: values without unit
	ends  []int // of synapses: the numbers of sources and targets
}

// variableAttr finds a variable as an attribute; a name with a trailing _ gives
// its values without unit.
func variableAttr(x *script, owner, name string, known []string, find func(string) (*engine.Var, error)) (starlark.Value, error) {
	v, err := find(name)
	bare := false
	if err != nil && strings.HasSuffix(name, "_") {
		bare = true
		v, err = find(strings.TrimSuffix(name, "_"))
	}
	if err != nil && name == "delay" {
		return nil, withHint("give on_pre= or on_post=: a delay is one of a pathway's, S.pre.delay, S.post.delay", "%s has no pathway that delay could mean", owner)
	}
	if err != nil {
		hint := eqn.Nearest(name, known)
		if hint == "" && len(known) < 30 {
			hint = "it has " + strings.Join(known, ", ")
		}
		return nil, eqn.As(eqn.UnknownName, withHint(hint, "%s has no variable %s", owner, name))
	}
	return &variable{x: x, owner: owner, name: name, v: v.In(x.work()), bare: bare}, nil
}

func (v *variable) String() string {
	w, err := v.View()
	if err != nil {
		return fmt.Sprintf("<%s.%s: %v>", v.owner, v.name, err)
	}
	return fmt.Sprintf("<%s.%s: %s>", v.owner, v.name, w)
}
func (v *variable) Type() string { return "variable" }

var _ array.Viewer = (*variable)(nil)

// View is what calculations with the variable take.
func (v *variable) View() (starlark.Value, error) { return v.get(nil) }

func (v *variable) get(ix any) (starlark.Value, error) {
	v.x.inside.Add(1)
	defer v.x.inside.Add(-1)
	if s, ok := ix.(engine.Slice); ok || ix == nil { // of those that a condition chooses there may be few
		n, err := v.v.Len()
		if err == nil && ok {
			n = max(0, (s.Hi-s.Lo)/s.Step+1)
		}
		if err == nil {
			err = memory.Room(n, 8)
		}
		if err != nil {
			return nil, err
		}
	}
	a, err := v.v.Get(ix)
	if err != nil {
		return nil, err
	}
	k := array.Singles
	switch {
	case v.v.Boolean():
		k = array.Bools
	case v.v.Integer():
		k = array.Ints
	}
	r := fromEngine(a, k)
	if v.bare {
		r.Dim = [7]int16{}
	}
	if _, one := ix.(int); (one || v.v.Scalar()) && len(r.V) == 1 {
		return r.At(0), nil
	}
	return r, nil
}

func (v *variable) set(ix any, val starlark.Value) error {
	v.x.inside.Add(1)
	defer v.x.inside.Add(-1)
	if a, f := loaded(val); f != nil && f.F32 != nil && !a.Table && (v.bare || a.Dim == v.v.Dim()) {
		return v.v.Set(ix, engine.Packed{V: f.F32, Unit: a.Packed.Unit, Dim: v.v.Dim()})
	}
	e, err := toEngine(val)
	if err != nil {
		return fmt.Errorf("%s.%s %w", v.owner, v.name, err)
	}
	if _, text := e.(string); text {
		if err := v.x.followed(); err != nil {
			return err
		}
	}
	if v.bare {
		switch y := e.(type) {
		case engine.Array:
			y.Dim = v.v.Dim()
			e = y
		case int:
			e = engine.Quantity{Value: float64(y), Dim: v.v.Dim()}
		case float64:
			e = engine.Quantity{Value: y, Dim: v.v.Dim()}
		}
	} else if _, text := e.(string); !text {
		o, _, err := array.OperandOf(val)
		if err == nil && o.Dim != v.v.Dim() && !(o.Wild() && array.Finite(o.V)) {
			return eqn.As(eqn.Dimension, fmt.Errorf("%s.%s is in %s, the value is %s", v.owner, v.name, array.UnitName(v.v.Dim()), o.Show()))
		}
	}
	return v.v.Set(ix, e)
}

// index turns an index of the script into the engine's.
func (v *variable) index(ix starlark.Value) (any, error) {
	switch ix := ix.(type) {
	case starlark.String:
		return string(ix), nil
	case starlark.Int:
		return array.ToInt(ix)
	case *array.Span:
		n, err := v.v.Len()
		if err != nil {
			return nil, err
		}
		return resolveSlice(ix.Lo, ix.Hi, ix.Step, n)
	case starlark.Tuple:
		if len(ix) == 1 {
			return v.index(ix[0])
		}
		if len(ix) == 2 || len(ix) == 3 && v.ends != nil { // source and target of synapses, the number among those of the pair
			var parts [3]any
			for k, e := range ix {
				s, ok := e.(*array.Span)
				var err error
				switch {
				case !ok:
					parts[k], err = v.index(e)
				case s.All():
				case v.ends == nil:
					err = fmt.Errorf("%s.%s has one index", v.owner, v.name)
				case k < 2:
					parts[k], err = resolveSlice(s.Lo, s.Hi, s.Step, v.ends[k])
				default:
					of, _, _ := v.v.Of()
					var n int
					if n, err = of.Syn.PerPair(v.x.work()); err == nil {
						parts[k], err = resolveSlice(s.Lo, s.Hi, s.Step, n)
					}
				}
				if err != nil {
					return nil, err
				}
			}
			if len(ix) == 2 {
				return [2]any{parts[0], parts[1]}, nil
			}
			return parts, nil
		}
	}
	o, ok, err := array.OperandOf(ix)
	if err != nil {
		return nil, err
	}
	if !ok || !o.Dim.IsOne() || o.One || o.Kind <= array.Floats && len(o.V) > 0 {
		return nil, fmt.Errorf("an index is a number, a list of them, a slice or a condition in quotes, not %s", array.Describe(ix))
	}
	if o.Kind == array.Bools {
		n, err := v.v.Len()
		if err != nil {
			return nil, err
		}
		return array.Selection(ix, n)
	}
	return array.ToInts(ix)
}

func (v *variable) Get(ix starlark.Value) (starlark.Value, bool, error) {
	i, err := v.index(ix)
	if err != nil {
		return nil, false, err
	}
	r, err := v.get(i)
	return r, true, err
}

// Has is `x in P.v`.
func (v *variable) Has(x starlark.Value) (bool, error) {
	w, err := v.View()
	if a, ok := w.(*array.Array); ok && err == nil {
		return a.Has(x)
	}
	return false, err
}

func (v *variable) SetKey(ix, val starlark.Value) error {
	i, err := v.index(ix)
	if err != nil {
		return err
	}
	return v.set(i, val)
}

func (v *variable) slice(lo, hi, step starlark.Value) (engine.Slice, error) {
	n, err := v.v.Len()
	if err != nil {
		return engine.Slice{}, err
	}
	return resolveSlice(lo, hi, step, n)
}

func (v *variable) Len() int {
	n, err := v.v.Len()
	if err != nil {
		return 0
	}
	return n
}

func (v *variable) Iterate() starlark.Iterator {
	w, err := v.View()
	if a, ok := w.(*array.Array); ok && err == nil {
		return a.Iterate()
	}
	return (&array.Array{}).Iterate()
}

func (v *variable) Binary(op syntax.Token, y starlark.Value, side starlark.Side) (starlark.Value, error) {
	return array.Binary(op, v, y, side)
}
func (v *variable) Unary(op syntax.Token) (starlark.Value, error) { return array.Unary(op, v) }

func (v *variable) Attr(name string) (starlark.Value, error) {
	w, err := v.View()
	if err != nil {
		return nil, err
	}
	if name == "get_item" || name == "set_item" {
		return nil, eqn.As(eqn.Unsupported, withHint("write P.v['i > 5']", "Brian2 has .%s; Synfire does not yet", name))
	}
	if a, ok := w.(starlark.HasAttrs); ok && w.Type() == "array" {
		return a.Attr(name)
	}
	if name == "shape" { // of one value, as NumPy has it
		return starlark.Tuple{}, nil
	}
	o, _, err := array.OperandOf(w)
	if err != nil {
		return nil, err
	}
	return (&array.Array{V: o.V, Dim: o.Dim, Kind: o.Kind}).Attr(name)
}
func (v *variable) AttrNames() []string { return (*array.Array)(nil).AttrNames() }

// resolveSlice applies Python's rules to x[lo:hi:step] of n elements.
func resolveSlice(lo, hi, step starlark.Value, n int) (s engine.Slice, err error) {
	s.Lo, s.Hi, s.Step, err = (&array.Span{Lo: lo, Hi: hi, Step: step}).Bounds(n)
	return s, err
}

// getSlice is x[lo:hi:step].
func getSlice(v, lo, hi, step starlark.Value) (starlark.Value, error) {
	switch v := v.(type) {
	case *group:
		return v.slice(lo, hi, step)
	case *variable:
		s, err := v.slice(lo, hi, step)
		if err != nil {
			return nil, err
		}
		return v.get(s)
	case *array.Array:
		pick, err := (&array.Span{Lo: lo, Hi: hi, Step: step}).Indices(v.Len())
		if err != nil {
			return nil, err
		}
		return v.Pick(pick)
	case *tableRow:
		r, _, err := v.Get(&array.Span{Lo: lo, Hi: hi, Step: step})
		return r, err
	case *axesGrid:
		r, _, err := v.Get(&array.Span{Lo: lo, Hi: hi, Step: step})
		return r, err
	case *synapses:
		return nil, withHint("index its variables: S.w[0:5]", "synapses cannot be sliced")
	}
	w, ok := v.(starlark.Sliceable)
	if !ok {
		return nil, fmt.Errorf("a %s cannot be sliced", v.Type())
	}
	s, err := resolveSlice(lo, hi, step, w.Len())
	if err != nil {
		return nil, err
	}
	if n, each := elements(w); n > 0 {
		if err := memory.Room(n, min(each, 16)); err != nil {
			return nil, err
		}
	}
	return w.Slice(s.Lo, s.Hi, s.Step), nil
}

// setSlice is x[lo:hi:step] = val.
func setSlice(v, lo, hi, step, val starlark.Value) error {
	switch v := v.(type) {
	case *variable:
		s, err := v.slice(lo, hi, step)
		if err != nil {
			return err
		}
		return v.set(s, val)
	case *array.Array:
		return v.SetKey(&array.Span{Lo: lo, Hi: hi, Step: step}, val)
	case *tableRow:
		return v.SetKey(&array.Span{Lo: lo, Hi: hi, Step: step}, val)
	case *starlark.List:
		return setListSlice(v, &array.Span{Lo: lo, Hi: hi, Step: step}, val)
	}
	return fmt.Errorf("a slice of a %s cannot be assigned to", v.Type())
}

// setListSlice is list[lo:hi:step] = values; without a step their number may differ.
func setListSlice(l *starlark.List, at *array.Span, val starlark.Value) error {
	seq, ok := val.(starlark.Iterable)
	if !ok {
		return fmt.Errorf("a slice of a list takes a list, not %s", array.Describe(val))
	}
	n, _ := elements(val)
	if err := memory.Room(l.Len()+n, 48); err != nil {
		return err
	}
	lo, hi, step, err := at.Bounds(l.Len())
	if err != nil {
		return err
	}
	values, old := slices.Collect(starlark.Elements(seq)), slices.Collect(starlark.Elements(l))
	if step == 1 {
		fresh := slices.Concat(old[:lo], values, old[hi:])
		if err := l.Clear(); err != nil {
			return err
		}
		for _, v := range fresh {
			if err := l.Append(v); err != nil {
				return err
			}
		}
		return nil
	}
	pick, err := at.Indices(l.Len())
	if err == nil && len(pick) != len(values) {
		err = fmt.Errorf("%d values for %d elements", len(values), len(pick))
	}
	for k := 0; err == nil && k < len(pick); k++ {
		err = l.SetIndex(pick[k], values[k])
	}
	return err
}
