package kernels

import (
	"fmt"
	"slices"
	"unsafe"

	"synfire/engine/backend"
	"synfire/engine/connect"
	"synfire/engine/ir"
	"synfire/engine/vm"
)

// effect is a FormEffect stage: its program, the synapses, and who takes which.
type effect struct {
	*numbered
	stage  *backend.Stage
	table  *backend.Table
	code   *vm.Code // nil: ir.Eval, one synapse after the other
	row    *rowed   // for many synapses of one row that follow one another; nil: none
	list   *listing
	delays []uint16
	own    bool // rows are spikes of the part that has their synapses
	rows   int  // 1 + the first stage that has the same visits
	parts  []*block
}

// block is what a part runs an effect on: the numbers and the ends of some of
// the synapses that are due, as they are listed.
type block struct {
	env               ir.Env
	call, rowCall     *vm.Call
	k, source, target []uint32
	number            []uint32 // k, or the numbers where those are places
	along             ir.Env   // of the program for one row
	far, near         []uint32
	accs              []accSlot // slots that differ from step to step, of both
}

// blockLanes is the number of synapses of a full block: few enough that all its
// columns stay in the first-level cache.
const blockLanes = 1024

// rowLanes is the number of synapses of a row from which on they are run by
// themselves. A variable, so that tests can force it.
var rowLanes = 64

// loadEffects makes what the plan's effects need.
func (p *program) loadEffects() error {
	p.effects = make([]*effect, len(p.plan.Stages))
	p.owed = make([]*owed, len(p.plan.Stages))
	p.cpu.lists = slices.DeleteFunc(p.cpu.lists, func(l *listing) bool { return !p.lists(l.spec) })
	lists := slices.Clone(p.cpu.lists)
	for i := range p.plan.Stages {
		if p.plan.Stages[i].Form != backend.FormEffect {
			continue
		}
		var err error
		if p.effects[i], err = p.newEffect(i, &lists); err != nil {
			return fmt.Errorf("stage %s: %w", p.plan.Stages[i].Name, err)
		}
	}
	p.place()
	for i, e := range p.effects {
		if e == nil {
			continue
		}
		e.rows = 1 + slices.IndexFunc(p.effects, func(o *effect) bool { return o != nil && e.sameVisits(o, p.lay.parts) })
		if e.list == nil {
			continue
		}
		if err := e.compile(p); err != nil {
			return fmt.Errorf("stage %s: %w", p.plan.Stages[i].Name, err)
		}
	}
	for i, g := range p.lay.lags {
		var err error
		if p.owed[i], err = p.newOwed(g); err != nil {
			return fmt.Errorf("stage %s: %w", p.plan.Stages[i].Name, err)
		}
	}
	return nil
}

// lists says that an effect of the plan has the synapses of a Spec.
func (p *program) lists(spec *connect.Spec) bool {
	return slices.ContainsFunc(p.plan.Stages, func(st backend.Stage) bool {
		return st.Form == backend.FormEffect && p.plan.Tables[st.Table].Spec == spec
	})
}

func (p *program) newEffect(i int, lists *[]*listing) (*effect, error) {
	st := &p.plan.Stages[i]
	e := &effect{stage: st, table: &p.plan.Tables[st.Table], own: p.lay.ownRows(p.plan, i)}
	if p.lay.lags[i] != nil {
		e.delays = []uint16{uint16(e.table.MinDelay)}
		return e, nil
	}
	want := &listing{spec: e.table.Spec, post: st.Post, shares: p.lay.shares[i], local: p.owned.stages[i], keep: p.owned.numbers[i]}
	if p.over != nil && want.ways() == p.lay.parts {
		want.shares = want.ofParts(p.own)
	}
	for _, l := range *lists {
		if l.spec == want.spec && l.post == want.post && l.local == want.local && l.keep == want.keep && l.asked.equal(&want.shares) {
			e.list = l
		}
	}
	if e.list == nil {
		e.list = want
		if err := want.build(p.work); err != nil {
			return nil, err
		}
		*lists = append(*lists, want)
		if want.k == nil {
			p.cpu.lists = append(p.cpu.lists, want)
		}
	}
	l := e.list
	e.delays = l.delays
	if d := l.delays; len(d) > 0 && (int(d[0]) < e.table.MinDelay || int(d[len(d)-1]) > e.table.MaxDelay) {
		return nil, fmt.Errorf("delays of %d to %d steps, the plan says %d to %d", d[0], d[len(d)-1], e.table.MinDelay, e.table.MaxDelay)
	}
	for s, b := range st.Bind {
		if n := l.total; b.Buf != backend.NoBuf && st.Prog.Slots[s].Kind == ir.Array && b.Off+n > p.plan.Bufs[b.Buf].Len {
			return nil, fmt.Errorf("%d words of buffer %s for %d synapses", p.plan.Bufs[b.Buf].Len, p.plan.Bufs[b.Buf].Name, n)
		}
	}
	return e, nil
}

