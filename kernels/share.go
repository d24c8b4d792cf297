package kernels

import (
	"synfire/engine/backend"
	"synfire/engine/connect"
	"synfire/engine/ir"
)

// What an effect does at an end of its synapses needs no other thread where the
// words there lie with the part that has those synapses.

// touch is an instruction of an effect that works on the words at the end by which
// its synapses are shared; word off of the buffer is that of end 0.
type touch struct {
	buf backend.BufID
	off int
}

// touches lists what an effect of many shares does at the end by which they are shared.
func (l *layout) touches(plan *backend.Plan, st *backend.Stage, end backend.End) (all []touch) {
	for _, a := range plan.Accesses(st) {
		if a.Instr < 0 || a.Event >= 0 || plan.Bufs[a.Buf].Kind == backend.Constant && l.accs[a.Buf] == nil {
			continue
		}
		in := &st.Prog.Ins[a.Instr]
		if in.Op == ir.Uniform || in.Op == ir.Scatter2 {
			continue
		}
		if e, off := backend.IndexOf(st, in); e == end {
			all = append(all, touch{a.Buf, off})
		}
	}
	return all
}

// sharedBy is the end by which an effect's synapses are shared; Elsewhere: one
// thread has them all.
func sharedBy(plan *backend.Plan, st *backend.Stage) backend.End {
	end, inOrder := plan.Sharing(st)
	switch {
	case inOrder:
		return backend.Elsewhere
	case end == backend.Own && !st.Post && single(plan.Tables[st.Table].Spec):
		return backend.AtSource // so that each part looks at its own spikes alone
	case end == backend.Own:
		return backend.AtTarget
	}
	return end
}

// single says that synapse k goes from source k to target k.
func single(spec *connect.Spec) bool {
	if len(spec.Projs) != 1 || spec.NSrc != spec.NTgt {
		return false
	}
	p := spec.Projs[0]
	return p.Rule == connect.OneToOne && p.NPre == spec.NSrc && p.NPost == spec.NTgt && p.Repeat <= 1 && !p.NoAutapses
}

// anchor is a word for end 0 of the synapses of an effect, by which they are shared.
type anchor struct{ node, word int }

// joinEnds lets the words that an effect works on at the end by which it is
// shared lie in one domain, with those of effects before it on the same synapses,
// if nothing speaks against it.
func (l *layout) joinEnds(plan *backend.Plan, f *forest, i int, anchors map[int]anchor) {
	st := &plan.Stages[i]
	end := l.by[i]
	spec := plan.Tables[st.Table].Spec
	n := spec.NTgt
	if end == backend.AtSource {
		n = spec.NSrc
	}
	if end == backend.Elsewhere {
		return
	}
	last := anchor{node: -1}
	for k := range i {
		if a, have := anchors[k]; have && l.by[k] == end && samePairs(plan.Tables[plan.Stages[k].Table].Spec, spec) {
			last = a
			break
		}
	}
	join := func(x, w int) {
		if last.node >= 0 {
			f.may(x, w, last.node, last.word)
		}
		last = anchor{x, w}
		anchors[i] = last
	}
	for _, t := range l.touches(plan, st, end) {
		if l.accs[t.buf] == nil {
			join(int(t.buf), t.off)
			continue
		}
		for k := range plan.Stages { // an accumulator's word belongs to the lane that reads it
			m := &plan.Stages[k]
			for s, b := range m.Bind {
				if lane := t.off - b.Off; m.Form == backend.FormMap && b.Buf == t.buf && m.Prog.Slots[s].Kind == ir.Array && lane >= 0 && lane+n <= m.N {
					join(len(plan.Bufs)+len(plan.Events)+k, lane)
				}
			}
		}
	}
}

// share divides an effect's synapses among the parts: as the words that it
// works on are divided, if there are such, else anyhow. Not ok where one thread has
// them all although they add to an accumulator that is divided, or where that is
// divided otherwise than in ranges of targets.
func (l *layout) share(plan *backend.Plan, i int) (s shares, anyhow, ok bool) {
	st := &plan.Stages[i]
	spec, end := plan.Tables[st.Table].Spec, l.by[i]
	n := spec.NTgt
	s = shares{end: end, each: 1}
	if end == backend.AtSource {
		n = spec.NSrc
	} else {
		s.end = backend.AtTarget
	}
	set := func(lo func(part int) int) {
		s.cut = make([]int, l.parts+1)
		for t := range s.cut {
			s.cut[t] = n
			if t < l.parts {
				s.cut[t] = min(max(lo(t), 0), n)
			}
		}
		s.cut[0] = 0
	}
	ok = true
	for _, a := range plan.Accesses(st) {
		if a.Instr < 0 || a.Event >= 0 || l.accs[a.Buf] == nil {
			continue
		}
		in := &st.Prog.Ins[a.Instr]
		e, off := backend.IndexOf(st, in)
		ok = ok && in.Op == ir.Scatter && e == end && s.along(l.accs[a.Buf], off, n, l.parts)
	}
	if s.cut != nil {
		return s, false, ok
	}
	if end == backend.Elsewhere || l.plain {
		return whole(s.end, n), false, ok
	}
	for _, t := range l.touches(plan, st, end) {
		if at := l.buf[t.buf]; at.dom >= 0 {
			set(func(part int) int { return l.domains[at.dom].cut[part] - at.at - t.off })
			return s, false, ok
		}
	}
	if single(spec) {
		for _, t := range l.touches(plan, st, backend.Own) {
			if at := l.buf[t.buf]; at.dom >= 0 {
				set(func(part int) int { return l.domains[at.dom].cut[part] - at.at - t.off })
				return s, false, ok
			}
		}
	}
	d := domain{hi: n}
	d.divide(0, l.parts)
	set(func(part int) int { return d.cut[part] })
	return s, true, ok
}

