package connect

import (
	"math"
	"slices"

	"synfire/engine/host"
	"synfire/engine/ir"
)

// Want says which columns to compute.
type Want uint8

// Columns to compute; I and J always are.
const (
	WantSteps  Want = 1 << iota // delays in steps
	WantDelay                   // delays in the internal unit of time
	WantWeight                  // weights in the internal unit, not yet rounded to a table's scale
)

// Columns are synapses K0, K0+1, ... of a projection.
type Columns struct {
	K0     int
	I, J   []uint32  // indices in the source and target range
	Steps  []uint16  // WantSteps
	Delay  []float32 // WantDelay
	Weight []float32 // WantWeight
}

// MaxDelay is the longest delay, in steps.
const MaxDelay = math.MaxUint16

// column is a Column made ready: one of prog, array and value.
type column struct {
	prog  *program
	array []float32
	value float32
	steps uint16 // of a constant delay
	exact *Exact // of delays
	leaf  []*program
}

// prepareColumns makes weights and delays ready, at their first use.
func (p *Proj) prepareColumns(r *rows) error {
	preparing.Lock()
	defer preparing.Unlock()
	if p.weight != nil && p.delay != nil {
		return nil
	}
	w, err := p.column("w", &p.Weight, r)
	if err != nil {
		return err
	}
	d, err := p.column("delay", &p.Delay, r)
	if err != nil {
		return err
	}
	if d.prog == nil && d.array == nil {
		x := p.Delay.Const
		if p.Unit != 0 {
			x = float64(x*p.Unit) + 0.5
		}
		if !(p.Delay.Const >= 0 && x < MaxDelay+1) {
			return p.delayError(x)
		}
		d.steps = uint16(x)
	}
	p.weight, p.delay = w, d
	return nil
}

func (p *Proj) column(name string, c *Column, r *rows) (*column, error) {
	switch {
	case c.Prog != nil:
		prog, err := p.compile(name, c.Prog, c.Data, ir.F32)
		col := &column{prog: prog, exact: c.Exact}
		if c.Exact != nil {
			for _, l := range c.Exact.Leaves {
				if err != nil {
					break
				}
				var leaf *program
				leaf, err = p.compile(name, l.Prog, l.Data, outType(l.Prog))
				col.leaf = append(col.leaf, leaf)
			}
		}
		return col, err
	case c.Array != nil:
		if len(c.Array) != r.count() {
			return nil, p.errorf("%d values of %s are given for %d synapses", len(c.Array), name, r.count())
		}
		return &column{array: c.Array}, nil
	}
	return &column{value: float32(c.Const)}, nil
}

func outType(p *ir.Prog) ir.Type {
	for _, s := range p.Slots {
		if s.Name == "out" {
			return s.Type
		}
	}
	return ir.F32
}

func (p *Proj) delayError(steps float64) error {
	if steps < MaxDelay+1 {
		return p.errorf("a delay of %g steps is negative", steps)
	}
	return p.errorf("a delay of %.0f steps is beyond the limit of %d: use a larger dt or a shorter delay", math.Floor(steps), MaxDelay)
}

// walker computes columns of a projection for one worker.
type walker struct {
	*gen
	weightEnv, delayEnv *env
	leaves              []*env
	cells               [][]uint32 // of leaves
	c                   Columns
	delays              []float32
	steps               []uint16
	weights             []float32
}

func newWalker(b *buffers, p *Proj, r *rows) *walker {
	w := &walker{gen: newGenWith(b, p, r)}
	if p.weight.prog != nil {
		w.weightEnv = p.weight.prog.bind()
	}
	if p.delay.prog != nil {
		w.delayEnv = p.delay.prog.bind()
	}
	for _, leaf := range p.delay.leaf {
		w.leaves = append(w.leaves, leaf.bind())
	}
	w.cells = make([][]uint32, len(w.leaves))
	return w
}

// run computes rows r0 to r1-1, of which only synapses k0 to k1-1 are kept.
func (w *walker) run(r0, r1, k0, k1 int, want Want) (*Columns, error) {
	if err := w.synapses(r0, r1); err != nil {
		return nil, err
	}
	first := w.r.from(r0) * w.r.repeat
	k0, k1 = max(k0, first), min(k1, first+len(w.i))
	w.c = Columns{K0: k0, I: w.i[k0-first : k1-first], J: w.j[k0-first : k1-first]}
	return &w.c, w.values(&w.c, want)
}

