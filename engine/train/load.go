package train

import (
	"fmt"
	"slices"
	"strings"

	"synfire/engine/backend"
	"synfire/engine/compile"
	"synfire/engine/connect"
	"synfire/engine/ir"
	"synfire/engine/model"
	"synfire/engine/vm"
)

// loaded is a network compiled for a number of steps, ready to go forwards and back.
type loaded struct {
	c      *compile.Compiled
	plan   *backend.Plan
	first  int64 // the network's step
	steps  int
	host   []uint32 // host words of all steps
	stages []*stage
	varies []bool // by buffer: derivatives with respect to its words are wanted
	fires  []bool // by event: derivatives with respect to events are wanted
	work   model.Work
}

// stage is a stage of the plan, and what goes back through it.
type stage struct {
	*backend.Stage
	code      *vm.Code    // FormMap
	rev       *ir.Reverse // FormMap, FormEffect
	tape      *vm.Code    // of rev
	back      bool        // something that varies comes out of it
	syn       *synapses   // FormDeliver, FormEffect
	adds      *vm.Code    // FormEffect whose contributions change: gives them
	surrogate func(float64) float64
}

// synapses are those of a delivery or an effect, listed by row and delay.
type synapses struct {
	delays         []uint16
	index          []uint32 // of row*len(delays) + delay: where its synapses begin
	k              []uint32 // their numbers
	source, target []uint32 // by number
	sums           []sum    // what each synapse adds, where that never changes
	constant       bool
	trained        bool // what they add depends on what is trained
}

// sum is what the synapses, in the order of the list, add to an accumulator.
type sum struct {
	buf  backend.BufID
	off  int // in words
	wide bool
	at   []uint32  // word
	word []uint64  // what is added
	x    []float64 // the same as a number
}

// load compiles the network and finds what depends on what is trained.
func (t *Trainer) load() (*loaded, error) {
	n := t.net
	if err := n.Complete(); err != nil {
		return nil, err
	}
	n.Specs = nil // tables of these very weights
	n.Begin()
	defer n.End()
	c, err := compile.Compile(n.Network, t.work.Alone()) // each of several processes has all of it
	if err != nil {
		return nil, err
	}
	if len(c.Start)+len(c.End) > 0 {
		return nil, fmt.Errorf("train: %s acts on the network while it runs; derivatives cannot go through the host's functions: take it out, or make it inactive (active=False)", append(slices.Clone(c.Start), c.End...)[0].Name())
	}
	l := &loaded{c: c, plan: c.Plan, first: n.Step, steps: t.steps, work: t.work}
	for s := range l.steps {
		for _, f := range c.Hosts {
			w, err := f(l.first + int64(s))
			if err != nil {
				return nil, err
			}
			l.host = append(l.host, w)
		}
	}
	for k := range l.plan.Stages {
		s := &stage{Stage: &l.plan.Stages[k]}
		switch s.Form {
		case backend.FormMap:
			if s.code, err = vm.Compile(s.Prog); err != nil {
				return nil, err
			}
		case backend.FormDeliver, backend.FormEffect:
			if s.syn, err = list(t.work, l.plan.Tables[s.Table].Spec, s.Post); err != nil {
				return nil, fmt.Errorf("stage %s: %w", s.Name, err)
			}
		}
		l.stages = append(l.stages, s)
	}
	if err := l.depends(t); err != nil {
		return nil, err
	}
	for _, s := range l.stages {
		var err error
		switch s.Form {
		case backend.FormDeliver:
			err = l.weights(s)
		case backend.FormEffect:
			err = l.effect(s)
		}
		if err == nil && s.rev != nil && s.back {
			if s.tape, err = vm.Compile(s.rev.Tape); err == nil && s.syn != nil && !s.syn.constant {
				values, _ := sums(s.Prog)
				s.adds, err = vm.Compile(ir.Taped(s.Prog, values))
			}
		}
		if err != nil {
			return nil, err
		}
	}
	return l, nil
}

// list finds the synapses of a table.
func list(w model.Work, spec *connect.Spec, post bool) (*synapses, error) {
	at, err := connect.Adjacent(spec, post, w)
	if err != nil {
		return nil, err
	}
	s := &synapses{delays: at.Delays, index: at.Index, k: at.K}
	for _, p := range spec.Projs {
		n, err := p.Count(w)
		if err != nil {
			return nil, err
		}
		c, err := p.Columns(w, 0, n, 0)
		if err != nil {
			return nil, err
		}
		for k := range n {
			s.source = append(s.source, uint32(p.Row0)+c.I[k])
			s.target = append(s.target, uint32(p.Tgt0)+c.J[k])
		}
	}
	return s, nil
}

