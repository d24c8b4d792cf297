package model

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"

	"synfire/engine/connect"
	"synfire/engine/eqn"
)

// genSyntax is Brian2's generator: an element, a loop variable, an iterable and
// an optional condition.
var genSyntax = regexp.MustCompile(`(?s)^(.*?)\bfor\s+([A-Za-z_]\w*)\s+in\s+(range|sample)\s*\((.*?)\)\s*(?:\bif\b(.*))?$`)

// byIndex is connect(i=, j=): arrays, or an expression or generator for one end.
func (s *Synapses) byIndex(p *connect.Proj, o ConnectOptions, visit uint32) error {
	if o.Condition != "" || o.P != nil && (isText(o.I) || isText(o.J)) {
		return fmt.Errorf("connect: i= or j= goes with neither condition nor p=; put the condition into the generator")
	}
	if o.P != nil && o.P != 1 && o.P != 1.0 {
		return argErrorf("p", "connect: p= of lists of indices is not available: draw the pairs, or give a condition")
	}
	p.Rule = connect.Given
	ti, iText := o.I.(string)
	tj, jText := o.J.(string)
	switch {
	case iText && jText:
		return fmt.Errorf("connect: only one of i= and j= can be an expression")
	case iText || jText:
		if iText && o.J != nil || jText && o.I != nil {
			return fmt.Errorf("connect: an expression for one end goes without the other")
		}
		return s.generate(o.Work, p, strings.TrimSpace(ti+tj), jText, o.SkipIfInvalid)
	}
	i, err := indexList(o.I, "i", s.srcName, p.NPre, o.SkipIfInvalid)
	if err != nil {
		return err
	}
	j, err := indexList(o.J, "j", s.tgtName, p.NPost, o.SkipIfInvalid)
	if err != nil {
		return err
	}
	switch {
	case o.I == nil: // every source to the given targets: by source, then as given
		i, j, err = s.spread(o.Work, p.NPre, j, false)
	case o.J == nil:
		i, j, err = s.spread(o.Work, p.NPost, i, true)
	case len(i) == 1 && len(j) > 1:
		i = repeatTo(i, len(j))
	case len(j) == 1 && len(i) > 1:
		j = repeatTo(j, len(i))
	}
	if err != nil {
		return err
	}
	if len(i) != len(j) {
		return fmt.Errorf("connect: i= has %d indices, j= has %d", len(i), len(j))
	}
	bad := 0
	for k := range i {
		badI, badJ := uint(i[k]) >= uint(p.NPre), uint(j[k]) >= uint(p.NPost)
		switch {
		case !badI && !badJ:
		case o.SkipIfInvalid:
			bad++
		case badI:
			return outOfRange("i", int(i[k]), k, s.srcName, p.NPre)
		default:
			return outOfRange("j", int(j[k]), k, s.tgtName, p.NPost)
		}
	}
	if bad == 0 {
		p.I, p.J = connect.Indices(i), connect.Indices(j)
		return nil
	}
	p.I, p.J = make([]uint32, 0, len(i)-bad), make([]uint32, 0, len(i)-bad)
	for k := range i {
		if uint(i[k]) < uint(p.NPre) && uint(j[k]) < uint(p.NPost) {
			p.I, p.J = append(p.I, uint32(i[k])), append(p.J, uint32(j[k]))
		}
	}
	return nil
}

func outOfRange(name string, x, pair int, group string, n int) error {
	return eqn.As(eqn.BadIndex, fmt.Errorf("connect: %s=%d of pair %d is out of range: %s has %d neurons", name, x, pair, group, n))
}

func isText(x any) bool { _, ok := x.(string); return ok }

// indexList reads i= or j=, indices of n neurons of a group; to be skipped are
// those that 32 bits do not hold, as -1.
func indexList(x any, name, group string, n int, skip bool) ([]int32, error) {
	switch x := x.(type) {
	case nil:
		return nil, nil
	case int:
		return indexList([]int{x}, name, group, n, skip)
	case []int:
		out := make([]int32, len(x))
		for k, i := range x {
			if out[k] = int32(i); int(out[k]) != i {
				if out[k] = -1; !skip {
					return nil, outOfRange(name, i, k, group, n)
				}
			}
		}
		return out, nil
	case []int32:
		return x, nil
	}
	return nil, fmt.Errorf("connect: %s= is an index, a list of indices or a string, not %T", name, x)
}

