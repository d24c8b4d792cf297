package engine

import (
	"fmt"
	"regexp"
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
		return s.generate(o.Work, p, strings.TrimSpace(ti+tj), jText, o.SkipIfInvalid, visit)
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
		i, j = spread(p.NPre, j, false)
	case o.J == nil:
		i, j = spread(p.NPost, i, true)
	case len(i) == 1 && len(j) > 1:
		i = repeatTo(i, len(j))
	case len(j) == 1 && len(i) > 1:
		j = repeatTo(j, len(i))
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
	return fmt.Errorf("connect: %s=%d of pair %d is out of range: %s has %d neurons", name, x, pair, group, n)
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

func spread(n int, given []int32, swap bool) (a, b []int32) {
	for k := range n {
		for _, g := range given {
			a, b = append(a, int32(k)), append(b, g)
		}
	}
	if swap {
		return b, a
	}
	return a, b
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
func (s *Synapses) generate(w Work, p *connect.Proj, text string, forJ, skip bool, visit uint32) error {
	sc := s.scope(s.net.externals())
	size, outer, limit, endName := p.NPre, "i", p.NPost, s.tgtName
	if !forJ {
		size, outer, limit, endName = p.NPost, "j", p.NPre, s.srcName
	}
	at := make([]uint32, size) // the neuron of each lane
	for k := range at {
		at[k] = uint32(k)
	}
	var elem []uint32
	m := genSyntax.FindStringSubmatch(text)
	if m == nil {
		if strings.Contains(text, " for ") {
			return fmt.Errorf("connect: %q is not a generator; write \"k for k in range(a, b) if condition\" or \"k for k in sample(a, b, p=...)\"", text)
		}
		x, err := s.parsePart(text, text)
		if err != nil {
			return err
		}
		if elem, err = s.evalColumns(w, "generator", x, sc, size, map[string][]uint32{outer: at}, eqn.Integer); err != nil {
			return err
		}
	} else {
		loop := m[2]
		inner := *sc
		k := &eqn.Symbol{Name: loop, Kind: eqn.Variable, Type: eqn.Integer, ReadOnly: true, Constant: true, Ref: indexRef{loop}}
		inner.own = func(name string) *eqn.Symbol {
			if name == loop {
				return k
			}
			return sc.own(name)
		}
		lanes, vals, err := s.iterable(w, m[3], m[4], text, sc, outer, at)
		if err != nil {
			return err
		}
		cols := map[string][]uint32{outer: lanes, loop: vals}
		if cond := strings.TrimSpace(m[5]); cond != "" {
			x, err := s.parsePart(cond, text)
			if err != nil {
				return err
			}
			keep, err := s.evalColumns(w, "generator if", x, &inner, len(vals), cols, eqn.Boolean)
			if err != nil {
				return err
			}
			n := 0
			for q := range keep {
				if keep[q] != 0 {
					lanes[n], vals[n] = lanes[q], vals[q]
					n++
				}
			}
			lanes, vals = lanes[:n], vals[:n]
			cols = map[string][]uint32{outer: lanes, loop: vals}
		}
		x, err := s.parsePart(m[1], text)
		if err != nil {
			return err
		}
		if elem, err = s.evalColumns(w, "generator element", x, &inner, len(vals), cols, eqn.Integer); err != nil {
			return err
		}
		at = lanes
	}
	for q, e := range elem {
		if int32(e) < 0 || int(int32(e)) >= limit {
			if skip {
				continue
			}
			return fmt.Errorf("connect: %q gives %d for %s=%d, but %s has %d neurons; skip_if_invalid=True drops such pairs", text, int32(e), outer, at[q], endName, limit)
		}
		if forJ {
			p.I, p.J = append(p.I, at[q]), append(p.J, e)
		} else {
			p.I, p.J = append(p.I, e), append(p.J, at[q])
		}
	}
	return nil
}

// parsePart parses a part of a generator, placed where the whole text stands.
func (s *Synapses) parsePart(part, whole string) (eqn.Expr, error) {
	src := *s.net.source(whole)
	if k := strings.Index(src.Text, strings.TrimSpace(part)); k > 0 && !strings.Contains(src.Text[:k], "\n") {
		src.Col += k
	}
	src.Text = strings.TrimSpace(part)
	return eqn.ParseExpr(&src)
}

// iterable expands range(...) or sample(...) for every neuron: the lane and the
// value of the loop variable, in order.
func (s *Synapses) iterable(w Work, kind, args, whole string, sc *scope, outer string, at []uint32) (lanes, vals []uint32, err error) {
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
		return nil, nil, fmt.Errorf("connect: %s() in %q takes one to three bounds", kind, whole)
	}
	column := func(text string, t eqn.Type) ([]uint32, error) {
		x, err := s.parsePart(text, whole)
		if err != nil {
			return nil, err
		}
		return s.evalColumns(w, "generator bound "+text, x, sc, len(at), map[string][]uint32{outer: at}, t)
	}
	bounds := make([][]uint32, 3)
	for k, text := range pos {
		if len(pos) == 1 {
			k = 1
		}
		if bounds[k], err = column(text, eqn.Integer); err != nil {
			return nil, nil, err
		}
	}
	var p, size []uint32
	if kind == "sample" {
		if text, ok := named["p"]; ok {
			if p, err = column(text, eqn.Float); err != nil {
				return nil, nil, err
			}
		} else if text, ok := named["size"]; ok {
			if size, err = column(text, eqn.Integer); err != nil {
				return nil, nil, err
			}
		} else {
			return nil, nil, fmt.Errorf("connect: sample() in %q needs p= or size=", whole)
		}
	}
	draw := sampler(s.net.key(), s.net.stream("connect sample", s.auto, whole, s.net.visit("sample\x00"+s.auto)))
	for q := range at {
		lo, hi, step := int32(0), int32(bounds[1][q]), int32(1)
		if bounds[0] != nil {
			lo = int32(bounds[0][q])
		}
		if bounds[2] != nil {
			step = int32(bounds[2][q])
		}
		if step == 0 {
			return nil, nil, fmt.Errorf("connect: the step of %s() in %q is 0", kind, whole)
		}
		n := 0
		if step > 0 && hi > lo {
			n = int((int64(hi) - int64(lo) + int64(step) - 1) / int64(step))
		} else if step < 0 && hi < lo {
			n = int((int64(lo) - int64(hi) - int64(step) - 1) / -int64(step))
		}
		take := func(k int) { lanes, vals = append(lanes, at[q]), append(vals, uint32(lo+int32(k)*step)) }
		switch {
		case p != nil:
			draw.bernoulli(uint32(q), n, p[q], take)
		case size != nil:
			if int(int32(size[q])) > n || int32(size[q]) < 0 {
				return nil, nil, fmt.Errorf("connect: sample() in %q: size=%d of %d values", whole, int32(size[q]), n)
			}
			draw.choose(uint32(q), n, int(size[q]), take)
		default:
			for k := range n {
				take(k)
			}
		}
	}
	return lanes, vals, nil
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