// compile makes an effect's programs, once it is known where the words of its synapses lie.
func (e *effect) compile(p *program) error {
	st, l := e.stage, e.list
	_, inOrder := p.plan.Sharing(st)
	apart := func(b backend.BufID) bool { return p.lay.accs[b] != nil && !p.lay.plain }
	var err error
	if e.numbered, err = number(st, !inOrder, apart, l.apart()); err != nil {
		return err
	}
	if inOrder {
		return nil
	}
	if e.code, err = vm.Compile(e.prog); err != nil {
		return err
	}
	if l.k == nil && !(l.apart() && asksNumber(st.Prog)) && l.length() >= rowLanes*l.groups*l.ways() {
		e.row, err = alongRow(st, apart)
	}
	return err
}

// bind makes the blocks.
func (e *effect) bind(p *program) {
	for k := range e.list.ways() / e.list.each {
		part := e.list.first + k
		b := &block{k: aligned(blockLanes + 16)}
		fresh := func(q *ir.Prog) ir.Env {
			env := ir.Env{Slots: make([][]uint32, len(q.Slots)), Seed: p.plan.Key(), Drawn: uint32(p.plan.Drawn), HostN: p.plan.Host, Traps: make([]uint32, q.Traps)}
			for c := range env.Traps {
				env.Traps[c] = ir.NoTrap
			}
			for s, bind := range e.stage.Bind {
				if bind.Buf != backend.NoBuf && (p.lay.accs[bind.Buf] == nil || p.lay.plain) {
					env.Slots[s] = p.wordsFrom(bind.Buf, bind.Off)
				}
			}
			return env
		}
		b.env = fresh(e.prog)
		if e.code != nil {
			b.call = e.code.Call()
		}
		for s, bind := range e.stage.Bind {
			switch {
			case bind.Buf != backend.NoBuf:
			case bind.Off == backend.SlotSource:
				if b.source == nil {
					b.source = aligned(blockLanes + 16)
				}
				b.env.Slots[s] = b.source
			default:
				if b.target == nil {
					b.target = aligned(blockLanes + 16)
				}
				b.env.Slots[s] = b.target
			}
		}
		b.env.Slots[e.k] = b.k
		if b.number = b.k; e.number != e.k {
			b.number = aligned(blockLanes + 16)
			b.env.Slots[e.number] = b.number
		}
		for _, s := range e.trapped {
			b.env.Slots[s] = aligned(blockLanes + 16)
		}
		if e.row != nil {
			b.along, b.near, b.rowCall = fresh(e.row.prog), make([]uint32, 1), e.row.code.Call()
			for s, bind := range e.stage.Bind {
				switch {
				case bind.Buf != backend.NoBuf:
				case bind.Off == e.near():
					b.along.Slots[s] = b.near
				default:
					if b.far == nil {
						b.far = aligned(blockLanes + 16)
					}
					b.along.Slots[s] = b.far
				}
			}
		}
		for s, slot := range e.shift {
			a, bind := p.lay.accs[e.stage.Bind[s].Buf], e.stage.Bind[s]
			// Where the part's first word lies, less where the text has it.
			lo := e.list.cut[k*e.list.each]
			end := bind.Off + e.row0(s)
			shift := []uint32{uint32(a.position(part, end+lo) - (end + lo) + bind.Off)}
			b.env.Slots[slot] = shift
			if e.row != nil {
				b.along.Slots[e.row.shift[s]] = shift
			}
			b.accs = append(b.accs, accSlot{int(s), p.parts[part].accs[bind.Buf], a.stride(part)})
		}
		e.parts = append(e.parts, b)
	}
}

// near is the end of a synapse that is the row.
func (e *effect) near() int {
	if e.stage.Post {
		return backend.SlotTarget
	}
	return backend.SlotSource
}

// row0 is the word, counted from its binding, of an accumulator that a slot has for end 0.
func (e *effect) row0(slot uint32) int {
	for k := range e.stage.Prog.Ins {
		if in := &e.stage.Prog.Ins[k]; in.Op == ir.Scatter && in.Imm == slot {
			_, off := backend.IndexOf(e.stage, in)
			return off - e.stage.Bind[slot].Off
		}
	}
	return 0
}

