package compile

import (
	"fmt"
	"slices"

	"synfire/engine/backend"
	"synfire/engine/connect"
	"synfire/engine/eqn"
	"synfire/engine/ir"
	"synfire/engine/model"
)

// Compiled is what a compilation gives: the plan, and what has to be known to run
// it and to take back what it did. Nothing in the network has changed; Adopt
// takes over what was decided, once a backend has loaded the plan.
type Compiled struct {
	n         *model.Network
	Plan      *backend.Plan                      // what a backend loads
	Keep      []kept                             // what to read back after a run
	Parted    backend.Parted                     // has the words of synapses that several processes keep; set before Adopt
	Hosts     []func(step int64) (uint32, error) // give the host words of a step, in their order
	Recs      []*RecordRef                       // what is recorded, and for whom
	Schemes   map[*model.NeuronGroup]*eqn.Scheme // the equations as solved, for info
	Own       int64                              // bytes that the host keeps of its own beside the program: masks, and words to hash
	SynapsesN int64                              // synapses in all tables
	Rounding  map[int]string                     // of each table's weights, for info
	Shares    map[int][]Share                    // by stage: whom it works for
	Places    map[*model.Variable]Place          // where the words of variables are
	Start     []*model.Operation                 // what the host does before a step, in its order
	End       []*model.Operation                 // and behind it
	ext       *model.Externals

	images    map[*model.Variable]*model.Image
	masks     map[*model.GroupEvent]mask
	random    *model.Randomness
	drawnWith int                             // see drawnFrom
	specs     map[model.SpecKey]*connect.Spec // of this plan
	longest   map[*model.Life]int             // delays in steps, of lives of pathways
	groups    map[*model.Life]*model.Groups   // of lives of pathways whose delays differ

	Clocked map[*model.Synapses]*eqn.Scheme // clock-driven equations of synapses as solved, those of the first connect call
	Learned []*learned                      // what synapses keep of their own and a run changes
	ones    map[oneKey][]int
}

// compiler turns the objects of a network into a plan.
type compiler struct {
	*Compiled
	middle  bool // of a run: what it has kept so far stays
	w       model.Work
	bufs    map[bufKey]backend.BufID
	evs     map[*model.GroupEvent]int
	seen    map[string]uint32 // host words by key
	scopes  map[*model.NeuronGroup]*model.Scope
	direct  map[*model.Variable]*model.Variable // linked ones that code assigns: what it assigns
	written map[*model.Variable]bool
	watched map[*model.GroupEvent][]model.Taker // who takes an event without values
	arrays  map[*eqn.TimedArray]int             // see model.Lanes

	learned   map[*model.Variable]*learned
	operated  map[*model.Variable]bool               // of synapses: what is changed otherwise than by events
	tabled    map[tableKey]int                       // tables of effects
	grouped   map[*model.Variable]*model.Path        // kept for each delay of a pathway
	mirrored  error                                  // why synapses that are an end of others cannot be
	counted   map[*model.Conn]bool                   // synapses that learn, in SynapsesN
	pathSpecs map[*model.Life]*connect.Spec          // see pathSpec
	always    map[int]int                            // events of every step, by size
	locals    map[*model.Path]map[string]*eqn.Symbol // local variables that are kept by neuron
}

// bufKey is the identity of a buffer.
type bufKey struct {
	v   *model.Variable
	low bool
	key any
}

// Place is the buffers of a variable.
type Place struct {
	Words, Low backend.BufID // Low: NoBuf without second words
	State      bool          // steps change them
}

