package kernels

import (
	"fmt"

	"synfire/engine/backend"
	"synfire/engine/connect"
	"synfire/engine/host"
	"synfire/engine/ir"
	"synfire/engine/vm"
)

// effect is a FormEffect stage: its program, the synapses, and who takes which.
type effect struct {
	*numbered
	stage *backend.Stage
	table *backend.Table
	code  *vm.Code // nil: ir.Eval, one synapse after the other
	list  *listing
	parts []*block // for each share of the synapses
}

// block is what a thread runs an effect on: the numbers and the ends of some of
// the synapses that are due, as they are listed.
type block struct {
	env               ir.Env
	k, source, target []uint32
}

// blockLanes is the number of synapses of a full block: few enough that all its
// columns stay in the first-level cache.
const blockLanes = 1024

// loadEffects makes what the plan's effects need.
func (p *program) loadEffects() error {
	p.effects = make([]*effect, len(p.plan.Stages))
	var lists []*listing
	for i := range p.plan.Stages {
		st := &p.plan.Stages[i]
		if st.Form != backend.FormEffect {
			continue
		}
		var err error
		if p.effects[i], err = p.newEffect(st, &lists); err != nil {
			return fmt.Errorf("stage %s: %w", st.Name, err)
		}
	}
	return nil
}

func (p *program) newEffect(st *backend.Stage, lists *[]*listing) (*effect, error) {
	e := &effect{stage: st, table: &p.plan.Tables[st.Table]}
	by, inOrder := p.plan.Sharing(st)
	var err error
	if e.numbered, err = number(st, !inOrder); err != nil {
		return nil, err
	}
	if !inOrder {
		if e.code, err = vm.Compile(e.prog); err != nil {
			return nil, err
		}
	}
	want := listing{spec: e.table.Spec, post: st.Post, by: by, ways: p.lay.parts}
	if by == backend.Elsewhere {
		want.ways = 1
	}
	for _, l := range *lists {
		if l.spec == want.spec && l.post == want.post && l.by == want.by && l.ways == want.ways {
			e.list = l
		}
	}
	if e.list == nil {
		e.list = &want
		if err := want.build(p.work); err != nil {
			return nil, err
		}
		*lists = append(*lists, &want)
	}
	if d := e.list.delays; len(d) > 0 && (int(d[0]) < e.table.MinDelay || int(d[len(d)-1]) > e.table.MaxDelay) {
		return nil, fmt.Errorf("delays of %d to %d steps, the plan says %d to %d", d[0], d[len(d)-1], e.table.MinDelay, e.table.MaxDelay)
	}
	for s, b := range st.Bind {
		if n := len(e.list.k); b.Buf != backend.NoBuf && st.Prog.Slots[s].Kind == ir.Array && b.Off+n > p.plan.Bufs[b.Buf].Len {
			return nil, fmt.Errorf("%d words of buffer %s for %d synapses", p.plan.Bufs[b.Buf].Len, p.plan.Bufs[b.Buf].Name, n)
		}
	}
	return e, nil
}

// bind makes the blocks.
func (e *effect) bind(p *program) {
	for range e.list.ways {
		b := &block{k: aligned(blockLanes)}
		b.env = ir.Env{Slots: make([][]uint32, len(e.prog.Slots)), Seed: p.plan.Key(), Drawn: uint32(p.plan.Drawn), HostN: p.plan.Host, Traps: make([]uint32, e.prog.Traps)}
		for s, bind := range e.stage.Bind {
			switch {
			case bind.Buf != backend.NoBuf:
				b.env.Slots[s] = p.bufs[bind.Buf][bind.Off:]
			case bind.Off == backend.SlotSource:
				if b.source == nil {
					b.source = aligned(blockLanes)
				}
				b.env.Slots[s] = b.source
			default:
				if b.target == nil {
					b.target = aligned(blockLanes)
				}
				b.env.Slots[s] = b.target
			}
		}
		b.env.Slots[e.k] = b.k
		for _, s := range e.trapped {
			b.env.Slots[s] = aligned(blockLanes)
		}
		for c := range b.env.Traps {
			b.env.Traps[c] = ir.NoTrap
		}
		e.parts = append(e.parts, b)
	}
}

