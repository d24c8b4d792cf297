package engine

import (
	"fmt"
	"slices"
	"sort"

	"synfire/engine/backend"
	"synfire/engine/connect"
	"synfire/engine/eqn"
	"synfire/engine/ir"
)

// compiled is what a compilation gives: the plan, and what has to be known to run
// it and to take back what it did. Nothing in the network has changed; adopt
// takes over what was decided, once a backend has loaded the plan.
type compiled struct {
	n         *Network
	plan      *backend.Plan
	keep      []kept // what to read back after a run
	hosts     []func(step int64) (uint32, error)
	recs      []*recordRef
	schemes   map[*NeuronGroup]*eqn.Scheme
	own       int64 // bytes that the host keeps of its own beside the program: masks, and words to hash
	synapsesN int64
	rounding  map[int]string // of each table's weights, for info

	images    map[*Variable]*image
	masks     map[*groupEvent]mask
	random    *randomness
	drawnWith int                       // see drawnFrom
	specs     map[specKey]*connect.Spec // of this plan
	longest   map[*life]int             // delays in steps, of lives of pathways
}

// compiler turns the objects of a network into a plan.
type compiler struct {
	*compiled
	w     Work
	ext   *externals
	bufs  map[memory0]backend.BufID
	evs   map[*groupEvent]int
	seen  map[string]uint32 // host words by key
	items []item

	scopes  map[*NeuronGroup]*scope
	written map[*Variable]bool
	traps   []limit
}

// memory0 is the identity of a buffer.
type memory0 struct {
	v   *Variable
	low bool
	key any
}

// kept is host memory that mirrors a State buffer between runs.
type kept struct {
	buf   backend.BufID
	words []uint32
}

// mask is the spikes of an event that are still in flight, row by row.
type mask struct {
	rows []uint32
	hist int
}

// image is the variable as this compilation sees it.
func (c *compiler) image(v *Variable) *image {
	m := c.images[v]
	if m == nil {
		y := *v.sym
		m = &image{sym: &y, words: v.words, low: v.low}
		c.images[v] = m
	}
	return m
}

// adopt makes the network what the plan, now loaded, takes it for.
func (c *compiled) adopt() {
	for v, m := range c.images {
		v.words, v.low = m.words, m.low
		v.sym.TwoWords = m.sym.TwoWords
	}
	for e, m := range c.masks {
		e.masks, e.hist = m.rows, m.hist
	}
	*c.n.random = *c.random
	c.n.drawnWith, c.n.drawn = c.drawnWith, c.plan.Drawn
	c.n.specs = c.specs
	for _, s := range c.n.AllSynapses() {
		s.settle(c.longest)
	}
	for _, ob := range c.n.objects {
		ob.base().ran = true
	}
}

// item is a stage or several, with its place in the step.
type item struct {
	slot, order int
	name        string
	seq         int
	make        func() error
}

// limit is a variable that is checked at the end of each step (rule 4).
type limit struct {
	g *NeuronGroup
	v *Variable
}

// defaultBatch is the longest run without host traffic, in steps.
const defaultBatch = 1024

// compile turns a network, as it is now, into a plan.
func compile(n *Network, w Work) (*compiled, error) {
	c := &compiler{w: w, ext: n.externals(), bufs: map[memory0]backend.BufID{}, evs: map[*groupEvent]int{}, seen: map[string]uint32{},
		scopes: map[*NeuronGroup]*scope{}, written: map[*Variable]bool{}}
	c.compiled = &compiled{n: n, schemes: map[*NeuronGroup]*eqn.Scheme{}, images: map[*Variable]*image{}, masks: map[*groupEvent]mask{},
		random: n.random.clone(), specs: map[specKey]*connect.Spec{}, rounding: map[int]string{}, longest: map[*life]int{}}
	c.plan = &backend.Plan{Dt: n.dt, Seed: n.random.seed, Batch: defaultBatch}
	c.drawnWith, c.plan.Drawn = n.wouldDraw()
	c.plan.Step = c.buffer("step", backend.State, ir.U32, []uint32{uint32(n.step)})
	c.plan.Due = c.buffer("due", backend.State, ir.U32, n.due[:])
	c.keep = append(c.keep, kept{c.plan.Due, n.due[:]})
	if err := c.findWritten(); err != nil {
		return nil, err
	}
	for _, g := range n.Groups() {
		if err := c.group(g); err != nil {
			return nil, err
		}
	}
	for _, ob := range n.objects {
		var err error
		switch x := ob.(type) {
		case *regular:
			err = c.regular(x)
		case *PoissonInput:
			err = c.poissonInput(x)
		case *StateMonitor:
			err = c.stateMonitor(x)
		case *SpikeMonitor:
			err = c.spikeMonitor(x)
		}
		if err != nil {
			return nil, err
		}
	}
	if err := c.synapses(); err != nil {
		return nil, err
	}
	c.limits()
	sort.SliceStable(c.items, func(a, b int) bool {
		x, y := &c.items[a], &c.items[b]
		switch {
		case x.slot != y.slot:
			return x.slot < y.slot
		case x.order != y.order:
			return x.order < y.order
		case x.name != y.name:
			return x.name < y.name
		}
		return x.seq < y.seq
	})
	for _, it := range c.items {
		if err := c.w.Err(); err != nil {
			return nil, err
		}
		if err := it.make(); err != nil {
			return nil, err
		}
	}
	if err := c.history(); err != nil {
		return nil, err
	}
	c.plan.Host = len(c.hosts)
	return c.compiled, c.plan.Check()
}

