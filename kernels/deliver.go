package kernels

import (
	"math"

	"synfire/engine/backend"
	"synfire/engine/connect"
)

// deliver adds what is due at step s to the targets of the thread's parts.
//
// A source's groups of successive delays lie together; so, where the op allows
// it, they are visited together. There are R accumulators, for R steps, and a
// spike is looked at 1, 1+R, 1+2R, ... steps after it: all is added that is due
// before the next look. The first step of a stretch looks at all spikes in
// flight, and nothing is added beyond the stretch's end, so that between
// stretches the accumulators are empty.
//
// Older spikes are known before the threads have all come to the last step, so
// that those are delivered first, while the others finish. What other ranks are still
// telling comes after all else that successive deliveries have to do.
func (t *thread) deliver(ops []*op, s int) {
	v := t.p.over
	if v == nil || !v.telling() {
		for _, o := range ops {
			if d, some := t.delivery(o, s, math.MaxInt64); some {
				t.deliverKnown(&d)
				t.deliverNew(&d)
			}
		}
		return
	}
	t.late = t.late[:0]
	from, hear := v.known.Load(), false
	for _, o := range ops {
		d, some := t.delivery(o, s, from)
		if !some {
			continue
		}
		t.deliverKnown(&d)
		hear = hear || d.late > from
		t.late = append(t.late, d)
	}
	if hear {
		t.hear()
	}
	for k := range t.late {
		t.deliverNew(&t.late[k])
	}
}

// delivery is what an op delivers at a step.
type delivery struct {
	due
	o     *op
	b     *built
	known int64 // spikes of the steps before this one are known when all threads have completed them
	late  int64 // spikes from here on matter later
	told  int64 // what other ranks tell of this step and later ones may not have come yet
}

// delivery says what is to be delivered, and whether anything is.
func (t *thread) delivery(o *op, s int, told int64) (d delivery, some bool) {
	p := t.p
	table := &p.plan.Tables[p.plan.Stages[o.stage].Table]
	if o.ahead && p.sched.blocks && s > t.from {
		return d, false // the first has delivered for all
	}
	b := p.tables[o.stage]
	step := p.step0 + int64(s)
	d.o, d.b, d.told = o, b, told
	d.due = due{table: table, delays: b.delays, ends: p.ends[o.stage], step: step, end: step + 1, rows: 1, turn: 1, every: 1, parts: p.parts}
	if o.ahead {
		d.end, d.rows = p.step0+int64(t.to), int64(p.sched.rows)
		if !p.sched.blocks {
			d.turn = d.rows
		}
		if s > t.from {
			d.every = d.rows
		}
	}
	if o.clear {
		t.clearRows(o, s)
	}
	d.late = step + d.rows - int64(table.MinDelay)
	d.known = min(step-1, d.late)
	if s > t.from && o.ahead {
		d.known = min(step-d.rows, d.late)
	}
	if !p.runs(o.stage, s) {
		t.await(d.known) // all the same, since no thread may run far ahead
		return d, false
	}
	return d, true
}

// deliverKnown adds what is due of spikes before the last step, and of other ranks' spikes of those that they have told.
func (t *thread) deliverKnown(d *delivery) {
	t.lap(phaseDeliver, nil)
	t.await(d.known)
	t.lap(phaseWait, nil)
	t.add(d, 0, min(d.step-1, d.told))
	if d.told < d.step-1 {
		d.parts = t.p.parts[t.p.own[0]:][:len(t.p.own)]
		t.add(d, d.told, d.step-1)
		d.parts = t.p.parts
	}
}

// deliverNew adds the rest.
func (t *thread) deliverNew(d *delivery) {
	if d.told < min(d.step-1, d.late) {
		d.parts = t.p.over.theirs
		t.add(d, d.told, d.step-1)
		d.parts = t.p.parts
	}
	if d.late < d.step {
		return
	}
	t.await(d.step)
	t.lap(phaseWait, nil)
	hi := d.step
	if d.table.MinDelay == 0 {
		hi++ // spikes of this very step
	}
	t.add(d, d.step-1, hi)
}

// add adds what is due of spikes emitted at steps lo to hi-1.
func (t *thread) add(d *delivery, lo, hi int64) {
	st := &t.p.plan.Stages[d.o.stage]
	t.visit(&d.due, lo, hi)
	t.count(st, d.b.add(t, st.Acc))
	t.lap(phaseDeliver, t.p.one(d.o.stage))
}

// clearRows zeroes the accumulators that the op is the first to add to.
func (t *thread) clearRows(o *op, s int) {
	id := t.p.plan.Stages[o.stage].Acc
	layout, rows := t.p.lay.accs[id], t.p.sched.rows
	row, n := t.row, 1
	if o.ahead && s == t.from {
		n = rows
	} else if o.ahead {
		row = (t.row + rows - 1) % rows
	}
	for _, h := range t.parts {
		for r := row; r < row+n; r++ {
			clear(h.accs[id][r*layout.stride(h.id):][:layout.words(h.id)])
		}
	}
}

