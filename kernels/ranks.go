package kernels

import (
	"encoding/binary"
	"errors"
	"math"
	"slices"
	"sync/atomic"

	"synfire/engine/backend"
	"synfire/engine/host"
)

// Ranks are processes that make a run together.
type Ranks = host.Ranks

// Over opens the cpu backend for one of several processes, with so many threads in
// each. What one process does with ranks x threads threads they do together: each
// has the parts of its threads, builds the tables of constant synapses for those
// alone, and tells the others its spikes once in the shortest delay. What parts ask
// of each other besides, they tell at what is a barrier for threads. Whatever is
// read is then whole in all processes, so that what is on top of a backend runs in
// each of them alike.
func Over(r Ranks, threads int) backend.Backend {
	return &cpu{threads: max(threads, 1), fixed: true, ranks: r, shelf: &shelf{backends: 1}}
}

// Any says whether it is true for any of the ranks.
func (c *cpu) Any(yes bool) bool {
	if c.ranks == nil {
		return yes
	}
	word := []uint32{0}
	if yes {
		word[0] = 1
	}
	c.ranks.For(host.MeetInterrupt).Or(word)
	return word[0] != 0
}

// alike refuses a plan that is not the same on all ranks.
func alike(w host.Work, plan *backend.Plan) error {
	sum := plan.Sum()
	var words []uint32
	for k := 0; k < len(sum); k += 4 {
		words = append(words, binary.LittleEndian.Uint32(sum[k:]))
	}
	all, err := w.Meet(0, 0, nil, words...)
	for rank, of := range all {
		if !slices.Equal(of, all[0]) {
			return host.Parted(rank)
		}
	}
	return err
}

// over is what a program has of its ranks, where they divide its plan.
type over struct {
	Ranks
	p       *program
	window  int          // steps between which spikes are told
	told    int          // the step of this Run before which their telling was begun
	known   atomic.Int64 // the step before which the others' spikes have come; then all before told have
	theirs  []*part      // parts of the other ranks
	taken   []int        // entries that all ranks have recorded before the step counted of this Run, by stage
	counted int
	base    map[backend.BufID][]uint32 // of what ranks write: its words when they were last the same everywhere
	old     map[backend.BufID]bool     // whose words differ between ranks
	meets   map[*op][]int              // resources that a barrier is for
	out     []uint32
}

// newOver says how ranks divide a program, nil if they cannot: then each of them
// makes all of it.
func newOver(r Ranks, p *program) *over {
	v := &over{Ranks: r, p: p, window: mostSteps, taken: make([]int, len(p.plan.Stages)), base: map[backend.BufID][]uint32{}, old: map[backend.BufID]bool{}}
	for i := range p.plan.Stages {
		st := &p.plan.Stages[i]
		switch st.Form {
		case backend.FormEffect:
			if p.lay.by[i] != backend.Elsewhere && p.lay.ownRows(p.plan, i) {
				continue
			}
		case backend.FormDeliver:
		default:
			continue
		}
		v.window = max(min(v.window, p.plan.Tables[st.Table].MinDelay), 1)
	}
	var ok bool
	p.owned = findOwned(p.plan, p.lay)
	if v.meets, ok = p.sched.exchanges(p.owned.bufs); !ok {
		return nil
	}
	return v
}

// exchanges lists, for each barrier, what parts have written before it of that which
// others read or write, but for what is owned. Not ok where accumulators are among it.
func (s *schedule) exchanges(owned map[backend.BufID]bool) (at map[*op][]int, ok bool) {
	shared := map[int]bool{}
	for _, o := range s.ops {
		for _, m := range []map[int]bool{o.use.r, o.use.w} {
			for r, across := range m {
				shared[r] = shared[r] || across || o.kind == opSerial
			}
		}
	}
	at = map[*op][]int{}
	var since []int
	for range 2 { // the end of the step before is followed by this one's begin
		for _, o := range s.ops {
			if o.kind == opBarrier {
				slices.Sort(since)
				at[o], since = slices.Compact(since), nil
				continue
			}
			for r := range o.use.w {
				if shared[r] && !owned[backend.BufID(r)] {
					if r >= s.acc(0, 0) {
						return nil, false
					}
					since = append(since, r)
				}
			}
		}
	}
	return at, true
}

// keep notes the words that ranks may come to write differently.
func (v *over) keep() {
	for _, o := range v.p.sched.ops {
		for r := range o.use.w {
			if b := backend.BufID(r); r < len(v.p.plan.Bufs) && !v.p.owned.bufs[b] && v.p.bufs[b] != nil && v.base[b] == nil {
				v.base[b] = slices.Clone(v.p.bufs[b])
			}
		}
	}
}