func newCompiler(n *model.Network, w model.Work, ext *model.Externals) *compiler {
	c := &compiler{w: w, bufs: map[bufKey]backend.BufID{}, evs: map[*model.GroupEvent]int{}, seen: map[string]uint32{},
		scopes: map[*model.NeuronGroup]*model.Scope{}, direct: map[*model.Variable]*model.Variable{}, written: map[*model.Variable]bool{}, watched: map[*model.GroupEvent][]model.Taker{}, arrays: map[*eqn.TimedArray]int{},
		learned: map[*model.Variable]*learned{}, operated: map[*model.Variable]bool{}, tabled: map[tableKey]int{}, always: map[int]int{}, pathSpecs: map[*model.Life]*connect.Spec{}, counted: map[*model.Conn]bool{}, grouped: map[*model.Variable]*model.Path{}, locals: map[*model.Path]map[string]*eqn.Symbol{}}
	c.Compiled = &Compiled{n: n, ext: ext, Places: map[*model.Variable]Place{}, Schemes: map[*model.NeuronGroup]*eqn.Scheme{}, images: map[*model.Variable]*model.Image{}, masks: map[*model.GroupEvent]mask{},
		random: n.Random.Clone(), specs: map[model.SpecKey]*connect.Spec{}, Rounding: map[int]string{}, Shares: map[int][]Share{}, longest: map[*model.Life]int{}, groups: map[*model.Life]*model.Groups{}}
	c.Plan = &backend.Plan{Dt: n.StepSize, Seed: n.Random.Seed, Batch: max(n.Batch, defaultBatch)}
	c.drawnWith, c.Plan.Drawn = n.WouldDraw()
	c.Plan.Step = c.buffer("step", backend.State, ir.U32, []uint32{uint32(n.Step)})
	c.Plan.Due = c.buffer("due", backend.State, ir.U32, n.Due[:])
	c.Keep = append(c.Keep, kept{c.Plan.Due, n.Due[:], nil})
	return c
}

// kept is host memory that mirrors a State buffer between runs.
type kept struct {
	Buf   backend.BufID
	Words []uint32
	Of    *model.Variable // whose they are; nil: other state
}

// mask is the spikes of an event that are still in flight, row by row.
type mask struct {
	rows []uint32
	hist int
}

// image is the variable as this compilation sees it.
func (c *compiler) image(v *model.Variable) *model.Image {
	m := c.images[v]
	if m == nil {
		y := *v.Symbol
		m = &model.Image{Sym: &y, Words: v.Words, Low: v.Low}
		if v.Mirror != nil {
			y.Steps = v.Mirror.Symbol.Steps
			if l := c.learned[v.Mirror]; l != nil {
				y.TwoWords = l.low != nil
				m.Words = l.words
			} else if words, err := v.MirrorWords(c.w); err == nil {
				m.Words = words
			} else {
				m.Words, c.mirrored = make([]uint32, v.Count), err
			}
		}
		c.images[v] = m
	}
	return m
}

// Adopt makes the network what the plan, now loaded, takes it for.
func (c *Compiled) Adopt() {
	for v, m := range c.images {
		if v.Mirror != nil {
			continue
		}
		v.Words, v.Low = m.Words, m.Low
		v.Symbol.TwoWords = m.Sym.TwoWords
	}
	for e, m := range c.masks {
		e.Masks, e.Hist = m.rows, m.hist
	}
	for l, g := range c.groups {
		l.Groups = g
	}
	for _, l := range c.Learned {
		l.adopt(c)
	}
	*c.n.Random = *c.random
	c.n.DrawnWith, c.n.Drawn = c.drawnWith, c.Plan.Drawn
	c.n.Specs = c.specs
	for _, s := range c.n.AllSynapses() {
		s.Settle(c.longest)
	}
	for _, ob := range c.n.Objects {
		if b := ob.Base(); !b.HasRun {
			b.HasRun, b.Since = true, c.n.T()
		}
	}
}

// defaultBatch is the longest run without host traffic, in steps.
const defaultBatch = 1024

func (c *compiler) buffer(name string, k backend.BufKind, t ir.Type, init []uint32) backend.BufID {
	c.Plan.Bufs = append(c.Plan.Bufs, backend.Buf{Name: name, Kind: k, Type: t, Len: len(init), Init: init})
	return backend.BufID(len(c.Plan.Bufs) - 1)
}