func (c *compiler) add(when string, order int, name string, f func() error) error {
	rank, err := slotRank(when)
	if err != nil {
		return err
	}
	c.items = append(c.items, item{rank, order, name, len(c.items), f})
	return nil
}

func (c *compiler) buffer(name string, k backend.BufKind, t ir.Type, init []uint32) backend.BufID {
	c.plan.Bufs = append(c.plan.Bufs, backend.Buf{Name: name, Kind: k, Type: t, Len: len(init), Init: init})
	return backend.BufID(len(c.plan.Bufs) - 1)
}

func (c *compiler) blank(name string, k backend.BufKind, t ir.Type, n int) backend.BufID {
	c.plan.Bufs = append(c.plan.Bufs, backend.Buf{Name: name, Kind: k, Type: t, Len: n})
	return backend.BufID(len(c.plan.Bufs) - 1)
}

// variable is the buffer of a variable's words.
func (c *compiler) variable(v *Variable, low bool) backend.BufID {
	id := memory0{v: v, low: low}
	if b, ok := c.bufs[id]; ok {
		return b
	}
	m := c.image(v)
	name, words, t := v.g.Name()+"."+v.name, m.words, irType(m.sym)
	if low {
		name, words = name+"#lo", m.low
	}
	kind := backend.Constant
	if c.written[v] {
		kind = backend.State
	}
	b := c.buffer(name, kind, t, words)
	if kind == backend.State {
		c.keep = append(c.keep, kept{b, words})
	}
	c.bufs[id] = b
	return b
}

func (c *compiler) table(key any, name string, t ir.Type, data []uint32) backend.BufID {
	id := memory0{key: key}
	if b, ok := c.bufs[id]; ok {
		return b
	}
	b := c.buffer(name, backend.Constant, t, data)
	c.bufs[id] = b
	return b
}

// event is the number of an event of the plan.
func (c *compiler) event(g *NeuronGroup, e *groupEvent) int {
	if k, ok := c.evs[e]; ok {
		return k
	}
	k := len(c.plan.Events)
	c.plan.Events = append(c.plan.Events, backend.Event{Name: g.Name() + "." + e.name, N: g.n, History: 1, Masks: backend.NoBuf, Spike: e.name == "spike"})
	c.evs[e] = k
	return k
}

// host gives a host word for a value of time, shared by equal ones.
func (c *compiler) host(b *ir.Builder) func(*eqn.HostExpr) ir.Value {
	return func(h *eqn.HostExpr) ir.Value {
		key := h.Key()
		k, ok := c.seen[key]
		if !ok {
			k = uint32(len(c.hosts))
			c.hosts = append(c.hosts, h.Eval)
			c.seen[key] = k
		}
		return b.Host(k, h.Type, ir.Range{})
	}
}

// flag is the host word that is set every so many steps; -1 for every step.
func (c *compiler) flag(every float64, what string) (int, error) {
	if every == 0 {
		return -1, nil
	}
	k, err := c.n.multiple(every, what)
	if err != nil || k == 1 {
		return -1, err
	}
	key := fmt.Sprintf("every %d", k)
	w, ok := c.seen[key]
	if !ok {
		w = uint32(len(c.hosts))
		c.seen[key] = w
		c.hosts = append(c.hosts, func(step int64) (uint32, error) {
			if step%k == 0 {
				return 1, nil
			}
			return 0, nil
		})
	}
	return int(w), nil
}