// spread pairs each of n neurons with all given indices.
func (s *Synapses) spread(w Work, n int, given []int32, swap bool) (a, b []int32, err error) {
	total := float64(float64(n) * float64(len(given)))
	if err := s.pairsFit(w, total); err != nil {
		return nil, nil, err
	}
	a, b = make([]int32, 0, int(total)), make([]int32, 0, int(total))
	for k := range n {
		if err := w.Err(); err != nil {
			return nil, nil, err
		}
		for _, g := range given {
			a, b = append(a, int32(k)), append(b, g)
		}
	}
	if swap {
		return b, a, nil
	}
	return a, b, nil
}

// pairsFit refuses more pairs than a call of connect, or the memory, holds as a list.
func (s *Synapses) pairsFit(w Work, n float64) error {
	if n > connect.MaxSynapses {
		return fmt.Errorf("connect: %.4g synapses; one call makes at most %d: divide sources or targets among several calls", n, connect.MaxSynapses)
	}
	return w.Room(8*int64(n), "connect: a list of %.0f pairs", n)
}

func repeatTo(x []int32, n int) []int32 {
	out := make([]int32, n)
	for k := range out {
		out[k] = x[0]
	}
	return out
}

// generate works a generator (or a plain expression) out for every neuron of
// one end: by source for j=, by target for i=.
func (s *Synapses) generate(w Work, p *connect.Proj, text string, forJ, skip bool) error {
	sc := s.Scope(s.Net.Externals())
	outer, size := "i", p.NPre // the neurons for which it is worked out
	inner, limit, end := "j", p.NPost, s.tgtName
	if !forJ {
		outer, size, inner, limit, end = inner, limit, outer, size, s.srcName
	}
	element, condition, site := text, "", "generator"
	each := func(take func(lane, val uint32) error) error {
		for k := range size {
			if err := take(uint32(k), 0); err != nil {
				return err
			}
		}
		return nil
	}
	loop := ""
	if m := genSyntax.FindStringSubmatch(text); m != nil {
		if loop = m[2]; loop == "i" || loop == "j" {
			return fmt.Errorf("connect: the loop variable of %q hides the index %s of the synapse: call it k", text, loop)
		}
		var err error
		if each, err = s.iterable(w, m[3], m[4], text, sc, outer, size, skip); err != nil {
			return err
		}
		element, condition, site = m[1], strings.TrimSpace(m[5]), "generator element"
		k, own := &eqn.Symbol{Name: loop, Kind: eqn.Variable, Type: eqn.Integer, ReadOnly: true, Constant: true, Ref: IndexRef{loop}}, sc.Own
		sc.Own = func(name string) *eqn.Symbol {
			if name == loop {
				return k
			}
			return own(name)
		}
		if condition == "" && strings.HasSuffix(text, "if") {
			return fmt.Errorf("connect: %q has no condition after if", text)
		}
	} else if strings.Contains(text, " for ") {
		return fmt.Errorf("connect: %q is not a generator; write \"k for k in range(a, b) if condition\" or \"k for k in sample(a, b, p=...)\"", text)
	} else if x, cond, ok := strings.Cut(text, " if "); ok && !strings.Contains(cond, " else ") {
		element, condition = x, cond
	}
	x, err := s.parsePart(element, text)
	if err != nil {
		return err
	}
	value, err := s.columnExpr(w, site, x, sc, eqn.Integer)
	if err != nil {
		return err
	}
	var holds *columnExpr // nil: always
	if condition != "" {
		c, err := s.parsePart(condition, text)
		if err != nil {
			return err
		}
		if holds, err = s.columnExpr(w, "generator if", c, sc, eqn.Boolean); err != nil {
			return err
		}
	}
	inRange := func(cols columnsBy) error {
		ends := cols[inner]
		valid := func(q int) bool { return ends[q] < uint32(limit) } // what is negative is large
		for q, e := range ends {
			if !skip && !valid(q) {
				return fmt.Errorf("connect: %q gives %d for %s=%d, but %s has %d neurons; skip_if_invalid=True drops such pairs", text, int32(e), outer, cols[outer][q], end, limit)
			}
		}
		cols.keep(valid)
		return nil
	}
	tried, asked := 0, 0 // lanes so far, of those of a condition and of those of an element that comes after it
	block := func(lanes, vals []uint32) error {
		if err := w.Err(); err != nil {
			return err
		}
		cols := columnsBy{outer: lanes}
		if loop != "" {
			cols[loop] = vals
		}
		if holds != nil {
			first := asked
			asked += len(lanes)
			if holds.reads.column[inner] { // it asks where the synapse ends
				if cols[inner], err = value.run(cols, first); err != nil {
					return err
				}
				if holds.reads.neuron[inner] { // of which there must be one
					first = tried
					if err := inRange(cols); err != nil {
						return err
					}
					tried += cols.len()
				}
			}
			yes, err := holds.run(cols, first)
			if err != nil {
				return err
			}
			cols.keep(func(q int) bool { return yes[q] != 0 })
		}
		if cols[inner] == nil {
			n := cols.len()
			if cols[inner], err = value.run(cols, tried); err != nil {
				return err
			}
			tried += n
		}
		if err := inRange(cols); err != nil {
			return err
		}
		if n := len(p.I) + cols.len(); n > cap(p.I) {
			n += n / 4
			if err := s.pairsFit(w, float64(n)); err != nil {
				return err
			}
			p.I, p.J = slices.Grow(p.I, n-len(p.I)), slices.Grow(p.J, n-len(p.J))
		}
		p.I, p.J = append(p.I, cols["i"]...), append(p.J, cols["j"]...)
		return nil
	}
	const most = 1 << 16
	lanes, vals, n := make([]uint32, most), make([]uint32, most), 0
	err = each(func(lane, val uint32) error {
		lanes[n], vals[n] = lane, val
		if n++; n < most {
			return nil
		}
		n = 0
		return block(lanes, vals)
	})
	if err != nil {
		return err
	}
	return block(lanes[:n], vals[:n])
}

