package shaders

import (
	"math/bits"
	"slices"

	"synfire/engine/backend"
	"synfire/engine/ir"
)

// A schedule is a plan's step cut into segments: what one dispatch can do
// because no part of it depends on another. Segments run in order with a
// memory barrier between them.
type schedule struct {
	segments []*segment
	span     int  // steps that one pass over the segments makes
	single   bool // a pass is one dispatch, which delivers for a later one beside its own steps
	scratch  map[backend.BufID]scratchUse
	plan     *backend.Plan
	used     [][]backend.Access // by stage: what it touches
	first    []int              // by stage: the lane of its body that is its own lane 0
}

// segment is one dispatch: delivery or effects of one stage, or bodies.
type segment struct {
	form   backend.Form // FormMap, FormDeliver, FormEffect
	stage  int          // FormDeliver, FormEffect
	bodies []*body      // FormMap
}

// body is a run of stages over the same lanes, fused: a value that one stores
// and the next loads stays in a register.
type body struct {
	n      int
	stages []int
	gather bool          // a lone FormSample whose lanes are entries, not items
	clear  backend.BufID // zeroes a buffer of n words; NoBuf in all other bodies
}

// conflicts says that the order of two accesses matters.
func conflicts(x, y backend.Access) bool {
	return x.Buf == y.Buf && x.Lo < y.Hi && y.Lo < x.Hi && (x.Write || y.Write) && !(x.Add && y.Add)
}

// touch lists what each stage touches. Earlier steps' spikes are not its
// business: a step writes only its own. counts are the synapses of tables, so
// that the own words of one effect are told from those of the next in the buffer.
func (sc *schedule) touch(counts map[int]int) {
	p := sc.plan
	for i := range p.Stages {
		s := &p.Stages[i]
		all := slices.DeleteFunc(p.Accesses(s), func(a backend.Access) bool { return a.Past > 0 })
		for k := range all {
			if a := &all[k]; s.Form == backend.FormEffect && a.Event < 0 {
				if op := s.Prog.Ins[a.Instr].Op; op == ir.Load || op == ir.Store {
					a.Hi = a.Lo + counts[s.Table]
				}
			}
		}
		sc.used = append(sc.used, all)
	}
}

// accesses lists what stage i touches when it runs in a body (its sampled
// items then are lanes), or on its own where gather says so.
func (sc *schedule) accesses(i int, gather bool) []backend.Access {
	if !gather {
		return sc.used[i]
	}
	out := slices.Clone(sc.used[i])
	for k := range out {
		out[k].Lane = false
	}
	return out
}

// waits says which segments wait for those before them: where they touch the
// same words, and at the begin of a pass.
func (sc *schedule) waits() []bool {
	var open []backend.Access // since the last barrier
	out := make([]bool, len(sc.segments))
	for n, seg := range sc.segments {
		mine := sc.touches(seg)
		out[n] = n == 0 || slices.ContainsFunc(mine, func(x backend.Access) bool {
			return slices.ContainsFunc(open, func(y backend.Access) bool { return conflicts(x, y) })
		})
		if out[n] {
			open = nil
		}
		open = append(open, mine...)
	}
	return out
}

// touches lists what a segment touches.
func (sc *schedule) touches(seg *segment) []backend.Access {
	var out []backend.Access
	for _, i := range seg.all() {
		out = append(out, sc.used[i]...)
	}
	for _, b := range seg.bodies {
		if b.clear != backend.NoBuf {
			out = append(out, backend.Access{Buf: b.clear, Event: -1, Hi: b.n, Write: true})
		}
	}
	return out
}

