package connect

import (
	"math"
	"slices"

	"synfire/engine/host"
	"synfire/engine/ir"
	"synfire/engine/philox"
)

// buffers is a worker's memory for drawing, shared by the projections that it
// draws one after the other.
type buffers struct {
	work     host.Work
	row, end []uint32 // pairs
	i, j     []uint32 // synapses
	stamp    []uint32 // for each end the mark of the row that last took it
	mark     uint32
	quad     [4][]uint32
	near     []uint32 // a condition's programs: the row, ...
	far      []uint32 // ... the other end, ...
	out      []uint32 // ... the result
	words    []uint32
}

// gen draws rows of a projection for one worker.
type gen struct {
	*buffers
	p          *Proj
	r          *rows
	cond, prob *env
	draws      *env
}

func newGen(w host.Work, p *Proj, r *rows) *gen { return newGenWith(&buffers{work: w}, p, r) }

func newGenWith(b *buffers, p *Proj, r *rows) *gen {
	g := &gen{buffers: b, p: p, r: r}
	if r.cond != nil {
		g.cond = r.cond.bind()
	}
	if r.prob != nil {
		g.prob = r.prob.bind()
	}
	if r.draws != nil {
		g.draws = r.draws.bind()
	}
	return g
}

// synapses draws rows r0 to r1-1: afterwards g.i and g.j are the source and target of each
// synapse; the first is number from(r0)*repeat of the list.
func (g *gen) synapses(r0, r1 int) error {
	if err := g.pairs(r0, r1); err != nil {
		return err
	}
	if g.r.byTarget {
		g.row, g.end = g.end, g.row
	}
	n := g.r.repeat
	if n == 1 {
		g.i, g.row = g.row, g.i
		g.j, g.end = g.end, g.j
		return nil
	}
	i, j := g.row, g.end
	g.i, g.j = resize(g.i, n*len(i)), resize(g.j, n*len(i))
	for k := range g.i {
		g.i[k], g.j[k] = i[k/n], j[k/n]
	}
	return nil
}

// pairs draws rows r0 to r1-1 into g.row and g.end.
func (g *gen) pairs(r0, r1 int) error {
	p, r := g.p, g.r
	if p.Rule == Given && !r.sorted {
		g.row, g.end = append(g.row[:0], p.I[r0:r1]...), append(g.end[:0], p.J[r0:r1]...)
		return nil
	}
	q0, q1 := r.from(r0), r.from(r1)
	g.row, g.end = resize(g.row, q1-q0), resize(g.end, q1-q0)
	for row, q := r0, 0; row < r1; row++ {
		for stop := r.from(row+1) - q0; q < stop; q++ {
			g.row[q] = uint32(row)
		}
	}
	switch p.Rule {
	case OneToOne:
		copy(g.end, g.row)
	case Given:
		copy(g.end, p.J[q0:q1])
	case FixedTotal, FixedOutdegree, FixedIndegree:
		if err := g.draws.run(uint32(q0), 0, nil, nil, g.end); err != nil {
			return err
		}
		if r.self || p.NoMultapses {
			for row := r0; row < r1; row++ {
				g.repair(row, g.end[r.from(row)-q0:r.from(row+1)-q0])
			}
		}
	default:
		ends := g.end
		for row := r0; row < r1; {
			next := min(row&^3+4, r1)
			if err := g.four(row, next); err != nil {
				return err
			}
			for ; row < next; row++ {
				ends = ends[copy(ends, g.quad[row%4]):]
			}
		}
	}
	return nil
}

// repair draws again, in a row of the Fixed rules, the ends that are autapses or, without
// multapses, are there already.
func (g *gen) repair(row int, ends []uint32) {
	own, room := g.r.own(row), g.r.room(row)
	q := uint32(g.r.from(row))
	if !g.p.NoMultapses {
		for n := range ends {
			for a := uint32(1); int(ends[n]) == own; a++ {
				ends[n] = g.redraw(q+uint32(n), a)
			}
		}
		return
	}
	if len(g.stamp) < g.r.size || g.mark == math.MaxUint32 {
		g.stamp, g.mark = make([]uint32, g.r.size), 0
	}
	g.mark++
	taken := ends
	if left := len(ends)*2 > room; left {
		taken = ends[:room-len(ends)]
	}
	for n := range taken {
		e := taken[n]
		for a := uint32(1); int(e) == own || g.stamp[e] == g.mark; a++ {
			e = g.redraw(q+uint32(n), a)
		}
		taken[n], g.stamp[e] = e, g.mark
	}
	if len(ends)*2 > room {
		n := 0
		for e, s := range g.stamp[:g.r.size] {
			if s != g.mark && e != own {
				ends[n] = uint32(e)
				n++
			}
		}
	}
}

func (g *gen) redraw(q, attempt uint32) uint32 {
	return mulHi(philox.Word(q, attempt, 2, g.p.Stream, g.p.Seed), uint32(g.r.size))
}

// count counts the pairs of rows r0 to r1-1, all of one group of four, of
// a rule that decides pair by pair, and adds to those at each end.
func (g *gen) count(r0, r1 int, degree, ends []uint32) error {
	if err := g.four(r0, r1); err != nil {
		return err
	}
	for row := r0; row < r1; row++ {
		degree[row] = uint32(len(g.quad[row%4]))
		for _, e := range g.quad[row%4] {
			ends[e]++
		}
	}
	return nil
}

