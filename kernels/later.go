package kernels

import (
	"slices"
	"sort"
	"unsafe"

	"synfire/engine/backend"
	"synfire/engine/ir"
	"synfire/engine/vm"
)

// What on_post does to the words of a target's synapses, which lie all over the
// memory, may be made up later: when their sources' spikes come next and the
// words are at hand, or before anything else looks at them. It is the same
// operations in the same order, of the target's events since then, of which the
// last ones are kept. So no list of synapses by target is needed.

// keptEvents is the number of a target's events that are kept.
const keptEvents = 16

// owed is what a lag runs with.
type owed struct {
	*lag
	effect *effect  // of the stage
	list   *listing // of the synapses, by source
	prog   *numbered
	step   uint32 // Array slot: the step of the event
	noted  []note // words of the target that the program reads
	target bool   // it reads which one that is
	code   *vm.Code
	shares []*debt
	words  [][]uint32         // of the synapses, that the program writes
	groups map[int][][]uint32 // by stage of looks and share: groups that it looks at; none: at all
	owing  bool               // events may be left
}

// note is a word of the target as it was at an event: word off + target of a buffer,
// which an Array slot of the program takes.
type note struct {
	buf  backend.BufID
	off  int
	slot uint32
}

// debt is what the synapses of one share are owed.
type debt struct {
	// since[r][x] is the step of the last but r event of target x of the share.
	since [keptEvents][]uint32
	// noted[c][r][x] is note c of that event.
	noted [][keptEvents][]uint32
	base  uint32 // target 0 of the share
	// upto is, for each group of the listing, the step before which all events were made up.
	upto   []uint32
	floor  uint32     // no group's is before it
	degree []uint32   // synapses of each target
	now    [][]uint32 // the words that are noted
	env    ir.Env
	call   *vm.Call
	levels [keptEvents]level
	js     []uint32 // targets of what a level got last
}

// level is n synapses that are owed more than so many events, and the step of the
// one that so many follow.
type level struct {
	n                       int
	k, step, source, target []uint32
	noted                   [][]uint32
}

// The levels are run when the first has levelLanes synapses or more; there is
// room for those of one more block, and for whole vectors behind.
const (
	levelLanes = 1024
	levelRoom  = levelLanes + blockLanes + 16
)

func (p *program) newOwed(g *lag) (*owed, error) {
	o := &owed{lag: g, effect: p.effects[g.stage], list: p.effects[g.lead].list}
	st := &p.plan.Stages[g.stage]
	prog := *st.Prog
	prog.Slots = append(slices.Clone(prog.Slots), ir.Slot{Name: "step", Kind: ir.Array, Type: ir.I32})
	o.step = uint32(len(prog.Slots) - 1)
	prog.Ins = slices.Clone(prog.Ins)
	load := func(t ir.Type, slot uint32) ir.Instr {
		return ir.Instr{Op: ir.Load, Type: t, A: ir.None, B: ir.None, C: ir.None, Imm: slot}
	}
	by := *st
	by.Prog = &prog
	by.Bind = append(slices.Clone(st.Bind), backend.Binding{Buf: backend.NoBuf, Off: slotNoted})
	for n := range st.Prog.Ins {
		in := &st.Prog.Ins[n]
		switch in.Op {
		case ir.Step:
			prog.Ins[n] = load(ir.I32, o.step)
		case ir.Load:
			o.target = o.target || st.Bind[in.Imm].Buf == backend.NoBuf && st.Bind[in.Imm].Off == backend.SlotTarget
		case ir.Gather:
			end, off := backend.IndexOf(st, in)
			if b := st.Bind[in.Imm].Buf; end == backend.AtTarget && p.plan.Bufs[b].Kind != backend.Constant {
				slot := uint32(len(prog.Slots))
				prog.Slots = append(prog.Slots, ir.Slot{Name: "noted", Kind: ir.Array, Type: in.Type})
				by.Bind = append(by.Bind, backend.Binding{Buf: backend.NoBuf, Off: slotNoted})
				o.noted = append(o.noted, note{b, off, slot})
				prog.Ins[n] = load(in.Type, slot)
			}
		}
	}
	var err error
	if o.prog, err = number(&by, true, func(backend.BufID) bool { return false }, false); err != nil {
		return nil, err
	}
	if o.code, err = vm.Compile(o.prog.prog); err != nil {
		return nil, err
	}
	for w := range o.list.ways() {
		n := o.list.cut[w+1] - o.list.cut[w]
		d := &debt{base: uint32(o.list.cut[w]), noted: make([][keptEvents][]uint32, len(o.noted)), upto: make([]uint32, (len(o.list.index)-1)/o.list.ways()), degree: make([]uint32, n), js: make([]uint32, blockLanes+16)}
		for r := range d.since {
			d.since[r] = make([]uint32, n)
			d.levels[r] = level{k: aligned(levelRoom), step: aligned(levelRoom), source: aligned(levelRoom)}
			if o.target {
				d.levels[r].target = aligned(levelRoom)
			}
			for c := range d.noted {
				d.noted[c][r] = make([]uint32, n)
				d.levels[r].noted = append(d.levels[r].noted, aligned(levelRoom))
			}
		}
		o.shares = append(o.shares, d)
	}
	l := o.list
	o.groups = map[int][][]uint32{}
	for _, k := range g.looks {
		if s := &p.plan.Stages[k]; s.Form == backend.FormSample && s.Rec.Items != nil {
			if o.groups[k], err = o.seen(p.plan, s); err != nil {
				return nil, err
			}
		}
	}
	for at := range len(l.index) - 1 {
		d := o.shares[at%l.ways()]
		for _, x := range l.far16[l.index[at]:l.index[at+1]] {
			d.degree[x]++
		}
	}
	return o, nil
}