// parted is a buffer whose words are made as they are asked for.
func (c *compiler) parted(name string, k backend.BufKind, t ir.Type, parts []backend.Part) backend.BufID {
	n := 0
	for _, p := range parts {
		n += p.N
	}
	c.Plan.Bufs = append(c.Plan.Bufs, backend.Buf{Name: name, Kind: k, Type: t, Len: n, Parts: parts})
	return backend.BufID(len(c.Plan.Bufs) - 1)
}

func (c *compiler) blank(name string, k backend.BufKind, t ir.Type, n int) backend.BufID {
	c.Plan.Bufs = append(c.Plan.Bufs, backend.Buf{Name: name, Kind: k, Type: t, Len: n})
	return backend.BufID(len(c.Plan.Bufs) - 1)
}

// variable is the buffer of a variable's words.
func (c *compiler) variable(v *model.Variable, low bool) backend.BufID {
	id := bufKey{v: v, low: low}
	if b, ok := c.bufs[id]; ok {
		return b
	}
	if l := c.learned[v.Mirror]; l != nil {
		if low {
			return l.low.buf
		}
		return l.buf
	}
	m := c.image(v)
	name, words, t := v.FullName(), m.Words, model.IrType(m.Sym)
	if low {
		name, words = name+"#lo", m.Low
	}
	kind := backend.Constant
	if c.written[v] {
		kind = backend.State
	}
	b := c.buffer(name, kind, t, words)
	if kind == backend.State {
		c.Keep = append(c.Keep, kept{b, words, v})
	}
	c.bufs[id] = b
	at, ok := c.Places[v]
	if !ok {
		at = Place{backend.NoBuf, backend.NoBuf, c.written[v]}
	}
	if low {
		at.Low = b
	} else {
		at.Words = b
	}
	c.Places[v] = at
	return b
}

func (c *compiler) table(key any, name string, t ir.Type, data []uint32) backend.BufID {
	id := bufKey{key: key}
	if b, ok := c.bufs[id]; ok {
		return b
	}
	b := c.buffer(name, backend.Constant, t, data)
	c.bufs[id] = b
	return b
}

// event is the number of an event of the plan.
func (c *compiler) event(g *model.NeuronGroup, e *model.GroupEvent) int {
	if k, ok := c.evs[e]; ok {
		return k
	}
	k := len(c.Plan.Events)
	c.Plan.Events = append(c.Plan.Events, backend.Event{Name: g.Name() + "." + e.Name, N: g.Size, History: 1, Masks: backend.NoBuf, Spike: e.Name == "spike"})
	c.evs[e] = k
	return k
}

// host gives a host word for a value of time, shared by equal ones.
func (c *compiler) host(b *ir.Builder) func(*eqn.HostExpr) ir.Value {
	return func(h *eqn.HostExpr) ir.Value {
		key := h.Key()
		k, ok := c.seen[key]
		if !ok {
			k = uint32(len(c.Hosts))
			c.Hosts = append(c.Hosts, h.Eval)
			c.seen[key] = k
		}
		return b.Host(k, h.Type, ir.Range{})
	}
}

// flagOf is the host word that is set at the steps at which an object acts; -1 for every step.
func (c *compiler) flagOf(o *model.Object) int {
	if o.Regularly() {
		return c.flag(o.Dt())
	}
	c.Hosts = append(c.Hosts, func(step int64) (uint32, error) {
		if o.Next(step) == step {
			return 1, nil
		}
		return 0, nil
	})
	return len(c.Hosts) - 1
}

