package compile

import (
	"encoding/binary"
	"fmt"
	"hash/maphash"
	"math"
	"slices"

	"synfire/engine/backend"
	"synfire/engine/connect"
	"synfire/engine/eqn"
	"synfire/engine/host"
	"synfire/engine/ir"
	"synfire/engine/model"
)

// sourceRows lays the populations that send to a table end to end.
type sourceRows struct {
	list []backend.Source
	n    int
	ids  map[*model.GroupEvent]int
}

// row is the first row of a range of a population.
func (r *sourceRows) row(c *compiler, s model.Span, ev string) int {
	e := s.Group.Event(ev)
	k, ok := r.ids[e]
	if !ok {
		k = len(r.list)
		r.ids[e] = k
		r.list = append(r.list, backend.Source{Event: c.event(s.Group, e), Lo: 0, Hi: s.Group.Size, Row0: r.n})
		r.n += s.Group.Size
	}
	return r.list[k].Row0 + s.Lo
}

// spec is the table of that content that an earlier plan has left, or another trial of the network, or s.
func (c *compiler) spec(print uint64, s *connect.Spec) *connect.Spec {
	key := model.SpecKey{Print: print, Scale: s.Scale, Width: s.Width, Uniform: s.Uniform}
	var old *connect.Spec
	for _, have := range []map[model.SpecKey]*connect.Spec{c.n.Specs, c.specs} {
		if x := have[key]; x != nil {
			old = x
		}
	}
	if old == nil {
		old = c.n.Pool().Spec(key, s)
	}
	c.specs[key] = old
	return old
}

// pairs identifies the pairs of a connect call, in a fingerprint: in one network by the call itself, for another trial of the
// network by its place there and what defines it.
func (c *compiler) pairs(h *maphash.Hash, conn *model.Conn, add func(uint32)) {
	if c.n.Pool() == nil {
		fmt.Fprintf(h, "%p ", conn)
		return
	}
	for n, s := range c.n.AllSynapses() {
		if k := slices.Index(s.Conns, conn); k >= 0 {
			fmt.Fprintf(h, "%d %d ", n, k)
		}
	}
	p := conn.Proj
	fmt.Fprintf(h, "%d %d %d %v %d %d %d %d %v %v %v %v %v %d ", p.Rule, p.NPre, p.NPost, p.Same, p.PreOff, p.PostOff, p.N, p.Repeat, p.P, p.NoAutapses, p.NoMultapses, p.ByTarget, p.Seed, p.Stream)
	for _, prog := range []*ir.Prog{p.Cond, p.PProg} {
		if prog != nil {
			h.WriteString(prog.String())
		}
	}
	for _, list := range append(append([][]uint32{p.I, p.J}, p.CondData...), p.PData...) {
		fmt.Fprintf(h, "%d;", len(list))
		for _, w := range list {
			add(w)
		}
	}
}

// columns starts a program over the synapses of one connect call.
func (c *compiler) columns(s *model.Synapses, what string, sc *model.Scope) *model.ColumnLanes {
	m := s.ColumnLanes(c.w, c.random, s.Name()+" "+what, what, 0, sc)
	m.View = c.image
	return m
}