// cut makes the schedule of a plan whose passes make at most span steps; counts
// are the synapses of the tables of effects. ahead: a pass may be one dispatch, if nothing else forbids it.
func cut(p *backend.Plan, counts map[int]int, span int, ahead bool) *schedule {
	sc := &schedule{scratch: map[backend.BufID]scratchUse{}, plan: p}
	sc.touch(counts)
	sc.first = make([]int, len(p.Stages))
	var first []*segment
	touched := map[backend.BufID]bool{} // by stages so far, other than by delivery
	for i := range p.Stages {
		s := &p.Stages[i]
		switch s.Form {
		case backend.FormInject:
			continue // the host knows them; run.go writes their masks before a batch
		case backend.FormDeliver:
			seg := &segment{form: s.Form, stage: i}
			// What arrives at this step left at least one step ago: it can be
			// added up before anything else happens.
			if p.Tables[s.Table].MinDelay >= 1 && !touched[s.Acc] && s.Flag < 0 {
				first = append(first, seg)
			} else {
				sc.early(seg)
			}
			continue
		case backend.FormEffect:
			sc.segments = append(sc.segments, &segment{form: s.Form, stage: i})
		default:
			sc.place(i)
		}
		for _, a := range sc.used[i] {
			touched[a.Buf] = true
		}
	}
	late, maps := len(sc.segments), true
	for _, seg := range sc.segments {
		maps = maps && seg.form == backend.FormMap
	}
	sc.segments = append(first, sc.segments...)
	sc.classify(p)
	sc.span = 1
	if late <= 1 && maps && sc.fusable(p) {
		least := span
		for _, seg := range first {
			least = min(least, p.Tables[p.Stages[seg.stage].Table].MinDelay)
		}
		sc.span = least
		if sc.single = ahead && late == 1; sc.single && len(first) > 0 {
			// What a pass delivers for the steps that come after the next pass's first must have left before it began.
			least := 2 * span
			for _, seg := range first {
				least = min(least, p.Tables[p.Stages[seg.stage].Table].MinDelay)
			}
			sc.span = max(1, least/2)
			if sc.single = least != 3; !sc.single { // two dispatches for three steps are fewer
				sc.span = 3
			}
		}
		for i := range p.Stages {
			if s := &p.Stages[i]; s.Form == backend.FormSpikes && s.Rec.Hi > s.Rec.Lo {
				sc.span = min(sc.span, room(p, s)/2/(s.Rec.Hi-s.Rec.Lo)) // or each pass would end a Run
			}
		}
		sc.span = max(sc.span, 1)
	}
	return sc
}

// early puts delivery beside what it does not have to wait for.
func (sc *schedule) early(seg *segment) {
	at := len(sc.segments)
	mine := sc.touches(seg)
	for at > 0 {
		before := sc.touches(sc.segments[at-1])
		if slices.ContainsFunc(mine, func(x backend.Access) bool {
			return slices.ContainsFunc(before, func(y backend.Access) bool { return conflicts(x, y) })
		}) {
			break
		}
		at--
	}
	sc.segments = slices.Insert(sc.segments, at, seg)
}

// largestSpan is the number of steps whose accumulators together still fit a
// block and, roughly, a second-level cache, where their atomic additions happen.
func (sc *schedule) largestSpan(p *backend.Plan, most int) int {
	const cache = 32 << 20 / 4
	total, longest := 1, 1
	for b, use := range sc.scratch {
		if use == taken {
			total += p.Bufs[b].Len
			longest = max(longest, p.Bufs[b].Len)
		}
	}
	copies := max(1, min(most/((longest+63)&^63), cache/total))
	if sc.single {
		copies /= 2
	}
	return max(1, 1<<bits.Len(uint(copies))/2)
}