// parts are those of a rank.
func (v *over) parts(rank int) []*part {
	n := len(v.p.threads)
	return v.p.parts[rank*n : (rank+1)*n]
}

// others calls f for the parts of the other ranks and what these have told.
func (v *over) others(all [][]uint32, f func([]*part, []uint32)) {
	for rank, words := range all {
		if rank != v.Rank() {
			f(v.parts(rank), words)
		}
	}
}

// whole makes the words of a buffer the same in all ranks: each has written some of
// them since they were, and no other has written those otherwise.
func (v *over) whole(what host.Meeting, b backend.BufID) {
	words, base := v.p.bufs[b], v.base[b]
	for k, w := range base {
		words[k] ^= w
	}
	v.For(what).Or(words)
	for k, w := range words {
		base[k] ^= w
	}
	copy(words, base)
}

// read makes a buffer whole that is about to be read or written from outside.
func (v *over) read(b backend.BufID) {
	if v.old[b] {
		v.old[b] = false
		v.whole(host.MeetRead, b)
	}
}

// wrote notes that a buffer was written, everywhere alike.
func (v *over) wrote(b backend.BufID) {
	if base := v.base[b]; base != nil {
		copy(base, v.p.bufs[b])
	}
}

// agree is the least number of steps that a rank wants to make.
func agree(r Ranks, n int) int {
	for _, of := range r.For(host.MeetSteps).Gather([]uint32{uint32(n)}) {
		n = min(n, int(of[0]))
	}
	return n
}

// begin readies the ranks for a Run.
func (v *over) begin() {
	v.told, v.counted = 0, 0
	v.known.Store(v.p.step0)
	if v.theirs == nil {
		for rank := range v.Size() {
			if rank != v.Rank() {
				v.theirs = append(v.theirs, v.parts(rank)...)
			}
		}
	}
	clear(v.taken)
	for b := range v.base {
		v.old[b] = true
	}
	for i := range v.p.plan.Stages {
		if st := &v.p.plan.Stages[i]; st.Form == backend.FormSample {
			for _, d := range st.Rec.Dst {
				clear(v.p.bufs[d])
			}
		}
	}
}

// round is program.round: what the ranks have done before step s they begin to tell each other. What they have
// begun to tell before comes no later than now.
func (v *over) round(s int) int {
	p := v.p
	if v.hear(); s > v.told && p.fault == nil {
		v.tell(s)
	}
	p.to = min(p.roomUntil(v.counted, p.n), s+v.window)
	if s == p.n || p.to < min(p.n, s+v.window) { // the end is at hand: it needs to be known what all have recorded
		v.hear()
		p.to = min(p.roomUntil(s, p.n), s+v.window)
	}
	if p.fault != nil {
		return s
	}
	p.from, p.full = s, s == p.to
	return p.to
}

// telling says that other ranks' spikes before this stretch may be still to come.
func (v *over) telling() bool { return v.known.Load() < v.p.step0+int64(v.told) }

// hear waits for the spikes that other ranks are telling.
func (t *thread) hear() {
	t.lap(phaseDeliver, nil)
	if v := t.p.over; t.id == 0 {
		v.hear()
	} else {
		t.reach(&v.known, t.p.step0+int64(v.told))
	}
	t.lap(phaseWait, nil)
}

// attend lets go on what ranks are telling each other.
func (t *thread) attend() {
	if t.id == 0 && t.p.over != nil && t.p.over.telling() {
		t.p.over.Look()
	}
}

// tell begins to exchange the spikes of the steps from told on, how much was recorded, and faults.
func (v *over) tell(s int) {
	p := v.p
	var fault *backend.Fault
	for _, t := range p.threads {
		if t.fault != nil && (fault == nil || t.fault.Less(fault)) {
			fault = t.fault
		}
	}
	out := v.out[:0]
	stage, trap := p.trapOf(fault)
	out = append(out, uint32(stage), uint32(trap), 0, 0)
	if fault != nil {
		out[2], out[3] = uint32(fault.Step-p.step0), uint32(fault.Item)
	}
	mine := v.parts(v.Rank())
	for i := range p.plan.Stages {
		if p.plan.Stages[i].Form == backend.FormSpikes {
			sum := uint32(0)
			for _, h := range mine {
				sum += h.recs[i].cum[s-1]
			}
			out = append(out, sum)
		}
	}
	for e := range p.plan.Events {
		out = v.putLists(out, e, v.told, s)
	}
	v.out = out
	v.counted, v.told = v.told, s
	v.For(host.MeetSpikes).Begin(out)
}

