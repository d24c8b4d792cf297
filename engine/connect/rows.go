package connect

import (
	"fmt"
	"math"
	"math/bits"
	"sort"
	"sync"

	"synfire/engine/host"
	"synfire/engine/ir"
	"synfire/engine/philox"
)

// MaxSynapses is the largest number of synapses of one projection. A larger
// one must be cut into several.
const MaxSynapses = math.MaxInt32

// rows is a projection made ready: its pairs lie in rows, of one source each, or of one
// target each (byTarget), or of one synapse each (Given).
type rows struct {
	byTarget bool
	sorted   bool // by source: a table's rows can be made from the list's rows
	n        int  // rows
	size     int  // ends to choose from: the size of the other range
	per      int  // pairs in each row, where start is nil
	start    []uint32
	ends     []uint32 // pairs at each end, where rows were drawn to count them
	repeat   int
	shift    int  // row r's own neuron is end r+shift, where self is set
	self     bool // autapses are to be avoided
	skip     *skips
	draws    *program // what every synapse or pair draws: the other end (Fixed rules, first attempt), the word (AllToAll)
	cond     *program
	prob     *program
	p        float64 // AllToAll: the probability of each pair, 1 unless it is a constant
}

// from is the number of the first pair of row r.
func (r *rows) from(row int) int {
	if r.start == nil {
		return row * r.per
	}
	return int(r.start[row])
}

func (r *rows) pairs() int { return r.from(r.n) }
func (r *rows) count() int { return r.pairs() * r.repeat }

// holding is the row of pair q.
func (r *rows) holding(q int) int {
	if r.start == nil {
		return q / r.per
	}
	return sort.Search(r.n, func(row int) bool { return int(r.start[row+1]) > q })
}

// own is the end that would be an autapse of a row, -1 if there is none.
func (r *rows) own(row int) int {
	if !r.self {
		return -1
	}
	if e := row + r.shift; e >= 0 && e < r.size {
		return e
	}
	return -1
}

// room is how many ends a row has to choose from.
func (r *rows) room(row int) int {
	if r.own(row) >= 0 {
		return r.size - 1
	}
	return r.size
}

var preparing, measuring sync.Mutex

// prepare makes the projection ready, at its first use.
func (p *Proj) prepare(w host.Work) (*rows, error) {
	defer lock(&preparing, w)()
	if p.rows != nil {
		return p.rows, nil
	}
	r := &rows{n: p.NPre, size: p.NPost, repeat: max(p.Repeat, 1), sorted: true, self: p.NoAutapses && p.Same, shift: p.PreOff - p.PostOff}
	if p.Rule == FixedIndegree || p.ByTarget && (p.Rule == AllToAll || p.Rule == Bernoulli) {
		r.byTarget, r.sorted = true, false
		r.n, r.size, r.shift = p.NPost, p.NPre, -r.shift
	}
	if err := p.check(r); err != nil {
		return nil, err
	}
	// A number for each row, and for each worker the ends, of which it holds one row at a time.
	if err := w.Room(4*int64(r.n)+int64(workers(w))*4*int64(r.size), "%s: counting its synapses between %d and %d neurons", p.Name, p.NPre, p.NPost); err != nil {
		return nil, err
	}
	var err error
	switch p.Rule {
	case OneToOne:
		r.per = 1
		if r.self && r.shift == 0 {
			r.per = 0
		}
	case AllToAll, Bernoulli:
		err = p.preparePairs(w, r)
	case FixedTotal:
		err = p.prepareTotal(w, r)
	case FixedIndegree, FixedOutdegree:
		if err = p.limit(float64(float64(p.N) * float64(r.n))); err == nil {
			r.per = p.N
			r.draws, err = p.random(2, uint32(r.size))
		}
	case Given:
		err = p.prepareGiven(w, r)
	}
	if err == nil {
		err = p.limit(float64(float64(r.pairs()) * float64(r.repeat)))
	}
	if err != nil {
		return nil, err
	}
	p.rows = r
	return r, nil
}

// errorf names the projection.
func (p *Proj) errorf(format string, args ...any) error {
	return fmt.Errorf("%s: %w", p.Name, fmt.Errorf(format, args...))
}

// limit refuses too many synapses.
func (p *Proj) limit(n float64) error {
	if n > MaxSynapses {
		return p.errorf("%.0f synapses; one projection holds at most %d: divide its sources or targets among several", n, MaxSynapses)
	}
	return nil
}