// values computes the wanted columns of c, whose pairs are there.
func (w *walker) values(c *Columns, want Want) error {
	var err error
	if want&WantDelay != 0 || want&WantSteps != 0 && w.p.delay.exact == nil {
		if c.Delay, err = w.values1(w.p.delay, w.delayEnv, c, &w.delays); err != nil {
			return err
		}
	}
	if want&WantSteps != 0 {
		if err = w.toSteps(c); err != nil {
			return err
		}
	}
	if want&WantWeight != 0 {
		c.Weight, err = w.values1(w.p.weight, w.weightEnv, c, &w.weights)
	}
	return err
}

func (w *walker) values1(col *column, e *env, c *Columns, buf *[]float32) ([]float32, error) {
	n := len(c.I)
	if col.array != nil {
		return col.array[c.K0 : c.K0+n], nil
	}
	*buf = resize(*buf, n)
	out := *buf
	if e != nil {
		return out, e.run(uint32(c.K0), 0, c.I, c.J, words(out))
	}
	for k := range out {
		out[k] = col.value
	}
	return out, nil
}

func (w *walker) toSteps(c *Columns) error {
	w.steps = resize(w.steps, len(c.I))
	c.Steps = w.steps
	if d := w.p.delay; d.prog == nil && d.array == nil {
		for k := range c.Steps {
			c.Steps[k] = d.steps
		}
		return nil
	}
	if w.p.delay.exact != nil {
		return w.exactSteps(c)
	}
	unit, half := w.p.Unit, 0.5
	if unit == 0 {
		unit, half = 1, 0
	}
	each := w.p.Delay.each()
	for k, d := range c.Delay {
		x := float64(float64(d)*unit) + half
		if !(d >= 0 && x < MaxDelay+1) || float64(math.Floor(x)*each) > MaxDelay {
			err := w.p.delayError(float64(x * each))
			return w.p.at(c, k, err)
		}
		c.Steps[k] = uint16(uint32(x) * uint32(each))
	}
	return nil
}

// each is how many steps a whole step of a delay's own clock is.
func (c *Column) each() float64 { return float64(max(c.Each, 1)) }

func (w *walker) exactSteps(c *Columns) error {
	for n, e := range w.leaves {
		w.cells[n] = resize(w.cells[n], len(c.I))
		if err := e.run(uint32(c.K0), 0, c.I, c.J, w.cells[n]); err != nil {
			return err
		}
	}
	steps, err := w.p.delay.exact.Steps(c.I, c.J, w.cells)
	if err != nil {
		return err
	}
	each := w.p.Delay.each()
	for k, x := range steps {
		if x += 0.5; !(x >= 0 && x < MaxDelay+1) || float64(math.Floor(x)*each) > MaxDelay {
			return w.p.at(c, k, w.p.delayError(float64(x*each)))
		}
		c.Steps[k] = uint16(uint32(x) * uint32(each))
	}
	return nil
}

// at adds to an error which synapse it is about.
func (p *Proj) at(c *Columns, k int, err error) error {
	return p.errorf("synapse %d (i = %d, j = %d): %w", c.K0+k, c.I[k], c.J[k], err)
}

// ready prepares everything that computing columns needs.
func (p *Proj) ready(w host.Work) (*rows, error) {
	r, err := p.prepare(w)
	if err == nil {
		err = p.prepareColumns(r)
	}
	return r, err
}

// Count is the number of synapses.
func (p *Proj) Count(w host.Work) (int, error) {
	r, err := p.prepare(w)
	if err != nil {
		return 0, err
	}
	return r.count(), nil
}

// Order is how the synapses of a projection follow one another.
type Order uint8

// Orders of synapses.
const (
	Unordered Order = iota
	BySource        // no source is less than the one before
	ByTarget        // no target is
)

// Order tells how the synapses follow one another.
func (p *Proj) Order(w host.Work) (Order, error) {
	r, err := p.prepare(w)
	switch {
	case err != nil:
		return Unordered, err
	case r.byTarget:
		return ByTarget, nil
	case r.sorted:
		return BySource, nil
	}
	return Unordered, nil
}

// First is the number of the first synapse of a row, of which the projection has
// one for each source (Order BySource) or target (ByTarget).
func (p *Proj) First(w host.Work, row int) (int, error) {
	r, err := p.prepare(w)
	if err != nil {
		return 0, err
	}
	return r.from(row) * r.repeat, nil
}

