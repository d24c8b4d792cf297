package kernels

import (
	"slices"

	"synfire/engine/backend"
	"synfire/engine/host"
	"synfire/engine/ir"
)

// The words of synapses that only effects with one listing touch, and samples, lie
// in the order of the listing, so that what is due together lies together however
// the synapses are numbered. Read and Write put them in order.

// placement is the words of a listing's synapses in a buffer, from lo on.
type placement struct {
	lo   int
	list *listing
}

// place finds the words that may lie in the order of their listings.
func (p *program) place() {
	p.placed = map[backend.BufID][]placement{}
	var lists []*listing
	for _, e := range p.effects {
		if e != nil && e.list != nil && e.list.k != nil && !e.list.post && !slices.Contains(lists, e.list) {
			lists = append(lists, e.list)
		}
	}
	for _, l := range lists {
		if own, numbers, ok := p.ownWords(l); ok {
			for _, w := range own {
				p.placed[w.buf] = append(p.placed[w.buf], placement{w.lo, l})
			}
			l.placed, l.number, l.k = true, l.k, nil
			l.keep = numbers
		}
	}
}

// uses says that stage i works on the synapses of a listing.
func (p *program) uses(i int, l *listing) bool {
	if g := p.lay.lags[i]; g != nil {
		i = g.lead
	}
	return p.effects[i] != nil && p.effects[i].list == l
}

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
			case st.Form == backend.FormSample && len(st.Rec.Src) == 1: // else its columns may lie in several orders
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
	if p.placed[b] != nil && len(from) < len(to) {
		if len(from) == 0 {
			return nil
		}
		all := make([]uint32, len(to))
		if err := p.wordsOf(b, all); err != nil {
			return err
		}
		copy(all, from)
		from = all
	}
	copy(to, from)
	for _, at := range p.placed[b] {
		err := at.list.all(func(entry int, k uint32) {
			to[at.lo+entry] = from[at.lo+int(k)]
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// wordsOf copies a buffer's first words in their order.
func (p *program) wordsOf(b backend.BufID, to []uint32) error {
	from := p.bufs[b]
	copy(to, from)
	for _, at := range p.placed[b] {
		err := at.list.all(func(entry int, k uint32) {
			if n := at.lo + int(k); n < len(to) {
				to[n] = from[at.lo+entry]
			}
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// all calls f with the entries of a listing and the numbers of their synapses, from
// several goroutines at a time.
func (l *listing) all(f func(entry int, k uint32)) error {
	if l.number != nil {
		for entry, k := range l.number {
			f(entry, k)
		}
		return nil
	}
	b := &lister{listing: l, total: l.length(), work: host.Work{Threads: l.ways()}}
	b.share()
	next := slices.Clone(l.index)
	return b.walkAll(func(g, _ int, k, _ uint32) {
		f(int(next[g]), k)
		next[g]++
	})
}

// entries finds the entries of some synapses.
func (l *listing) entries(of []uint32) ([]uint32, error) {
	if len(of) == 0 || l.k == nil && !l.placed {
		return of, nil
	}
	at := make([]uint32, l.length()) // by number
	set := func(entry int, k uint32) { at[k] = uint32(entry) }
	for entry, k := range l.k {
		set(entry, k)
	}
	if l.placed {
		if err := l.all(set); err != nil {
			return nil, err
		}
	}
	out := make([]uint32, len(of))
	for n, k := range of {
		out[n] = at[k]
	}
	return out, nil
}

// hand copies a buffer to another program of the same plan.
func (p *program) hand(q *program, b backend.BufID) error {
	if p.placed[b] == nil && q.placed[b] == nil {
		copy(q.bufs[b], p.bufs[b])
		return nil
	}
	words := make([]uint32, len(p.bufs[b]))
	if err := p.wordsOf(b, words); err != nil {
		return err
	}
	return q.setWords(b, words)
}
