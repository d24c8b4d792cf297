package model

import (
	"fmt"
	"math"
	"slices"

	"synfire/engine/eqn"
	"synfire/engine/ir"
)

// ofNeurons are the words of a range of neurons.
type ofNeurons struct{ *Var }

func (v *ofNeurons) span() Span {
	if v.v.Shared {
		return Span{v.v.Group, 0, 1}
	}
	return Span{v.v.Group, v.lo, v.hi}
}

func (v *ofNeurons) lanes() (int, error) { return v.hi - v.lo, nil }

func (v *ofNeurons) find(ix any) ([]int, error) { return v.v.net().neurons(v.w, v.span(), ix) }

func (v *ofNeurons) read(at []int) (Array, error) {
	words, err := v.words(at)
	if err != nil {
		return Array{}, err
	}
	if err := v.w.Room(8*int64(len(words)), "%s: %d values", v.v.FullName(), len(words)); err != nil {
		return Array{}, err
	}
	return v.v.Decode(words), nil
}

func (v *ofNeurons) open(bool, any) (bool, error) { return false, v.v.assignable(v.v.Words != nil) }

// words are those of the range, or of some neurons in it (at is not nil): as they
// are stored, not to be changed, or worked out.
func (v *Var) words(at []int) ([]uint32, error) {
	g := v.v.Group
	switch {
	case v.v.Builtin:
		if err := v.w.Room(4*int64(v.hi-v.lo), "%s.%s of %d neurons", g.Name(), v.v.Name, v.hi-v.lo); err != nil {
			return nil, err
		}
		if at == nil {
			words := make([]uint32, v.hi-v.lo)
			for k := range words {
				words[k] = uint32(k)
			}
			return words, nil
		}
		words := make([]uint32, len(at))
		for k, n := range at {
			words[k] = uint32(n - v.lo)
		}
		return words, nil
	case v.v.Words == nil || v.v.Name == "not_refractory" && g.RefKind == RefConst:
		// A subexpression, worked out now; its i and N are the whole group's.
		switch s := g.Span(); {
		case v.v.Shared && s.Hi > s.Lo:
			at = []int{s.Lo}
		case at == nil && v.hi-v.lo < s.Hi-s.Lo:
			at = make([]int, v.hi-v.lo)
			for k := range at {
				at[k] = v.lo + k
			}
		}
		return g.evalAt(v.w, g.Span(), at, &eqn.Name{ID: v.v.Name}, v.v.Symbol, g.drawVisit(v.v.Symbol))
	}
	v.v.fetch()
	if v.v.Shared {
		return v.v.Words, nil
	}
	if at == nil {
		return v.v.Words[v.lo:v.hi], nil
	}
	chosen := make([]uint32, len(at))
	for k, n := range at {
		chosen[k] = v.v.Words[n]
	}
	return chosen, nil
}

// free are those of some neurons (nil: the whole span) whose value code may set.
func (v *ofNeurons) free(at []int) ([]int, error) {
	g, s := v.v.Group, v.span()
	if !v.v.UnlessRef || g.RefKind == RefNone {
		return at, nil
	}
	words, err := (&Var{v: g.ByName["not_refractory"], lo: s.Lo, hi: s.Hi, w: v.w}).words(at)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(words, 0) {
		return at, nil
	}
	free := []int{}
	for k, w := range words {
		n := s.Lo + k
		if at != nil {
			n = at[k]
		}
		if w != 0 {
			free = append(free, n)
		}
	}
	return free, nil
}

func (v *ofNeurons) store(at []int, values *list) error {
	span := v.span()
	size := span.Hi - span.Lo
	if at != nil {
		size = len(at)
	}
	if err := v.v.suits(values, size); err != nil {
		return err
	}
	if err := v.w.Room(4*int64(size), "%s: %d values", v.v.FullName(), size); err != nil {
		return err
	}
	words, encode := make([]uint32, size), encoder(v.v.Symbol, v.v.Dt())
	for k := range words {
		w, err := encode(values.At(min(k, values.Len()-1)))
		if err != nil && values.Len() > 1 {
			err = fmt.Errorf("element %d of the values: %w", k, err)
		}
		if err != nil {
			return err
		}
		words[k] = w
	}
	for k, w := range words { // all or none are assigned
		n := span.Lo + k
		if at != nil {
			n = at[k]
		}
		v.v.put(n, w)
	}
	return nil
}

