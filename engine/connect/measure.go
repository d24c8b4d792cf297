package connect

import (
	"math"
	mathbits "math/bits"
	"slices"

	"synfire/engine/host"
)

// Stats is what one pass over all synapses of a Spec finds.
type Stats struct {
	Count       []int64  // synapses of each projection
	Total       int64    // of all
	Delays      []uint16 // steps, ascending: those that occur
	MinDelay    int      // steps; 0 without synapses
	MaxDelay    int      // steps; 0 without synapses
	InDegree    []uint32 // of each target of the Spec
	MaxInDegree int
	In          []float64 // for each target: sum of the bounds of |weight| of its synapses
	MaxIn       float64   // largest of In
	Shape       []Shape   // for each projection: how its first 65,536 weights (all of an array) are spread
	Bound       []float64 // for each projection: bound of |weight| (|Const|, largest of Array, Lo and Hi of Prog)
}

// Shape is how weights are spread, by float64 in order of k.
type Shape struct {
	SD     float64
	Skew   float64 // the third moment over SD^3; of a Prog's weights only, as are those that follow
	Tail   float64 // the same of the weights' magnitudes
	Median float64 // of the magnitudes that are not 0
	Least  float64 // of these
	few    bool    // too few to tell, and they differ by much
}

// Skewed says that the standard deviation tells little of most weights: few large
// ones make it. (Of a normal distribution Skew is 0 and Tail at most 1.)
func (s *Shape) Skewed() bool { return math.Abs(s.Skew) > 1 || s.Tail > 1.25 || s.few }

// spread is how many weights give the standard deviation of a drawn column.
const spread = 1 << 16

// Measure draws every synapse once and
// keeps the result for later calls and for Build. Where a Prog of weights comes
// without bounds (Lo and Hi both 0) its largest value is found. Errors name the
// projection and, where one is at fault, the synapse: a rule that cannot be
// satisfied, an index out of range, a delay that is negative or beyond 65,535
// steps, more than 2^31-1 synapses in a projection.
func Measure(s *Spec, w host.Work) (*Stats, error) {
	defer lock(&measuring, w)()
	if st := s.stats.Load(); st != nil {
		return st, nil
	}
	st := &Stats{InDegree: make([]uint32, s.NTgt), In: make([]float64, s.NTgt)}
	seen := make([]bool, MaxDelay+1)
	for _, p := range s.Projs {
		if p.Row0 < 0 || p.Tgt0 < 0 || p.Row0+p.NPre > s.NSrc || p.Tgt0+p.NPost > s.NTgt {
			return nil, p.errorf("sources %d+%d and targets %d+%d lie outside the table of %d and %d", p.Row0, p.NPre, p.Tgt0, p.NPost, s.NSrc, s.NTgt)
		}
		if err := st.add(p, w, seen); err != nil {
			return nil, err
		}
	}
	if err := st.shapes(s, w); err != nil {
		return nil, err
	}
	for d, yes := range seen {
		if yes {
			st.Delays = append(st.Delays, uint16(d))
		}
	}
	if n := len(st.Delays); n > 0 {
		st.MinDelay, st.MaxDelay = int(st.Delays[0]), int(st.Delays[n-1])
	}
	for t, n := range st.InDegree {
		st.MaxInDegree = max(st.MaxInDegree, int(n))
		st.MaxIn = max(st.MaxIn, st.In[t])
	}
	s.stats.Store(st)
	return st, nil
}

// add measures one projection.
func (st *Stats) add(p *Proj, w host.Work, seen []bool) error {
	r, err := p.ready(w)
	if err != nil {
		return err
	}
	n := r.count()
	st.Count = append(st.Count, int64(n))
	st.Total += int64(n)
	t := tally{p: p, r: r, want: WantSteps}
	bound := math.Abs(float64(p.weight.value))
	switch {
	case p.weight.array != nil:
		bound = 0
		for _, w := range p.weight.array {
			bound = max(bound, math.Abs(float64(w)))
		}
	case p.weight.prog != nil:
		bound = max(math.Abs(p.Weight.Lo), math.Abs(p.Weight.Hi))
		if bound == 0 {
			t.want |= WantWeight
		}
	}
	if d := p.delay; d.prog == nil && d.array == nil {
		t.want &^= WantSteps
		seen[d.steps] = seen[d.steps] || n > 0
	}
	degree, err := t.run(w)
	if err != nil {
		return err
	}
	for d, yes := range t.seen {
		seen[d] = seen[d] || yes
	}
	bound = max(bound, float64(t.largest))
	st.Bound = append(st.Bound, bound)
	for j, d := range degree {
		if sum := uint64(st.InDegree[p.Tgt0+j]) + uint64(d); sum > math.MaxUint32 {
			return p.errorf("target %d has %d synapses, more than can be counted", j, sum)
		}
		st.InDegree[p.Tgt0+j] += d
		st.In[p.Tgt0+j] += float64(bound * float64(d))
	}
	return nil
}

