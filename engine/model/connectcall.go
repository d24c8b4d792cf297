package model

import (
	"fmt"
	"math"
	"strings"

	"synfire/engine/connect"
	"synfire/engine/eqn"
	"synfire/engine/ir"
)

// ConnectOptions are the arguments of Synapses.connect. Rule takes NEST's names;
// without it the call means what Brian2's does.
type ConnectOptions struct {
	Condition     string // of i, j and the variables of both ends: pairs that it holds for; "": all
	P             any    // nil, float64 or string: probability of each pair
	N             any    // nil, int or string: synapses per pair
	I, J          any    // nil, int, []int, []int32 (kept, not to change afterwards), or a string: expression or generator
	Rule          string // one_to_one, all_to_all, pairwise_bernoulli, fixed_total_number, fixed_indegree, fixed_outdegree; "": none
	RuleN         int    // N=, indegree= or outdegree= of the rule
	Autapses      *bool  // of a rule; nil: true
	Multapses     *bool  // of a rule; nil: true
	SkipIfInvalid bool   // of I and J: leave out indices beyond the groups
	Work          Work   // settings of the work that it takes
}

// Connect adds synapses: those of the pairs (i, j) that a condition, lists of
// indices, a generator or a rule names, drawn from the seed in force. It keeps the
// definition, not a list: synapses are counted now and built by Run. Variables of
// earlier synapses keep their values, new ones are 0. A condition, a probability
// or an index that is refused is an *eqn.Error with its place; an option that does
// not go with another is an error that names it; none of them leaves synapses
// behind.
func (s *Synapses) Connect(o ConnectOptions) error {
	if err := s.Net.still("connect"); err != nil {
		return err
	}
	p := &connect.Proj{Name: s.Name(), NPre: s.Src.Hi - s.Src.Lo, NPost: s.Tgt.Hi - s.Tgt.Lo, Same: s.Src.Group == s.Tgt.Group,
		PreOff: s.Src.Lo, PostOff: s.Tgt.Lo, Seed: s.Net.networkKey()}
	key := "connect\x00" + s.Net.Random.Draws(s)
	visit := s.Net.Random.visit(key)
	p.Stream = s.Net.Random.Stream("connect", s.Net.Random.Draws(s), "", visit)
	err := o.ruleOnly()
	switch {
	case err != nil:
	case o.Rule != "":
		err = s.byRule(p, o)
	case o.I != nil || o.J != nil:
		err = s.byIndex(p, o, visit)
	default:
		err = s.byCondition(p, o, visit)
	}
	if err != nil {
		return err
	}
	if err := s.repeat(p, o); err != nil {
		return err
	}
	for _, v := range s.Vars {
		if v.Symbol.Kind == eqn.Variable {
			v.fill()
		}
	}
	k := &Conn{Proj: p, n: -1}
	if p.Rule == connect.Given {
		if k.n, err = p.Trim(o.Work); err != nil {
			return err
		}
	}
	s.Conns = append(s.Conns, k)
	for _, w := range s.Paths {
		w.begin()
	}
	return s.enumerate(o.Work)
}

// ruleOnly refuses options that only a rule has, or that a rule has not.
func (o *ConnectOptions) ruleOnly() error {
	if o.Rule == "" {
		switch {
		case o.RuleN != 0:
			return fmt.Errorf("connect: N=, indegree= and outdegree= go with rule=")
		case o.Autapses != nil:
			return argErrorf("allow_autapses", "connect: allow_autapses= goes with rule=: write the condition 'i != j'")
		case o.Multapses != nil:
			return argErrorf("allow_multapses", "connect: allow_multapses= goes with rule=")
		}
		return nil
	}
	switch {
	case o.SkipIfInvalid:
		return argErrorf("skip_if_invalid", "connect: skip_if_invalid= goes with i= and j=, not with rule=%q", o.Rule)
	case o.RuleN != 0 && !strings.HasPrefix(o.Rule, "fixed_"):
		return fmt.Errorf("connect: rule=%q takes no number", o.Rule)
	case o.Multapses != nil && !*o.Multapses && o.N != nil && o.N != 1:
		return argErrorf("n", "connect: n= makes several synapses of a pair, allow_multapses=False refuses them")
	}
	return nil
}

// enumerate counts the synapses of each pair, for multisynaptic_index.
func (s *Synapses) enumerate(w Work) error {
	if s.number == nil {
		return nil
	}
	total, err := s.N(w)
	if err == nil {
		err = w.Room((8+4+48)*int64(total), "%s: the number of each of %d synapses among those of its pair", s.Name(), total)
	}
	if err != nil {
		return err
	}
	of := map[[2]uint32]float64{}
	numbers := make([]float64, 0, total)
	for c := range s.Conns {
		n, err := s.Count(w, c)
		if err == nil {
			err = s.Conns[c].Proj.Walk(w.Single(), 0, n, 0, func(_ int, b *connect.Columns) error {
				for k, i := range b.I {
					pair := [2]uint32{i, b.J[k]}
					numbers = append(numbers, of[pair])
					of[pair]++
				}
				return nil
			})
		}
		if err != nil {
			return err
		}
	}
	s.number.fill()
	return s.number.give(w, &list{wide: numbers})
}

