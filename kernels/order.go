package kernels

import (
	"synfire/engine/backend"
	"synfire/engine/ir"
)

// What a schedule needs besides its order: words that must be zero, barriers,
// and how many steps go together.

// ahead decides how far deliveries may be made before their step, and whether
// several steps are made block by block.
func (s *schedule) ahead() {
	early := map[backend.BufID]bool{}
	for id := range s.lay.accs {
		early[id] = s.early(id)
	}
	if s.rows = s.blockSteps(); s.rows > 1 {
		s.blocks = true
	} else {
		s.rows = s.ringSteps(early)
	}
}

// blockSteps is the number of steps that may be made on a block of lanes before
// the next block, where that pays; else 1.
func (s *schedule) blockSteps() int {
	steps, seen, bytes := mostSteps, map[int]bool{}, 0
	for i, o := range s.ops {
		for _, p := range s.ops[:i] {
			if order, _ := o.use.meets(&p.use); order && !(p.kind == opDeliver && o.kind != opClear) {
				return 1
			}
		}
		switch o.kind {
		case opLocal:
			if s.lay.plain || seen[o.dom] || !s.even(o) {
				return 1
			}
			seen[o.dom] = true
			d := &s.lay.domains[o.dom]
			for r := range o.use.r {
				if r < len(s.plan.Bufs) {
					bytes += 4 * (d.hi - d.lo) / s.lay.parts
				}
			}
		case opDeliver:
			steps = min(steps, mostRows, s.plan.Tables[s.plan.Stages[o.stage].Table].MinDelay)
		default:
			return 1
		}
	}
	if steps <= mostRows && bytes < nearBytes {
		return 1
	}
	return max(steps, 1)
}

// ringSteps is the number of steps for which there are to be accumulators: as
// many as have room in the cache, where a source has more than one delay.
func (s *schedule) ringSteps(early map[backend.BufID]bool) int {
	bytes, several := 0, false
	for _, a := range s.lay.accs {
		bytes += 4 * a.stride(0)
	}
	for i := range s.plan.Stages {
		if st := &s.plan.Stages[i]; st.Form == backend.FormDeliver && early[st.Acc] {
			several = several || s.plan.Tables[st.Table].MaxDelay > s.plan.Tables[st.Table].MinDelay
		}
	}
	if !several {
		return 1
	}
	rows := mostRows
	for rows > 1 && rows*bytes > sumBytes {
		rows /= 2
	}
	return rows
}

// early marks the deliveries to an accumulator that may be made before their
// step: none has a flag, none serves spikes of its own step, and nothing else
// touches the accumulator before the last of them.
func (s *schedule) early(id backend.BufID) bool {
	if s.lay.plain {
		return false
	}
	var all []*op
	touched := false
	for _, o := range s.ops {
		if o.kind == opDeliver && s.plan.Stages[o.stage].Acc == id {
			st := &s.plan.Stages[o.stage]
			if touched || st.Flag >= 0 || s.plan.Tables[st.Table].MinDelay == 0 {
				return false
			}
			all = append(all, o)
			continue
		}
		touched = touched || o.use.touches(s.acc(id, 0), len(s.lay.domains))
	}
	for _, o := range all {
		o.ahead = true
	}
	return true
}

// touches says whether any of n resources is read or written.
func (a *access) touches(r, n int) bool {
	for k := r; k < r+n; k++ {
		_, read := a.r[k]
		_, written := a.w[k]
		if read || written {
			return true
		}
	}
	return false
}

// even says that blocks of the op's items coincide: their parts begin a
// multiple of 32 lanes after the thread's, and nothing reads values at spikes.
func (s *schedule) even(o *op) bool {
	listed := map[int]bool{}
	for _, it := range o.items {
		if it.kind == itemExtract && listed[it.event] {
			return false
		}
		listed[it.event] = listed[it.event] || it.kind == itemExtract
		if it.kind == itemSpikes && len(s.plan.Stages[it.stages[0]].Rec.Src) > 0 {
			return false
		}
		for t := range s.lay.parts {
			lo, hi := s.lay.part(it.at, it.n, t)
			if lo < hi && (lo+it.at.at-s.lay.domains[o.dom].cut[t])%32 != 0 {
				return false
			}
		}
	}
	return true
}

// clears adds the zeroing of scratch buffers and masks where what touches them
// first in a step does not overwrite them.
func (s *schedule) clears() {
	for b := range s.plan.Bufs {
		id := backend.BufID(b)
		if s.plan.Bufs[b].Kind != backend.Scratch {
			continue
		}
		if s.lay.accs[id] != nil {
			s.clearAccumulator(id)
			continue
		}
		o, it := s.firstUse(b)
		switch {
		case o == nil:
		case o.kind == opLocal && s.lay.buf[b].dom == o.dom && !s.lay.plain && !it.use.r[b] && !it.use.w[b]:
			if !s.overwrites(it, func(bd backend.Binding, k ir.Kind) bool {
				return k == ir.Array && bd.Buf == id && bd.Off == 0
			}, ir.Store, s.plan.Bufs[b].Len) {
				c := &item{kind: itemClear, buf: id, at: s.lay.buf[b], n: s.plan.Bufs[b].Len}
				c.use.write(b, false)
				o.prepend(c)
			}
		default:
			c := &op{kind: opClear, buf: id}
			c.use.write(b, true)
			s.ops = append([]*op{c}, s.ops...)
		}
	}
	for e := range s.plan.Events {
		o, it := s.firstUse(s.mask(e))
		c := &item{kind: itemClear, buf: backend.NoBuf, event: e, at: s.lay.event[e], n: s.plan.Events[e].N}
		c.use.write(s.mask(e), false)
		switch {
		case o.kind != opLocal || o.dom != c.at.dom:
			s.ops = append([]*op{{kind: opLocal, dom: c.at.dom, items: []*item{c}, use: c.use}}, s.ops...)
		case !s.writes(s.mask(e)): // nothing ever fires
		case !s.overwrites(it, func(bd backend.Binding, k ir.Kind) bool { return k == ir.Mask && bd.Event == e }, ir.StoreBit, c.n):
			o.prepend(c)
		}
	}
}