// shapes finds the shapes of all projections, of which each rank takes some.
func (st *Stats) shapes(s *Spec, w host.Work) error {
	st.Shape = make([]Shape, len(s.Projs))
	var found []uint32
	err := s.inTurn(w, func(n int) (err error) {
		st.Shape[n], err = s.Projs[n].shape(w.Alone(), int(st.Count[n]))
		found = append(found, st.Shape[n].words()...)
		return err
	})
	if w.Ranks == nil {
		return err
	}
	all, err := w.Meet(s.print(), 0, err, found...)
	for n := range st.Shape {
		if err == nil {
			from := &all[n%len(all)]
			*from = st.Shape[n].read(*from)
		}
	}
	return err
}

// tally counts the synapses at each target, the delays and the largest weight.
type tally struct {
	p       *Proj
	r       *rows
	want    Want
	seen    []bool
	largest float32
}

func (t *tally) run(work host.Work) ([]uint32, error) {
	p, r := t.p, t.r
	if t.want == 0 && r.byTarget { // the rows are the targets
		degree := make([]uint32, r.n)
		for row := range degree {
			degree[row] = uint32((r.from(row+1) - r.from(row)) * r.repeat)
		}
		return degree, nil
	}
	if t.want == 0 && r.ends != nil { // counted when the rows were
		degree := make([]uint32, r.size)
		for j, n := range r.ends {
			degree[j] = n * uint32(r.repeat)
		}
		return degree, nil
	}
	n := workers(work)
	degrees, seen, largest := make([][]uint32, n), make([][]bool, n), make([]float32, n)
	hand, meet := p.take(work)
	err := p.walk(work, 0, r.count(), t.want, hand, func(worker int, c *Columns) error {
		if degrees[worker] == nil {
			degrees[worker], seen[worker] = make([]uint32, p.NPost), make([]bool, MaxDelay+1)
		}
		degree := degrees[worker]
		for _, j := range c.J {
			degree[j]++
		}
		s := seen[worker]
		for _, d := range c.Steps {
			s[d] = true
		}
		for _, w := range c.Weight {
			largest[worker] = max(largest[worker], w, -w)
		}
		return nil
	})
	t.seen = make([]bool, MaxDelay+1)
	for w := range seen {
		for d, yes := range seen[w] {
			t.seen[d] = t.seen[d] || yes
		}
		t.largest = max(t.largest, largest[w])
	}
	if err := meet(err, t); err != nil {
		return nil, err
	}
	degree := sum(degrees, p.NPost)
	add(work, degree)
	return degree, nil
}

// shape is the spread of the first weights.
func (p *Proj) shape(w host.Work, n int) (s Shape, err error) {
	weights := p.weight.array
	if p.weight.prog != nil {
		c, err := p.Columns(w, 0, min(n, spread), WantWeight)
		if err != nil {
			return s, err
		}
		weights = c.Weight
	}
	if len(weights) == 0 {
		return s, nil
	}
	size, mean, middle := float64(len(weights)), 0.0, 0.0
	for _, w := range weights {
		mean += float64(w)
	}
	mean /= size
	if p.weight.prog == nil {
		for _, w := range weights {
			d := float64(w) - mean
			s.SD += float64(d * d)
		}
		s.SD = float64(math.Sqrt(s.SD / size))
		return s, nil
	}
	for _, w := range weights {
		middle += math.Abs(float64(w))
	}
	middle /= size
	var two, three, tail2, tail3 float64
	for _, w := range weights {
		d, e := float64(w)-mean, math.Abs(float64(w))-middle
		d2, e2 := float64(d*d), float64(e*e)
		two += d2
		three += float64(d2 * d)
		tail2 += e2
		tail3 += float64(e2 * e)
	}
	s.SD = float64(math.Sqrt(two / size))
	if two > 0 {
		s.Skew = three / float64(two*s.SD)
	}
	if tail2 > 0 {
		s.Tail = tail3 / float64(tail2*float64(math.Sqrt(tail2/size)))
	}
	if size >= 64 && !s.Skewed() {
		return s, nil
	}
	var sizes []float64
	for _, w := range weights {
		if w != 0 {
			sizes = append(sizes, math.Abs(float64(w)))
		}
	}
	if len(sizes) == 0 {
		return s, nil
	}
	slices.Sort(sizes)
	s.Median, s.Least = sizes[len(sizes)/2], sizes[0]
	s.few = size < 64 && sizes[len(sizes)-1] > 4*s.Least
	return s, nil
}

