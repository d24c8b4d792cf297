package compile

import (
	"maps"
	"math"
	"slices"

	"synfire/engine/backend"
	"synfire/engine/connect"
	"synfire/engine/eqn"
	"synfire/engine/ir"
	"synfire/engine/model"
)

// piece is statements of a pathway that one program serves, in the order of the
// text: those of its synapses, or those of the neurons of its side.
type piece struct {
	by     side // each: lanes are synapses; else neurons
	nth    []int
	reads  map[*model.Variable]bool
	writes map[*model.Variable]bool // assigned; an event-driven variable with its set
	adds   map[*model.Variable]bool // of neurons: "+=", which commutes
	alone  bool                     // a statement with a stage of its own, as in pathways without memory
}

// learn plans a pathway whose statements read or assign what the synapses keep of
// their own. Statements that need nothing of one another that is another
// synapse's stand in one piece, so that a synapse is visited once; a statement
// moves to an earlier piece where nothing in between is in its way.
func (o *order) learn(w *model.Path, base *model.Scope) error {
	c := o.c
	units, of, err := c.pieces(w, base)
	if err != nil {
		return err
	}
	if kept, err := c.keepLate(w, base, of); err != nil {
		return err
	} else if kept {
		return o.learn(w, c.scopeOf(w, -1))
	}
	for _, p := range units {
		if p.alone {
			nth := p.nth[0]
			st := w.Code[nth]
			for _, l := range w.Lives() {
				if err := o.statement(&statement{path: w, Carried: l, locals: c.localsBefore(w, nth, base), Stmt: st, to: base.Resolve(st.Target.ID)}); err != nil {
					return err
				}
			}
		} else if err := o.piece(w, p); err != nil {
			return err
		}
	}
	return nil
}

// pieces divides a pathway into what is done one after the other; of is the piece of
// each statement, nil of local variables.
func (c *compiler) pieces(w *model.Path, base *model.Scope) (units, of []*piece, err error) {
	var open []*piece // into which a statement may go yet
	of = make([]*piece, len(w.Code))
	for nth, st := range w.Code {
		y := base.Resolve(st.Target.ID)
		if y == nil {
			continue
		}
		locals := c.localsBefore(w, nth, base)
		n := needs{reads: map[*model.Variable]bool{}}
		c.dependsOn(st.X, base, locals, &n)
		p := &piece{by: each, nth: []int{nth}, reads: n.reads, writes: map[*model.Variable]bool{}, adds: map[*model.Variable]bool{}}
		switch r := y.Ref.(type) {
		case model.EndRef:
			v := r.Var
			sum := st.Op == "+=" || st.Op == "-="
			constant := sum && !n.changes && v.Symbol.Type == eqn.Float && len(locals) == 0
			if v.Symbol.Type != eqn.Float { // whole numbers add up in any order
				_, typ, err := eqn.Check(st.X, base)
				sum = sum && v.Symbol.Type == eqn.Integer && err == nil && typ != eqn.Float
			}
			if constant || !sum || n.reads[v] || v.Shared { // as pathways without memory do
				p.alone = true
				units, open, of[nth] = append(append(units, open...), p), nil, p
				continue
			}
			p.adds[v] = true
		case *model.Variable:
			p.by = c.learned[r].by
			if p.by == single {
				p.by = each
			}
			p.writes[r] = true
			if d := r.Driven; d != nil {
				for _, x := range append(slices.Clone(d.Vars), d.Since) {
					p.writes[x], p.reads[x] = true, true
				}
			}
			if st.Op != "=" {
				p.reads[r] = true
			}
		default:
			return nil, nil, model.ErrorAt(st.Target.At, "%q cannot be assigned here", st.Target.ID)
		}
		open, of[nth] = place(open, p)
	}
	if w.Last != nil {
		p := &piece{by: c.learned[w.Last].by, nth: []int{len(w.Code)}, reads: map[*model.Variable]bool{}, writes: map[*model.Variable]bool{w.Last: true}, adds: map[*model.Variable]bool{}}
		open, _ = place(open, p)
	}
	return append(units, open...), of, nil
}