func (s *Synapses) byRule(p *connect.Proj, o ConnectOptions) error {
	if o.Condition != "" || o.I != nil || o.J != nil {
		return fmt.Errorf("connect: rule=%q goes with neither condition nor i= and j=", o.Rule)
	}
	rules := map[string]connect.Rule{"one_to_one": connect.OneToOne, "all_to_all": connect.AllToAll, "pairwise_bernoulli": connect.Bernoulli,
		"fixed_total_number": connect.FixedTotal, "fixed_indegree": connect.FixedIndegree, "fixed_outdegree": connect.FixedOutdegree}
	r, ok := rules[o.Rule]
	if !ok {
		return fmt.Errorf("connect: %w", unknown(o.Rule, "connection rule", sortedKeys(rules)))
	}
	p.Rule, p.N = r, o.RuleN
	p.NoAutapses = o.Autapses != nil && !*o.Autapses
	p.NoMultapses = o.Multapses != nil && !*o.Multapses
	switch r {
	case connect.Bernoulli:
		x, ok := o.P.(float64)
		if !ok {
			return fmt.Errorf("connect: rule=\"pairwise_bernoulli\" needs p=, a probability")
		}
		p.P = x
	case connect.FixedTotal, connect.FixedIndegree, connect.FixedOutdegree:
		if o.RuleN < 0 {
			return fmt.Errorf("connect: rule=%q needs a number that is not negative, got %d", o.Rule, o.RuleN)
		}
		most, of := p.NPre*p.NPost, "pairs"
		switch r {
		case connect.FixedIndegree:
			most, of = p.NPre, "sources for each target"
		case connect.FixedOutdegree:
			most, of = p.NPost, "targets for each source"
		}
		if p.NoAutapses && p.Same && p.PreOff == p.PostOff && p.NPre == p.NPost {
			if r == connect.FixedTotal {
				most -= p.NPre
			} else {
				most--
			}
		}
		if p.NoMultapses && o.RuleN > most || o.RuleN > 0 && most == 0 {
			return fmt.Errorf("connect: rule=%q cannot give %d: there are %d %s; take fewer, or allow_multapses=True", o.Rule, o.RuleN, most, of)
		}
	case connect.OneToOne:
		if p.NPre != p.NPost {
			return fmt.Errorf("connect: rule=\"one_to_one\" needs groups of one size: %s has %d neurons, %s %d", s.srcName, p.NPre, s.tgtName, p.NPost)
		}
	}
	if o.P != nil && r != connect.Bernoulli {
		return fmt.Errorf("connect: rule=%q takes no p=", o.Rule)
	}
	return nil
}

// byCondition is connect(condition=, p=, n=).
func (s *Synapses) byCondition(p *connect.Proj, o ConnectOptions, visit uint32) error {
	sc := s.Scope(s.Net.Externals())
	p.Rule, p.P = connect.AllToAll, 1
	if genSyntax.MatchString(o.Condition) {
		return fmt.Errorf("connect: %q is a generator, not a condition: write connect(j='...') or connect(i='...')", o.Condition)
	}
	if o.Condition != "" && strings.TrimSpace(o.Condition) != "True" {
		x, err := eqn.ParseExpr(s.Net.source(o.Condition))
		if err != nil {
			return err
		}
		m := s.ColumnLanes(o.Work, s.Net.Random, "condition", "connect condition", visit, sc)
		if _, err := s.indices(x, sc); err != nil {
			return err
		}
		v, typ, dim, err := eqn.LowerExpr(m.B, x, sc, m)
		if err != nil {
			return sc.Explain(err)
		}
		if typ != eqn.Boolean {
			what := "a number"
			if !dim.IsOne() {
				what = fmt.Sprintf("a quantity (%v)", dim)
			}
			return eqn.At(x.Pos(), "write a comparison, such as 'i != j'", "connect: the condition '%s' is %s, not a truth value", x, what)
		}
		m.Out(As(m.B, v, typ, &eqn.Symbol{Type: eqn.Boolean}), ir.Bool)
		if p.Cond, err = m.B.Prog(); err != nil {
			return err
		}
		p.CondData = m.Data()
	}
	switch x := o.P.(type) {
	case nil:
	case float64:
		p.P = x
	case int:
		p.P = float64(x)
	case string:
		e, err := eqn.ParseExpr(s.Net.source(x))
		if err != nil {
			return err
		}
		if q, err := eqn.EvalHost(e, sc); err == nil {
			if !q.Dim.IsOne() {
				return ErrorAt(e.Pos(), "p= is a probability, but has the unit %v", q.Dim).Of(eqn.Dimension)
			}
			p.P = q.Value
			break
		}
		if _, err := s.indices(e, sc); err != nil {
			return err
		}
		m := s.ColumnLanes(o.Work, s.Net.Random, "p", "connect p", visit, sc)
		v, typ, dim, err := eqn.LowerExpr(m.B, e, sc, m)
		if err != nil {
			return sc.Explain(err)
		}
		if !dim.IsOne() {
			return ErrorAt(e.Pos(), "p= is a probability, but has the unit %v", dim).Of(eqn.Dimension)
		}
		m.Out(As(m.B, v, typ, &eqn.Symbol{}), ir.F32)
		if p.PProg, err = m.B.Prog(); err != nil {
			return err
		}
		p.PData = m.Data()
	default:
		return fmt.Errorf("connect: p= is a number or an expression, not %T", o.P)
	}
	if p.P < 0 || p.P > 1 || math.IsNaN(p.P) {
		return fmt.Errorf("connect: p=%g is not a probability", p.P)
	}
	if p.PProg == nil && p.P < 1 {
		p.Rule = connect.Bernoulli
	}
	return nil
}

