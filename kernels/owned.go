package kernels

import (
	"errors"
	"fmt"
	"iter"
	"math"
	"slices"
	"sort"

	"synfire/engine/backend"
	"synfire/engine/host"
	"synfire/engine/ir"
)

// Of ranks, each has the synapses of its parts alone: it lists no others, and the words
// of synapses that only effects touch, and samples, it holds for those that it lists. They
// lie by number, those of others left out, or as they are due (placed.go). What each
// rank has no other writes, so they are told to nobody until somebody reads them.

// owning is which words of synapses lie with the ranks that list these.
type owning struct {
	stages  map[int]bool           // effects whose synapses' own words all do
	bufs    map[backend.BufID]bool // with such words
	numbers map[int]bool           // effects with words that also lie with one that asks for its synapses' numbers
}

// findOwned finds the effects whose own words need be only where their synapses are:
// no other stage touches them, but for samples, and effects that have the same
// synapses in the same parts.
func findOwned(plan *backend.Plan, lay *layout) owning {
	o := owning{map[int]bool{}, map[backend.BufID]bool{}, map[int]bool{}}
	own := map[int][]words{}
	for i := range plan.Stages {
		if w, ok := lay.atSynapses(plan, i); ok {
			o.stages[i], own[i] = true, w
		}
	}
	for again := true; again; {
		again = false
		for i := range o.stages {
			if !slices.ContainsFunc(own[i], func(w words) bool { return !o.alone(plan, lay, i, w) }) {
				continue
			}
			delete(o.stages, i)
			again = true
		}
	}
	for i := range o.stages {
		for _, w := range own[i] {
			o.bufs[w.buf] = true
		}
		if asksNumber(plan.Stages[i].Prog) {
			for k := range o.stages {
				o.numbers[k] = o.numbers[k] || samePairs(plan.Tables[plan.Stages[k].Table].Spec, plan.Tables[plan.Stages[i].Table].Spec)
			}
		}
	}
	return o
}

// atSynapses are the words of an effect's own synapses. Not ok where it is none that
// parts share, or finds words by the synapse's number as an index.
func (l *layout) atSynapses(plan *backend.Plan, i int) (own []words, ok bool) {
	st := &plan.Stages[i]
	if st.Form != backend.FormEffect || l.plain || l.by[i] == backend.Elsewhere || l.shares[i].ways() != l.parts || single(plan.Tables[st.Table].Spec) {
		return nil, false
	}
	for _, a := range plan.Accesses(st) {
		end, w := l.words(plan, st, a)
		if a.Event >= 0 || end != backend.Own {
			continue
		}
		kind := plan.Bufs[a.Buf].Kind
		if op := st.Prog.Ins[a.Instr].Op; op != ir.Load && op != ir.Store || kind != backend.State && kind != backend.Constant {
			return nil, false
		}
		if !slices.Contains(own, w) {
			own = append(own, w)
		}
	}
	return own, true
}

// alone says that nothing stands against words of effect i being where its synapses are.
func (o *owning) alone(plan *backend.Plan, lay *layout, i int, w words) bool {
	spec := plan.Tables[plan.Stages[i].Table].Spec
	for k := range plan.Stages {
		st := &plan.Stages[k]
		for _, a := range plan.Accesses(st) {
			if a.Buf != w.buf || a.Event >= 0 || st.Form == backend.FormSample {
				continue
			}
			end, x := lay.words(plan, st, a)
			if !o.stages[k] || end != backend.Own {
				return false
			}
			if x.in([]words{w}, false) && (x != w || !lay.shares[k].equal(&lay.shares[i]) || !samePairs(plan.Tables[st.Table].Spec, spec)) {
				return false
			}
		}
	}
	return true
}

// segment is words lo to lo+n-1 of a buffer, of the synapses of a listing (nil: of none that
// is listed). They lie from word at on, as the listing says.
type segment struct {
	lo, n, at int
	list      *listing
}

// held is how many words of a segment are there.
func (s *segment) held() int {
	if s.list != nil && s.list.local {
		return s.list.length()
	}
	return s.n
}