// hear takes in what the ranks were telling.
func (v *over) hear() {
	if !v.telling() {
		return
	}
	p := v.p
	from := v.counted
	v.counted = v.told
	clear(v.taken)
	for rank, in := range v.End() {
		if int32(in[0]) >= 0 {
			f := &backend.Fault{Step: p.step0 + int64(in[2]), Trap: p.plan.Stages[in[0]].Trap[in[1]], Item: int(in[3])}
			if p.fault == nil || f.Less(p.fault) {
				p.fault = f
			}
		}
		in = in[4:]
		for i := range p.plan.Stages {
			if p.plan.Stages[i].Form == backend.FormSpikes {
				v.taken[i] += int(in[0])
				in = in[1:]
			}
		}
		if rank == v.Rank() {
			continue
		}
		for e := range p.plan.Events {
			in = v.getLists(in, v.parts(rank), e, from, v.told)
		}
	}
	if p.fault != nil {
		p.stop.Store(p.fault.Step - p.step0)
	}
	v.known.Store(p.step0 + int64(v.told))
}

// trapOf finds the stage that names a fault, and which of its traps it is.
func (p *program) trapOf(f *backend.Fault) (stage, trap int) {
	if f != nil {
		for i := range p.plan.Stages {
			if k := slices.Index(p.plan.Stages[i].Trap, f.Trap); k >= 0 {
				return i, k
			}
		}
	}
	return -1, -1
}

// putLists appends the own spikes of an event at steps from to to-1 of the Run.
func (v *over) putLists(out []uint32, e, from, to int) []uint32 {
	mine := v.parts(v.Rank())
	for s := from; s < to; s++ {
		for _, h := range mine {
			out = append(out, uint32(len(h.fired(e, v.p.step0+int64(s)))))
		}
	}
	for s := from; s < to; s++ {
		for _, h := range mine {
			out = append(out, h.fired(e, v.p.step0+int64(s))...)
		}
	}
	return out
}

// getLists takes in what putLists of another rank has told, and returns what follows.
func (v *over) getLists(in []uint32, parts []*part, e, from, to int) []uint32 {
	counts, at := in, (to-from)*len(parts)
	for s := from; s < to; s++ {
		for _, h := range parts {
			list := h.list(e, v.p.step0+int64(s))
			n := int(counts[0])
			*list = append((*list)[:0], in[at:at+n]...)
			counts, at = counts[1:], at+n
		}
	}
	return in[at:]
}

// meet exchanges what a barrier of step s is for.
func (v *over) meet(o *op, s int) {
	p := v.p
	for _, r := range v.meets[o] {
		e, rest := (r-len(p.plan.Bufs))/2, (r-len(p.plan.Bufs))%2
		switch {
		case r < len(p.plan.Bufs):
			v.whole(host.MeetInStep, backend.BufID(r))
		case rest == 0:
			out := v.out[:0]
			for _, h := range v.parts(v.Rank()) {
				out = append(out, h.masks[e]...)
			}
			v.out = out
			v.others(v.For(host.MeetInStep).Gather(out), func(parts []*part, in []uint32) {
				for _, h := range parts {
					in = in[copy(h.masks[e], in):]
				}
			})
		default:
			v.out = v.putLists(v.out[:0], e, s, s+1)
			v.others(v.For(host.MeetInStep).Gather(v.out), func(parts []*part, in []uint32) { v.getLists(in, parts, e, s, s+1) })
		}
	}
}

// gather makes the records of the first steps of a Run whole, and adds up the
// synaptic events of all ranks.
func (v *over) gather(done int, due uint64) uint64 {
	p := v.p
	out := append(v.out[:0], uint32(due), uint32(due>>32))
	mine := v.parts(v.Rank())
	for i := range p.plan.Stages {
		st := &p.plan.Stages[i]
		if st.Form != backend.FormSpikes || done == 0 {
			continue
		}
		for _, h := range mine {
			r := &h.recs[i]
			n := r.cum[done-1]
			out = append(out, r.cum[:done]...)
			out = append(out, r.index[:n]...)
			for k := range st.Rec.Src {
				out = append(out, r.values[k][:n]...)
			}
		}
	}
	v.out = out
	total := uint64(0)
	for rank, in := range v.For(host.MeetRecords).Gather(out) {
		total += uint64(in[1])<<32 | uint64(in[0])
		if in = in[2:]; rank == v.Rank() {
			continue
		}
		for i := range p.plan.Stages {
			st := &p.plan.Stages[i]
			if st.Form != backend.FormSpikes || done == 0 {
				continue
			}
			for _, h := range v.parts(rank) {
				r := &h.recs[i]
				in = in[copy(r.cum[:done], in):]
				n := r.cum[done-1]
				r.index, in = append(r.index[:0], in[:n]...), in[n:]
				for k := range st.Rec.Src {
					r.values[k], in = append(r.values[k][:0], in[:n]...), in[n:]
				}
			}
		}
	}
	for i, s := range p.samples {
		if s == nil || done == 0 {
			continue
		}
		rows := int(s.row[done-1])
		if p.runs(i, done-1) {
			rows++
		}
		for _, d := range s.stage.Rec.Dst {
			v.For(host.MeetRecords).Or(p.bufs[d][:rows*s.stage.Rec.Width()])
		}
	}
	return total
}

