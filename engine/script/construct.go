package script

import (
	"fmt"
	"regexp"
	"slices"
	"sort"

	"go.starlark.net/starlark"

	"synfire/engine"
	"synfire/engine/eqn"
	"synfire/engine/script/array"
	"synfire/engine/script/memory"
)

var nameRE = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// objectName is name=, which also names files.
func (c *call) objectName() string {
	n := c.str("name", "")
	if c.Has("name") && !nameRE.MatchString(n) {
		c.failf("name", "name= must be letters, digits and _, not %q", n)
	}
	return n
}

// namespace is a dictionary of external values.
func (c *call) namespace() map[string]any {
	const name = "namespace"
	v := c.Get(name)
	if v == nil {
		return nil
	}
	d, ok := v.(*starlark.Dict)
	if !ok {
		c.failf(name, "%s= must be a dictionary, not %s", name, array.Describe(v))
		return nil
	}
	r := map[string]any{}
	if err := readNamespace(r, d); err != nil {
		c.failf(name, "%v", err)
		return nil
	}
	return r
}

// readNamespace gives r the values of a dictionary for namespace=.
func readNamespace(r map[string]any, d *starlark.Dict) error {
	clear(r)
	for _, it := range d.Items() {
		k, ok := starlark.AsString(it[0])
		if !ok {
			return fmt.Errorf("namespace= must have names as keys, not %s", array.Describe(it[0]))
		}
		e, err := toEngine(it[1])
		if err != nil {
			return fmt.Errorf("%s of namespace= %v", k, err)
		}
		r[k] = e
	}
	return nil
}

// namespace is what an object was given as namespace=: the script's dictionary, which
// it may change between runs, and what the object's texts see of it.
type namespace struct {
	given *starlark.Dict   // nil: nothing
	more  []map[string]any // what is seen too, where given has no such name
	seen  map[string]any
}

// follow has the texts of an object see what becomes of its namespace=, and of
// more names.
func (x *script) follow(c *call, seen map[string]any, more ...map[string]any) {
	d, ok := c.Get("namespace").(*starlark.Dict)
	if c.err == nil && (ok || more != nil) {
		x.namespaces = append(x.namespaces, namespace{d, more, seen})
	}
}

// read brings what texts see up to date.
func (n *namespace) read() error {
	clear(n.seen)
	if n.given != nil {
		if err := readNamespace(n.seen, n.given); err != nil {
			return err
		}
	}
	for _, m := range n.more {
		for name, v := range m {
			if _, is := n.seen[name]; !is {
				n.seen[name] = v
			}
		}
	}
	return nil
}

// followed brings what texts see of namespace= up to date.
func (x *script) followed() error {
	for k := range x.namespaces {
		if err := x.namespaces[k].read(); err != nil {
			return err
		}
	}
	return nil
}

// useNamespace makes namespace= of a call the names that texts see, instead of
// the script's.
func (x *script) useNamespace(c *call) error {
	v := c.Get("namespace")
	if v == nil {
		return nil
	}
	c.namespace()
	if c.err != nil {
		return c.err
	}
	x.namespace = starlark.StringDict{}
	for _, it := range v.(*starlark.Dict).Items() {
		x.namespace[string(it[0].(starlark.String))] = it[1]
	}
	return nil
}

// refuse fails for arguments of Brian2 that have no meaning here yet.
func (c *call) refuse(names ...string) {
	for _, n := range names {
		if c.Has(n) {
			msg := fmt.Sprintf("Brian2 has %s= of %s(); Synfire does not yet", n, c.Fn)
			c.fail(n, eqn.As(eqn.Unsupported, withHint(absentArgs[c.Fn+"."+n], "%s", msg)))
		}
	}
}

// maxCells bounds a group; a variable, so that the fuzzer can lower it.
var maxCells = 1<<31 - 64