// depends finds what depends on what is trained: buffers, events and stages.
func (l *loaded) depends(t *Trainer) error {
	p := l.plan
	l.varies, l.fires = make([]bool, len(p.Bufs)), make([]bool, len(p.Events))
	for _, x := range t.params {
		found, err := x.find(l)
		if err != nil {
			return err
		}
		for _, b := range found {
			l.varies[b] = true
		}
	}
	for again := true; again; {
		again = false
		buf := func(b backend.BufID) {
			if b != backend.NoBuf && !l.varies[b] {
				l.varies[b], again = true, true
			}
		}
		for _, s := range l.stages {
			switch s.Form {
			case backend.FormDeliver:
				if s.syn.trained || l.fed(s) {
					s.back = true
					buf(s.Acc)
				}
			case backend.FormMap, backend.FormEffect:
				r, err := ir.NewReverse(s.Prog, l.slots(s, t.DetachReset))
				if err != nil {
					return err
				}
				s.rev = r
				reached := r.Reaches()
				for n := range s.Prog.Ins { // what is overwritten has had no effect before
					in := &s.Prog.Ins[n]
					if (in.Op == ir.Store || in.Op == ir.Put) && l.varies[s.Bind[in.Imm].Buf] {
						s.back = true
					}
				}
				if s.Form == backend.FormEffect && l.fed(s) { // whether a spike comes varies: so does what is added
					for n := range s.Prog.Ins {
						if in := &s.Prog.Ins[n]; in.Op == ir.Scatter || in.Op == ir.Scatter2 {
							reached = append(reached, in.Imm)
						}
					}
				}
				for _, slot := range reached {
					b := s.Bind[slot]
					switch {
					case s.Prog.Slots[slot].Kind != ir.Mask:
						if p.Bufs[b.Buf].Type == ir.F32 || p.Bufs[b.Buf].Kind == backend.Scratch {
							s.back = true
							buf(b.Buf)
						}
					case p.Events[b.Event].Spike: // other events are conditions, which have no derivative
						s.back = true
						if !l.fires[b.Event] {
							l.fires[b.Event], again = true, true
						}
					}
				}
			}
		}
	}
	for _, s := range l.stages {
		if s.Form != backend.FormMap || !s.back {
			continue
		}
		for slot, b := range s.Bind {
			if s.Prog.Slots[slot].Kind == ir.Mask && l.decides(s, slot) && l.fires[b.Event] {
				var err error
				if s.surrogate, err = t.surrogate(p.Events[b.Event].Name); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// decides says whether a stage stores the bits of a mask.
func (l *loaded) decides(s *stage, slot int) bool {
	return slices.ContainsFunc(s.Prog.Ins, func(in ir.Instr) bool { return in.Op == ir.StoreBit && int(in.Imm) == slot })
}

// fed says whether derivatives with respect to some event of a table's sources are wanted.
func (l *loaded) fed(s *stage) bool {
	return slices.ContainsFunc(l.plan.Tables[s.Table].Sources, func(x backend.Source) bool { return l.fires[x.Event] })
}

// slots says which slots of a stage's program vary. Through what a reset reads of
// spikes derivatives go unless detached.
func (l *loaded) slots(s *stage, detached bool) []bool {
	out := make([]bool, len(s.Bind))
	for k, b := range s.Bind {
		switch {
		case s.Prog.Slots[k].Kind == ir.Mask:
			out[k] = l.fires[b.Event] && !detached && !l.decides(s, k)
		case b.Buf != backend.NoBuf:
			out[k] = l.varies[b.Buf]
		}
	}
	return out
}

// weights takes what constant synapses deliver from their table.
func (l *loaded) weights(s *stage) error {
	spec := l.plan.Tables[s.Table].Spec
	word := make([]int32, 0, len(s.syn.k))
	for _, p := range spec.Projs {
		n, err := p.Count(l.work)
		if err != nil {
			return err
		}
		c, err := p.Columns(l.work, 0, n, connect.WantWeight)
		if err != nil {
			return err
		}
		for k := range n {
			w := spec.Uniform
			if spec.Width != 0 {
				w = int32(connect.Fix(c.Weight[k], spec.Scale))
			}
			word = append(word, w)
		}
	}
	x := sum{buf: s.Acc}
	for _, k := range s.syn.k {
		x.at = append(x.at, s.syn.target[k])
		x.word = append(x.word, uint64(uint32(word[k])))
		x.x = append(x.x, float64(word[k]))
	}
	s.syn.constant, s.syn.sums = true, []sum{x}
	return nil
}

// effect works out what synapses add, where that never changes: a program that only
// adds, and reads nothing that a step writes.
func (l *loaded) effect(s *stage) error {
	written := map[backend.BufID]bool{}
	for k := range l.plan.Stages {
		for _, a := range l.plan.Accesses(&l.plan.Stages[k]) {
			if a.Write && a.Event < 0 {
				written[a.Buf] = true
			}
		}
	}
	for _, in := range s.Prog.Ins {
		switch in.Op {
		case ir.Load, ir.Gather, ir.Uniform:
			if b := s.Bind[in.Imm].Buf; b != backend.NoBuf && written[b] {
				return nil
			}
			if b := s.Bind[in.Imm].Buf; b != backend.NoBuf && l.varies[b] {
				s.syn.trained = true
			}
		case ir.Store, ir.StoreBit, ir.Put, ir.Bit, ir.Step, ir.Host, ir.Rand:
			return nil
		}
	}
	values, adds := sums(s.Prog)
	code, err := vm.Compile(ir.Taped(s.Prog, values))
	if err != nil {
		return err
	}
	columns := l.allSynapses(s, code, len(values), nil)
	e := &ir.Env{Slots: l.effectSlots(s, nil), Traps: make([]uint32, s.Prog.Traps)} // who would go beyond a bound?
	for k := range e.Slots {
		if s.Prog.Slots[k].Kind == ir.Accum {
			e.Slots[k] = slices.Clone(l.words(s.Bind[k]))
		}
	}
	for k := range e.Traps {
		e.Traps[k] = ir.NoTrap
	}
	ir.Eval(s.Prog, e, 0, len(s.syn.k))
	if slices.ContainsFunc(e.Traps, func(at uint32) bool { return at != ir.NoTrap }) {
		return nil // told when it is due
	}
	for _, in := range adds {
		b := s.Bind[in.Imm]
		x := sum{buf: b.Buf, off: b.Off, wide: in.Op == ir.Scatter2}
		for _, k := range s.syn.k {
			at, w := columns[0][k], uint64(columns[1][k])
			v := float64(int32(w))
			if x.wide {
				at, w = 2*at, w|uint64(columns[2][k])<<32
				v = float64(int64(w))
			}
			x.at, x.word, x.x = append(x.at, at), append(x.word, w), append(x.x, v)
		}
		columns = columns[len(in.Operands()):]
		s.syn.sums = append(s.syn.sums, x)
	}
	s.syn.constant = true
	return nil
}

// sums lists what a program adds to accumulators, and the operands of that.
func sums(p *ir.Prog) (operands []ir.Value, adds []ir.Instr) {
	for _, in := range p.Ins {
		if in.Op == ir.Scatter || in.Op == ir.Scatter2 {
			operands, adds = append(operands, in.Operands()...), append(adds, in)
		}
	}
	return operands, adds
}

// words are the plan's own words of a binding.
func (l *loaded) words(b backend.Binding) []uint32 {
	buf := &l.plan.Bufs[b.Buf]
	words := buf.Init
	if len(words) < buf.Len {
		words = append(slices.Clone(words), make([]uint32, buf.Len-len(words))...)
	}
	return words[b.Off:]
}

// effectSlots binds an effect's program to the memory of w (nil: the plan's own words).
func (l *loaded) effectSlots(s *stage, w *world) [][]uint32 {
	slots := make([][]uint32, len(s.Bind))
	for k, b := range s.Bind {
		switch {
		case s.Prog.Slots[k].Kind == ir.Mask:
		case b.Buf == backend.NoBuf && b.Off == backend.SlotSource:
			slots[k] = s.syn.source
		case b.Buf == backend.NoBuf:
			slots[k] = s.syn.target
		case w == nil:
			slots[k] = l.words(b)
		default:
			slots[k] = w.bufs[b.Buf][b.Off:]
		}
	}
	return slots
}

// allSynapses runs a tape for all synapses of a stage.
func (l *loaded) allSynapses(s *stage, tape *vm.Code, columns int, w *world) [][]uint32 {
	e := &ir.Env{Slots: l.effectSlots(s, w), Seed: l.plan.Key()}
	if w != nil {
		w.moment(e)
	}
	out := make([][]uint32, columns)
	for k := range out {
		out[k] = make([]uint32, len(s.syn.k))
	}
	e.Slots = append(e.Slots, out...)
	tape.Run(e, 0, len(s.syn.k))
	return out
}

// group finds the group of an event of the plan: "P.spike".
func (t *Trainer) group(event string) (*model.NeuronGroup, string) {
	for _, g := range t.net.Groups() {
		if name, ok := strings.CutPrefix(event, g.Name()+"."); ok {
			return g, name
		}
	}
	return nil, ""
}

func (t *Trainer) surrogate(event string) (func(float64) float64, error) {
	g, name := t.group(event)
	if g == nil || name != "spike" {
		return nil, fmt.Errorf("train: derivatives would go through the event %s; only spikes have a surrogate", event)
	}
	s := t.Surrogate
	if own, ok := t.Surrogates[g]; ok {
		s = own
	}
	return s.of(g)
}