// place puts a statement's piece into the earliest one that can take it, and says which.
func place(pieces []*piece, p *piece) ([]*piece, *piece) {
	var into *piece
	for k := len(pieces) - 1; k >= 0; k-- {
		q := pieces[k]
		if q.takes(p) {
			into = q
		}
		if meet(p.writes, q.reads) || meet(p.reads, q.writes) || meet(p.writes, q.writes) ||
			meet(p.adds, q.reads) || meet(p.reads, q.adds) {
			break
		}
	}
	if into == nil {
		return append(pieces, p), p
	}
	into.nth = append(into.nth, p.nth...)
	slices.Sort(into.nth)
	maps.Copy(into.reads, p.reads)
	maps.Copy(into.writes, p.writes)
	maps.Copy(into.adds, p.adds)
	return pieces, into
}

// takes says whether a statement may stand in the program of q: what it reads and
// assigns is its own lane's, or nobody's in q.
func (q *piece) takes(p *piece) bool {
	return q.by == p.by && !meet(p.adds, q.reads) && !meet(p.reads, q.adds)
}

func meet(a, b map[*model.Variable]bool) bool {
	for v := range a {
		if b[v] {
			return true
		}
	}
	return false
}

// piece plans the stages of a piece: for each connect call, and each set of its
// delays.
func (o *order) piece(w *model.Path, p *piece) error {
	c := o.c
	o.flush(func(a *accumulator) bool {
		return slices.ContainsFunc(a.segs, func(g segment) bool {
			return p.reads[g.v] || g.v.Mirror != nil && (p.reads[g.v.Mirror] || p.writes[g.v.Mirror])
		})
	})
	var grouped *model.Path
	if p.by != each {
		if one, err := c.oneDelay(w); err != nil {
			return err
		} else if !one {
			grouped = w
		}
	}
	for _, l := range w.Lives() {
		x := &visit{path: w, Carried: l, by: p.by, grouped: grouped, last: slices.Contains(p.nth, len(w.Code))}
		base := c.scopeOf(w, l.Life.Conn)
		for n, st := range w.Code {
			if local := base.Resolve(st.Target.ID) == nil; local && (p.by == each || uses(w.Code, n, p.nth, base)) || slices.Contains(p.nth, n) {
				x.code = append(x.code, st)
				x.own = append(x.own, !local)
			}
		}
		x.sums = make([]*accumulator, len(x.code))
		for k, st := range x.code {
			if !x.own[k] {
				continue
			}
			if r, ok := base.Resolve(st.Target.ID).Ref.(model.EndRef); ok {
				a, err := o.sumOf(x, st, r)
				if err != nil {
					return err
				}
				x.sums[k] = a
			}
		}
		o.ops = append(o.ops, func() error { return c.visit(x) })
	}
	return nil
}

// sumOf is the accumulator that a statement of a piece adds to: of 32 bits where
// the value has a proved bound that is fine enough, else of 64.
func (o *order) sumOf(x *visit, st eqn.Stmt, r model.EndRef) (*accumulator, error) {
	p, err := o.c.mostAdded(x, st, r)
	if err != nil {
		return nil, err
	}
	a := o.accumulator(r.Var, p == nil, p)
	a.segment(r.Var)
	if p != nil {
		a.added = append(a.added, *p)
	} else {
		a.scale = 0x1p30
	}
	return a, nil
}

// added is what a visit adds to an accumulator of 32 bits: at most most at each
// synapse and sum at a neuron, typically least.
type added struct {
	x                *visit
	r                model.EndRef
	most, sum, least float64
}

// fine says whether sums of 32 bits of some and more lose no more than 2^-12 of
// what is typical of each.
func (p *added) fine(some []added) bool {
	sum, least := p.sum, p.least
	for _, q := range some {
		sum, least = sum+q.sum, min(least, q.least)
	}
	return sum*0x1p-30 <= least*0x1p-12
}