// SamePairs says that two projections are one list of synapses, of which weights
// and delays may differ.
func SamePairs(p, q *Proj) bool {
	type rule struct {
		rule                        Rule
		pre, post, preOff, postOff  int
		n, repeat, row0, tgt0       int
		p                           float64
		same, auto, multi, byTarget bool
		cond, prob                  *ir.Prog
		seed                        [2]uint32
		stream                      uint32
	}
	of := func(p *Proj) rule {
		return rule{p.Rule, p.NPre, p.NPost, p.PreOff, p.PostOff, p.N, max(p.Repeat, 1), p.Row0, p.Tgt0, p.P, p.Same, p.NoAutapses, p.NoMultapses, p.ByTarget, p.Cond, p.PProg, p.Seed, p.Stream}
	}
	one := func(a, b []uint32) bool { return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0]) }
	return p == q || of(p) == of(q) && one(p.J, q.J) && (p.I == nil || q.I == nil || one(p.I, q.I)) && slices.EqualFunc(p.CondData, q.CondData, one) && slices.EqualFunc(p.PData, q.PData, one)
}

// Trim counts the synapses and lets go of what is not needed once that is done:
// of I, where it ascends, since the rows say it.
func (p *Proj) Trim(w host.Work) (int, error) {
	n, err := p.Count(w)
	if err == nil && p.Rule == Given && p.rows.sorted {
		p.I = nil
	}
	return n, err
}

// Columns computes synapses k0 to k1-1.
func (p *Proj) Columns(w host.Work, k0, k1 int, want Want) (*Columns, error) {
	n := max(k1-k0, 0)
	each := int64(8)
	for _, column := range []struct {
		want  Want
		bytes int64
	}{{WantSteps, 2}, {WantDelay, 4}, {WantWeight, 4}} {
		if want&column.want != 0 {
			each += column.bytes
		}
	}
	if err := w.Room(each*int64(n), "%s: %d synapses as lists", p.Name, n); err != nil {
		return nil, err
	}
	all := &Columns{K0: k0, I: make([]uint32, n), J: make([]uint32, n)}
	if want&WantSteps != 0 {
		all.Steps = make([]uint16, n)
	}
	if want&WantDelay != 0 {
		all.Delay = make([]float32, n)
	}
	if want&WantWeight != 0 {
		all.Weight = make([]float32, n)
	}
	err := p.Walk(w, k0, k1, want, func(_ int, c *Columns) error {
		at := c.K0 - k0
		copy(all.I[at:], c.I)
		copy(all.J[at:], c.J)
		if want&WantSteps != 0 {
			copy(all.Steps[at:], c.Steps)
		}
		if want&WantDelay != 0 {
			copy(all.Delay[at:], c.Delay)
		}
		if want&WantWeight != 0 {
			copy(all.Weight[at:], c.Weight)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return all, nil
}

// Walk computes synapses k0 to k1-1 in blocks of some thousand and calls f for each block, from several goroutines
// at a time and in any order; worker numbers them from 0. What f gets is
// overwritten after it returned, and f must not write to it. The first error,
// by k, ends the walk.
func (p *Proj) Walk(w host.Work, k0, k1 int, want Want, f func(worker int, c *Columns) error) error {
	return p.walk(w, k0, k1, want, parallel, f)
}

// walk is Walk, of those blocks that hand hands out.
func (p *Proj) walk(w host.Work, k0, k1 int, want Want, hand func(host.Work, int, func(worker, item int) error) error, f func(worker int, c *Columns) error) error {
	r, err := p.ready(w)
	if err != nil {
		return err
	}
	if k0 < 0 || k1 > r.count() {
		return p.errorf("synapses %d to %d: there are %d", k0, k1, r.count())
	}
	if k0 >= k1 {
		return nil
	}
	row0, row1 := r.holding(k0/r.repeat), r.holding((k1-1)/r.repeat)+1
	step := p.chunk(r, float64(r.count()))
	first := row0 / step // blocks begin at multiples of step, since four rows share their random words
	walkers := make([]*walker, workers(w))
	return hand(w, (row1+step-1)/step-first, func(worker, item int) error {
		if walkers[worker] == nil {
			walkers[worker] = newWalker(&buffers{work: w}, p, r)
		}
		lo := (first + item) * step
		c, err := walkers[worker].run(max(lo, row0), min(lo+step, row1), k0, k1, want)
		if err != nil || len(c.I) == 0 {
			return err
		}
		return f(worker, c)
	})
}

// With is the projection with other weights and delays on the same pairs,
// which it does not draw again.
func (p *Proj) With(weight, delay Column) *Proj {
	preparing.Lock()
	defer preparing.Unlock()
	q := *p
	q.Weight, q.Delay = weight, delay
	q.weight, q.delay, q.found, q.sums = nil, nil, nil, nil
	return &q
}

// Fix is the fixed-point form of a weight: floor(w*scale + 0.5), scale a power
// of two, saturated at +-2^62.
func Fix(w float32, scale float64) int64 {
	x := math.Floor(float64(float64(w)*scale) + 0.5)
	return int64(max(-0x1p62, min(0x1p62, x)))
}