// effect runs a stage's program for the thread's share of the synapses whose
// effect is due.
func (t *thread) effect(i, s int) {
	p := t.p
	e := p.effects[i]
	step := p.step0 + int64(s)
	t.lap(phaseUpdate, nil)
	t.rowsDue(e, step)
	if p.apart {
		t.lap(phaseDeliver, p.one(i))
	}
	if !p.runs(i, s) {
		return
	}
	if len(t.visits) == 0 {
		return
	}
	if o := p.owed[i]; o != nil {
		t.events(o, step)
		t.lap(phaseDeliver, p.one(i))
		return
	}
	for _, h := range t.parts {
		if k := h.id - e.list.first; k < len(e.parts) {
			t.share(e, e.parts[k], h.id, step, p.host[s*p.plan.Host:])
		}
	}
	t.lap(phaseDeliver, p.one(i))
}

// found says whose rows the visits are that a thread holds: the stages of a pathway
// look for them once a step.
type found struct {
	rows int // of an effect; 0: of none
	step int64
}

// sameVisits says that groups of the same numbers are due at the same steps.
func (e *effect) sameVisits(o *effect, parts int) bool {
	return (e.own == o.own || parts == 1) && slices.Equal(e.delays, o.delays) && (e.table == o.table || sameEvents(e.table, o.table))
}

// rowsDue visits the rows of an effect that are due at a step.
func (t *thread) rowsDue(e *effect, step int64) {
	f := found{e.rows, step}
	if t.found == f {
		return
	}
	until := step + 1 - int64(e.table.MinDelay) // spikes of the steps before it matter;
	t.await(min(until, step))                   // for those of this very step a barrier has seen to it
	parts := t.p.parts
	if e.own {
		parts = t.parts
	} else if v := t.p.over; v != nil && v.telling() && until > v.known.Load() {
		t.hear()
	}
	t.lap(phaseWait, nil)
	if len(e.delays) == 1 {
		t.visitOne(e.table, parts, step-int64(e.delays[0]))
	} else {
		t.visit(&due{table: e.table, delays: e.delays, step: step, end: step + 1, rows: 1, turn: 1, every: 1, parts: parts}, 0, until)
	}
	t.found = f
}

// visitOne lists the groups of a table whose synapses have one delay, for the spikes of a step.
func (t *thread) visitOne(table *backend.Table, parts []*part, step int64) {
	t.visits = t.visits[:0]
	if step < max(table.First, 0) || step > table.Last {
		return
	}
	for i := range table.Sources {
		src := &table.Sources[i]
		for _, h := range parts {
			for _, n := range h.fired(src.Event, step) {
				if n >= uint32(src.Lo) && n < uint32(src.Hi) {
					t.visits = append(t.visits, visit{group: uint32(src.Row0) + n - uint32(src.Lo), n: 1})
				}
			}
		}
	}
}

// share runs an effect for a part's share of the synapses of the thread's visits.
func (t *thread) share(e *effect, b *block, part int, step int64, host []uint32) {
	l := e.list
	for _, env := range []*ir.Env{&b.env, &b.along} {
		env.Step, env.Host = uint32(step), host
	}
	for _, a := range b.accs {
		b.env.Slots[a.slot] = a.words[t.row*a.stride:]
		if e.row != nil {
			b.along.Slots[a.slot] = b.env.Slots[a.slot]
		}
	}
	far, near := b.target, b.source
	if e.stage.Post {
		far, near = near, far
	}
	n, delays, ways := 0, uint32(len(l.delays)), l.ways()
	first, end := l.waysOf(part)
	for x, v := range t.visits {
		if x+1 < len(t.visits) {
			t.fetch(e, part, t.visits[x+1].group)
		}
		row := v.group / delays
		for way := first; way < end; way++ {
			at := int(v.group)*ways + way
			lo, hi := int(l.index[at]), int(l.index[at+1])
			if e.row != nil && hi-lo >= rowLanes {
				t.along(e, b, step, way, row, lo, hi)
				continue
			}
			if l.k != nil && e.code != nil && hi-lo >= rowLanes {
				if n > 0 { // its ends go where those of the block are
					t.runBlock(e, b, step, n)
					n = 0
				}
				t.listed(e, b, step, way, row, lo, hi)
				continue
			}
			for lo < hi {
				m := min(hi-lo, blockLanes-n)
				if l.k != nil {
					copy(b.k[n:n+m], l.k[lo:])
				} else {
					fill(b.k[n:n+m], uint32(lo), 1)
				}
				if e.number != e.k {
					copy(b.number[n:n+m], l.number[lo:])
				}
				if far != nil {
					l.ends(far[n:n+m], lo, way)
				}
				if near != nil {
					fill(near[n:n+m], row, 0)
				}
				n, lo = n+m, lo+m
				if n == blockLanes {
					t.runBlock(e, b, step, n)
					n = 0
				}
			}
		}
	}
	if n > 0 {
		t.runBlock(e, b, step, n)
	}
}