// lanes starts a program over the neurons of a group.
func (c *compiler) lanes(g *NeuronGroup, what string) *lanes {
	l := newLanes(c.n, g, g.Name()+" "+what, "step\x00"+c.random.draws(g)+"\x00"+what)
	l.host, l.view, l.random = c.host(l.b), c.image, c.random
	return l
}

// bind turns the memory of a program's slots into bindings.
func (c *compiler) bind(l *lanes, p *ir.Prog) ([]backend.Binding, error) {
	out := make([]backend.Binding, len(p.Slots))
	for k := range p.Slots {
		m := l.mem[k]
		switch {
		case m.v != nil:
			out[k] = backend.Binding{Buf: c.variable(m.v, m.low), Event: -1}
		case m.event != nil:
			out[k] = backend.Binding{Buf: backend.NoBuf, Event: c.event(l.g, m.event)}
		case m.acc != nil:
			a := m.acc.(*accumulator)
			out[k] = backend.Binding{Buf: a.buf, Off: a.offset(l.g), Event: -1}
		case m.data != nil:
			out[k] = backend.Binding{Buf: c.table(m.key, m.key, p.Slots[k].Type, m.data), Event: -1}
		case m.out != nil:
			id := memory0{key: m.out}
			b, ok := c.bufs[id]
			if !ok {
				b = c.blank(m.out.name, backend.Scratch, m.out.typ, m.out.n)
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
func (c *compiler) stage(l *lanes, lanes, flag int, traps []backend.Trap) error {
	p, err := l.b.Prog()
	if err != nil {
		return fmt.Errorf("%s: %w", l.g.Name(), err)
	}
	if len(p.Ins) == 0 {
		return nil
	}
	bind, err := c.bind(l, p)
	if err != nil {
		return err
	}
	if traps == nil {
		traps = l.traps
	}
	c.plan.Stages = append(c.plan.Stages, backend.Stage{Form: backend.FormMap, Name: p.Name, Flag: flag, N: lanes, Prog: p, Bind: bind, Trap: traps, Acc: backend.NoBuf})
	return nil
}

// findWritten marks the variables that a step may change. All others keep
// their values during a run.
func (c *compiler) findWritten() error {
	mark := func(g *NeuronGroup, names ...string) {
		for _, name := range names {
			if v := g.byName[name]; v != nil {
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
	for _, ob := range c.n.objects {
		switch x := ob.(type) {
		case *NeuronGroup:
			for _, e := range x.eqs.List {
				if e.Kind == eqn.Differential || x.byName[e.Name].overDt {
					mark(x, e.Name)
				}
			}
			for _, r := range x.reactions {
				mark(x, targets(r.code)...)
			}
			mark(x, "lastspike")
			if x.refKind == refExpr {
				mark(x, "not_refractory")
			}
		case *regular:
			mark(x.src.g, targets(x.code)...)
		case *PoissonInput:
			c.written[x.v] = true
		case *Synapses:
			for _, p := range x.paths {
				for _, name := range targets(p.code) {
					y := x.end(name)
					if y == nil {
						continue
					}
					if r, ok := y.Ref.(endRef); ok {
						c.written[r.v] = true
					}
				}
			}
		}
	}
	return nil
}

// scope gives a group's names, with parameters that have one value and do not
// change taken as constants, so that they fold.
func (c *compiler) scope(g *NeuronGroup) *scope {
	if s := c.scopes[g]; s != nil {
		return s
	}
	s := g.scope(c.ext)
	own, folded := s.own, map[string]*eqn.Symbol{}
	s.own = func(name string) *eqn.Symbol {
		y := own(name)
		if y == nil || y.Kind != eqn.Variable {
			return y
		}
		v, ok := y.Ref.(*Variable)
		if !ok {
			return y
		}
		m := c.image(v)
		y = m.sym
		if v.builtin || v.eq == nil || c.written[v] || len(m.words) == 0 || slices.ContainsFunc(m.words, func(w uint32) bool { return w != m.words[0] }) {
			if v.eq != nil && v.eq.Kind == eqn.Parameter {
				y.Constant = !c.written[v]
			}
			return y
		}
		if f := folded[name]; f != nil {
			return f
		}
		f := *y
		f.Kind, f.Value, f.ReadOnly = eqn.Constant, value(y, c.n.dt, m.words[0]), true
		folded[name] = &f
		return &f
	}
	c.scopes[g] = s
	return s
}
