package kernels

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
	"sync/atomic"

	"synfire/engine/backend"
	"synfire/engine/connect"
	"synfire/engine/host"
)

// shares divide the synapses of an effect among the parts by one of their ends:
// share w has the ends cut[w] to cut[w+1]-1, part first+k the shares k*each to
// (k+1)*each-1.
type shares struct {
	end   backend.End // AtSource or AtTarget
	cut   []int
	each  int
	first int // 0, but of a rank that has some of the parts
}

// whole is one share of n ends, which the first part has.
func whole(end backend.End, n int) shares { return shares{end: end, cut: []int{0, n}, each: 1} }

// ofParts are the shares of some parts alone, where each part has one.
func (s shares) ofParts(own []int) shares {
	s.first, s.cut = own[0], s.cut[own[0]:own[len(own)-1]+2]
	return s
}

// ways is the number of shares.
func (s *shares) ways() int { return len(s.cut) - 1 }

// waysOf are the shares of a part.
func (s *shares) waysOf(part int) (lo, hi int) {
	return (part - s.first) * s.each, (part - s.first + 1) * s.each
}

func (s *shares) equal(o *shares) bool {
	if s.end != o.end || s.first != o.first || len(s.cut) != len(o.cut) {
		return false
	}
	for w, c := range s.cut {
		if c != o.cut[w] {
			return false
		}
	}
	return true
}

// refine cuts the shares of parts until none has more ends than 16 bits tell apart.
func (s *shares) refine() {
	for w := range s.ways() {
		s.each = max(s.each, (s.cut[w+1]-s.cut[w]+connect.MaxTile-1)/connect.MaxTile)
	}
	cut := []int{s.cut[0]}
	for w := range s.ways() {
		for k := 1; k <= s.each; k++ {
			cut = append(cut, s.cut[w]+(s.cut[w+1]-s.cut[w])*k/s.each)
		}
	}
	s.cut = cut
}

// listing is the synapses of a Spec by the rows that spike and by delay, and
// within that by share: those of row r with delay delays[d] that share w has are
// entries index[g*ways+w] to index[g*ways+w+1]-1, with g = r*len(delays)+d; within
// it they ascend by number. Where the synapses are numbered in that order, entry
// n is synapse n.
type listing struct {
	shares
	asked  shares // before they were refined
	spec   *connect.Spec
	post   bool // rows are targets
	delays []uint16
	index  []uint32
	k      []uint32 // number in the Spec; nil: the entry's own
	// The end that is not the row: words, or 16 bits counted from base of the share.
	far   []uint32
	far16 []uint16
	base  []uint32

	groups int // with entries
	total  int // synapses of the Spec, of which a rank may list some

	// Of a rank that has the words of the listed synapses alone: these lie in the order
	// of the synapses' numbers, and k counts the listed ones (owned.go).
	local bool

	// The synapses' own words lie in the order of the entries (placed.go).
	placed bool
	number []uint32 // of each entry, its synapse's number, while the words are placed; for good, if keep
	keep   bool
}

// apart says that the words of a synapse do not lie by its number.
func (l *listing) apart() bool { return l.local || l.placed }

// lists says that the synapses of an end by which they are shared are listed.
func (l *listing) lists(end int) bool { return end >= l.cut[0] && end < l.cut[l.ways()] }

// some says that not all synapses are listed.
func (l *listing) some() bool {
	n := l.spec.NTgt
	if l.end == backend.AtSource {
		n = l.spec.NSrc
	}
	return l.cut[0] > 0 || l.cut[l.ways()] < n
}

// listingMemory is what a listing will take: the far end of each synapse, the
// number where they are not numbered in the listing's order, and an index for each part.
func listingMemory(spec *connect.Spec, post bool, ways int) connect.Memory {
	m := connect.Estimate(spec, ways, host.Work{Threads: ways})
	each := int64(2)
	if post {
		m.Index = m.Index / int64(max(spec.NSrc, 1)) * int64(spec.NTgt)
	}
	if post && spec.NSrc > connect.MaxTile {
		each = 4
	}
	if post || !inOrder(spec) {
		each += 4
	}
	m.Entries, m.Scratch = each*m.Synapses, 0
	return m
}

// inOrder expects that synapses are numbered in the order of a listing by source.
func inOrder(spec *connect.Spec) bool {
	row := 0
	for _, p := range spec.Projs {
		if p.Delay.Prog != nil || p.Delay.Array != nil || p.ByTarget || p.Rule != connect.AllToAll && p.Rule != connect.Bernoulli && p.Rule != connect.OneToOne || p.Row0 < row {
			return false
		}
		row = p.Row0 + p.NPre
	}
	return true
}

// length is the number of entries.
func (l *listing) length() int { return int(l.index[len(l.index)-1]) }