// mostAdded proves a bound of what a statement adds from the bounds of what it
// reads; nil where there is none, or where in sums of 32 bits the values of now
// would lose too much of themselves.
func (c *compiler) mostAdded(x *visit, st eqn.Stmt, r model.EndRef) (*added, error) {
	if r.Var.Symbol.Type != eqn.Float {
		return nil, nil
	}
	sc, _, err := c.program(x)
	if err != nil {
		return nil, err
	}
	typical, ok := c.multiple(st.X, sc)
	if !ok {
		return nil, nil
	}
	m := c.effectLanes(x, "bound")
	v, typ, _, err := eqn.LowerExpr(m.B, st.X, sc, m)
	if err != nil || m.err != nil || typ != eqn.Float { // what the program works out first is not looked into
		return nil, nil
	}
	rg := m.B.Range(v)
	most := max(rg.Hi, -rg.Lo)
	if !(most > 0 && most < 0x1p39) {
		return nil, nil
	}
	degree, err := c.degree(x, r)
	if err != nil {
		return nil, err
	}
	p := &added{x, r, most, most * float64(slices.Max(append(degree, 1))), most * typical}
	if !p.fine(nil) {
		return nil, nil
	}
	return p, nil
}

// multiple says whether a value is a constant, or a variable with proved bounds
// times constants, so that what is typical of the variable is so of the value: of
// others, a bound says nothing about how small they are.
func (c *compiler) multiple(x eqn.Expr, sc *model.Scope) (typical float64, ok bool) {
	switch x := x.(type) {
	case *eqn.Num:
		return 1, true
	case *eqn.Unary:
		return c.multiple(x.X, sc)
	case *eqn.Binary:
		a, ok := c.multiple(x.X, sc)
		b, ok2 := c.multiple(x.Y, sc)
		return a * b, ok && ok2 && (x.Op == "*" || x.Op == "/" && len(eqn.Identifiers(x.Y)) == 0)
	case *eqn.Name:
		y := sc.Resolve(x.ID)
		if y == nil {
			return 0, false
		}
		if v, own := y.Ref.(*model.Variable); own && y.Kind == eqn.Variable && c.learned[v] != nil {
			l := c.learned[v]
			return l.typical(), l.hi > l.lo || l.hi != 0
		}
		return 1, y.Kind == eqn.Constant
	}
	return 0, false
}

// typical is the median of the magnitudes of a variable's words of now that are not
// 0, as a part of its bound.
func (l *learned) typical() float64 {
	var some []float64
	n := len(l.words)
	if l.parts != nil {
		n = l.off[len(l.off)-1]
	}
	step := max(1, n/4096)
	l.each(func(k0 int, words []uint32) error { // an error shows where the words are kept
		for k := (step - k0%step) % step; k < len(words); k += step {
			if x := math.Abs(float64(math.Float32frombits(words[k]))); x > 0 {
				some = append(some, x)
			}
		}
		return nil
	})
	if most := max(l.hi, -l.lo); len(some) > 0 && most > 0 {
		slices.Sort(some)
		return min(1, some[len(some)/2]/most)
	}
	return 1
}

// degree is the number of synapses of a visit at each neuron of one end.
func (c *compiler) degree(x *visit, r model.EndRef) ([]uint32, error) {
	if !r.Post {
		return x.syn().DegreesOf(c.w, false, x.Life.Conn)
	}
	spec, err := c.pathSpec(x.path, x.Carried)
	if err != nil {
		return nil, err
	}
	stats, err := c.measure(spec)
	if err != nil {
		return nil, err
	}
	return stats.InDegree, nil
}