// follow lets an effect that might be shared anyhow be shared as another one of
// the same synapses, whose own words it works on too.
func (l *layout) follow(plan *backend.Plan, i int, anyhow []bool) {
	var own []words
	st := &plan.Stages[i]
	for _, a := range plan.Accesses(st) {
		if end, w := l.words(plan, st, a); a.Event < 0 && end == backend.Own {
			own = append(own, w)
		}
	}
	for k := range plan.Stages {
		o := &plan.Stages[k]
		if o.Form != backend.FormEffect || anyhow[k] || l.by[k] == backend.Elsewhere || l.shares[k].end != l.shares[i].end || !samePairs(plan.Tables[o.Table].Spec, plan.Tables[st.Table].Spec) {
			continue
		}
		for _, a := range plan.Accesses(o) {
			if end, w := l.words(plan, o, a); a.Event < 0 && end == backend.Own && w.in(own, false) {
				l.shares[i] = l.shares[k]
				return
			}
		}
	}
}

// along divides n targets as the words off to off+n-1 of an accumulator are divided.
// False where that is not in ranges, or not as it was divided before.
func (s *shares) along(a *accumulator, off, n, parts int) bool {
	cut := []int{0}
	for t := range parts {
		at := cut[t]
		for _, r := range a.ranges[t] {
			if lo, hi := max(r.Lo-off, 0), min(r.Hi-off, n); lo < hi {
				if lo != at {
					return false
				}
				at = hi
			}
		}
		cut = append(cut, at)
	}
	old := shares{end: s.end, cut: s.cut}
	s.cut = cut
	return cut[parts] == n && (old.cut == nil || old.equal(s))
}

// near says that words off to off+n-1 of a buffer lie with the parts as shares have them.
func (l *layout) near(s *shares, b backend.BufID, off, n int) bool {
	at := l.buf[b]
	if at.dom < 0 {
		return false
	}
	for t := range l.parts {
		lo, hi := l.part(place{at.dom, at.at + off}, n, t)
		if a, b := s.cut[t], s.cut[t+1]; a != lo && a < b || b != hi && a < b || a == b && lo < hi {
			return false
		}
	}
	return true
}

// effectAccess notes what an effect touches: words of other parts too, or those
// alone that lie with the part that has the synapses.
func (s *schedule) effectAccess(i int, use *access) {
	st, sh := &s.plan.Stages[i], &s.lay.shares[i]
	spec := s.plan.Tables[st.Table].Spec
	n := spec.NTgt
	if sh.end == backend.AtSource {
		n = spec.NSrc
	}
	alone := s.lay.plain || s.lay.by[i] == backend.Elsewhere
	for _, a := range s.plan.Accesses(st) {
		if a.Instr < 0 { // spikes of sources: read from lists (stage)
			continue
		}
		if s.lay.accs[a.Buf] != nil && !s.lay.plain {
			for d := range s.lay.domains {
				use.write(s.acc(a.Buf, d), alone)
			}
			continue
		}
		r, across := int(a.Buf), true
		if s.lay.accs[a.Buf] != nil {
			r = s.acc(a.Buf, 0)
		}
		if !alone {
			switch end, off := backend.IndexOf(st, &st.Prog.Ins[a.Instr]); end {
			case sh.end:
				across = !s.lay.near(sh, a.Buf, off, n)
			case backend.Own:
				_, w := s.lay.words(s.plan, st, a)
				across = !s.kept(i, w) && !(single(spec) && s.lay.near(sh, a.Buf, off, n))
			}
		}
		if a.Write {
			use.write(r, across)
		} else {
			use.read(r, across)
		}
	}
}

// kept says that words of an effect's own in a buffer belong to its synapses and to
// no others, and that all who touch them have the same synapses.
func (s *schedule) kept(i int, mine words) bool {
	spec := s.plan.Tables[s.plan.Stages[i].Table].Spec
	for k := range s.plan.Stages {
		st := &s.plan.Stages[k]
		for _, a := range s.plan.Accesses(st) {
			if a.Event >= 0 || a.Buf != mine.buf {
				continue
			}
			end, w := s.lay.words(s.plan, st, a)
			if !w.in([]words{mine}, false) {
				continue
			}
			if end != backend.Own || w.lo != mine.lo || s.lay.by[k] == backend.Elsewhere || !s.lay.shares[k].equal(&s.lay.shares[i]) || !samePairs(spec, s.plan.Tables[st.Table].Spec) {
				return false
			}
		}
	}
	return true
}

// samePairs says that synapse k of both Specs has the same ends.
func samePairs(a, b *connect.Spec) bool {
	if a == b {
		return true
	}
	if len(a.Projs) != len(b.Projs) || a.NSrc != b.NSrc || a.NTgt != b.NTgt {
		return false
	}
	for k := range a.Projs {
		if !connect.SamePairs(a.Projs[k], b.Projs[k]) {
			return false
		}
	}
	return true
}

// ownRows says that an effect's due rows of a share are spikes of the part that has it.
func (l *layout) ownRows(plan *backend.Plan, i int) bool {
	st, s := &plan.Stages[i], &l.shares[i]
	if st.Post != (s.end == backend.AtTarget) {
		return false
	}
	for _, src := range plan.Tables[st.Table].Sources {
		at := l.event[src.Event]
		for t := range l.parts {
			lo, hi := l.part(place{at.dom, at.at + src.Lo}, src.Hi-src.Lo, t)
			if lo < hi && (src.Row0+lo < s.cut[t] || src.Row0+hi > s.cut[t+1]) {
				return false
			}
		}
	}
	return true
}