func (l *listing) build(w host.Work) error {
	st, err := connect.Measure(l.spec, w)
	if err != nil {
		return err
	}
	if st.Total > math.MaxUint32 {
		return fmt.Errorf("%s: %d synapses; at most 2^32-1 can be listed by row", l.spec.Name, st.Total)
	}
	l.delays, l.asked = st.Delays, l.shares
	rows, far := l.spec.NSrc, l.spec.NTgt
	if l.post {
		rows, far = far, rows
	}
	l.total = int(st.Total)
	b := &lister{listing: l, work: w}
	l.base = make([]uint32, l.ways())
	narrow := far <= connect.MaxTile
	if l.post == (l.end == backend.AtSource) { // the shares are of far ends
		l.refine()
		narrow = true
		l.base = make([]uint32, l.ways())
		for w := range l.base {
			l.base[w] = uint32(l.cut[w])
		}
	}
	each := int64(4)
	if narrow {
		each = 2
	}
	groups := rows * len(l.delays)
	if err := w.Room(each*b.expected()+4*int64(groups)*int64(l.ways()), "%s: %d synapses listed by row", l.spec.Name, st.Total); err != nil {
		return err
	}
	l.index = make([]uint32, groups*l.ways()+1)
	b.narrow = narrow
	b.share()
	done, err := b.asNumbered()
	if err == nil && !done {
		err = b.sort()
	}
	for g := range groups {
		if l.index[g*l.ways()] != l.index[(g+1)*l.ways()] {
			l.groups++
		}
	}
	return err
}

// lister builds a listing.
type lister struct {
	*listing
	narrow bool
	work   host.Work
	way    []uint16 // share of each end by which they are shared; nil: there is one
}

// expected is about how many synapses will be listed.
func (b *lister) expected() int64 {
	n := b.spec.NTgt
	if b.end == backend.AtSource {
		n = b.spec.NSrc
	}
	return int64(float64(float64(b.total)*float64(b.cut[b.ways()]-b.cut[0])) / float64(max(n, 1)))
}

// room makes the far ends of n synapses.
func (b *lister) room(n int) {
	if b.narrow {
		b.far16 = make([]uint16, n+15)[:n] // so that vectors may go beyond
	} else {
		b.far = make([]uint32, n)
	}
}

func (b *lister) share() {
	if b.ways() == 1 {
		return
	}
	b.way = make([]uint16, b.cut[b.ways()])
	for w := range b.ways() {
		for x := b.cut[w]; x < b.cut[w+1]; x++ {
			b.way[x] = uint16(w)
		}
	}
}

// place is the row, the share and the far end of synapse x of some columns; share -1:
// it is not listed.
func (b *lister) place(p *connect.Proj, c *connect.Columns, x int) (row int, way int, far uint32) {
	i, j := p.Row0+int(c.I[x]), p.Tgt0+int(c.J[x])
	end := j
	if b.end == backend.AtSource {
		end = i
	}
	if !b.lists(end) {
		return 0, -1, 0
	}
	if b.way != nil {
		way = int(b.way[end])
	}
	if b.post {
		return j, way, uint32(i)
	}
	return i, way, uint32(j)
}

func (b *lister) setFar(at int, way int, far uint32) {
	if b.far16 != nil {
		b.far16[at] = uint16(far - b.base[way])
	} else {
		b.far[at] = far
	}
}

// asNumbered lists synapses that are numbered in the listing's order, and says
// whether they are.
func (b *lister) asNumbered() (bool, error) {
	if len(b.delays) > 1 || b.some() && !b.local {
		return false, nil
	}
	want, row0 := connect.BySource, 0
	if b.post {
		want = connect.ByTarget
	}
	for _, p := range b.spec.Projs {
		order, err := p.Order(b.work)
		first, n := p.Row0, p.NPre
		if b.post {
			first, n = p.Tgt0, p.NPost
		}
		if err != nil || order != want || first < row0 {
			return false, err
		}
		row0 = first + n
	}
	if b.local {
		return b.inTurn()
	}
	b.room(b.total)
	var unordered atomic.Bool
	ways, k0 := b.ways(), 0
	for _, p := range b.spec.Projs {
		n, err := p.Count(b.work)
		if err != nil {
			return false, err
		}
		err = p.Walk(b.work, 0, n, 0, func(_ int, c *connect.Columns) error {
			last := 0
			for x := range c.I { // a block has whole rows
				row, way, far := b.place(p, c, x)
				g := row*ways + way
				if g < last {
					unordered.Store(true)
				}
				last = g
				b.index[g+1]++
				b.setFar(k0+c.K0+x, way, far)
			}
			return nil
		})
		if err != nil {
			return false, err
		}
		k0 += n
	}
	if unordered.Load() {
		clear(b.index)
		return false, nil
	}
	for g := 1; g < len(b.index); g++ {
		b.index[g] += b.index[g-1]
	}
	return true, nil
}