// slotNoted is the binding of slots that hold what was noted of events.
const slotNoted = -3

// bind makes the environments.
func (o *owed) bind(p *program) {
	st := o.effect.stage
	o.words = nil
	for _, b := range st.Bind {
		if b.Buf != backend.NoBuf && o.own[b.Buf] {
			o.words = append(o.words, p.wordsFrom(b.Buf, b.Off))
		}
	}
	for _, d := range o.shares {
		d.call = o.code.Call()
		d.env = ir.Env{Slots: make([][]uint32, len(o.prog.prog.Slots)), Seed: p.plan.Key(), Drawn: uint32(p.plan.Drawn), HostN: p.plan.Host}
		for s, b := range st.Bind {
			if b.Buf != backend.NoBuf {
				d.env.Slots[s] = p.wordsFrom(b.Buf, b.Off)
			}
		}
		for _, n := range o.noted {
			d.now = append(d.now, p.bufs[n.buf][n.off+int(d.base):])
		}
	}
}

// begin forgets all events: none from step on was made up, all before were.
func (o *owed) begin(step int64) {
	for _, d := range o.shares {
		d.floor = uint32(step)
		for g := range d.upto {
			d.upto[g] = d.floor
		}
		for _, s := range d.since {
			for x := range s {
				s[x] = d.floor - 1
			}
		}
	}
}

// forgets sees to it that the oldest event of target x may be forgotten, at a step:
// what is owed it is made up, and at once for all that have waited half as long.
func (o *owed) forgets(way, x int, step uint32) {
	d := o.shares[way]
	if oldest := d.since[keptEvents-1][x]; int32(oldest-d.floor) >= 0 {
		o.makeUp(way, oldest+(step-oldest)/2, step)
	}
}

// event notes an event of target x at a step.
func (d *debt) event(x int, step uint32) {
	for r := keptEvents - 1; r > 0; r-- {
		d.since[r][x] = d.since[r-1][x]
	}
	d.since[0][x] = step
	for c := range d.noted {
		all := &d.noted[c]
		for r := keptEvents - 1; r > 0; r-- {
			all[r][x] = all[r-1][x]
		}
		all[0][x] = d.now[c][x]
	}
}

// makeUp makes up the events before a step for the groups of a share that are owed
// events from before until.
func (o *owed) makeUp(way int, until, below uint32) {
	d := o.shares[way]
	if int32(until-below) > 0 {
		until = below
	}
	for g, u := range d.upto {
		if int32(u-until) <= 0 {
			o.group(way, g, below)
		}
	}
	o.flush(way)
	d.floor = until + 1
	if int32(d.floor-below) > 0 {
		d.floor = below
	}
}