// effect runs a stage's program for the thread's share of the synapses whose
// effect is due.
func (t *thread) effect(i, s int) {
	p := t.p
	e := p.effects[i]
	step := p.step0 + int64(s)
	t.lap(phaseUpdate)
	until := step + 1 - int64(e.table.MinDelay) // spikes of the steps before it matter;
	t.await(min(until, step))                   // for those of this very step a barrier has seen to it
	t.lap(phaseWait)
	if !p.runs(i, s) {
		return
	}
	t.visit(&due{table: e.table, delays: e.list.delays, step: step, end: step + 1, rows: 1, turn: 1, every: 1}, 0, until)
	l := e.list
	way, end := t.parts[0].id, min(t.parts[len(t.parts)-1].id+1, l.ways)
	b := e.parts[way]
	b.env.Step, b.env.Host = uint32(step), p.host[s*p.plan.Host:]
	far, near := b.target, b.source
	if e.stage.Post {
		far, near = near, far
	}
	n, delays := 0, uint32(len(l.delays))
	for _, v := range t.visits {
		at := int(v.group) * l.ways
		for lo, hi := l.index[at+way], l.index[at+end]; lo < hi; {
			m := copy(b.k[n:], l.k[lo:hi])
			if far != nil {
				copy(far[n:], l.far[lo:hi])
			}
			if near != nil {
				row := v.group / delays
				for j := range near[n : n+m] {
					near[n+j] = row
				}
			}
			n, lo = n+m, lo+uint32(m)
			if n == blockLanes {
				t.runBlock(e, b, step, n)
				n = 0
			}
		}
	}
	if n > 0 {
		t.runBlock(e, b, step, n)
	}
	t.lap(phaseDeliver)
}

// runBlock runs the first n lanes of a block and keeps the least fault.
func (t *thread) runBlock(e *effect, b *block, step int64, n int) {
	t.count(e.stage, uint64(n))
	if e.code != nil {
		e.code.Run(&b.env, 0, n)
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
					least = min(least, b.k[lane])
				}
			}
		}
		t.trapped(&backend.Fault{Step: step, Trap: e.stage.Trap[c], Item: int(least)})
	}
}

// listing is the synapses of a Spec by the rows that spike and by delay, shared
// out among parts by one of their ends: those of row r with delay Delays[d]
// that part w takes are k[index[g*ways+w] : index[g*ways+w+1]], with
// g = r*len(delays) + d; within it they ascend.
type listing struct {
	spec   *connect.Spec
	post   bool // rows are targets
	by     backend.End
	ways   int
	delays []uint16
	index  []uint32
	k      []uint32 // number in the Spec
	far    []uint32 // the end that is not the row
}

// listingMemory is what a listing will take: number and far end of each synapse,
// as much again while they are sorted, and an index for each part.
func listingMemory(spec *connect.Spec, post bool, ways int) connect.Memory {
	m := connect.Estimate(spec, ways, host.Work{Threads: ways})
	m.Entries, m.Scratch = 8*m.Synapses, 12*m.Synapses
	if post {
		m.Index = m.Index / int64(max(spec.NSrc, 1)) * int64(spec.NTgt)
	}
	return m
}

func (l *listing) build(w host.Work) error {
	at, err := connect.Adjacent(l.spec, l.post, w)
	if err != nil {
		return err
	}
	l.delays, l.index, l.k = at.Delays, at.Index, at.K
	far, first := make([]uint32, len(l.k)), 0
	for _, proj := range l.spec.Projs {
		n, err := proj.Count(w)
		if err != nil {
			return err
		}
		err = proj.Walk(w, 0, n, 0, func(_ int, c *connect.Columns) error {
			ends, off := c.J, proj.Tgt0
			if l.post {
				ends, off = c.I, proj.Row0
			}
			for x, e := range ends {
				far[first+c.K0+x] = uint32(off) + e
			}
			return nil
		})
		if err != nil {
			return err
		}
		first += n
	}
	l.far = make([]uint32, len(l.k))
	for n, k := range l.k {
		l.far[n] = far[k]
	}
	if l.ways > 1 {
		l.share()
	}
	return nil
}

// share sorts each group by the parts that take its synapses.
func (l *listing) share() {
	d := domain{hi: l.spec.NTgt}
	if l.by == backend.AtSource {
		d.hi = l.spec.NSrc
	}
	d.divide(0, l.ways)
	index := make([]uint32, 1, (len(l.index)-1)*l.ways+1)
	k, far := make([]uint32, 0, len(l.k)), make([]uint32, 0, len(l.k))
	for g := range len(l.index) - 1 {
		lo, hi := l.index[g], l.index[g+1]
		for w := range l.ways {
			for n := lo; n < hi; n++ {
				at := int(l.far[n])
				if l.post == (l.by != backend.AtSource) { // the row
					at = g / len(l.delays)
				}
				if at >= d.cut[w] && at < d.cut[w+1] {
					k, far = append(k, l.k[n]), append(far, l.far[n])
				}
			}
			index = append(index, uint32(len(k)))
		}
	}
	l.index, l.k, l.far = index, k, far
}