// size is the N of a group.
func (c *call) size() int {
	n := c.integer("N", 0)
	if c.err == nil && n < 1 {
		c.failf("N", "%s needs at least one neuron, N=%d is not possible", c.Fn, n)
	}
	if c.err == nil && n > maxCells {
		c.failf("N", "%s: N=%d passes the limit of %d", c.Fn, n, maxCells)
	}
	return n
}

func (x *script) add(o object) { x.objects = append(x.objects, o) }

func neuronGroup(x *script, c *call) (starlark.Value, error) {
	c.refuse("dtype", "codeobj_class")
	o := engine.GroupOptions{Name: c.objectName(), Threshold: c.str("threshold", ""), Reset: c.str("reset", ""), Method: c.str("method", ""),
		Namespace: c.namespace(), Dt: c.step(), Order: c.integer("order", 0)}
	c.methodOptions(map[string]any{"substeps": &o.Substeps, "longest": &o.Longest, "slow": &o.Slow})
	switch v := c.Get("refractory").(type) {
	case nil:
	case starlark.Bool:
		o.Refractory = bool(v)
	case starlark.String:
		o.Refractory = string(v)
	default:
		o.Refractory = engine.Quantity{Value: c.seconds("refractory", 0), Dim: second}
	}
	x.follow(c, o.Namespace)
	o.Events = c.dictOfTexts("events")
	if _, twice := o.Events["spike"]; twice && c.Has("threshold") {
		c.failf("events", "events= has 'spike' and threshold= is given: both say when a neuron fires")
	}
	n, model, receives := c.size(), c.model("model"), c.receives()
	if c.err != nil {
		return nil, c.err
	}
	g, err := x.net.NeuronGroup(n, model, o)
	if err != nil {
		return nil, err
	}
	x.add(g)
	if receives != nil {
		if x.receivers == nil {
			x.receivers = map[*engine.NeuronGroup]*receiver{}
		}
		x.receivers[g] = receives
	}
	v := &group{x: x, c: g, class: "NeuronGroup"}
	return v, v.begin(c)
}

func (c *call) dictOfTexts(name string) map[string]string {
	v := c.Get(name)
	if v == nil {
		return nil
	}
	d, ok := v.(*starlark.Dict)
	if !ok {
		c.failf(name, "%s= must be a dictionary of texts, not %s", name, array.Describe(v))
		return nil
	}
	r := map[string]string{}
	for _, it := range d.Items() {
		k, ok := starlark.AsString(it[0])
		t, ok2 := starlark.AsString(it[1])
		if !ok || !ok2 {
			c.failf(name, "%s= must be a dictionary of texts", name)
			return nil
		}
		r[k] = t
	}
	return r
}

func poissonGroup(x *script, c *call) (starlark.Value, error) {
	c.refuse("codeobj_class")
	c.only("when", "thresholds")
	n, rates := c.size(), c.value("rates")
	o := engine.PoissonOptions{Name: c.objectName(), Namespace: c.namespace(), Dt: c.step(), Order: c.integer("order", 0)}
	x.follow(c, o.Namespace)
	c.unit("rates", hertz)
	if a, ok := rates.(engine.Array); ok && c.err == nil && len(a.V) != n {
		c.failf("rates", "rates= has %d values for %d neurons", len(a.V), n)
	}
	if c.err != nil {
		return nil, c.err
	}
	g, err := x.net.PoissonGroup(n, rates, o)
	if err != nil {
		return nil, err
	}
	x.add(g)
	return &group{x: x, c: g, class: "PoissonGroup"}, nil
}

// unit fails if an argument is not a text and not of the dimension.
func (c *call) unit(name string, d eqn.Dim) {
	v := c.Get(name)
	if v == nil || c.err != nil {
		return
	}
	o, ok, err := array.OperandOf(v)
	if err != nil {
		c.fail(name, err)
	} else if ok && o.Dim != d && !o.Wild() {
		c.fail(name, eqn.As(eqn.Dimension, fmt.Errorf("%s= must be in %s, not %s", name, array.UnitName(d), o.Show())))
	}
}