// group makes up the events before a step for one group; flush finishes it.
func (o *owed) group(way, g int, below uint32) {
	d, l := o.shares[way], o.list
	u := d.upto[g]
	d.upto[g] = below
	if u == below {
		return
	}
	at := g*l.ways() + way
	lo, hi := int(l.index[at]), int(l.index[at+1])
	row := uint32(g / len(l.delays))
	for ; lo < hi; lo += blockLanes {
		o.owe(d, row, lo, min(lo+blockLanes, hi), u)
		if d.levels[0].n >= levelLanes {
			o.flush(way)
		}
	}
}

// fetch asks for the words of a group's synapses, where they lie side by side. The
// program takes them one by one, and would wait for each.
func (o *owed) fetch(way, g int) {
	l := o.list
	at := g*l.ways() + way
	lo, hi := int(l.index[at]), int(l.index[at+1])
	if l.k != nil || lo == hi {
		return
	}
	fetch(unsafe.Pointer(&l.far16[lo]), 2*min(hi-lo, blockLanes))
	for _, w := range o.words {
		fetch(unsafe.Pointer(&w[lo]), 4*min(hi-lo, blockLanes))
	}
}

// owe adds to the levels those of entries lo to hi-1, of one row, whose targets had
// events from step u on.
func (o *owed) owe(d *debt, row uint32, lo, hi int, u uint32) {
	v := &d.levels[0]
	n := v.first(o.list.far16[lo:hi], d.since[0], u, uint32(lo), row, d.js)
	if o.list.k != nil {
		for x, entry := range v.k[v.n : v.n+n] {
			v.k[v.n+x] = o.list.k[entry]
		}
	}
	for r := 1; n > 0; r++ {
		ks := v.k[v.n:]
		for x, j := range d.js[:min(n, len(v.target))] {
			v.target[v.n+x] = d.base + j
		}
		for c, to := range v.noted {
			from := d.noted[c][r-1]
			for x, j := range d.js[:n] {
				to[v.n+x] = from[j]
			}
		}
		if v.n += n; r == keptEvents {
			break
		}
		v = &d.levels[r]
		n = v.more(ks, d.since[r], u, row, d.js, n)
	}
}

// firstPlain writes, after n others, those of a row's synapses from k on whose
// targets had an event from step u on, and returns how many it has written.
func (v *level) firstPlain(far []uint16, since []uint32, u, k, row uint32, js []uint32, n int) int {
	for x, j := range far {
		step, at := since[j], v.n+n
		v.k[at], v.step[at], v.source[at], js[n] = k+uint32(x), step, row, uint32(j)
		n += int(^(step - u) >> 31)
	}
	return n
}

// morePlain writes those of n synapses, of the targets js, that have a further event
// from step u on, and returns how many; js are then their targets.
func (v *level) morePlain(ks []uint32, since []uint32, u, row uint32, js []uint32, n int) int {
	m := 0
	for x, k := range ks[:n] {
		j := js[x]
		step, at := since[j], v.n+m
		v.k[at], v.step[at], v.source[at], js[m] = k, step, row, j
		m += int(^(step - u) >> 31)
	}
	return m
}

// flush makes up what the levels hold, the oldest events first.
func (o *owed) flush(way int) {
	d := o.shares[way]
	for r := keptEvents - 1; r >= 0; r-- {
		v := &d.levels[r]
		for lo := 0; lo < v.n; lo += blockLanes {
			hi := min(lo+blockLanes, v.n)
			d.env.Slots[o.prog.k], d.env.Slots[o.step] = v.k[lo:hi], v.step[lo:hi]
			for s, b := range o.effect.stage.Bind {
				switch {
				case b.Buf != backend.NoBuf:
				case b.Off == backend.SlotSource:
					d.env.Slots[s] = v.source[lo:hi]
				case o.target:
					d.env.Slots[s] = v.target[lo:hi]
				default: // nothing reads it
					d.env.Slots[s] = v.source[lo:hi]
				}
			}
			for c, n := range o.noted {
				d.env.Slots[n.slot] = v.noted[c][lo:hi]
			}
			d.call.Run(&d.env, 0, hi-lo)
		}
		v.n = 0
	}
}