// delayColumn is a pathway's delays as package connect takes them.
func (c *compiler) delayColumn(s *model.Synapses, w *model.Path, k int, col model.Held) (connect.Column, float64, error) {
	from := s.Src.Group // whose clock delays count on
	if w.Post {
		from = s.Tgt.Group
	}
	dt, each := from.Dt(), from.Every()
	steps := func(d float64) (float64, error) {
		x := float64(math.Floor(d/dt+0.5) * float64(each))
		if x < 0 || x > 65535 || math.IsNaN(x) {
			return 0, eqn.As(eqn.Unsupported, fmt.Errorf("%s: a delay of %g s is outside 0 to 65535 steps of %g s", s.Name(), d, s.Net.StepSize))
		}
		return x, nil
	}
	switch {
	case col.List != nil:
		out := make([]float32, col.List.Len())
		for i := range out {
			x, err := steps(col.List.At(i))
			if err != nil {
				return connect.Column{}, 0, fmt.Errorf("synapse %d: %w", i, err)
			}
			out[i] = float32(x)
		}
		return connect.Column{Array: out}, 1, nil
	case col.Lazy == nil:
		x, err := steps(col.Value)
		return connect.Column{Const: x}, 0, err
	}
	sc := s.Scope(s.Net.Externals())
	fresh := func() *model.ColumnLanes {
		m := c.columns(s, "delay", sc)
		m.Conn = k
		return m
	}
	m := fresh()
	x, err := col.Lazy.Lower(m, w.Delay.Symbol)
	if err == nil {
		err = m.Err
	}
	if err != nil {
		return connect.Column{}, 0, err
	}
	rg := m.B.Range(x)
	m.Out(x, ir.F32)
	p, err := m.B.Prog()
	if err != nil {
		return connect.Column{}, 0, err
	}
	out := connect.Column{Prog: p, Data: m.Data(), Lo: rg.Lo, Hi: rg.Hi, Each: int(each)}
	if l, err := col.Lazy.Exact(s, fresh); err != nil {
		return out, 0, err
	} else if l != nil {
		out.Exact = &connect.Exact{Key: fmt.Sprintf("%v %v", l.Key(), dt), Leaves: l.Progs, Steps: func(i, j []uint32, leaves [][]uint32) ([]float64, error) {
			d, err := l.Seconds(i, j, leaves)
			for n := range d {
				d[n] /= dt
			}
			return d, err
		}}
	}
	return out, model.Second.Scale() / dt, nil
}

// fingerprint tells whether a table of an earlier run can be used again.
func (c *compiler) fingerprint(parts []*part, spec *connect.Spec) uint64 {
	var h maphash.Hash
	h.SetSeed(prints)
	fmt.Fprintf(&h, "%d %d;", spec.NSrc, spec.NTgt)
	projs := spec.Projs
	word := make([]byte, 0, 4096)
	add := func(w uint32) {
		if word = binary.LittleEndian.AppendUint32(word, w); len(word) == cap(word) {
			h.Write(word)
			word = word[:0]
		}
	}
	var col func(x *connect.Column)
	col = func(x *connect.Column) {
		fmt.Fprintf(&h, "%v %v %v %d;", x.Const, x.Lo, x.Hi, len(x.Array))
		if c.n.Pool() == nil {
			fmt.Fprintf(&h, "%p;", x.Array)
		}
		for _, x := range x.Array {
			add(math.Float32bits(x))
		}
		if x.Prog != nil {
			h.WriteString(x.Prog.String())
		}
		for _, d := range x.Data {
			for _, w := range d {
				add(w)
			}
		}
		if x.Exact != nil {
			fmt.Fprintf(&h, "%s;", x.Exact.Key)
			for k := range x.Exact.Leaves {
				col(&x.Exact.Leaves[k])
			}
		}
	}
	for k, p := range parts {
		c.pairs(&h, p.conn, add)
		fmt.Fprintf(&h, "%d %d %v %d ", projs[k].Row0, projs[k].Tgt0, projs[k].Unit, projs[k].Delay.Each)
		col(&projs[k].Weight)
		col(&projs[k].Delay)
	}
	h.Write(word)
	return h.Sum64()
}

// prints is the seed of fingerprints, which live no longer than the process.
var prints = maphash.MakeSeed()

// measure counts the synapses of a table. What cannot fit into memory is told
// before it is drawn.
func (c *compiler) measure(spec *connect.Spec) (*connect.Stats, error) {
	const most = 1 << 36
	sure := &connect.Spec{NSrc: spec.NSrc, NTgt: spec.NTgt}
	for _, p := range spec.Projs {
		if p.Cond == nil && p.PProg == nil { // of the others nothing is known yet
			sure.Projs = append(sure.Projs, p)
		}
	}
	m := connect.Estimate(sure, 1, c.w.Single())
	if free := c.w.Free(); free > 0 && m.Entries > free {
		return nil, fmt.Errorf("%s: some %.2g synapses need at least %s of memory, %s are free; %.2g of them would fit: connect fewer neurons, or with a smaller p=",
			spec.Name, float64(m.Synapses), host.Size(m.Entries), host.Size(free), float64(float64(free)/float64(max(m.Entries, 1))*float64(m.Synapses)))
	}
	if m.Synapses > most {
		return nil, fmt.Errorf("%s: some %.2g synapses are more than a table holds, 2^36", spec.Name, float64(m.Synapses))
	}
	return connect.Measure(spec, c.w)
}