// inTurn is asNumbered for some of the synapses, one after the other.
func (b *lister) inTurn() (bool, error) {
	n := b.expected() + b.expected()/64
	b.room(int(n))
	far16, far := b.far16[:0], b.far[:0]
	last, ordered := 0, true
	err := b.walkAll(func(g, way int, k, _, end uint32) {
		ordered = ordered && g >= last
		last = g
		b.index[g+1]++
		if b.narrow {
			far16 = append(far16, uint16(end-b.base[way]))
		} else {
			far = append(far, end)
		}
		if b.keep {
			b.number = append(b.number, k)
		}
	}, 1)
	if err != nil || !ordered {
		clear(b.index)
		b.number = nil
		return false, err
	}
	if b.narrow {
		b.far16 = slices.Grow(far16, 15)
	}
	b.far = far
	for g := 1; g < len(b.index); g++ {
		b.index[g] += b.index[g-1]
	}
	return true, nil
}

// sort lists the synapses in two passes, which count and place them. Each thread
// does so for some of the shares.
func (b *lister) sort() error {
	if err := b.work.Room(4*b.expected(), "%s: the numbers of %d synapses listed by row", b.spec.Name, b.total); err != nil {
		return err
	}
	// index[g+1] counts, then is where the next synapse of group g goes.
	next := b.index[1:]
	if err := b.walkAll(func(g, _ int, _, _, _ uint32) { next[g]++ }, b.threads()); err != nil {
		return err
	}
	at := uint32(0)
	for g, c := range next {
		next[g] = at
		at += c
	}
	b.room(int(at))
	b.k = make([]uint32, at)
	if b.keep {
		b.number = make([]uint32, at)
	}
	return b.walkAll(func(g, way int, k, n, far uint32) {
		at := next[g]
		if b.k[at] = k; b.local {
			b.k[at] = n
		}
		if b.keep {
			b.number[at] = k
		}
		b.setFar(int(at), way, far)
		next[g]++
	}, b.threads())
}

func (b *lister) threads() int { return max(min(b.work.Threads, b.ways()), 1) }

// walkAll calls f for each synapse that is listed, those of a share in their order: n is how
// many come before it of all shares.
func (b *lister) walkAll(f func(g, way int, k, n, far uint32), threads int) error {
	column := make([]uint16, connect.MaxDelay+1)
	for n, d := range b.delays {
		column[d] = uint16(n)
	}
	errs := make([]error, threads)
	parallel(threads, func(q int) {
		errs[q] = b.walk(b.ways()*q/threads, b.ways()*(q+1)/threads, column, f)
	})
	return errors.Join(errs...)
}

// walk calls f for each synapse of shares lo to hi-1, in their order.
func (b *lister) walk(lo, hi int, column []uint16, f func(g, way int, k, n, far uint32)) error {
	alone := host.Work{Ctx: b.work.Ctx, Threads: 1}
	first, before, d := 0, 0, len(b.delays)
	want := connect.WantSteps
	if d == 1 {
		want = 0
	}
	for _, p := range b.spec.Projs {
		n, err := p.Count(b.work)
		if err != nil {
			return err
		}
		k0, k1, end := 0, n, -1
		if order, _ := p.Order(b.work); lo > 0 || hi < b.ways() || b.some() {
			// Those of the shares follow one another where shares are of rows.
			off, size := p.Tgt0, p.NPost
			if b.end == backend.AtSource {
				off, size = p.Row0, p.NPre
			}
			if order == connect.ByTarget && b.end == backend.AtTarget || order == connect.BySource && b.end == backend.AtSource {
				var at [4]int
				for x, w := range [4]int{0, lo, hi, b.ways()} {
					if at[x], err = p.First(b.work, min(max(b.cut[w]-off, 0), size)); err != nil {
						return err
					}
				}
				k0, k1, end = at[1], at[2], before+at[3]-at[0]
				before += k0 - at[0]
			}
		}
		err = p.Walk(alone, k0, k1, want, func(_ int, c *connect.Columns) error {
			for x := range c.I {
				row, way, far := b.place(p, c, x)
				if way < 0 {
					continue
				}
				before++
				if way < lo || way >= hi {
					continue
				}
				g := row * d
				if want != 0 {
					g += int(column[c.Steps[x]])
				}
				f(g*b.ways()+way, way, uint32(first+c.K0+x), uint32(before-1), far)
			}
			return nil
		})
		if err != nil {
			return err
		}
		first += n
		if end >= 0 {
			before = end
		}
	}
	return nil
}

// parallel calls f for 0 to n-1, each in a goroutine of its own.
func parallel(n int, f func(int)) {
	var all sync.WaitGroup
	for k := 1; k < n; k++ {
		all.Go(func() { f(k) })
	}
	f(0)
	all.Wait()
}

// fillPlain writes first, first + step, ... to dst.
func fillPlain(dst []uint32, first, step uint32) {
	for n := range dst {
		dst[n] = first
		first += step
	}
}

// widenPlain writes base + src to dst.
func widenPlain(dst []uint32, src []uint16, base uint32) {
	src = src[:len(dst)]
	for n, x := range src {
		dst[n] = base + uint32(x)
	}
}