// seen finds the groups, by share, that hold what a sample looks at.
func (o *owed) seen(plan *backend.Plan, s *backend.Stage) ([][]uint32, error) {
	l := o.list
	var want []uint32 // numbers of synapses
	for _, src := range s.Rec.Src {
		if !o.own[src.Buf] {
			continue
		}
		for _, a := range plan.Accesses(o.effect.stage) {
			if a.Event >= 0 || a.Buf != src.Buf {
				continue
			}
			_, off := backend.IndexOf(o.effect.stage, &o.effect.stage.Prog.Ins[a.Instr])
			for _, item := range s.Rec.Items {
				if k := src.Off + int(item) - off; k >= 0 && k < l.total {
					want = append(want, uint32(k))
				}
			}
		}
	}
	groups := make([][]uint32, l.ways())
	entries, err := l.entries(want)
	if err != nil {
		return nil, err
	}
	for _, entry := range entries {
		if entry == none {
			continue
		}
		at := sort.Search(len(l.index), func(at int) bool { return l.index[at] > entry }) - 1
		groups[at%l.ways()] = append(groups[at%l.ways()], uint32(at/l.ways()))
	}
	for w := range groups {
		slices.Sort(groups[w])
		groups[w] = slices.Compact(groups[w])
	}
	return groups, nil
}

// events notes the thread's events of a stage that is made up later.
func (t *thread) events(o *owed, step int64) {
	l := o.list
	for _, h := range t.parts {
		first, end := l.waysOf(h.id)
		for way := first; way < end; way++ {
			d, lo, hi := o.shares[way], uint32(l.cut[way]), uint32(l.cut[way+1])
			each := func(f func(x int)) {
				for _, v := range t.visits {
					if x := int(v.group - lo); v.group >= lo && v.group < hi && d.degree[x] > 0 {
						f(x)
					}
				}
			}
			each(func(x int) { o.forgets(way, x, uint32(step)) }) // before any of them is noted
			each(func(x int) {
				t.count(o.effect.stage, uint64(d.degree[x]))
				d.event(x, uint32(step))
			})
		}
	}
}

// makeUp makes up what is owed before a stage: to the rows that are due at it, or
// to all that it looks at.
func (t *thread) makeUp(i, before, s int) {
	p := t.p
	o, step := p.owed[i], p.step0+int64(s)
	e := p.effects[o.lead]
	below := uint32(step)
	if i < before {
		below++
	}
	if before != o.first {
		if !p.runs(before, s) {
			return
		}
		groups := o.groups[before]
		for _, h := range t.parts {
			first, end := o.list.waysOf(h.id)
			for way := first; way < end; way++ {
				if groups == nil {
					o.makeUp(way, below, below)
					continue
				}
				for _, g := range groups[way] {
					o.group(way, int(g), below)
				}
				o.flush(way)
			}
		}
		return
	}
	t.rowsDue(e, step)
	for _, h := range t.parts {
		first, end := o.list.waysOf(h.id)
		for way := first; way < end; way++ {
			if len(t.visits) > 0 {
				o.fetch(way, int(t.visits[0].group))
			}
			for x, v := range t.visits {
				if x+1 < len(t.visits) {
					o.fetch(way, int(t.visits[x+1].group))
				}
				o.group(way, int(v.group), below)
			}
			o.flush(way)
		}
	}
	t.lap(phaseDeliver, p.one(i))
}

// settle makes up all that is owed, between Runs.
func (p *program) settle() {
	below := uint32(p.now())
	for _, o := range p.owed {
		if o == nil || !o.owing {
			continue
		}
		o.owing = false
		parallel(o.list.ways(), func(way int) { o.makeUp(way, below, below) })
	}
}

// farBack is a number of steps of which twice as many are told apart from none.
const farBack = 1 << 30

// beginOwing readies what is owed for a Run.
func (p *program) beginOwing() {
	for _, o := range p.owed {
		if o == nil {
			continue
		}
		for _, d := range o.shares {
			p.moved = p.moved || uint32(p.step0)-d.floor > farBack
		}
	}
	if p.moved {
		p.settle()
	}
	for _, o := range p.owed {
		if o == nil {
			continue
		}
		if p.moved {
			o.begin(p.step0)
		}
		o.owing = true
	}
	p.moved = false
}
