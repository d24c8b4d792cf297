package train

import (
	"fmt"
	"maps"
	"math"
	"slices"

	"synfire/engine/backend"
	"synfire/engine/connect"
	"synfire/engine/eqn"
	"synfire/engine/ir"
	"synfire/engine/model"
	"synfire/engine/vm"
)

// Parameter is a variable that is trained: of synapses, or of neurons (a parameter of
// the equations, or the initial values of what they change).
type Parameter struct {
	Var       *model.Var
	Rate      float64 // learning rate; 0: the Trainer's
	Low, High float64 // SI: where steps end; both 0: nowhere
}

// parameter is one as the Trainer keeps it, in internal units.
type parameter struct {
	Parameter
	v       *model.Variable
	lo      int // its first neuron
	x, g    []float64
	m       [2][]float64
	rate    float64
	scale   float64
	from    map[backend.BufID]piece
	columns []columnPart
}

// piece is a part of a parameter in a buffer: the words from off on.
type piece struct{ off, first, n int }

// columnPart is a projection of a delivery whose weights depend on a parameter.
type columnPart struct {
	s    *stage
	proj *connect.Proj
	base int // its first synapse in the table
	rev  *ir.Reverse
	tape [][]uint32
	slot int
	at   piece
	unit float64
}

func (t *Trainer) parameter(p Parameter) (*parameter, error) {
	v, lo, _ := p.Var.Of()
	if v.Shared { // one word, whatever part of the group names it
		lo = 0
	}
	x := &parameter{Parameter: p, v: v, lo: lo, scale: v.Symbol.Dim.Scale()}
	switch {
	case v.Symbol.Type != eqn.Float || v.Symbol.Steps:
		return nil, fmt.Errorf("%s holds no real numbers: it cannot be trained", v.FullName())
	case v.Symbol.ReadOnly || v.Symbol.Kind == eqn.Subexpression || v.Syn != nil && v.Syn.ByName[v.Name] != v:
		return nil, fmt.Errorf("%s cannot be assigned, so it cannot be trained", v.FullName())
	case v.Syn != nil && v.Shared:
		return nil, fmt.Errorf("%s is shared by all synapses: train a variable of each synapse, or a shared variable of neurons", v.FullName())
	case p.Low > p.High:
		return nil, fmt.Errorf("%s: the least value, %g, is above the largest, %g", v.FullName(), p.Low, p.High)
	}
	rate := p.Rate
	if rate == 0 {
		rate = t.Rate
	}
	if !(rate > 0) || math.IsInf(rate, 0) {
		return nil, fmt.Errorf("%s: the learning rate must be positive, got %g", v.FullName(), rate)
	}
	x.rate = rate / math.Pow(x.scale, float64(t.Optimiser.power()))
	values, err := p.Var.In(t.work).Get(nil)
	if err != nil {
		return nil, err
	}
	if len(values.V) == 0 {
		return nil, fmt.Errorf("%s has no values: connect the synapses first", v.FullName())
	}
	for _, y := range values.V {
		x.x = append(x.x, y/x.scale)
	}
	x.g, x.m = make([]float64, len(x.x)), [2][]float64{make([]float64, len(x.x)), make([]float64, len(x.x))}
	if v.Syn == nil {
		v.Operated = true // its words stay words: no program takes them as constants
		return x, nil
	}
	return x, x.set(t)
}

// set gives the network the present values, one for each synapse or neuron.
func (x *parameter) set(t *Trainer) error {
	values := model.Array{Dim: x.v.Symbol.Dim, V: make([]float64, len(x.x))}
	for k, y := range x.x {
		if x.Low != 0 || x.High != 0 {
			y = max(x.Low/x.scale, min(x.High/x.scale, y))
		}
		x.x[k] = y
		if math.IsNaN(y) {
			return fmt.Errorf("%s has become no number", x.v.FullName())
		}
		values.V[k] = y * x.scale
	}
	if len(x.x) == 1 && x.v.Syn != nil { // a list of one, which no program takes as a constant
		return x.Var.In(t.work).Set([]int{0}, values)
	}
	return x.Var.In(t.work).Set(nil, values)
}