func (c *call) cells(name string) cells {
	switch v := c.Get(name).(type) {
	case *group:
		return v.c
	case *synapses:
		c.failf(name, "%s= must be a group of neurons, not synapses", name)
	case nil:
		c.failf(name, "%s= must be a group of neurons", name)
	default:
		c.failf(name, "%s= must be a group of neurons, not %s", name, array.Describe(v))
	}
	return nil
}

// end is a source or target of synapses: cells, or other synapses.
func (c *call) end(x *script, name string) cells {
	if s, ok := c.Get(name).(*synapses); ok {
		g, err := s.s.Cells(x.work())
		c.fail(name, err)
		return g
	}
	return c.cells(name)
}

func poissonInput(x *script, c *call) (starlark.Value, error) {
	o := engine.InputOptions{Name: c.objectName(), When: c.str("when", ""), Order: c.integer("order", 0)}
	target, name, n := c.cells("target"), c.str("target_var", ""), c.integer("N", 0)
	c.unit("rate", hertz)
	rate, weight := c.value("rate"), c.value("weight")
	if c.err != nil {
		return nil, c.err
	}
	if v, err := target.Var(name); err == nil {
		c.unit("weight", v.Dim())
	}
	if r := x.receivers[target.Group()]; r != nil && !c.Has("when") {
		o.When = r.when
	}
	if c.err != nil {
		return nil, c.err
	}
	p, err := x.net.PoissonInput(target, name, n, rate, weight, o)
	if err != nil {
		return nil, err
	}
	x.add(p)
	return &input{p: p}, nil
}

// input is a PoissonInput.
type input struct {
	opaque
	p *engine.PoissonInput
}

func (p *input) String() string { return "<PoissonInput " + p.p.Name() + ">" }
func (p *input) Type() string   { return "PoissonInput" }
func (p *input) object() object { return p.p }
func (p *input) Attr(name string) (starlark.Value, error) {
	switch name {
	case "name":
		return starlark.String(p.p.Name()), nil
	case "active":
		return starlark.Bool(p.p.Active()), nil
	}
	return nil, nil
}
func (p *input) AttrNames() []string { return []string{"active", "name"} }

func (p *input) SetField(name string, v starlark.Value) error {
	return onlyActive(p.p, name, v)
}

func spikeGenerator(x *script, c *call) (starlark.Value, error) {
	c.refuse("codeobj_class")
	c.only("when", "thresholds")
	n, indices, t := c.size(), c.indices("indices"), c.sortedTimes()
	o := engine.GeneratorOptions{Name: c.objectName(), Period: c.seconds("period", 0), Dt: c.step(), Order: c.integer("order", 0)}
	if c.err != nil {
		return nil, c.err
	}
	g, err := x.net.SpikeGeneratorGroup(n, indices, t, o)
	if err != nil {
		return nil, err
	}
	x.add(g)
	return &group{x: x, c: g, class: "SpikeGeneratorGroup"}, nil
}

// times is a list of times, in seconds.
func (c *call) times(name string) []float64 {
	c.unit(name, second)
	o, ok, err := array.OperandOf(c.Val[name])
	if err == nil && (!ok || o.Table) {
		err = fmt.Errorf("%s= must be a list of times, not %s", name, array.Describe(c.Val[name]))
	}
	if err != nil {
		c.fail(name, err)
	}
	return o.V
}

// sortedTimes are times=, which must be as sorted= says.
func (c *call) sortedTimes() []float64 {
	t := c.times("times")
	if c.boolean("sorted", false) && c.err == nil && !slices.IsSorted(t) {
		c.failf("sorted", "sorted=True, but the times are not in ascending order")
	}
	return t
}

// timedArray is a TimedArray: called with a time it gives the value, as in equations.
type timedArray struct {
	opaque
	ta *engine.TimedArray
}

