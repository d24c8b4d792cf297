package connect

import (
	"math"

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
	SD          []float64 // for each projection: standard deviation of its first 65,536 weights (all of an array), by float64 in order of k
	Bound       []float64 // for each projection: bound of |weight| (|Const|, largest of Array, Lo and Hi of Prog)
}

// spread is how many weights give the standard deviation of a drawn column.
const spread = 1 << 16

// Measure draws every synapse once and
// keeps the result for later calls and for Build. Where a Prog of weights comes
// without bounds (Lo and Hi both 0) its largest value is found. Errors name the
// projection and, where one is at fault, the synapse: a rule that cannot be
// satisfied, an index out of range, a delay that is negative or beyond 65,535
// steps, more than 2^31-1 synapses in a projection.
func Measure(s *Spec, w host.Work) (*Stats, error) {
	measuring.Lock()
	defer measuring.Unlock()
	if s.stats != nil {
		return s.stats, nil
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
	s.stats = st
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
	sd, err := p.spread(w, n)
	st.SD = append(st.SD, sd)
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
	err := p.Walk(work, 0, r.count(), t.want, func(worker int, c *Columns) error {
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
	if err != nil {
		return nil, err
	}
	t.seen = make([]bool, MaxDelay+1)
	for w := range seen {
		for d, yes := range seen[w] {
			t.seen[d] = t.seen[d] || yes
		}
		t.largest = max(t.largest, largest[w])
	}
	return sum(degrees, p.NPost), nil
}

// spread is the standard deviation of the first weights.
func (p *Proj) spread(w host.Work, n int) (float64, error) {
	weights := p.weight.array
	if p.weight.prog != nil {
		c, err := p.Columns(w, 0, min(n, spread), WantWeight)
		if err != nil {
			return 0, err
		}
		weights = c.Weight
	}
	if len(weights) == 0 {
		return 0, nil
	}
	mean, sum := 0.0, 0.0
	for _, w := range weights {
		mean += float64(w)
	}
	mean /= float64(len(weights))
	for _, w := range weights {
		d := float64(w) - mean
		sum += float64(d * d)
	}
	return float64(math.Sqrt(sum / float64(len(weights)))), nil
}