// columnsBy are columns of equal length: i, j and a loop variable.
type columnsBy map[string][]uint32

func (c columnsBy) len() int {
	for _, col := range c {
		return len(col)
	}
	return 0
}

// keep drops the lanes that are not wanted.
func (c columnsBy) keep(want func(int) bool) {
	var kept []int
	n := c.len()
	for q := range n {
		if want(q) {
			kept = append(kept, q)
		}
	}
	if len(kept) == n {
		return
	}
	for name, col := range c {
		out := make([]uint32, len(kept))
		for n, q := range kept {
			out[n] = col[q]
		}
		c[name] = out
	}
}

// indexed is what an expression of connect reads by column: i, j or a loop
// variable itself, or variables of the neurons at i and j.
type indexed struct{ column, neuron map[string]bool }

// indices finds the columns that an expression of connect reads. Synapses that
// are not there yet have no variables.
func (s *Synapses) indices(x eqn.Expr, sc eqn.Scope) (indexed, error) {
	reads := indexed{map[string]bool{}, map[string]bool{}}
	return reads, s.addIndices(x, sc, reads)
}

func (s *Synapses) addIndices(x eqn.Expr, sc eqn.Scope, reads indexed) error {
	for _, id := range eqn.Identifiers(x) {
		y := sc.Resolve(id)
		if y == nil {
			continue
		}
		if y.Kind == eqn.Subexpression {
			in := sc
			if y.Scope != nil {
				in = y.Scope
			}
			if err := s.addIndices(y.Expr, in, reads); err != nil {
				return err
			}
			continue
		}
		switch r := y.Ref.(type) {
		case IndexRef:
			reads.column[r.Name] = true
		case EndRef:
			if at := map[bool]string{false: "i", true: "j"}[r.Post]; !r.Var.Shared {
				reads.column[at], reads.neuron[at] = true, true
			}
		case *Variable, DegreeRef:
			return eqn.At(x.Pos(), "use variables of the neurons, i and j, and assign to the synapses once they are made", "connect: %q is a variable of synapses, which are yet to be made", id)
		}
	}
	return nil
}

// parsePart parses a part of a generator, placed where the whole text stands.
func (s *Synapses) parsePart(part, whole string) (eqn.Expr, error) {
	src := *s.Net.source(whole)
	if k := strings.Index(src.Text, strings.TrimSpace(part)); k > 0 && !strings.Contains(src.Text[:k], "\n") {
		src.Col += k
	}
	src.Text = strings.TrimSpace(part)
	return eqn.ParseExpr(&src)
}

