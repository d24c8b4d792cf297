package kernels

import (
	"cmp"
	"math"
	"slices"
	"sort"

	"synfire/engine/backend"
	"synfire/engine/host"
	"synfire/engine/ir"
)

// The words of synapses that only effects with one listing touch, and samples, lie
// in the order of the listing, so that what is due together lies together however
// the synapses are numbered. Read and Write put them in order.

// place finds the words that may lie in the order of their listings, and where words of
// synapses lie.
func (p *program) place() {
	p.segments = map[backend.BufID][]segment{}
	var lists []*listing
	for _, e := range p.effects {
		if e != nil && e.list != nil && e.list.k != nil && !e.list.post && !slices.Contains(lists, e.list) {
			lists = append(lists, e.list)
		}
	}
	for _, l := range lists {
		own, numbers, ok := p.ownWords(l)
		if !ok || p.over != nil && !l.local {
			continue
		}
		if l.placed = true; !l.local {
			for _, w := range own {
				p.segments[w.buf] = append(p.segments[w.buf], segment{lo: w.lo, n: w.hi - w.lo, list: l})
			}
			l.number, l.keep = l.k, numbers
		}
		l.k = nil
	}
	p.lays()
}

// uses says that stage i works on the synapses of a listing.
func (p *program) uses(i int, l *listing) bool { return p.listOf(i) == l }

// ownWords lists the words that belong to the synapses of a listing, if nothing
// stands against their lying in its order; numbers: some program asks for the
// synapses' numbers.
func (p *program) ownWords(l *listing) (own []words, numbers, ok bool) {
	for i := range p.plan.Stages {
		st := &p.plan.Stages[i]
		if st.Form != backend.FormEffect || !p.uses(i, l) {
			continue
		}
		numbers = numbers || asksNumber(st.Prog)
		for _, a := range p.plan.Accesses(st) {
			end, w := p.lay.words(p.plan, st, a)
			if a.Event >= 0 || end != backend.Own {
				continue
			}
			if op := st.Prog.Ins[a.Instr].Op; op != ir.Load && op != ir.Store { // by the number as an index
				return nil, false, false
			}
			if !slices.Contains(own, w) {
				own = append(own, w)
			}
		}
	}
	for n, w := range own {
		if w.in(own[:n], false) { // shifted against each other
			return nil, false, false
		}
	}
	for i := range p.plan.Stages {
		st := &p.plan.Stages[i]
		for _, a := range p.plan.Accesses(st) {
			if a.Event >= 0 {
				continue
			}
			end, w := p.lay.words(p.plan, st, a)
			switch {
			case !w.in(own, false):
			case st.Form == backend.FormEffect && p.uses(i, l) && end == backend.Own && w.in(own, true):
			case st.Form == backend.FormSample:
			default:
				return nil, false, false
			}
		}
	}
	return own, numbers, true
}

// asksNumber says that a program asks for its lane's number.
func asksNumber(p *ir.Prog) bool {
	return slices.ContainsFunc(p.Ins, func(in ir.Instr) bool { return in.Op == ir.Lane || in.Op == ir.Trap })
}

// setWords puts a buffer's first words, as they were given, into their places.
func (p *program) setWords(b backend.BufID, from []uint32) error {
	to := p.bufs[b]
	if p.segments[b] == nil {
		copy(to, from)
		return nil
	}
	for _, s := range p.segments[b] {
		if s.lo >= len(from) {
			break
		}
		of := from[s.lo:min(s.lo+s.n, len(from))]
		if s.list == nil {
			copy(to[s.at:], of)
			continue
		}
		err := s.list.all(func(place int, k uint32) {
			if int(k) < len(of) {
				to[s.at+place] = of[k]
			}
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// wordsOf copies a buffer's first words in their order, those of synapses of other ranks as zeros.
func (p *program) wordsOf(b backend.BufID, to []uint32) error {
	from := p.bufs[b]
	if p.segments[b] == nil {
		copy(to, from)
		return nil
	}
	clear(to)
	for _, s := range p.segments[b] {
		if s.lo >= len(to) {
			break
		}
		of := to[s.lo:min(s.lo+s.n, len(to))]
		if s.list == nil {
			copy(of, from[s.at:])
			continue
		}
		err := s.list.all(func(place int, k uint32) {
			if int(k) < len(of) {
				of[k] = from[s.at+place]
			}
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// all calls f with the listed synapses, their numbers and the places of their words, from
// several goroutines at a time where these are placed and all there are, else in
// the order of the numbers.
func (l *listing) all(f func(place int, k uint32)) error {
	if l.number != nil && l.placed {
		for entry, k := range l.number {
			f(entry, k)
		}
		return nil
	}
	b := &lister{listing: l, work: host.Work{Threads: l.ways()}}
	b.share()
	if !l.placed {
		return b.walkAll(func(_, _ int, k, n, _ uint32) { f(int(n), k) }, 1)
	}
	next, threads := slices.Clone(l.index), b.threads()
	if l.local {
		threads = 1
	}
	return b.walkAll(func(g, _ int, k, _, _ uint32) {
		f(int(next[g]), k)
		next[g]++
	}, threads)
}

// inOrder is all, in the order of the synapses' numbers.
func (l *listing) inOrder(f func(place int, k uint32)) error {
	if l.local && l.number == nil || !l.placed {
		return l.all(f)
	}
	b := &lister{listing: l, work: host.Work{Threads: 1}}
	b.share()
	next := slices.Clone(l.index)
	return b.walkAll(func(g, _ int, k, _, _ uint32) {
		f(int(next[g]), k)
		next[g]++
	}, 1)
}

// none is the place of what is not there.
const none = math.MaxUint32

// places finds where the words of some synapses lie; none: with another rank.
func (l *listing) places(of []uint32) ([]uint32, error) {
	if len(of) == 0 || !l.apart() {
		return of, nil
	}
	out := make([]uint32, len(of))
	by := make([]int, len(of)) // positions in of, by synapse
	for x := range by {
		by[x], out[x] = x, none
	}
	slices.SortFunc(by, func(a, b int) int { return cmp.Compare(of[a], of[b]) })
	look := func(place int, k uint32) {
		x := sort.Search(len(by), func(x int) bool { return of[by[x]] >= k })
		for ; x < len(by) && of[by[x]] == k; x++ {
			out[by[x]] = uint32(place)
		}
	}
	return out, l.all(look)
}

// entries finds the entries of some synapses; none: they are not listed.
func (l *listing) entries(of []uint32) ([]uint32, error) {
	at, err := l.places(of)
	if err != nil || l.k == nil {
		return at, err
	}
	entry := make([]uint32, l.length())
	if !l.local {
		entry = make([]uint32, l.total)
	}
	for x := range entry {
		entry[x] = none
	}
	for x, k := range l.k {
		entry[k] = uint32(x)
	}
	out := make([]uint32, len(at))
	for x, place := range at {
		if out[x] = none; place != none {
			out[x] = entry[place]
		}
	}
	return out, nil
}

// hand copies a buffer to another program of the same plan.
func (p *program) hand(q *program, b backend.BufID) error {
	if p.segments[b] == nil && q.segments[b] == nil {
		copy(q.bufs[b], p.bufs[b])
		return nil
	}
	words := make([]uint32, p.plan.Bufs[b].Len)
	if err := p.wordsOf(b, words); err != nil {
		return err
	}
	return q.setWords(b, words)
}