// place puts stage i in the last segment of bodies if nothing in it or after it
// stands in the way, in the body that works on the same lanes and words if there is one.
func (sc *schedule) place(i int) {
	n, gather := lanes(sc.plan, i)
	if n == 0 {
		return
	}
	mine := sc.accesses(i, gather)
	alone := &body{n: n, gather: gather, clear: backend.NoBuf, stages: []int{i}}
	last := sc.lastBodies(mine)
	if last == nil {
		sc.segments = append(sc.segments, &segment{form: backend.FormMap, bodies: []*body{alone}})
		return
	}
	joined := map[*body]int{} // what becomes one body with this stage: which of its lanes is the stage's first
	if !gather {
		for _, b := range last.bodies {
			if at, ok := sc.meets(b, mine, n); ok && !b.gather {
				joined[b] = at
			}
		}
		if !sc.masksFit(joined, i, n) {
			for b, at := range joined {
				if at != 0 || b.n != n {
					delete(joined, b)
				}
			}
		}
	}
	for _, b := range last.bodies {
		at, joins := joined[b]
		for _, j := range b.stages {
			for _, y := range sc.accesses(j, b.gather) {
				for _, x := range mine {
					one := joins && x.Lane && y.Lane && x.Lo-at == y.Lo-sc.first[j] // a lane of both is one invocation
					if conflicts(x, y) && !one {
						sc.segments = append(sc.segments, &segment{form: backend.FormMap, bodies: []*body{alone}})
						return
					}
				}
			}
		}
	}
	last.bodies = slices.DeleteFunc(last.bodies, func(b *body) bool { _, gone := joined[b]; return gone })
	last.bodies = append(last.bodies, sc.join(joined, alone, i))
}

// meets says at which lane of body b a stage of n lanes begins that touches words of the same
// lanes; ok: it does, and one's lanes are among the other's, such as an input to a part of a population.
func (sc *schedule) meets(b *body, mine []backend.Access, n int) (at int, ok bool) {
	for _, j := range b.stages {
		for _, y := range sc.used[j] {
			for _, x := range mine {
				if x.Buf != y.Buf || !x.Lane || !y.Lane {
					continue
				}
				here := x.Lo - y.Lo + sc.first[j]
				within := here >= 0 && here+n <= b.n || here <= 0 && here+n >= b.n
				if within && ok && here != at {
					return 0, false // two places at once
				}
				if within {
					at, ok = here, true
				}
			}
		}
	}
	return at, ok
}

// joint is the lanes of what joins stage i of n lanes: from is the first of
// them, counted from the stage's.
func joint(joined map[*body]int, n int) (from, lanes int) {
	to := n
	for b, at := range joined {
		from, to = min(from, -at), max(to, b.n-at)
	}
	return from, to - from
}

// masksFit says that all masks that the stages of a joint body touch have its
// lanes: those are reached by lane and 32 at a time.
func (sc *schedule) masksFit(joined map[*body]int, i, n int) bool {
	from, all := joint(joined, n)
	fits := func(j, first int) bool {
		for _, a := range sc.used[j] {
			if a.Event >= 0 && a.Lane && (first != 0 || sc.plan.Events[a.Event].N < all) {
				return false
			}
		}
		return true
	}
	for b, at := range joined {
		for _, j := range b.stages {
			if !fits(j, sc.first[j]-at-from) {
				return false
			}
		}
	}
	return fits(i, -from)
}

// join makes one body of those that are joined and stage i, which is alone.
func (sc *schedule) join(joined map[*body]int, alone *body, i int) *body {
	from, n := joint(joined, alone.n)
	alone.n, sc.first[i] = n, -from
	for b, at := range joined {
		for _, j := range b.stages {
			sc.first[j] += -at - from
		}
		alone.stages = append(alone.stages, b.stages...)
	}
	slices.Sort(alone.stages)
	return alone
}

// lastBodies is the last segment of bodies if what comes after it leaves what
// is touched alone.
func (sc *schedule) lastBodies(mine []backend.Access) *segment {
	for _, seg := range slices.Backward(sc.segments) {
		if seg.form == backend.FormMap {
			return seg
		}
		for _, y := range sc.touches(seg) {
			for _, x := range mine {
				if conflicts(x, y) {
					return nil
				}
			}
		}
	}
	return nil
}