// find looks for the words of a parameter in a plan: the buffers that hold them.
func (x *parameter) find(l *loaded) (found []backend.BufID, err error) {
	x.from, x.columns = map[backend.BufID]piece{}, nil
	if x.v.Syn == nil {
		at, ok := l.c.Places[x.v]
		if !ok || at.Words == backend.NoBuf {
			return nil, nil
		}
		x.from[at.Words] = piece{off: x.lo, first: 0, n: len(x.x)}
		return []backend.BufID{at.Words}, nil
	}
	first := 0
	for c := range x.v.Syn.Conns {
		words, err := x.v.ConnWords(l.work, c)
		if err != nil {
			return nil, err
		}
		if len(words) == 0 {
			continue
		}
		for b := range l.plan.Bufs {
			if init := l.plan.Bufs[b].Init; len(init) == len(words) && &init[0] == &words[0] {
				x.from[backend.BufID(b)] = piece{0, first, len(words)}
				found = append(found, backend.BufID(b))
			}
		}
		for _, s := range l.stages {
			if s.Form != backend.FormDeliver {
				continue
			}
			spec, base := l.plan.Tables[s.Table].Spec, 0
			for _, p := range spec.Projs {
				n, err := p.Count(l.work)
				if err != nil {
					return nil, err
				}
				for slot, data := range p.Weight.Data {
					if len(data) == len(words) && &data[0] == &words[0] {
						part := columnPart{s: s, proj: p, base: base, slot: slot, at: piece{0, first, len(words)}, unit: spec.Scale}
						if err := part.prepare(l, n); err != nil {
							return nil, err
						}
						x.columns = append(x.columns, part)
						s.syn.trained = true
					}
				}
				base += n
			}
		}
		first += len(words)
	}
	for _, k := range l.c.Keep {
		if k.Of != x.v {
			continue
		}
		if len(k.Words) != len(x.x) {
			return nil, fmt.Errorf("%s is kept once for a neuron, not for each synapse: it cannot be trained", x.v.FullName())
		}
		x.from[k.Buf] = piece{0, 0, len(x.x)}
		found = append(found, k.Buf)
	}
	return found, nil
}

// prepare runs the program of a projection's weights, once for a plan.
func (c *columnPart) prepare(l *loaded, n int) error {
	p := c.proj.Weight.Prog
	varies := make([]bool, len(p.Slots))
	varies[c.slot] = true
	var err error
	if c.rev, err = ir.NewReverse(p, varies); err != nil {
		return err
	}
	code, err := vm.Compile(c.rev.Tape)
	if err != nil {
		return err
	}
	cols, err := c.proj.Columns(l.work, 0, n, 0)
	if err != nil {
		return err
	}
	e := &ir.Env{Slots: append([][]uint32{}, c.proj.Weight.Data...), Seed: c.proj.Seed}
	for len(e.Slots) < len(p.Slots) {
		e.Slots = append(e.Slots, nil)
	}
	for k, s := range p.Slots {
		switch {
		case s.Kind == ir.Array && s.Name == "i":
			e.Slots[k] = cols.I
		case s.Kind == ir.Array && s.Name == "j":
			e.Slots[k] = cols.J
		case s.Kind == ir.Array && s.Name == "out":
			e.Slots[k] = make([]uint32, n)
		}
	}
	for range c.rev.Columns {
		c.tape = append(c.tape, make([]uint32, n))
	}
	e.Slots = append(e.Slots, c.tape...)
	code.Run(e, 0, n)
	return nil
}

// gather makes the gradient of what samples have given.
func (x *parameter) gather(l *loaded, got *gathered) {
	clear(x.g)
	for _, b := range slices.Sorted(maps.Keys(x.from)) { // sums of floats, in one order
		at := x.from[b]
		for k := range at.n {
			x.g[at.first+k] += got.bufs[b][at.off+k]
		}
	}
	for _, c := range x.columns {
		d := &ir.Derivatives{Slots: make([][]float64, len(c.rev.Prog.Slots))}
		d.Slots[c.slot] = make([]float64, c.at.n)
		n := len(c.proj.Weight.Data[c.slot])
		for k, s := range c.rev.Prog.Slots {
			if s.Kind == ir.Array && s.Name == "out" {
				d.Slots[k] = make([]float64, n)
				for q, y := range got.byNumber(c.s)[0][c.base : c.base+n] {
					d.Slots[k][q] = y * c.unit
				}
			}
		}
		c.rev.Lanes(c.tape, n, d, &ir.Scratch{})
		for k, y := range d.Slots[c.slot] {
			x.g[c.at.first+k] += y
		}
	}
}