// writes says whether any op writes a resource.
func (s *schedule) writes(r int) bool {
	for _, o := range s.ops {
		if _, w := o.use.w[r]; w {
			return true
		}
	}
	return false
}

func (o *op) prepend(it *item) {
	o.use.add(&it.use)
	o.items = append([]*item{it}, o.items...)
}

// clearAccumulator lets the first delivery of the step zero the accumulator,
// unless those who read it leave zeros.
func (s *schedule) clearAccumulator(id backend.BufID) {
	for _, o := range s.ops {
		if o.kind == opDeliver && s.plan.Stages[o.stage].Acc == id {
			o.clear = !s.spent(id)
			return
		}
		if o.use.touches(s.acc(id, 0), len(s.lay.domains)) {
			c := &op{kind: opClear, buf: id}
			for d := range s.lay.domains {
				c.use.write(s.acc(id, d), s.lay.plain)
			}
			s.ops = append([]*op{c}, s.ops...)
			return
		}
	}
}

// spent says that every step ends with zeros in all words of an accumulator that
// are ever read: deliveries come first, and all programs that see it run in each
// step and store 0 last.
func (s *schedule) spent(id backend.BufID) bool {
	if s.lay.plain {
		return false
	}
	seen := false
	for _, o := range s.ops {
		if o.kind == opDeliver && s.plan.Stages[o.stage].Acc == id {
			if seen {
				return false
			}
			continue
		}
		for _, it := range o.items {
			if it.kind == itemEffect && seen && it.use.touches(s.acc(id, 0), len(s.lay.domains)) {
				return false
			}
			if it.kind != itemMap {
				continue
			}
			for _, i := range it.stages {
				st := &s.plan.Stages[i]
				for k, b := range st.Bind {
					if b.Buf == id && st.Prog.Slots[k].Kind != ir.Mask {
						seen = true
						if st.Flag >= 0 || !leavesZero(st.Prog, uint32(k)) {
							return false
						}
					}
				}
			}
		}
	}
	return true
}

// leavesZero says that the last thing that a program does to an Array slot is to
// store 0.
func leavesZero(p *ir.Prog, slot uint32) bool {
	zero := false
	for _, in := range p.Ins {
		switch in.Op {
		case ir.Load, ir.Uniform, ir.Gather, ir.Put, ir.Scatter, ir.Scatter2:
			zero = zero && in.Imm != slot
		case ir.Store:
			if in.Imm == slot {
				v := p.Ins[in.A]
				zero = v.Op == ir.Const && v.Imm == 0
			}
		}
	}
	return zero
}

// firstUse is what touches a resource first in a step.
func (s *schedule) firstUse(r int) (*op, *item) {
	for _, o := range s.ops {
		if !o.use.touches(r, 1) {
			continue
		}
		for _, it := range o.items {
			if it.use.touches(r, 1) {
				return o, it
			}
		}
		return o, nil
	}
	return nil, nil
}

// overwrites says that an item is a program that always runs, on n lanes at
// least, and whose first touch of the slot is the store.
func (s *schedule) overwrites(it *item, slot func(backend.Binding, ir.Kind) bool, store ir.Op, n int) bool {
	if it == nil || it.kind != itemMap || it.n < n {
		return false
	}
	for _, i := range it.stages {
		st := &s.plan.Stages[i]
		for _, in := range st.Prog.Ins {
			switch in.Op {
			case ir.Load, ir.Uniform, ir.Gather, ir.Bit, ir.Store, ir.StoreBit, ir.Put, ir.Scatter, ir.Scatter2:
				if slot(st.Bind[in.Imm], st.Prog.Slots[in.Imm].Kind) {
					return in.Op == store && st.Flag < 0
				}
			}
		}
	}
	return false
}

// barriers puts barriers where threads would meet, the next step included. The
// lists of spikes of earlier steps are waited for by Deliver itself, and their
// places are not used again before all have read them.
func (s *schedule) barriers() {
	if s.lay.parts == 1 {
		return
	}
	var since []*op
	for range 2 {
		for i := 0; i < len(s.ops); i++ {
			o := s.ops[i]
			if o.kind == opBarrier {
				since = since[:0]
				continue
			}
			for _, before := range since {
				if s.apart(before, o) {
					s.ops = append(s.ops[:i], append([]*op{{kind: opBarrier}}, s.ops[i:]...)...)
					i++
					since = since[:0]
					break
				}
			}
			since = append(since, o)
		}
	}
}

// apart says whether threads must not be in a and in b at the same time.
func (s *schedule) apart(a, b *op) bool {
	if a.kind == opSerial || b.kind == opSerial {
		order, _ := a.use.meets(&b.use)
		return order
	}
	for r, x := range a.use.w {
		for _, m := range []map[int]bool{b.use.r, b.use.w} {
			if y, hit := m[r]; hit && (x || y) {
				return true
			}
		}
	}
	for r, x := range a.use.r {
		if y, hit := b.use.w[r]; hit && (x || y) && !s.isList(r) {
			return true
		}
	}
	return false
}

func (s *schedule) isList(r int) bool {
	return r >= len(s.plan.Bufs) && r < len(s.plan.Bufs)+2*len(s.plan.Events) && (r-len(s.plan.Bufs))%2 == 1
}