// open gives an accumulator its words, at its first use in a step.
func (c *compiler) open(a *accumulator) error {
	if a.buf != backend.NoBuf {
		return nil
	}
	if a.two {
		a.buf = c.blank(a.name+" wide sum", backend.Scratch, ir.I32, 2*a.size)
		if a.segs[0].v.Symbol.Type == eqn.Float {
			a.small = &accumulator{name: a.name, segs: a.segs, two: true, scale: a.scale * 0x1p30}
			a.small.buf = c.blank(a.name+" wide sum of small ones", backend.Scratch, ir.I32, 2*a.size)
		}
		return nil
	}
	sums, degree := make([]float64, a.size), make([]float64, a.size)
	for _, p := range a.added {
		at, err := c.degree(p.x, p.r)
		if err != nil {
			return err
		}
		sp := p.x.syn().Src
		if p.r.Post {
			sp = p.x.syn().Tgt
		}
		off := a.segs[a.segment(p.r.Var)].off + sp.Lo
		for k, n := range at {
			sums[off+k] += float64(p.most * float64(n))
			degree[off+k] += float64(n)
		}
	}
	a.scale = fitScale(sums, degree, 1<<30)
	a.buf = c.blank(a.name+" sum", backend.Scratch, ir.I32, a.size)
	return nil
}

// visit is the program of a piece for the synapses, or the neurons, of one
// connect call while they have one set of delays.
type visit struct {
	path *model.Path
	model.Carried
	by      side
	code    []eqn.Stmt
	own     []bool         // of code: no local variable
	sums    []*accumulator // of code: what it adds to, or nil
	last    bool           // it notes the step of the event
	grouped *model.Path    // by neuron and delay: the pathway; nil: its synapses have one delay
	to      *eqn.Symbol    // the time to which event-driven variables are advanced; nil: now
}

func (x *visit) syn() *model.Synapses { return x.path.Delay.Syn }

// visit plans the stage of a piece.
func (c *compiler) visit(x *visit) error {
	s, w := x.syn(), x.path
	var table, count int
	var err error
	if x.by == each {
		table, err = c.pathTable(w, x.Carried)
	} else {
		table, err = c.nearTable(w, x.Carried)
	}
	if err != nil {
		return err
	}
	sc, code, err := c.program(x)
	if err != nil {
		return err
	}
	m := c.effectLanes(x, "effect")
	for k, st := range x.code {
		if a := x.sums[k]; a != nil {
			if err := c.open(a); err != nil {
				return err
			}
			target := *sc.Resolve(st.Target.ID)
			target.Summed = true
			m.accs[&target] = a
			st.Target = &eqn.Name{At: st.Target.At, ID: st.Target.ID, Sym: &target}
			count++
		}
		code = append(code, st)
	}
	if x.last {
		code = append(code, now(w.Last))
	}
	if err := eqn.Lower(m.B, code, sc, m); err != nil {
		return sc.Explain(err)
	}
	if m.err != nil {
		return m.err
	}
	p, err := m.B.Prog()
	if err != nil {
		return err
	}
	if len(p.Ins) == 0 {
		return nil
	}
	name := s.Name() + " " + w.Name
	switch x.by {
	case bySource:
		name += " by source"
	case byTarget:
		name += " by target"
	}
	c.Shares[len(c.Plan.Stages)] = []Share{{w.FullName(), 1}}
	c.Plan.Stages = append(c.Plan.Stages, backend.Stage{Form: backend.FormEffect, Name: name, Flag: -1, Prog: p, Bind: m.bindings(p), Trap: m.Traps[:p.Traps],
		Table: table, Acc: backend.NoBuf, Post: w.Post, Count: count})
	return nil
}

// now assigns the present step to a variable of steps.
func now(v *model.Variable) eqn.Stmt {
	return eqn.Stmt{Target: &eqn.Name{ID: v.Name, Sym: v.Symbol}, Op: "=", X: &eqn.Name{ID: "t"}}
}