// flag is the host word that is set at the steps of a clock; -1 for every step.
func (c *compiler) flag(dt float64) int {
	k := c.n.Every(dt)
	if k == 1 {
		return -1
	}
	key := fmt.Sprintf("every %d", k)
	w, ok := c.seen[key]
	if !ok {
		w = uint32(len(c.Hosts))
		c.seen[key] = w
		c.Hosts = append(c.Hosts, func(step int64) (uint32, error) {
			if step%k == 0 {
				return 1, nil
			}
			return 0, nil
		})
	}
	return int(w)
}

// lanes starts a program over the neurons of a group.
func (c *compiler) lanes(g *model.NeuronGroup, what string) *model.Lanes {
	l := model.NewLanes(c.n, g, g.Name()+" "+what, "step\x00"+c.random.Draws(g)+"\x00"+what)
	l.HostWord, l.View, l.Random, l.Tables = c.host(l.B), c.image, c.random, c.arrays
	return l
}

// bind turns the memory of a program's slots into bindings.
func (c *compiler) bind(l *model.Lanes, p *ir.Prog) ([]backend.Binding, error) {
	out := make([]backend.Binding, len(p.Slots))
	for k := range p.Slots {
		m := l.Mem[k]
		switch {
		case m.V != nil:
			out[k] = backend.Binding{Buf: c.variable(m.V, m.Low), Event: -1}
		case m.Event != nil:
			out[k] = backend.Binding{Buf: backend.NoBuf, Event: c.event(l.G, m.Event)}
		case m.Acc != nil:
			out[k] = m.Acc.(interface {
				binding(*model.NeuronGroup) backend.Binding
			}).binding(l.G)
		case m.Data != nil:
			out[k] = backend.Binding{Buf: c.table(m.Key, m.Key, p.Slots[k].Type, m.Data), Event: -1}
		case m.Out != nil:
			id := bufKey{key: m.Out}
			b, ok := c.bufs[id]
			if !ok {
				b = c.blank(m.Out.Name, backend.Scratch, m.Out.Typ, m.Out.N)
				c.bufs[id] = b
			}
			out[k] = backend.Binding{Buf: b, Event: -1}
		default:
			return nil, fmt.Errorf("%s: the slot %s stands for nothing", p.Name, p.Slots[k].Name)
		}
	}
	return out, nil
}

// stage appends the program of l as a Map stage, unless it does nothing.
func (c *compiler) stage(l *model.Lanes, lanes, flag int, traps []backend.Trap) error {
	p, err := l.B.Prog()
	if err != nil {
		return fmt.Errorf("%s: %w", l.G.Name(), err)
	}
	if len(p.Ins) == 0 {
		return nil
	}
	bind, err := c.bind(l, p)
	if err != nil {
		return err
	}
	if err := c.before(l, p, bind, flag); err != nil {
		return err
	}
	if traps == nil {
		traps = l.Traps
	}
	c.Plan.Stages = append(c.Plan.Stages, backend.Stage{Form: backend.FormMap, Name: p.Name, Flag: flag, N: lanes, Prog: p, Bind: bind, Trap: traps, Acc: backend.NoBuf})
	return nil
}