// repeat is n=: a number of synapses for each chosen pair.
func (s *Synapses) repeat(p *connect.Proj, o ConnectOptions) error {
	n := 0.0
	switch x := o.N.(type) {
	case nil:
		return nil
	case int:
		n = float64(x)
	case string:
		e, err := eqn.ParseExpr(s.Net.source(x))
		if err != nil {
			return err
		}
		sc := s.Scope(s.Net.Externals())
		q, err := eqn.EvalHost(e, sc)
		if err != nil {
			return s.repeatEach(o.Work, p, e, sc)
		}
		if !q.Dim.IsOne() {
			return ErrorAt(e.Pos(), "connect: n= is a number of synapses, but has the unit %v", q.Dim).Of(eqn.Dimension)
		}
		n = q.Value
	default:
		return fmt.Errorf("connect: n= is a number or an expression, not %T", o.N)
	}
	if n != math.Floor(n) || n < 0 || n > math.MaxInt32 {
		return fmt.Errorf("connect: n=%v is not a number of synapses: a whole one from 0 to %d", n, math.MaxInt32)
	}
	if p.Repeat = int(n); n == 0 { // no synapses at all
		*p = given(p, nil, nil)
	}
	return nil
}

// repeatEach works n= out for every chosen pair and gives the pairs as arrays.
func (s *Synapses) repeatEach(w Work, p *connect.Proj, e eqn.Expr, sc *Scope) error {
	i, j, err := pairs(w, p)
	if err != nil {
		return err
	}
	cols := columnsBy{"i": i, "j": j}
	_, typ, err := eqn.Check(e, sc)
	if err != nil {
		return sc.Explain(err)
	}
	n, err := s.evalColumns(w, "n", e, sc, cols, typ)
	if err != nil {
		return err
	}
	total, times := 0.0, make([]int32, len(n))
	for k, w := range n {
		x := float64(int32(w))
		if typ == eqn.Float {
			x = float64(math.Float32frombits(w))
		}
		if x != math.Floor(x) || x < 0 || x > math.MaxInt32 {
			return ErrorAt(e.Pos(), "connect: n=%g for i=%d, j=%d is not a number of synapses: a whole one from 0 to %d", x, i[k], j[k], math.MaxInt32)
		}
		total += x
		times[k] = int32(x)
	}
	if err := s.pairsFit(w, total); err != nil {
		return err
	}
	ri, rj := make([]uint32, 0, int(total)), make([]uint32, 0, int(total))
	for k, n := range times {
		if k%(1<<16) == 0 && w.Err() != nil {
			return w.Err()
		}
		for range n {
			ri, rj = append(ri, i[k]), append(rj, j[k])
		}
	}
	*p = given(p, ri, rj)
	return nil
}

// given is p with its pairs as arrays, and nothing of what p has counted.
func given(p *connect.Proj, i, j []uint32) connect.Proj {
	return connect.Proj{Name: p.Name, Rule: connect.Given, NPre: p.NPre, NPost: p.NPost, Same: p.Same, PreOff: p.PreOff, PostOff: p.PostOff, Seed: p.Seed, Stream: p.Stream, I: i, J: j}
}

func pairs(w Work, p *connect.Proj) (i, j []uint32, err error) {
	n, err := p.Count(w)
	if err != nil {
		return nil, nil, err
	}
	c, err := p.Columns(w, 0, n, 0)
	if err != nil {
		return nil, nil, err
	}
	return c.I, c.J, nil
}