// lays finds where the words of synapses lie that are owned; place has those that are placed.
func (p *program) lays() {
	for b := range p.owned.bufs {
		for i := range p.owned.stages {
			all, _ := p.lay.atSynapses(p.plan, i)
			for _, w := range all {
				if w.buf == b && w.lo < w.hi && !slices.ContainsFunc(p.segments[b], func(s segment) bool { return s.lo == w.lo }) {
					p.segments[b] = append(p.segments[b], segment{lo: w.lo, n: w.hi - w.lo, list: p.listOf(i)})
				}
			}
		}
	}
	for b, some := range p.segments {
		p.segments[b] = tiled(some, p.plan.Bufs[b].Len)
	}
}

// listOf is the listing with the synapses of an effect.
func (p *program) listOf(i int) *listing {
	if g := p.lay.lags[i]; g != nil {
		i = g.lead
	}
	if p.effects[i] == nil {
		return nil
	}
	return p.effects[i].list
}

// tiled orders the segments of a buffer of n words and adds those between them.
func tiled(some []segment, n int) (all []segment) {
	sort.Slice(some, func(i, k int) bool { return some[i].lo < some[k].lo })
	lo, at := 0, 0
	add := func(s segment) {
		if s.n > 0 {
			s.at = at
			at += s.held()
			all, lo = append(all, s), s.lo+s.n
		}
	}
	for _, s := range some {
		add(segment{lo: lo, n: s.lo - lo})
		add(s)
	}
	add(segment{lo: lo, n: n - lo})
	return all
}

// held is how many words of a buffer this process has.
func (p *program) held(b backend.BufID) int {
	n := 0
	for _, s := range p.segments[b] {
		n = s.at + s.held()
	}
	if p.segments[b] == nil {
		n = p.plan.Bufs[b].Len
	}
	return n
}

// wordsFrom is a buffer's words from word off on, which begins a segment where it has some.
func (p *program) wordsFrom(b backend.BufID, off int) []uint32 {
	for _, s := range p.segments[b] {
		if s.lo == off {
			return p.bufs[b][s.at:]
		}
	}
	if p.owned.bufs[b] { // of synapses of which there are none
		return nil
	}
	return p.bufs[b][off:]
}

// setFirst gives a buffer its initial words.
func (p *program) setFirst(b backend.BufID) error {
	buf := &p.plan.Bufs[b]
	if buf.Parts == nil {
		return p.setWords(b, buf.Init)
	}
	for _, part := range buf.Parts {
		if part.N == 0 {
			continue
		}
		s := segment{lo: part.Lo, n: part.N, at: part.Lo}
		for _, x := range p.segments[b] {
			if x.lo == part.Lo && x.n == part.N {
				s = x
			}
		}
		if p.segments[b] != nil && s.lo != part.Lo {
			return fmt.Errorf("internal: the words of %s lie otherwise than they are given", buf.Name)
		}
		to := p.bufs[b][s.at : s.at+s.held()]
		if part.Each == nil {
			p.given = p.given*31 + part.Value
			for k := range to {
				to[k] = part.Value
			}
			continue
		}
		if copied, err := p.copyFrom(part, &s, to); copied || err != nil {
			if err != nil {
				return err
			}
			continue
		}
		if err := p.put(to, s.list, part.Each); err != nil {
			return err
		}
	}
	return nil
}

// copyFrom copies initial words from the program with which they lie, if all ranks have them there in the same order.
func (p *program) copyFrom(part backend.Part, s *segment, to []uint32) (bool, error) {
	if part.Lies == nil || p.over == nil {
		return false, nil
	}
	var of []uint32
	q, ok := part.Lies.In.(*ranked)
	if ok && q.bufs != nil && s.list != nil {
		for _, y := range q.segments[part.Lies.Buf] {
			if y.lo == part.Lies.Lo && y.n == part.N && y.list != nil && y.list.liesAs(s.list) {
				of = q.bufs[part.Lies.Buf][y.at : y.at+y.held()]
			}
		}
	}
	if p.cpu.Any(of == nil) {
		return false, nil
	}
	q.settleFor(part.Lies.Buf)
	copy(to, of)
	return true, nil
}

// liesAs says that the words of two listings' synapses lie in the same order.
func (l *listing) liesAs(o *listing) bool {
	if l.local != o.local || l.placed != o.placed || !l.asked.equal(&o.asked) || !samePairs(l.spec, o.spec) {
		return false
	}
	return !l.placed || l.spec == o.spec && l.post == o.post
}