// findWritten marks the variables that a step may change. All others keep
// their values during a run.
func (c *compiler) findWritten() {
	mark := func(g *model.NeuronGroup, names ...string) {
		for _, name := range names {
			if v := g.ByName[name]; v != nil {
				if to := v.Assigned(); to != nil {
					c.direct[v], v = to, to
				}
				c.written[v] = true
			}
		}
	}
	targets := func(code []eqn.Stmt) (out []string) {
		for _, s := range code {
			out = append(out, s.Target.ID)
		}
		return out
	}
	for _, ob := range c.n.Objects {
		switch x := ob.(type) {
		case *model.NeuronGroup:
			for _, v := range x.Vars {
				if v.Operated {
					c.written[v] = true
				}
			}
			for _, e := range x.Eqs.List {
				if e.Kind == eqn.Differential || x.ByName[e.Name].OverDt {
					mark(x, e.Name)
				}
			}
			for _, r := range x.Reactions {
				mark(x, targets(r.Code)...)
			}
			mark(x, "lastspike")
			if x.RefKind == model.RefExpr {
				mark(x, "not_refractory")
			}
		case *model.Regular:
			if x.Syn == nil {
				mark(x.Src.Group, targets(x.Code)...)
				continue
			}
			for _, name := range targets(x.Code) {
				if v := x.Syn.ByName[name]; v != nil {
					c.written[v], c.operated[v] = true, true
					if d := v.Driven; d != nil {
						for _, y := range append(slices.Clone(d.Vars), d.Since) {
							c.operated[y] = true
						}
					}
				}
			}
		case *model.PoissonInput:
			c.written[x.Var] = true
		case *model.Synapses:
			for _, e := range x.Eqs.List {
				if v := x.ByName[e.Name]; e.Kind == eqn.Differential {
					c.written[v] = true
					if v.Driven == nil {
						c.operated[v] = true
					}
				}
			}
			for _, v := range x.Vars {
				if v.OverDt {
					c.written[v], c.operated[v] = true, true
				}
			}
			for _, v := range x.Hidden {
				c.written[v] = true
			}
			for _, u := range x.Summed {
				c.written[u.Var] = true
				if v := u.Var.Mirror; v != nil {
					c.written[v] = true
				}
			}
			for _, g := range []*model.NeuronGroup{x.Src.Group, x.Tgt.Group} {
				for _, v := range g.Vars { // read and written by the number of the synapse
					if v.Mirror != nil {
						c.operated[v.Mirror] = true
					}
				}
			}
			for _, p := range x.Paths {
				for _, name := range targets(p.Code) {
					if v := x.ByName[name]; v != nil {
						c.written[v] = true
						continue
					}
					y := x.End(name)
					if y == nil {
						continue
					}
					if r, ok := y.Ref.(model.EndRef); ok {
						c.written[r.Var] = true
						if v := r.Var.Mirror; v != nil {
							c.written[v] = true
						}
					}
				}
			}
		}
	}
}

// linked marks the linked variables that show what a step may change.
func (c *compiler) linked() {
	for _, g := range c.n.Groups() {
		for _, v := range g.Vars {
			if to, _ := v.Shown(); to != nil {
				c.written[v] = c.changes(v)
			}
		}
	}
}

// changes says whether a step may change a variable, or what it shows.
func (c *compiler) changes(v *model.Variable) bool {
	to, _ := v.Shown()
	return c.written[v] || to != nil && (c.written[to] || to.Symbol.Kind == eqn.Subexpression)
}

// scope gives a group's names, with parameters that have one value and do not
// change taken as constants, so that they fold.
func (c *compiler) scope(g *model.NeuronGroup) *model.Scope {
	if s := c.scopes[g]; s != nil {
		return s
	}
	s := g.Scope(c.ext)
	own, folded := s.Own, map[string]*eqn.Symbol{}
	s.Own = func(name string) *eqn.Symbol {
		y := own(name)
		if y == nil || y.Kind != eqn.Variable {
			return y
		}
		v, ok := y.Ref.(*model.Variable)
		if !ok {
			return y
		}
		if to := c.direct[v]; to != nil {
			v = to
		}
		m := c.image(v)
		y = m.Sym
		if v.Builtin || v.Equation == nil || c.written[v] || len(m.Words) == 0 || slices.ContainsFunc(m.Words, func(w uint32) bool { return w != m.Words[0] }) {
			if v.Equation != nil && v.Equation.Kind == eqn.Parameter {
				y.Constant = !c.written[v]
			}
			return y
		}
		if f := folded[name]; f != nil {
			return f
		}
		f := *y
		f.Kind, f.Value, f.ReadOnly = eqn.Constant, model.Value(y, v.Dt(), m.Words[0]), true
		folded[name] = &f
		return &f
	}
	c.scopes[g] = s
	return s
}