// fetch asks for what lies side by side of a group's synapses, and is long.
func (t *thread) fetch(e *effect, part int, group uint32) {
	l := e.list
	first, _ := l.waysOf(part)
	at := int(group)*l.ways() + first
	lo, hi := int(l.index[at]), int(l.index[at+1])
	n := min(hi-lo, blockLanes)
	if n < rowLanes || l.far16 == nil {
		return
	}
	fetch(unsafe.Pointer(&l.far16[lo]), 2*n)
	if l.k != nil {
		fetch(unsafe.Pointer(&l.k[lo]), 4*n)
	}
	if e.row != nil {
		for _, s := range e.row.own {
			bind := e.stage.Bind[s]
			fetch(unsafe.Pointer(&t.p.wordsFrom(bind.Buf, bind.Off)[lo]), 4*n)
		}
	}
}

// listed runs the program on entries lo to hi-1 of one row, whose numbers are taken from where they are listed.
func (t *thread) listed(e *effect, b *block, step int64, way int, row uint32, lo, hi int) {
	l, k, number := e.list, b.k, b.number
	far, near := b.target, b.source
	if e.stage.Post {
		far, near = near, far
	}
	if near != nil {
		fill(near[:min(hi-lo, blockLanes)], row, 0)
	}
	for lo < hi {
		m := min(hi-lo, blockLanes)
		b.k = l.k[lo : lo+m]
		if b.number = b.k; e.number != e.k {
			b.number = l.number[lo : lo+m]
			b.env.Slots[e.number] = b.number
		}
		b.env.Slots[e.k] = b.k
		for s, bind := range e.stage.Bind { // those that are far
			if bind.Buf != backend.NoBuf && e.stage.Prog.Slots[s].Kind == ir.Array && 4*l.length() > nearBytes/2 {
				fetchEach(unsafe.Pointer(&t.p.wordsFrom(bind.Buf, bind.Off)[0]), &b.k[0], m)
			}
		}
		if far != nil {
			l.ends(far[:m], lo, way)
		}
		t.runBlock(e, b, step, m)
		lo += m
	}
	b.k, b.number = k, number
	b.env.Slots[e.k], b.env.Slots[e.number] = k, number
}

// ends writes the far ends of the entries of a share from lo on.
func (l *listing) ends(dst []uint32, lo, way int) {
	if l.far16 == nil {
		copy(dst, l.far[lo:])
		return
	}
	widen(dst, l.far16[lo:lo+len(dst)], l.base[way])
}

// along runs the program for one row on entries lo to hi-1.
func (t *thread) along(e *effect, b *block, step int64, way int, row uint32, lo, hi int) {
	t.count(e.stage, uint64(hi-lo))
	p, l, env := t.p, e.list, &b.along
	b.near[0] = row
	for lo < hi {
		m := min(hi-lo, blockLanes)
		if b.far != nil {
			l.ends(b.far[:m], lo, way)
		}
		for _, s := range e.row.own {
			bind := e.stage.Bind[s]
			env.Slots[s] = p.wordsFrom(bind.Buf, bind.Off)[lo : lo+m]
		}
		env.Lane0 = uint32(lo)
		b.rowCall.Run(env, 0, m)
		lo += m
	}
	for c, k := range env.Traps {
		if k != ir.NoTrap {
			env.Traps[c] = ir.NoTrap
			t.trapped(&backend.Fault{Step: step, Trap: e.stage.Trap[c], Item: int(k)})
		}
	}
}

// runBlock runs the first n lanes of a block and keeps the least fault.
func (t *thread) runBlock(e *effect, b *block, step int64, n int) {
	t.count(e.stage, uint64(n))
	if e.code != nil {
		b.call.Run(&b.env, 0, n)
	} else {
		ir.Eval(e.prog, &b.env, 0, n)
	}
	for c, lane := range b.env.Traps {
		if lane == ir.NoTrap {
			continue
		}
		b.env.Traps[c] = ir.NoTrap
		least := ir.NoTrap
		for x, slot := range e.trapped {
			if e.codes[x] != uint32(c) {
				continue
			}
			for lane, yes := range b.env.Slots[slot][:n] {
				if yes != 0 {
					least = min(least, b.number[lane])
				}
			}
		}
		t.trapped(&backend.Fault{Step: step, Trap: e.stage.Trap[c], Item: int(least)})
	}
}