// check refuses what can be told to be impossible before anything is drawn.
func (p *Proj) check(r *rows) error {
	if p.NPre < 0 || p.NPost < 0 || p.N < 0 || p.Repeat < 0 || p.NPre > MaxSynapses || p.NPost > MaxSynapses {
		return p.errorf("%d sources, %d targets, N = %d, n = %d: none may be negative or beyond %d", p.NPre, p.NPost, p.N, p.Repeat, MaxSynapses)
	}
	if !(p.P >= 0 && p.P <= 1) {
		return p.errorf("the probability p = %g is not between 0 and 1", p.P)
	}
	switch p.Rule {
	case OneToOne:
		if p.NPre != p.NPost {
			return p.errorf("one_to_one needs as many sources as targets, not %d and %d", p.NPre, p.NPost)
		}
	case FixedIndegree, FixedOutdegree:
		ends := map[bool]string{true: "sources", false: "targets"}[r.byTarget]
		for row := range r.n {
			room := r.room(row)
			if p.N > 0 && room == 0 {
				return p.errorf("N = %d %s for each of %d neurons, but there are none to choose from", p.N, ends, r.n)
			}
			if p.NoMultapses && p.N > room {
				return p.errorf("N = %d different %s for each neuron, but there are only %d: lower N or allow multapses", p.N, ends, room)
			}
		}
	case FixedTotal:
		room := 0.0
		for row := range r.n {
			room += float64(r.room(row))
		}
		if p.N > 0 && room == 0 {
			return p.errorf("N = %d synapses, but there is no pair to choose from", p.N)
		}
		if p.NoMultapses && float64(p.N) > room {
			return p.errorf("N = %d different pairs, but there are only %.0f: lower N or allow multapses", p.N, room)
		}
		return p.limit(float64(p.N))
	case AllToAll, Bernoulli:
	case Given:
		if len(p.I) != len(p.J) {
			return p.errorf("%d sources but %d targets are given: the arrays must be of equal length", len(p.I), len(p.J))
		}
	default:
		return p.errorf("unknown rule %d", p.Rule)
	}
	return nil
}

// degrees turns the number of pairs of each row into the starts of rows.
func (p *Proj) degrees(r *rows, degree []uint32) error {
	sum, start := 0.0, make([]uint32, len(degree)+1)
	for row, d := range degree {
		sum += float64(d)
		start[row+1] = start[row] + d
	}
	if err := p.limit(sum); err != nil {
		return err
	}
	r.start = start
	return nil
}