// due says which synapses are asked for at a step: those of a table whose
// effects are due from then on, in rows steps at most, and before end.
type due struct {
	table     *backend.Table
	delays    []uint16
	ends      []int // of each of the table's sources: no synapse has a later one of the delays; nil: none is known
	step, end int64
	rows      int64
	turn      int64   // spikes are looked at again every so many steps, counted from their own
	every     int64   // of this many steps of emission, one is looked at
	parts     []*part // whose spikes
}

// visit is n groups of a source's synapses, of successive delays: the first
// goes into accumulator row, the next into the one after it, and so on.
type visit struct {
	group  uint32 // in a table's Index
	n, row uint16
}

// visit lists the groups of synapses that are due, of spikes emitted at steps lo
// to hi-1, the latest first.
func (t *thread) visit(d *due, lo, hi int64) {
	visits, nd := t.visits[:0], uint32(len(d.delays))
	t.found = found{}
	k, end := 0, 0 // delays that are due
	lo = max(lo, d.table.First, 0)
	m := min(hi-1, d.table.Last)
	if nd == 1 && d.rows == 1 { // spikes of one step are due
		due := d.step - int64(d.delays[0])
		lo, m = max(lo, due), min(m, due)
	}
	for {
		if q := d.step - 1 - m; q > 0 { // to a step that has its turn
			m = d.step - 1 - (q+d.every-1)/d.every*d.every
		}
		if m < lo {
			break
		}
		until := min(d.step+d.rows-(d.step-m-1+d.turn)%d.turn, d.end)
		for k < len(d.delays) && int64(d.delays[k]) < d.step-m {
			k++
		}
		for end < len(d.delays) && int64(d.delays[end]) < until-m {
			end++
		}
		if k == len(d.delays) {
			break
		}
		for first := k; first < end; {
			n := 1
			for first+n < end && d.delays[first+n] == d.delays[first]+uint16(n) {
				n++
			}
			row := t.row + int(m+int64(d.delays[first])-d.step)
			v := visit{n: uint16(n), row: uint16(row % t.p.sched.rows)}
			for i := range d.table.Sources {
				if d.ends != nil {
					if d.ends[i] <= first {
						continue
					}
					v.n = uint16(min(n, d.ends[i]-first))
				}
				src := &d.table.Sources[i]
				base := (uint32(src.Row0)-uint32(src.Lo))*nd + uint32(first)
				for _, h := range d.parts {
					for _, i := range h.fired(src.Event, m) {
						if i >= uint32(src.Lo) && i < uint32(src.Hi) {
							v.group = base + i*nd
							visits = append(visits, v)
						}
					}
				}
			}
			first += n
		}
		m--
		if k >= end { // to where the next delay begins to matter
			m = min(m, d.step+d.rows-1-int64(d.delays[k]))
		}
	}
	visits = append(visits, spare[:]...)
	t.visits = visits[:len(visits)-ahead]
}

// spare visits follow the last one: to the first group, which is always there.
var spare [ahead]visit

// ahead is the number of visits beyond the last that a delivery may look at.
const ahead = 32

// add adds the groups of synapses that the thread is to visit to its parts' rows of an
// accumulator, tile by tile, and counts them.
func (b *built) add(t *thread, id backend.BufID) (count uint64) {
	if len(t.visits) == 0 {
		return 0
	}
	visits := t.visits[:len(t.visits)+ahead]
	for _, h := range t.parts {
		r := ring{words: h.accs[id], stride: t.p.lay.accs[id].stride(h.id), rows: t.p.sched.rows}
		for _, tab := range b.tiles[h.id] {
			count += addGroups(tab, visits, r)
			t.attend()
			r.words = r.words[tab.NTgt:]
		}
	}
	return count
}

// ring is the accumulators of a tile for as many steps, in turn: each has MaxTile
// words that may be touched, and they lie stride words apart.
type ring struct {
	words        []uint32
	stride, rows int
}

// addPlain is what addGroups does, without looking ahead.
func addPlain(t *connect.Table, visits []visit, r ring) (count uint64) {
	for _, v := range visits {
		for k := range int(v.n) {
			lo, hi := t.Index[int(v.group)+k], t.Index[int(v.group)+k+1]
			count += uint64(hi - lo)
			acc := (*[connect.MaxTile]uint32)(r.words[(int(v.row)+k)%r.rows*r.stride:])
			switch t.Width {
			case 0:
				for _, j := range t.Targets[lo:hi] {
					acc[j] += uint32(t.Uniform)
				}
			case 16:
				for _, e := range t.Packed[lo:hi] {
					acc[e&0xffff] += uint32(int32(e) >> 16)
				}
			default:
				weights := t.Weights[lo:hi]
				for k, j := range t.Targets[lo:hi] {
					acc[j] += uint32(weights[k])
				}
			}
		}
	}
	return count
}