// program is the names of a piece's statements, and what goes before them: event-
// driven variables are advanced to the present, those that the piece assigns in
// place, others for the piece alone.
func (c *compiler) program(x *visit) (*model.Scope, []eqn.Stmt, error) {
	s := x.syn()
	sc := c.scopeOf(x.path, x.Life.Conn)
	if x.path.Code == nil { // of what is no pathway
		sc = sc.Within(x.code)
	}
	if len(s.Driven) == 0 {
		return sc, nil, nil
	}
	read, assigned := map[*model.Driven]bool{}, map[*model.Driven]bool{}
	n := needs{reads: map[*model.Variable]bool{}}
	for k, st := range x.code {
		c.dependsOn(st.X, sc, nil, &n)
		if v := s.ByName[st.Target.ID]; v != nil && v.Driven != nil && x.own[k] {
			assigned[v.Driven] = true
		}
	}
	for v := range n.reads {
		if v.Driven != nil {
			read[v.Driven] = true
		}
	}
	var code []eqn.Stmt
	hidden := map[string]*eqn.Symbol{}
	for _, d := range s.Driven {
		if !read[d] && !assigned[d] {
			continue
		}
		to := &eqn.Name{ID: "t"}
		if x.to != nil {
			to = &eqn.Name{ID: x.to.Name, Sym: x.to}
		}
		advance, err := s.Advance(d, sc, to)
		if err != nil {
			return nil, nil, err
		}
		for _, v := range d.Vars {
			if !assigned[d] { // a value of the piece's own
				y := *sc.Resolve(v.Name)
				y.Kind, y.Ref = eqn.Local, nil
				hidden[v.Name] = &y
				for k := range advance {
					if advance[k].Target.Sym == sc.Resolve(v.Name) {
						advance[k].Target = &eqn.Name{ID: v.Name, Sym: &y}
					}
				}
			}
		}
		code = append(code, advance...)
		if assigned[d] {
			code = append(code, eqn.Stmt{Target: &eqn.Name{ID: d.Since.Name, Sym: d.Since.Symbol}, Op: "=", X: to})
		}
	}
	sc.Own = eqn.Before(hidden, sc.Own)
	return sc, code, nil
}

// pathTable is the table of the synapses of a pathway, in the plan.
func (c *compiler) pathTable(w *model.Path, l model.Carried) (int, error) {
	key := tableKey{w, l.Life, false}
	if k, ok := c.tabled[key]; ok {
		return k, nil
	}
	spec, err := c.pathSpec(w, l)
	if err != nil {
		return 0, err
	}
	return c.addTable(key, spec, l)
}

// nearTable is the table of the neurons of a pathway's side, in the plan.
func (c *compiler) nearTable(w *model.Path, l model.Carried) (int, error) {
	key := tableKey{w, l.Life, true}
	if k, ok := c.tabled[key]; ok {
		return k, nil
	}
	spec, err := c.nearSpec(w, l)
	if err != nil {
		return 0, err
	}
	return c.addTable(key, spec, l)
}

// tableKey tells the tables of effects apart.
type tableKey struct {
	path *model.Path
	life *model.Life
	near bool
}

func (c *compiler) addTable(key tableKey, spec *connect.Spec, l model.Carried) (int, error) {
	stats, err := c.measure(spec)
	if err != nil {
		return 0, err
	}
	w, s := key.path, key.path.Delay.Syn
	if conn := s.Conns[key.life.Conn]; !c.counted[conn] { // once, however many of its pathways and delays there are
		c.counted[conn] = true
		n, err := s.Count(c.w, key.life.Conn)
		if err != nil {
			return 0, err
		}
		c.SynapsesN += int64(n)
	}
	end := s.Src
	if w.Post {
		end = s.Tgt
	}
	src := backend.Source{Event: c.event(end.Group, end.Group.Event(w.Event)), Lo: end.Lo, Hi: end.Hi}
	c.longest[l.Life] = max(c.longest[l.Life], stats.MaxDelay)
	k := len(c.Plan.Tables)
	c.Rounding[k] = "worked out synapse by synapse"
	c.Plan.Tables = append(c.Plan.Tables, backend.Table{Spec: spec, Sources: []backend.Source{src}, First: l.First, Last: l.Life.Last, MinDelay: stats.MinDelay, MaxDelay: stats.MaxDelay})
	c.tabled[key] = k
	return k, nil
}