// preparePairs is for rules that decide pair by pair: rows are counted by
// drawing them.
func (p *Proj) preparePairs(w host.Work, r *rows) error {
	var err error
	if p.Cond != nil {
		if r.cond, err = p.compile("condition", p.Cond, p.CondData, ir.Bool); err != nil {
			return err
		}
	}
	if p.PProg != nil && p.Rule == AllToAll {
		if r.prob, err = p.compile("p", p.PProg, p.PData, ir.F32); err != nil {
			return err
		}
	}
	r.p = 1
	switch {
	case p.Rule == Bernoulli:
		if p.P < 1 {
			r.skip = newSkips(p.P)
		}
	case p.P > 0:
		r.p = p.P
	}
	all := r.skip == nil && r.cond == nil && r.prob == nil && r.p >= 1
	if all && !r.self {
		r.per = r.size
		return p.limit(float64(float64(r.n) * float64(r.size)))
	}
	if r.draws, err = p.random(0, 0); err != nil {
		return err
	}
	degree := make([]uint32, r.n)
	if all {
		for row := range degree {
			degree[row] = uint32(r.room(row))
		}
		return p.degrees(r, degree)
	}
	gens, ends := make([]*gen, workers(w)), make([][]uint32, workers(w))
	step := p.chunk(r, float64(float64(r.n)*float64(r.size)*p.guess()))
	_, err = p.shared(w, (r.n+step-1)/step, func(worker, item int) error {
		if gens[worker] == nil {
			gens[worker], ends[worker] = newGen(w, p, r), make([]uint32, r.size)
		}
		for row := item * step; row < min(r.n, (item+1)*step); row += 4 {
			if err := gens[worker].count(row, min(row+4, r.n), degree, ends[worker]); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	r.ends = sum(ends, r.size)
	add(w, degree)
	add(w, r.ends)
	return p.degrees(r, degree)
}

// sum adds up what the workers counted; those that counted nothing have nil.
func sum(counts [][]uint32, n int) []uint32 {
	total := make([]uint32, n)
	for _, c := range counts {
		for k, x := range c {
			total[k] += x
		}
	}
	return total
}

// guess is the expected share of pairs, as far as it is known before drawing.
func (p *Proj) guess() float64 {
	if p.Rule == Bernoulli || p.PProg == nil && p.P > 0 {
		return p.P
	}
	return 1
}

// block is how many synapses are worked on together: enough for the vector
// machine, few enough to stay in cache.
const block = 8192

// chunk is how many rows make a block, given the number of pairs; a multiple
// of 4, since four rows share their random words.
func (p *Proj) chunk(r *rows, pairs float64) int {
	per := max(1, pairs/max(1, float64(r.n)))
	return max(4, int(block/per)/4*4)
}

// prepareTotal makes the rows of FixedTotal: the histogram of N draws of the
// source.
func (p *Proj) prepareTotal(w host.Work, r *rows) error {
	var err error
	if r.draws, err = p.random(2, uint32(r.size)); err != nil || p.N == 0 {
		return err
	}
	if p.NoMultapses {
		return p.prepareDistinct(w, r)
	}
	first, err := p.random(0, uint32(r.n))
	if err != nil {
		return err
	}
	const span = 1 << 16
	total := make([][]uint32, workers(w))
	bufs := make([][]uint32, workers(w))
	envs := make([]*env, workers(w))
	_, err = p.shared(w, (p.N+span-1)/span, func(worker, item int) error {
		if total[worker] == nil {
			total[worker], bufs[worker], envs[worker] = make([]uint32, r.n), make([]uint32, 4096), first.bind()
		}
		degree := total[worker]
		for k0 := item * span; k0 < min(p.N, (item+1)*span); k0 += 4096 {
			w := bufs[worker][:min(4096, p.N-k0)]
			if err := envs[worker].run(uint32(k0), 0, nil, nil, w); err != nil {
				return err
			}
			if !r.self {
				for _, row := range w {
					degree[row]++
				}
				continue
			}
			for n, x := range w {
				row := int(x)
				for a := uint32(0); !p.accept(r, uint32(k0+n), a, r.room(row)); {
					a++
					row = int(mulHi(philox.Word(uint32(k0+n), a, 0, p.Stream, p.Seed), uint32(r.n)))
				}
				degree[row]++
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	degree := sum(total, r.n)
	add(w, degree)
	return p.degrees(r, degree)
}

// accept says whether draw k, attempt a, of a source with so much room stands.
func (p *Proj) accept(r *rows, k, a uint32, room int) bool {
	return room == r.size || int(mulHi(philox.Word(k, a, 1, p.Stream, p.Seed), uint32(r.size))) < room
}

// prepareDistinct makes the rows of FixedTotal without multapses: as each draw takes away
// room from its row, the rows are those of N different pairs drawn uniformly. Where N is more than half
// of all pairs, the pairs left out are drawn.
func (p *Proj) prepareDistinct(w host.Work, r *rows) error {
	total := 0
	for row := range r.n {
		total += r.room(row)
	}
	draws, left := p.N, p.N*2 > total
	if left {
		draws = total - p.N
	}
	degree := make([]uint32, r.n)
	for k := range uint32(draws) {
		if k%(1<<16) == 0 && w.Err() != nil {
			return w.Err()
		}
		for a := uint32(0); ; a++ {
			row := mulHi(philox.Word(k, a, 0, p.Stream, p.Seed), uint32(r.n))
			if p.accept(r, k, a, r.room(int(row))-int(degree[row])) {
				degree[row]++
				break
			}
		}
	}
	if left {
		for row := range degree {
			degree[row] = uint32(r.room(row)) - degree[row]
		}
	}
	return p.degrees(r, degree)
}

// prepareGiven checks given indices. Where the sources ascend, each row is a source.
func (p *Proj) prepareGiven(w host.Work, r *rows) error {
	if err := p.limit(float64(len(p.I))); err != nil {
		return err
	}
	last := uint32(0)
	for k, i := range p.I {
		if k%(1<<20) == 0 && w.Err() != nil {
			return w.Err()
		}
		if int(i) >= p.NPre {
			return p.errorf("synapse %d: source %d is out of range: there are %d", k, i, p.NPre)
		}
		if j := p.J[k]; int(j) >= p.NPost {
			return p.errorf("synapse %d: target %d is out of range: there are %d", k, j, p.NPost)
		}
		r.sorted = r.sorted && i >= last
		last = i
	}
	if !r.sorted {
		r.n, r.per = len(p.I), 1
		return nil
	}
	r.start = make([]uint32, p.NPre+1)
	row := 0
	for k, i := range p.I {
		for ; row <= int(i); row++ {
			r.start[row] = uint32(k)
		}
	}
	for ; row <= p.NPre; row++ {
		r.start[row] = uint32(len(p.I))
	}
	return nil
}

// mulHi maps a random word to 0..n-1.
func mulHi(w, n uint32) uint32 {
	hi, _ := bits.Mul32(w, n)
	return hi
}