// lanes is the number of lanes of stage i. A record takes those of the
// population that it records, so that it can join its body; a sample that has
// no such population, or takes an item twice, is on its own.
func lanes(p *backend.Plan, i int) (n int, gather bool) {
	s := &p.Stages[i]
	switch s.Form {
	case backend.FormSpikes:
		return p.Events[s.Event].N, false
	case backend.FormSample:
		if s.Rec.Items == nil {
			return s.Rec.N, false
		}
		items := slices.Clone(s.Rec.Items)
		slices.Sort(items)
		if len(slices.Compact(items)) == len(s.Rec.Items) {
			for j := range p.Stages {
				o := &p.Stages[j]
				if o.Form != backend.FormMap || o.N < s.Rec.Reach() || o.N > max(1<<16, 64*len(items)) {
					continue // each lane has a word that says whether it is recorded
				}
				for k, b := range o.Bind {
					if o.Prog.Slots[k].Kind == ir.Array && len(s.Rec.Src) > 0 && b.Buf == s.Rec.Src[0].Buf && b.Off == s.Rec.Src[0].Off {
						return o.N, false
					}
				}
			}
		}
		return len(s.Rec.Items), true
	}
	return s.N, false
}

// scratchUse says where a scratch buffer lives and who zeroes it.
type scratchUse uint8

const (
	inMemory   scratchUse = iota // zeroed by a body of its own at the end of the step
	inRegister                   // used by the lanes of one segment alone: no memory at all
	taken                        // added to, then taken and zeroed by the lanes of one segment; one copy for each step of a span
)

// classify decides for each scratch buffer, and appends the bodies that clear.
func (sc *schedule) classify(p *backend.Plan) {
	var clear []*body
	for id := range p.Bufs {
		b := backend.BufID(id)
		if p.Bufs[id].Kind != backend.Scratch {
			continue
		}
		user, adder, plain := -1, -1, true
		for k, seg := range sc.segments {
			for _, i := range seg.all() {
				for _, a := range sc.accesses(i, seg.form == backend.FormMap && seg.bodyOf(i).gather) {
					switch {
					case a.Buf != b:
					case a.Add:
						adder = k
						plain = plain && seg.form != backend.FormMap
					case a.Lane && seg.form == backend.FormMap && (user < 0 || user == k):
						user = k
					default:
						plain = false
					}
				}
			}
		}
		switch {
		case user < 0 && adder < 0 && plain:
			sc.scratch[b] = inRegister // nobody looks
		case plain && adder < 0:
			sc.scratch[b] = inRegister
		case plain && adder < user:
			sc.scratch[b] = taken
		default:
			sc.scratch[b] = inMemory
			clear = append(clear, &body{n: p.Bufs[id].Len, clear: b})
		}
	}
	if clear != nil {
		sc.segments = append(sc.segments, &segment{form: backend.FormMap, bodies: clear})
	}
}

// all lists the segment's stages.
func (seg *segment) all() []int {
	if seg.form != backend.FormMap {
		return []int{seg.stage}
	}
	var out []int
	for _, b := range seg.bodies {
		out = append(out, b.stages...)
	}
	return out
}

func (seg *segment) bodyOf(stage int) *body {
	for _, b := range seg.bodies {
		if slices.Contains(b.stages, stage) {
			return b
		}
	}
	return nil
}

// fusable says that several steps can be one pass: all that a step needs from
// others' lanes comes by delivery.
func (sc *schedule) fusable(p *backend.Plan) bool {
	for _, use := range sc.scratch {
		if use == inMemory {
			return false
		}
	}
	for _, seg := range sc.segments {
		for _, i := range seg.all() {
			if p.Stages[i].Form == backend.FormEffect {
				return false
			}
			for _, a := range sc.used[i] {
				if a.Write && !a.Lane && p.Stages[i].Form != backend.FormDeliver {
					return false
				}
			}
		}
	}
	return true
}