func (v *ofNeurons) storeText(at []int, _ bool, x eqn.Expr) error {
	g, s := v.v.Group, v.span()
	if v.v.Shared {
		sc := g.Scope(g.Net.Externals())
		if err := eqn.CheckShared(v.v.Name, x, sc); err != nil {
			return sc.Explain(err)
		}
	}
	if q, err := eqn.EvalHost(x, g.Scope(g.Net.Externals())); err == nil && math.IsInf(q.Value, 0) && q.Dim == Second {
		values, err := v.v.given(q)
		if err != nil {
			return err
		}
		return v.store(at, values)
	}
	held, typ, err := g.evaluate(v.w, s, at, x, v.v.Symbol, g.drawVisit(v.v.Symbol))
	if err != nil {
		return err
	}
	for k := range held {
		if k%(1<<20) == 1<<20-1 && v.w.Err() != nil {
			return v.w.Err()
		}
		n := s.Lo + k
		if at != nil {
			n = at[k]
		}
		w, err := WordOf(v.v.Symbol, v.v.Dt(), held[k], typ, 1<<40)
		if err != nil {
			return ErrorAt(x.Pos(), "%s[%d]: %v", g.Name(), n, err)
		}
		if v.v.IrType() == ir.F32 {
			w = math.Float32bits(ir.CanonF(math.Float32frombits(w)))
		}
		held[k] = w
	}
	for k, w := range held { // all or none are assigned
		if at != nil {
			v.v.put(at[k], w)
		} else {
			v.v.put(s.Lo+k, w)
		}
	}
	return nil
}

// neurons resolves an index within a span to neurons of the group; nil means
// the whole span.
func (n *Network) neurons(w Work, s Span, ix any) ([]int, error) {
	size := s.Hi - s.Lo
	switch x := ix.(type) {
	case nil:
		return nil, nil
	case string:
		e, err := eqn.ParseExpr(n.source(x))
		if err != nil {
			return nil, err
		}
		words, err := s.Group.evalWords(w, s, e, &eqn.Symbol{Name: "condition", Type: eqn.Boolean})
		if err != nil {
			return nil, err
		}
		out := []int{}
		for k, w := range words {
			if w != 0 {
				out = append(out, s.Lo+k)
			}
		}
		return out, nil
	}
	list, err := positions(w, ix, size, s.Group.Name())
	for k := range list {
		list[k] += s.Lo
	}
	return list, err
}

// positions resolves an int, []int or Slice over size items.
func positions(w Work, ix any, size int, what string) ([]int, error) {
	one := func(asked int) (int, error) {
		k := asked
		if k < 0 {
			k += size
		}
		if k < 0 || k >= size {
			return 0, eqn.As(eqn.BadIndex, fmt.Errorf("index %d is out of range: %s has %d", asked, what, size))
		}
		return k, nil
	}
	switch x := ix.(type) {
	case int:
		k, err := one(x)
		return []int{k}, err
	case []int:
		out := make([]int, len(x))
		for i := range x {
			k, err := one(x[i])
			if err != nil {
				return nil, err
			}
			out[i] = k
		}
		return out, nil
	case Slice:
		step := x.Step
		if step == 0 {
			step = 1
		}
		n := min(max(0, (x.Hi-x.Lo)/step+1), size)
		if err := w.Room(8*int64(n), "%d indices of %s", n, what); err != nil {
			return nil, err
		}
		out := make([]int, 0, n)
		for k := x.Lo; (step > 0 && k < x.Hi) || (step < 0 && k > x.Hi); k += step {
			if k >= 0 && k < size {
				out = append(out, k)
			}
		}
		return out, nil
	}
	return nil, fmt.Errorf("an index is a number, a list of numbers, a range or a condition, not %T", ix)
}