// four draws the ends of rows r0 to r1-1 into g.quad[row%4], for rules that
// decide pair by pair.
func (g *gen) four(r0, r1 int) error {
	if g.r.skip != nil {
		if err := g.skipFour(r0, r1); err != nil {
			return err
		}
	}
	for row := r0; row < r1; row++ {
		ends := g.quad[row%4]
		if g.r.skip == nil {
			var err error
			if ends, err = g.every(row, ends[:0]); err != nil {
				return err
			}
		} else {
			if own := g.r.own(row); own >= 0 {
				ends = without(ends, uint32(own))
			}
			if g.cond != nil {
				if err := g.test(g.cond, row, 0, ends); err != nil {
					return err
				}
				n := 0
				for k, yes := range g.out {
					if yes != 0 {
						ends[n] = ends[k]
						n++
					}
				}
				ends = ends[:n]
			}
		}
		g.quad[row%4] = ends
	}
	return nil
}

// without takes an end, if it is there, out of ends that ascend.
func without(ends []uint32, own uint32) []uint32 {
	if k, there := slices.BinarySearch(ends, own); there {
		return slices.Delete(ends, k, k+1)
	}
	return ends
}

// skipFour draws Bernoulli rows of one group of four by skipping.
func (g *gen) skipFour(r0, r1 int) error {
	var at [4]int
	size, todo := g.r.size, r1-r0
	for row := r0; row < r1; row++ {
		g.quad[row%4] = g.quad[row%4][:0]
	}
	if size == 0 {
		return nil
	}
	// Most rows are full after that many draws.
	mean := float64(float64(size) * g.r.skip.p)
	likely := int(mean + float64(3*math.Sqrt(mean)) + 4)
	for draw := uint32(0); todo > 0; {
		if draw > 0 && draw%(1<<16) == 0 && g.work.Err() != nil { // a row may hold all that there is
			return g.work.Err()
		}
		n := min(likely, 1024)
		if g.r.skip.rare < 0 { // two for each distance
			n += n % 2
		}
		likely = max(likely-n, 16)
		g.words = resize(g.words, 4*n)
		w := g.words
		words := [4][]uint32{w[:n], w[n : 2*n], w[2*n : 3*n], w[3*n:]}
		philox.Draws(words, [4]uint32{uint32(r0) / 4, 0, draw, g.p.Stream}, g.p.Seed)
		draw += uint32(n)
		todo = 0
		for row := r0; row < r1; row++ {
			l := row % 4
			at[l], g.quad[l] = g.r.skip.row(words[l], at[l], size, g.quad[l])
			if at[l] < size {
				todo++
			}
		}
	}
	return nil
}

// every decides all pairs of a row one by one and appends the ends chosen.
func (g *gen) every(row int, ends []uint32) ([]uint32, error) {
	const span = 4096
	r := g.r
	own := r.own(row)
	for e0 := 0; e0 < r.size; e0 += span {
		if e0 > 0 && e0%(1<<18) == 0 && g.work.Err() != nil {
			return nil, g.work.Err()
		}
		n := min(span, r.size-e0)
		g.far = resize(g.far, n)
		for k := range g.far {
			g.far[k] = uint32(e0 + k)
		}
		drawn := r.prob != nil || r.p < 1
		if drawn {
			g.words = resize(g.words, n)
			if err := g.draws.run(uint32(e0), uint32(row), nil, nil, g.words); err != nil {
				return nil, err
			}
		}
		if r.prob != nil {
			if err := g.test(g.prob, row, e0, g.far); err != nil {
				return nil, err
			}
			for k, w := range g.words {
				g.words[k] = truth(g.below(w, float64(math.Float32frombits(g.out[k])), row, e0+k))
			}
		} else if drawn {
			for k, w := range g.words {
				g.words[k] = truth(g.below(w, r.p, row, e0+k))
			}
		}
		if g.cond != nil {
			if err := g.test(g.cond, row, e0, g.far); err != nil {
				return nil, err
			}
		}
		for k, e := range g.far {
			if int(e) != own && (!drawn || g.words[k] != 0) && (g.cond == nil || g.out[k] != 0) {
				ends = append(ends, e)
			}
		}
	}
	return ends, nil
}

// below says that the pair of a word is chosen with probability p: the word is less
// than round(p * 2^32), or, where p is rare, than p * 2^32 with a word behind it.
func (g *gen) below(w uint32, p float64, row, end int) bool {
	t := float64(p * 0x1p32)
	if !(p < ir.Rarely) {
		return float64(w) < math.Floor(t+0.5)
	}
	if whole := math.Floor(t); float64(w) != whole {
		return float64(w) < whole
	}
	return float64(philox.Word(uint32(end), uint32(row), 1, g.p.Stream, g.p.Seed)) < float64((t-math.Floor(t))*0x1p32)
}

// test runs a condition's program on a row and some of its other ends, the
// first of which is lane lane0.
func (g *gen) test(e *env, row, lane0 int, ends []uint32) error {
	g.near, g.out = resize(g.near, len(ends)), resize(g.out, len(ends))
	for k := range g.near {
		g.near[k] = uint32(row)
	}
	if g.r.byTarget {
		return e.run(uint32(lane0), uint32(row), ends, g.near, g.out)
	}
	return e.run(uint32(lane0), uint32(row), g.near, ends, g.out)
}

func truth(b bool) uint32 {
	if b {
		return 1
	}
	return 0
}