// ownTargets is the part of an accumulator's first n words that is this process's.
func (p *program) ownTargets(b backend.BufID, n int) float64 {
	if p.over == nil || n == 0 {
		return 1
	}
	own := 0
	for _, h := range p.own {
		for _, r := range p.lay.accs[b].ranges[h] {
			own += max(min(r.Hi, n)-r.Lo, 0)
		}
	}
	return float64(own) / float64(n)
}

// ranked is a program of one of several ranks.
type ranked struct {
	*program
	ranks Ranks
	alone bool // the ranks do not divide it
}

// Run advances up to n steps, as many on each rank.
func (r *ranked) Run(n int, host []uint32) (int, error) {
	n = agree(r.ranks, n)
	return r.program.Run(n, host)
}

// Warnings tell of a plan that ranks do not divide.
func (r *ranked) Warnings() []string {
	if !r.alone || r.ranks.Size() == 1 {
		return nil
	}
	return []string{"ranks cannot share this network out (one of its programs sees words at two places that lie with different ranks, or adds to sums of others): each of them computes all of it, with the same result, and no faster than one"}
}

// Holds tells the memory of this rank.
func (r *ranked) Holds() []backend.Held {
	var entries, index, lists, words, copies, own, kept int64
	seen := map[any]bool{}
	for _, b := range r.tables {
		if b != nil && !seen[b] {
			seen[b] = true
			for _, t := range b.all {
				index += int64(4 * len(t.Index))
				entries += t.Bytes() - int64(4*len(t.Index))
			}
		}
	}
	for _, e := range r.effects {
		if e != nil && e.list != nil && !seen[e.list] {
			seen[e.list] = true
			l := e.list
			n := int64(4*(len(l.index)+len(l.k)+len(l.far)+len(l.number)) + 2*len(l.far16))
			if lists += n; l.some() {
				own += n
			}
		}
	}
	for b, w := range r.bufs {
		if words += int64(4 * len(w)); r.owned.bufs[backend.BufID(b)] {
			kept += int64(4 * len(w))
		}
	}
	if r.over != nil {
		for _, b := range r.over.base {
			copies += int64(4 * len(b))
		}
	}
	return []backend.Held{
		{Name: "synapses", Bytes: entries, Own: r.over != nil},
		{Name: "lists of synapses that run a program", Bytes: own, Own: true},
		{Name: "their variables", Bytes: kept, Own: true},
		{Name: "index of synapses", Bytes: index},
		{Name: "lists of synapses that run a program", Bytes: lists - own},
		{Name: "variables and records", Bytes: words - kept},
		{Name: "second copies of what is written", Bytes: copies},
	}
}

var errTooLong = errors.New("cpu: a Run of more than 2^31 steps")

func (c *cpu) loadRanked(w host.Work, plan *backend.Plan) (backend.Program, error) {
	if plan.Batch > math.MaxInt32 {
		return nil, errTooLong
	}
	together := w
	together.Ranks = c.ranks.For(host.MeetLoad)
	if err := alike(together, plan); err != nil { // before they tell each other synapses
		return nil, err
	}
	p, err := newProgram(w, c, plan, c.threads*c.ranks.Size())
	c.ranks.For(host.MeetLoad)
	given := uint32(0)
	if p != nil {
		given = p.given
	}
	all, err := together.Meet(0, 0, err, given)
	for rank := range all {
		if all[rank][0] != all[0][0] {
			err = host.Parted(rank)
			break
		}
	}
	if err != nil {
		if p != nil {
			p.Close()
		}
		return nil, err
	}
	c.used = len(p.threads)
	return &ranked{p, c.ranks, p.over == nil}, nil
}