func (t *timedArray) String() string {
	return fmt.Sprintf("<TimedArray, %d steps of %s>", t.ta.Rows, array.Quantity{Value: t.ta.Dt, Dim: second})
}
func (t *timedArray) Type() string { return "TimedArray" }
func (t *timedArray) Name() string { return "TimedArray" }
func (t *timedArray) Attr(name string) (starlark.Value, error) {
	if name == "dt" {
		return array.Quantity{Value: t.ta.Dt, Dim: second}, nil
	}
	if name != "values" {
		return nil, nil
	}
	return &array.Array{V: slices.Clone(t.ta.Values), Kind: array.Floats, Table: t.ta.TwoD, Cols: t.ta.Cols}, nil // without unit, as in Brian2
}
func (t *timedArray) AttrNames() []string { return []string{"dt", "values"} }

func (t *timedArray) CallInternal(_ *starlark.Thread, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	if len(kwargs) > 0 {
		return nil, fmt.Errorf("a TimedArray takes no argument by name")
	}
	want := 1
	if t.ta.TwoD {
		want = 2
	}
	if len(args) != want {
		return nil, fmt.Errorf("this TimedArray takes %d arguments: %s", want, [2]string{"the time", "the time and the column"}[want-1])
	}
	times, ok, err := array.OperandOf(args[0])
	if one, e := array.ToMeasure(args[0], second); e == nil {
		times = array.Operand{V: []float64{one}, One: true}
	} else if err != nil || !ok || times.One || times.Table || times.Dim != second {
		return nil, fmt.Errorf("the time %w", e)
	}
	col := 0
	if want == 2 {
		if col, err = array.ElementIndex(args[1], t.ta.Cols); err != nil {
			return nil, err
		}
	}
	if err := memory.Room(len(times.V), 8); err != nil {
		return nil, err
	}
	r := array.Operand{V: make([]float64, len(times.V)), One: times.One, Dim: t.ta.Dim, Kind: array.Floats}
	for k, s := range times.V {
		// Brian2 reads from Python with its own rounding: floor(t/dt + 0.5 dt's part).
		row := min(max(int(s/t.ta.Dt+1e-9), 0), t.ta.Rows-1)
		r.V[k] = t.ta.Values[row*t.ta.Cols+col]
	}
	return r.Value(), nil
}

func newTimedArray(_ *script, c *call) (starlark.Value, error) {
	dt, name := c.seconds("dt", 0), c.objectName()
	o, ok, err := array.OperandOf(c.Val["values"])
	if err != nil || !ok || o.One {
		if err == nil {
			err = fmt.Errorf("values= must be a list or an array, not %s", array.Describe(c.Val["values"]))
		}
		c.fail("values", err)
	}
	if c.err != nil {
		return nil, c.err
	}
	rows, cols := len(o.V), 0
	if o.Table {
		rows, cols = o.Rows(), o.Cols
	}
	ta, err := engine.NewTimedArray(engine.Array{V: o.V, Dim: o.Dim}, rows, cols, dt, name)
	if err != nil {
		return nil, err
	}
	return &timedArray{ta: ta}, nil
}

