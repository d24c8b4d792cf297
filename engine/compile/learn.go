package compile

import (
	"fmt"
	"math"
	"slices"

	"synfire/engine/backend"
	"synfire/engine/connect"
	"synfire/engine/eqn"
	"synfire/engine/ir"
	"synfire/engine/model"
)

// learned is a variable of synapses that a step may change, as the plan holds it.
type learned struct {
	v      *model.Variable
	by     side
	alike  side // bySource or byTarget: all synapses of a neuron have it in common, however it is kept
	buf    backend.BufID
	off    []int // where the words of each connect call begin; then their end
	words  []uint32
	parts  []backend.Part  // in place of words, where several processes make the run
	lo, hi float64         // bounds that hold for ever, in internal units; both 0: none are known
	low    *learned        // second words (rule 10), nil without
	path   *model.Path     // of which it is kept for each delay, too; nil: all delays are one
	groups []*model.Groups // of each connect call, with path
	temp   bool            // a local variable of a pathway: worth nothing when the step is over
}

// keepEach, for tests, has every variable kept by synapse; it says whether the
// synapses of each neuron of a side have the same words.
var keepEach func(v *model.Variable, conn int, post bool, g *model.Groups) bool

// rng is what is known of the words.
func (l *learned) rng() ir.Range {
	if l.lo == 0 && l.hi == 0 {
		return ir.Range{}
	}
	return ir.Range{Lo: l.lo, Hi: l.hi, Tiny: ir.FlushStore}
}