// Weights is what a pass over a projection's weights finds.
type Weights struct {
	Least, Most float64 // of the magnitudes that are not 0; 0 where all are
	Grain       float64 // the largest power of two of which all are multiples
}

// Weights looks at every weight, once, and keeps the result.
func (p *Proj) Weights(work host.Work) (*Weights, error) {
	defer lock(&measuring, work)()
	return p.findWeights(work)
}

func (p *Proj) findWeights(work host.Work) (*Weights, error) {
	if p.found != nil {
		return p.found, nil
	}
	r, err := p.ready(work)
	if err != nil {
		return nil, err
	}
	parts := make([]Weights, workers(work))
	for k := range parts {
		parts[k] = Weights{Least: math.Inf(1), Grain: math.Inf(1)}
	}
	hand, meet := p.take(work)
	err = p.walk(work, 0, r.count(), WantWeight, hand, func(worker int, c *Columns) error {
		q, last := parts[worker], float32(0)
		for _, w := range c.Weight {
			if w == 0 || w == last { // as a rule there are few different ones
				continue
			}
			last = w
			x := math.Abs(float64(w))
			q = Weights{min(q.Least, x), max(q.Most, x), min(q.Grain, Grain(w))}
		}
		parts[worker] = q
		return nil
	})
	out := &Weights{Least: math.Inf(1), Grain: math.Inf(1)}
	for _, q := range parts {
		out.add(q)
	}
	if err := meet(err, out); err != nil {
		return nil, err
	}
	if out.Most == 0 {
		out.Least = 0
	}
	p.found = out
	return out, nil
}

// Bounds looks at every weight, once: none lies below lo or above hi, between which 0 is.
func (p *Proj) Bounds(work host.Work) (lo, hi float64, err error) {
	r, err := p.ready(work)
	if err != nil {
		return 0, 0, err
	}
	parts := make([]bounds, workers(work))
	hand, meet := p.take(work)
	err = p.walk(work, 0, r.count(), WantWeight, hand, func(worker int, c *Columns) error {
		q := &parts[worker]
		for _, w := range c.Weight {
			q.lo, q.hi = min(q.lo, w), max(q.hi, w)
		}
		return nil
	})
	out := &bounds{}
	for _, q := range parts {
		out.lo, out.hi = min(out.lo, q.lo), max(out.hi, q.hi)
	}
	err = meet(err, out)
	return float64(out.lo), float64(out.hi), err
}

type bounds struct{ lo, hi float32 }

// Sums is what a projection adds to each target.
type Sums struct {
	In     []float64 // of the weights' magnitudes, at most a little too large
	Degree []uint32
}

// Sums adds every weight up, once, and keeps the result.
func (p *Proj) Sums(work host.Work) (*Sums, error) {
	defer lock(&measuring, work)()
	if p.sums != nil {
		return p.sums, nil
	}
	of, err := p.findWeights(work)
	if err != nil {
		return nil, err
	}
	// The sums must not depend on the order of blocks: magnitudes are rounded up to
	// multiples of a quantum of which float64 holds any sum.
	_, e := math.Frexp(of.Most)
	quantum := math.Ldexp(1, e-28)
	parts := make([]*Sums, workers(work))
	fresh := func() *Sums { return &Sums{In: make([]float64, p.NPost), Degree: make([]uint32, p.NPost)} }
	hand, meet := p.take(work)
	err = p.walk(work, 0, p.rows.count(), WantWeight, hand, func(worker int, c *Columns) error {
		if parts[worker] == nil {
			parts[worker] = fresh()
		}
		q := parts[worker]
		for k, w := range c.Weight {
			q.Degree[c.J[k]]++
			q.In[c.J[k]] += float64(math.Ceil(math.Abs(float64(w))/quantum) * quantum)
		}
		return nil
	})
	if err := meet(err, nil); err != nil {
		return nil, err
	}
	out := fresh()
	for _, q := range parts {
		if q == nil {
			continue
		}
		for j := range out.In {
			out.In[j] += q.In[j]
			out.Degree[j] += q.Degree[j]
		}
	}
	add(work, out.Degree)
	addFloats(work, out.In, quantum)
	p.sums = out
	return out, nil
}

// Grain is the largest power of two of which a weight is a multiple.
func Grain(w float32) float64 {
	if w == 0 {
		return math.Inf(1)
	}
	bits := math.Float32bits(w)
	m, e := bits&0x7fffff|0x800000, int(bits>>23&0xff)
	return math.Float64frombits(uint64(e-150+mathbits.TrailingZeros32(m)+1023) << 52)
}