// iterable is range(...) or sample(...) of every neuron: each gives the neuron and
// the value of the loop variable, in order.
func (s *Synapses) iterable(w Work, kind, args, whole string, sc *Scope, outer string, neurons int, skip bool) (each func(take func(lane, val uint32) error) error, err error) {
	if err := w.Room(8*int64(neurons), "connect: the bounds of %q for %d neurons", whole, neurons); err != nil {
		return nil, err
	}
	at := make([]uint32, neurons)
	for k := range at {
		at[k] = uint32(k)
	}
	var pos []string
	named := map[string]string{}
	for _, a := range splitArgs(args) {
		if name, val, ok := strings.Cut(a, "="); ok && !strings.ContainsAny(name, "<>!=") && !strings.HasPrefix(val, "=") {
			named[strings.TrimSpace(name)] = val
		} else {
			pos = append(pos, a)
		}
	}
	if len(pos) < 1 || len(pos) > 3 {
		return nil, fmt.Errorf("connect: %s() in %q takes one to three bounds", kind, whole)
	}
	column := func(text string, t eqn.Type) ([]uint32, error) {
		x, err := s.parsePart(text, whole)
		if err != nil {
			return nil, err
		}
		return s.evalColumns(w, "generator bound "+text, x, sc, columnsBy{outer: at}, t)
	}
	bounds := make([][]uint32, 3)
	for k, text := range pos {
		if len(pos) == 1 {
			k = 1
		}
		if bounds[k], err = column(text, wholeNumber); err != nil {
			return nil, err
		}
	}
	var p, size []uint32
	pText, hasP := named["p"]
	sizeText, hasSize := named["size"]
	switch {
	case kind == "range" && len(named) > 0:
		return nil, fmt.Errorf("connect: range() in %q takes no %s=", whole, sortedKeys(named)[0])
	case kind == "range":
	case len(named) != 1 || !hasP && !hasSize:
		return nil, fmt.Errorf("connect: sample() in %q takes one of p= and size=, and nothing else by name", whole)
	case hasP:
		if p, err = column(pText, eqn.Float); err != nil {
			return nil, err
		}
		for q, w := range p {
			x := float64(math.Float32frombits(w))
			if x < -1e-6 || x > 1+1e-6 { // but for rounding
				return nil, fmt.Errorf("connect: p=%g of sample() in %q, for %s=%d, is not a probability", x, whole, outer, at[q])
			}
			p[q] = math.Float32bits(float32(max(0, min(1, x))))
		}
	default:
		if size, err = column(sizeText, wholeNumber); err != nil {
			return nil, err
		}
	}
	draw := sampler(s.Net.networkKey(), s.Net.Random.Stream("connect sample", s.Net.Random.Draws(s), whole, s.Net.Random.visit("sample\x00"+s.Net.Random.Draws(s))))
	values := func(q int) (lo, step int32, n int) {
		hi := int32(bounds[1][q])
		lo, step = 0, 1
		if bounds[0] != nil {
			lo = int32(bounds[0][q])
		}
		if bounds[2] != nil {
			step = int32(bounds[2][q])
		}
		if step > 0 && hi > lo {
			n = int((int64(hi) - int64(lo) + int64(step) - 1) / int64(step))
		} else if step < 0 && hi < lo {
			n = int((int64(lo) - int64(hi) - int64(step) - 1) / -int64(step))
		}
		return lo, step, n
	}
	expected := 0.0
	for q := range at {
		_, step, n := values(q)
		if step == 0 {
			return nil, fmt.Errorf("connect: the step of %s() in %q is 0", kind, whole)
		}
		switch {
		case p != nil:
			expected += float64(float64(n) * float64(math.Float32frombits(p[q])))
		case size != nil:
			want := int(int32(size[q]))
			if (want > n || want < 0) && !skip {
				return nil, fmt.Errorf("connect: sample() in %q: size=%d of %d values for %s=%d; skip_if_invalid=True takes what there is", whole, want, n, outer, at[q])
			}
			expected += float64(max(0, min(want, n)))
		default:
			expected += float64(n)
		}
	}
	if expected > 1<<31 { // as many as there can be synapses; they are numbered in 32 bits, by which they draw
		return nil, fmt.Errorf("connect: %q has some %.4g values to look at; at most %d are possible: narrow its bounds", whole, expected, int64(1)<<31)
	}
	return func(take func(lane, val uint32) error) error {
		for q := range at {
			lo, step, n := values(q)
			one := func(k int) error { return take(at[q], uint32(lo+int32(k)*step)) }
			var err error
			switch {
			case p != nil:
				err = draw.bernoulli(w, uint32(q), n, p[q], one)
			case size != nil:
				err = draw.choose(w, uint32(q), n, max(0, min(int(int32(size[q])), n)), one)
			default:
				for k := 0; k < n && err == nil; k++ {
					err = one(k)
				}
			}
			if err != nil {
				return err
			}
		}
		return nil
	}, nil
}

// splitArgs splits at commas outside brackets.
func splitArgs(s string) (out []string) {
	depth, from := 0, 0
	for k, c := range s {
		switch c {
		case '(', '[':
			depth++
		case ')', ']':
			depth--
		case ',':
			if depth == 0 {
				out = append(out, s[from:k])
				from = k + 1
			}
		}
	}
	if strings.TrimSpace(s[from:]) != "" {
		out = append(out, s[from:])
	}
	return out
}