// Range is the least and the largest of words lo to lo+n-1 of a buffer, as floats.
func (p *program) Range(b backend.BufID, lo, n int) (least, most float64, err error) {
	least, most = math.Inf(1), math.Inf(-1)
	look := func(words []uint32) {
		for _, w := range words {
			x := float64(math.Float32frombits(w))
			least, most = min(least, x), max(most, x)
		}
	}
	i := slices.IndexFunc(p.segments[b], func(s segment) bool { return s.lo == lo && s.n == n })
	if !p.owned.bufs[b] || i < 0 {
		err = p.Each(b, lo, n, func(_ int, words []uint32) error { look(words); return nil })
		return least, most, err
	}
	if err := p.guard().Read(b, lo+n); err != nil {
		return 0, 0, err
	}
	p.settleFor(b)
	s := p.segments[b][i]
	look(p.bufs[b][s.at : s.at+s.held()])
	for _, of := range p.over.For(host.MeetRead).Gather([]uint32{math.Float32bits(float32(least)), math.Float32bits(float32(most))}) {
		if math.Float32frombits(of[0]) <= math.Float32frombits(of[1]) { // not of a rank that has none
			look(of)
		}
	}
	return least, most, nil
}

// put puts words that are given in the order of the synapses' numbers where the listing has them.
func (p *program) put(to []uint32, list *listing, given backend.Words) (err error) {
	type block struct {
		k0    int
		words []uint32
	}
	next, stop := iter.Pull(func(yield func(block) bool) {
		err = given(func(k0 int, words []uint32) error {
			for _, w := range words {
				p.given = p.given*31 + w
			}
			if !yield(block{k0, words}) {
				return errStopped
			}
			return nil
		})
	})
	defer stop()
	now, more := next()
	if list == nil {
		for ; more; now, more = next() {
			copy(to[now.k0:], now.words)
		}
		return err
	}
	failed := list.inOrder(func(place int, k uint32) {
		for more && int(k) >= now.k0+len(now.words) {
			now, more = next()
		}
		if more {
			to[place] = now.words[int(k)-now.k0]
		}
	})
	for more { // all ranks make all words
		_, more = next()
	}
	return errors.Join(err, failed)
}

var errStopped = errors.New("stopped")

// blockWords is how many words of synapses go to whoever asks for them at a time.
const blockWords = 1 << 16

// Each gives words lo to lo+n-1 of a buffer, in all ranks.
func (p *program) Each(b backend.BufID, lo, n int, take func(k0 int, words []uint32) error) error {
	if !p.owned.bufs[b] {
		words := make([]uint32, lo+n)
		if err := p.Read(b, words); err != nil {
			return err
		}
		return take(0, words[lo:])
	}
	if err := p.guard().Read(b, lo+n); err != nil {
		return err
	}
	p.settleFor(b)
	block := make([]uint32, blockWords)
	for _, s := range p.segments[b] {
		from, to := max(s.lo, lo)-s.lo, min(s.lo+s.n, lo+n)-s.lo // of the segment
		at := from
		tell := func(upTo int) (err error) {
			for ; err == nil && at < upTo; at += len(block) {
				some := block[:min(len(block), to-at)]
				if s.list == nil {
					copy(some, p.bufs[b][s.at+at:])
				} else {
					p.over.For(host.MeetRead).Or(some)
				}
				err = take(s.lo-lo+at, some)
				clear(block)
			}
			return err
		}
		if from >= to {
			continue
		}
		clear(block)
		var err error
		if s.list != nil {
			failed := s.list.inOrder(func(place int, k uint32) {
				if int(k) < from || int(k) >= to || err != nil {
					return
				}
				err = tell(int(k) - len(block) + 1)
				if err == nil {
					block[int(k)-at] = p.bufs[b][s.at+place]
				}
			})
			if err = errors.Join(err, failed); err != nil {
				return err
			}
		}
		if err = tell(to); err != nil {
			return err
		}
	}
	return nil
}

// settleFor makes up what is owed to words of a buffer.
func (p *program) settleFor(b backend.BufID) {
	for _, o := range p.owed {
		if o != nil && o.own[b] {
			p.settle()
		}
	}
}