func newSynapses(x *script, c *call) (starlark.Value, error) {
	c.refuse("connect", "dtype", "codeobj_class")
	src := c.end(x, "source")
	tgt := src
	if c.Has("target") {
		tgt = c.end(x, "target")
	}
	o := engine.SynapsesOptions{Name: c.objectName(), Model: c.model("model"), Method: c.str("method", ""), Namespace: c.namespace(),
		Dt: c.step(), Order: c.integer("order", 0), OnEvent: map[string]string{}, Multisynaptic: c.str("multisynaptic_index", "")}
	c.methodOptions(map[string]any{"substeps": &o.Substeps})
	o.OnPre = c.pathways("on_pre", "pre", "pre")
	o.OnPost = c.pathways("on_post", "post", "post")
	later, more := c.static(x, tgt, &o)
	x.follow(c, o.Namespace, more...)
	switch v := c.Get("on_event").(type) {
	case nil:
	case starlark.String:
		paths := append(append([]engine.Pathway{}, o.OnPre...), o.OnPost...)
		for _, p := range paths {
			o.OnEvent[p.Name] = string(v)
		}
		if len(paths) == 0 && v != "spike" {
			c.failf("on_event", "on_event= is the event of the pathways, and there is none: give on_pre= or on_post=")
		}
	default:
		o.OnEvent = c.dictOfTexts("on_event")
	}
	if d, ok := c.Get("delay").(*starlark.Dict); ok {
		o.Delays = map[string]any{}
		for _, it := range d.Items() {
			k, ok := starlark.AsString(it[0])
			if !ok {
				c.failf("delay", "delay= must have names of pathways as keys, not %s", array.Describe(it[0]))
			}
			s, err := array.ToMeasure(it[1], second)
			if err != nil {
				c.failf("delay", "the delay of %s %v", k, err)
			}
			o.Delays[k] = engine.Quantity{Value: s, Dim: second}
		}
	} else if c.Has("delay") {
		o.Delay = engine.Quantity{Value: c.seconds("delay", 0), Dim: second}
	}
	if c.err != nil {
		return nil, c.err
	}
	s, err := x.net.Synapses(src, tgt, o)
	if err != nil {
		return nil, err
	}
	x.add(s)
	return &synapses{x: x, s: s, later: later}, nil
}

// methodOptions reads method_options=, a dictionary of the options that to knows: a
// number of parts, a time or a number.
func (c *call) methodOptions(to map[string]any) {
	v := c.Get("method_options")
	if v == nil {
		return
	}
	d, ok := v.(*starlark.Dict)
	if !ok {
		c.failf("method_options", "method_options= must be a dictionary, not %s", array.Describe(v))
		return
	}
	for _, it := range d.Items() {
		name, _ := starlark.AsString(it[0])
		var err error
		switch x := to[name].(type) {
		case *int:
			if *x, err = array.ToInt(it[1]); err == nil && *x < 1 {
				err = fmt.Errorf("must be 1 or more, not %d", *x)
			}
		case *float64:
			dim := eqn.Dim{}
			if name == "longest" {
				dim = second
			}
			if *x, err = array.ToMeasure(it[1], dim); err == nil && *x <= 0 {
				err = fmt.Errorf("must be above 0")
			}
		default:
			hint := "the one option there is: {'substeps': n}, the parts into which method='rk2' and 'rk4' divide a step"
			if len(to) > 1 {
				hint = "there are {'substeps': n}, the parts into which method='rk2' and 'rk4' divide a step, or {'longest': 25*us}, how long they are at most, and {'slow': 0.01}: what loses less of itself in a step is kept in two words"
			}
			c.fail("method_options", withHint(hint, "method_options= has %s", it[0]))
			return
		}
		if err != nil {
			c.failf("method_options", "method_options=: %s %v", name, err)
		}
	}
}

// pathways reads on_pre= or on_post=, a text or a dictionary of texts; old is
// the argument's name in older versions of Brian2.
func (c *call) pathways(name, old, pathway string) []engine.Pathway {
	if c.Has(old) {
		if c.Has(name) {
			c.failf(old, "%s= and %s= are one argument: give %s=", old, name, name)
		}
		name = old
	}
	switch v := c.Get(name).(type) {
	case nil:
		return nil
	case starlark.String:
		if v == "" { // no pathway, as in Brian2
			return nil
		}
		return []engine.Pathway{{Name: pathway, Code: string(v)}}
	case *starlark.Dict:
		var r []engine.Pathway
		texts := c.dictOfTexts(name)
		for k, code := range texts {
			if !nameRE.MatchString(k) {
				c.failf(name, "%q cannot name a pathway", k)
			}
			r = append(r, engine.Pathway{Name: k, Code: code})
		}
		sort.Slice(r, func(i, j int) bool { return r[i].Name < r[j].Name })
		return r
	default:
		c.failf(name, "%s= must be a text or a dictionary of texts, not %s", name, array.Describe(v))
	}
	return nil
}