// findLearned lays out what synapses keep of their own that a run changes.
func (c *compiler) findLearned() error {
	for _, s := range c.n.AllSynapses() {
		changed := c.changed(s)
		if err := c.synapseEquations(s); err != nil {
			return err
		}
		if len(changed) == 0 || len(s.Conns) == 0 {
			continue
		}
		sides, err := c.sides(s, changed)
		if err != nil {
			return err
		}
		for _, w := range s.Paths {
			if err := c.keepLocals(w, sides); err != nil {
				return err
			}
		}
		for _, v := range append(slices.Clone(s.Vars), s.Hidden...) {
			if !changed[v] {
				continue
			}
			l := &learned{v: v, by: sides[v], alike: sides[v]}
			if err := c.group(l, c.grouped[v]); err != nil {
				return err
			}
			if keepEach != nil && l.by != single {
				l.by = each
			}
			if err := c.lay(l); err != nil {
				return err
			}
			c.learned[v] = l
			c.Learned = append(c.Learned, l)
		}
		if err := c.secondWords(s); err != nil {
			return err
		}
		for _, v := range s.Vars {
			if l := c.learned[v]; l != nil {
				if err := c.bound(l); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// changed are the variables of synapses that a step may change.
func (c *compiler) changed(s *model.Synapses) map[*model.Variable]bool {
	out := map[*model.Variable]bool{}
	for _, v := range append(slices.Clone(s.Vars), s.Hidden...) {
		if c.written[v] {
			out[v] = true
		}
	}
	return out
}

// lay gives a variable its words.
func (c *compiler) lay(l *learned) error {
	s, v := l.v.Syn, l.v
	l.off = []int{0}
	for k := range s.Conns {
		n := 0
		switch l.by {
		case each:
			var err error
			if n, err = s.Count(c.w, k); err != nil {
				return err
			}
		case bySource:
			n = s.Src.Hi - s.Src.Lo
		case byTarget:
			n = s.Tgt.Hi - s.Tgt.Lo
		}
		if l.by != each && l.path != nil {
			n = len(l.groups[k].End)
		}
		l.off = append(l.off, l.off[k]+n)
	}
	size := l.off[len(s.Conns)]
	if l.by == single {
		size = 1
	}
	if l.by == each && c.ranked() && !s.Mirrored() {
		for k := range s.Conns {
			p, err := v.Part(c.w, k)
			if err != nil {
				return err
			}
			p.Lo = l.off[k]
			l.parts = append(l.parts, p)
		}
		l.buf = c.parted(v.FullName(), backend.State, model.IrType(v.Symbol), l.parts)
		return nil
	}
	if err := c.w.Room(8*int64(size), "%s: the values of %d synapses, which change", v.FullName(), size); err != nil {
		return err
	}
	if l.by == single {
		word, ok := v.Uniform(0)
		if !ok {
			return fmt.Errorf("%s is shared: it has one value", v.FullName())
		}
		l.words = []uint32{word}
	} else if len(s.Conns) == 1 && l.by == each {
		words, err := v.OwnWords(c.w, 0)
		if err != nil {
			return err
		}
		l.words = words
	} else {
		l.words = make([]uint32, 0, size)
		for k := range s.Conns {
			words, ok := v.NearWords(k, l.by == byTarget)
			if l.by != each && l.path != nil {
				words, ok = v.NearGroups(k, l.by == byTarget, l.groups[k])
			}
			if !ok || l.by == each {
				var err error
				if words, err = v.ConnWords(c.w, k); err != nil {
					return err
				}
			}
			l.words = append(l.words, words...)
		}
	}
	l.buf = c.buffer(v.FullName(), backend.State, model.IrType(v.Symbol), l.words)
	if l.temp {
		return nil
	}
	c.Keep = append(c.Keep, kept{l.buf, l.words, v})
	return nil
}

// secondWords gives slow clock-driven variables their second words (rule 10).
func (c *compiler) secondWords(s *model.Synapses) error {
	two := map[string]bool{}
	for k := range s.Conns {
		_, scheme, err := c.synapsesScheme(s, k)
		if err != nil {
			return err
		}
		for _, name := range scheme.Two {
			two[name] = true
		}
	}
	for _, v := range s.Vars {
		if !two[v.Name] && v.Second == nil {
			continue
		}
		low := v.Second
		if low == nil {
			low = v.NewSecond()
		}
		l := &learned{v: low}
		if err := c.lay(l); err != nil {
			return err
		}
		c.learned[v].low = l
		c.Learned = append(c.Learned, l)
	}
	return nil
}

// adopt gives the words to the model, which keeps them between runs.
func (l *learned) adopt(c *Compiled) {
	if l.temp {
		return
	}
	if l.low != nil {
		l.v.Second = l.low.v
	}
	if l.by == single {
		l.v.KeepOne(l.words[0])
		return
	}
	for k := range l.v.Syn.Conns {
		if l.parts != nil {
			lo, n := l.off[k], l.off[k+1]-l.off[k]
			l.v.KeepFar(k, n, backend.Lying{In: c.Parted, Buf: l.buf, Lo: lo})
			continue
		}
		words := l.words[l.off[k]:l.off[k+1]:l.off[k+1]]
		if l.by == each {
			l.v.KeepEach(k, words)
		} else {
			var g *model.Groups
			if l.path != nil {
				g = l.groups[k]
			}
			l.v.KeepNear(k, l.by == byTarget, g, words)
		}
	}
}

// Alike tells the words of a State buffer for the hash of a run where the synapses
// of each neuron have them in common: two sums over the neurons that have synapses,
// which do not tell whether the words are kept once for a neuron or for each synapse.
// It returns nil where the buffer's own words count; what a pathway keeps for the
// length of a step counts as none.
func (c *Compiled) Alike(w model.Work, b backend.BufID, words []uint32) ([]uint64, error) {
	for _, l := range c.Learned {
		switch {
		case l.buf != b || !l.temp && (l.by == single || l.by == each && l.alike == each):
			continue
		case l.temp:
			return []uint64{}, nil
		}
		sums := make([]uint64, 2)
		s, post := l.v.Syn, l.alike == byTarget
		for k := range s.Conns {
			var g *model.Groups
			if l.path != nil {
				g = l.groups[k]
			}
			at, err := c.one(w, s, k, post, g)
			if err != nil {
				return nil, err
			}
			for n, of := range at {
				if of < 0 {
					continue
				}
				word := l.off[k] + n
				if l.by == each {
					word = l.off[k] + of
				}
				x := model.Mix(uint64(k), uint64(n), uint64(words[word]))
				sums[0] += x
				sums[1] += model.Mix(x, 1, 2)
			}
		}
		return sums, nil
	}
	return nil, nil
}

// one is a synapse of each neuron of one side of a connect call, or of each group; -1:
// there is none.
func (c *Compiled) one(w model.Work, s *model.Synapses, conn int, post bool, g *model.Groups) ([]int, error) {
	if g != nil {
		at := make([]int, len(g.End))
		for k, x := range g.Of {
			at[x] = k
		}
		return at, nil
	}
	key := oneKey{s, conn, post}
	if at, ok := c.ones[key]; ok {
		return at, nil
	}
	at, err := s.OneOfEach(w, conn, post)
	if c.ones == nil {
		c.ones = map[oneKey][]int{}
	}
	c.ones[key] = at
	return at, err
}

// oneKey is one side of a connect call.
type oneKey struct {
	s    *model.Synapses
	conn int
	post bool
}

// bound proves bounds of a variable that only clip() assigns.
func (c *compiler) bound(l *learned) error {
	s, v := l.v.Syn, l.v
	if v.Symbol.Type != eqn.Float || v.Symbol.Steps || v.Driven != nil || c.operated[v] || v.Equation == nil || v.Equation.Kind != eqn.Parameter {
		return nil
	}
	lo, hi := math.Inf(1), math.Inf(-1)
	for _, w := range s.Paths {
		sc := c.pathScope(s, -1, w.Code)
		for _, st := range w.Code {
			if st.Target.ID != v.Name {
				continue
			}
			x, ok := st.X.(*eqn.Call)
			if st.Op != "=" || !ok || x.Func != "clip" || len(x.Args) != 3 {
				return nil
			}
			a, err := eqn.EvalHost(x.Args[1], sc)
			if err != nil {
				return nil
			}
			b, err := eqn.EvalHost(x.Args[2], sc)
			if err != nil || !(a.Value <= b.Value) {
				return nil
			}
			unit := v.Symbol.Dim.Scale()
			lo, hi = min(lo, float64(float32(a.Value/unit))), max(hi, float64(float32(b.Value/unit)))
		}
	}
	look := func(_ int, words []uint32) error {
		for _, w := range words {
			x := float64(math.Float32frombits(w))
			lo, hi = min(lo, x), max(hi, x)
		}
		return nil
	}
	look(0, l.words)
	for _, p := range l.parts {
		if at := p.Lies; at != nil {
			least, most, err := at.In.Range(at.Buf, at.Lo, p.N)
			if err != nil {
				return err
			}
			lo, hi = min(lo, least), max(hi, most)
			continue
		}
		if err := (&backend.Buf{Parts: []backend.Part{p}}).Each(look); err != nil {
			return err
		}
	}
	if lo <= hi && lo > -0x1p40 && hi < 0x1p40 {
		l.lo, l.hi = lo, hi
	}
	return nil
}

// each calls take with a variable's words of now, some at a time.
func (l *learned) each(take func(k0 int, words []uint32) error) error {
	if l.parts == nil {
		return take(0, l.words)
	}
	return (&backend.Buf{Parts: l.parts}).Each(take)
}

// ranked says that several processes make the run.
func (c *compiler) ranked() bool { return c.w.Ranks != nil && c.w.Ranks.Size() > 1 }

// pathSpec is the synapses of a connect call while they have one set of delays.
func (c *compiler) pathSpec(w *model.Path, l model.Carried) (*connect.Spec, error) {
	if spec := c.pathSpecs[l.Life]; spec != nil {
		return spec, nil
	}
	s := w.Delay.Syn
	conn := s.Conns[l.Life.Conn]
	delay, unit, err := c.delayColumn(s, w, l.Life.Conn, l.Delays)
	if err != nil {
		return nil, err
	}
	q := conn.Proj.With(connect.Column{}, delay)
	q.Unit, q.Row0, q.Tgt0 = unit, 0, 0
	spec := &connect.Spec{Name: s.Name() + " " + w.Name, Projs: []*connect.Proj{q}, NSrc: q.NPre, NTgt: q.NPost, Scale: 1, Width: 32}
	spec = c.spec(c.fingerprint([]*part{{conn: conn}}, spec), spec)
	c.pathSpecs[l.Life] = spec
	return spec, nil
}

// nearSpec is the neurons of one side of a connect call, each its own source and
// target, with the one delay of all its synapses.
func (c *compiler) nearSpec(w *model.Path, l model.Carried) (*connect.Spec, error) {
	s := w.Delay.Syn
	sp := s.Src
	if w.Post {
		sp = s.Tgt
	}
	n := sp.Hi - sp.Lo
	one, err := c.oneDelay(w)
	if err != nil {
		return nil, err
	}
	if !one {
		g, err := c.groupsOf(w, l.Life.Conn)
		if err != nil {
			return nil, err
		}
		numbers := make([]uint32, len(g.End))
		for k := range numbers {
			numbers[k] = uint32(k)
		}
		p := &connect.Proj{Name: s.Name() + " " + w.Name, Rule: connect.Given, NPre: n, NPost: len(g.End), I: g.End, J: numbers, Delay: connect.Column{Array: g.Delay}, Seed: s.Conns[l.Life.Conn].Proj.Seed}
		if w.Post {
			p.NPre, p.NPost, p.I, p.J = p.NPost, p.NPre, p.J, p.I
		}
		return &connect.Spec{Name: p.Name + " by neuron and delay", Projs: []*connect.Proj{p}, NSrc: p.NPre, NTgt: p.NPost, Scale: 1, Width: 32}, nil
	}
	p := &connect.Proj{Name: s.Name() + " " + w.Name, Rule: connect.OneToOne, NPre: n, NPost: n, Seed: s.Conns[l.Life.Conn].Proj.Seed}
	steps := 0
	if l.Delays.Lazy != nil || l.Delays.List != nil {
		spec, err := c.pathSpec(w, l)
		if err != nil {
			return nil, err
		}
		stats, err := c.measure(spec)
		if err != nil {
			return nil, err
		}
		steps = stats.MinDelay
	} else {
		delay, _, err := c.delayColumn(s, w, l.Life.Conn, l.Delays)
		if err != nil {
			return nil, err
		}
		steps = int(delay.Const)
	}
	p.Delay = connect.Column{Const: float64(steps)}
	return &connect.Spec{Name: p.Name + " by neuron", Projs: []*connect.Proj{p}, NSrc: n, NTgt: n, Scale: 1, Width: 32}, nil
}

// WordsOf is where the words of a variable of synapses are that a run changes, and the
// memory that mirrors them between runs.
func (c *Compiled) WordsOf(v *model.Variable) (backend.BufID, []uint32, bool) {
	for _, l := range c.Learned {
		if l.v == v {
			return l.buf, l.words, true
		}
	}
	return backend.NoBuf, nil, false
}

// LearnedText tells what synapses keep of their own and a run changes: how often, and
// the clock-driven equations as solved.
func (c *Compiled) LearnedText() []string {
	var out []string
	var of *model.Synapses
	for _, l := range c.Learned {
		if l.temp {
			continue
		}
		if s := l.v.Syn; s != of {
			of = s
			out = append(out, "", s.Name()+": synapses that learn")
			if x := c.Clocked[s]; x != nil {
				out = append(out, "  method "+x.Method)
				for _, st := range x.Stmts {
					out = append(out, fmt.Sprintf("    %s %s %s", st.Target.ID, st.Op, st.X))
				}
			}
		}
		if l.path != nil && l.by != each {
			out = append(out, fmt.Sprintf("  %s: one for each %s and delay", l.v.Name, map[bool]string{false: "source", true: "target"}[l.by == byTarget]))
			continue
		}
		how := map[side]string{each: "one for each synapse", bySource: "one for each source", byTarget: "one for each target", single: "one for all"}[l.by]
		if l.lo != 0 || l.hi != 0 {
			d := l.v.Symbol.Dim
			how += fmt.Sprintf(", from %s to %s", model.Quantity{Value: float64(l.lo * d.Scale()), Dim: d}.Text(7), model.Quantity{Value: float64(l.hi * d.Scale()), Dim: d}.Text(7))
		}
		out = append(out, fmt.Sprintf("  %s: %s", l.v.Name, how))
	}
	return out
}

// Mirror is the memory that holds the words of a variable of synapses as the last run
// has left them: nothing else writes it. Nil: of other buffers.
func (c *Compiled) Mirror(b backend.BufID) []uint32 {
	for _, l := range c.Learned {
		if l.buf == b && !l.temp {
			return l.words
		}
	}
	return nil
}

// Each says that a State buffer's words lie with the processes of the run, and count for its hash as they are.
func (c *Compiled) Each(b backend.BufID) bool {
	return slices.ContainsFunc(c.Learned, func(l *learned) bool { return l.buf == b && l.parts != nil && !l.temp })
}

// Far brings what lies with the processes of the run here, where it is the variables' still.
func (c *Compiled) Far() (home []func() error) {
	for _, l := range c.Learned {
		for k := range l.v.Syn.Conns {
			if bring := l.v.Far(k); bring != nil && l.parts != nil {
				home = append(home, bring)
			}
		}
	}
	return home
}
