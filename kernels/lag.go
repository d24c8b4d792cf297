package kernels

import (
	"math"
	"slices"

	"synfire/engine/backend"
	"synfire/engine/connect"
	"synfire/engine/ir"
)

// What on_post does may be made up later (later.go) where the program changes nothing
// but the synapses' own words and cannot fail, and where all else that it reads is
// noted with the event, as words of the target are, or stays as it is until then: what
// is constant, and words of the sources that change only as the sources' own events
// come to the synapses, right after what was left is made up.

// lag is an on_post stage that is made up later.
type lag struct {
	stage int
	first int                    // make up before this stage, for the rows that are due there
	lead  int                    // a stage of those rows that has the synapses, by source
	early bool                   // the stage comes before first, in the order of a step
	looks []int                  // stages before which all is made up
	own   map[backend.BufID]bool // buffers that it writes
}

// findLags finds the stages that may be made up later, by their number.
func (l *layout) findLags(plan *backend.Plan) map[int]*lag {
	out := map[int]*lag{}
	for i := range plan.Stages {
		if g := l.lag(plan, i); g != nil {
			out[i] = g
		}
	}
	return out
}

// Where on_post changes no more bytes of synapses than this, they are found in the
// caches at the event itself, and to make it up later only adds to the work: with
// 10,000 synapses of pair STDP a quarter to a third. With 400,000 the two are within a
// twentieth of each other, from 900,000 on later is ahead (BenchmarkLater; delivery.md).
// A variable, so that tests can force either.
var nearWords = 2 << 20

func (l *layout) lag(plan *backend.Plan, i int) *lag {
	st := &plan.Stages[i]
	if st.Form != backend.FormEffect || !st.Post || st.Flag >= 0 || l.plain || l.by[i] != backend.AtTarget {
		return nil
	}
	table := &plan.Tables[st.Table]
	if table.MinDelay != table.MaxDelay {
		return nil
	}
	for _, in := range st.Prog.Ins {
		switch in.Op {
		case ir.Trap, ir.Rand, ir.Host, ir.Lane, ir.Scatter, ir.Scatter2, ir.Put, ir.Bit, ir.StoreBit:
			return nil
		}
	}
	g := &lag{stage: i, lead: -1, own: map[backend.BufID]bool{}}
	var own, written, sources []words // own among them what is written
	for _, a := range plan.Accesses(st) {
		if a.Instr < 0 || !a.Write && plan.Bufs[a.Buf].Kind == backend.Constant {
			continue
		}
		end, w := l.words(plan, st, a)
		switch {
		case st.Prog.Ins[a.Instr].Op == ir.Uniform:
			return nil
		case end == backend.Own:
			own = append(own, w)
			if a.Write {
				g.own[a.Buf], written = true, append(written, w)
			}
		case end == backend.AtSource && !a.Write:
			sources = append(sources, w)
		case end == backend.AtTarget && !a.Write: // noted with the event
		default:
			return nil
		}
	}
	var rows []int // stages driven by the events of the rows
	for k := range plan.Stages {
		o := &plan.Stages[k]
		if k == i {
			continue
		}
		looks, driven := false, false
		for _, a := range plan.Accesses(o) {
			if a.Event >= 0 {
				continue
			}
			end, w := l.words(plan, o, a)
			touches := w.in(written, false) || a.Write && w.in(own, false)
			changes := a.Write && w.in(sources, false)
			switch {
			case !touches && !changes:
			case o.Form == backend.FormSample || o.Form == backend.FormMap && o.Flag >= 0:
				looks = true
			case o.Form != backend.FormEffect || o.Post || o.Flag >= 0 || end != backend.Own:
				return nil
			case touches: // of the same synapses, and their words there
				t := &plan.Tables[o.Table]
				if l.by[k] != backend.AtTarget || !l.shares[k].equal(&l.shares[i]) || !w.in(own, true) || !samePairs(t.Spec, table.Spec) ||
					g.lead >= 0 && !sameRows(t, &plan.Tables[plan.Stages[g.lead].Table]) {
					return nil
				}
				if g.lead < 0 {
					g.lead = k
				}
				driven = true
			default: // of the sources, and their words there
				if t := &plan.Tables[o.Table]; !single(t.Spec) || t.Spec.NSrc != table.Spec.NSrc || !w.in(sources, true) {
					return nil
				}
				driven = true
			}
		}
		if looks {
			g.looks = append(g.looks, k)
		}
		if driven {
			rows = append(rows, k)
		}
	}
	if g.lead < 0 || rows[0] < i && i < rows[len(rows)-1] {
		return nil
	}
	bytes := 0
	for n, w := range written {
		if !slices.Contains(written[:n], w) {
			bytes += 4 * (w.hi - w.lo)
		}
	}
	if bytes <= nearWords {
		return nil
	}
	g.first, g.early = rows[0], i < rows[0]
	lead := &plan.Tables[plan.Stages[g.lead].Table]
	for _, k := range rows { // who writes at the sources does so when the rows are due
		if t := &plan.Tables[plan.Stages[k].Table]; !sameRows(t, lead) && !sameEvents(t, lead) {
			return nil
		}
	}
	return g
}

// words are words lo to hi-1 of a buffer.
type words struct {
	buf    backend.BufID
	lo, hi int
}

// in says that some of the words are among all; same: that they begin where
// all those do of which they are some.
func (w words) in(all []words, same bool) (some bool) {
	for _, o := range all {
		if w.buf == o.buf && w.lo < o.hi && o.lo < w.hi {
			if some = true; same && w.lo != o.lo {
				return false
			}
		}
	}
	return some
}

// words are what an access of a stage may touch, and the end of an effect's synapses where they lie.
func (l *layout) words(plan *backend.Plan, st *backend.Stage, a backend.Access) (backend.End, words) {
	w := words{a.Buf, a.Lo, a.Hi}
	if st.Form != backend.FormEffect || a.Instr < 0 {
		return backend.Elsewhere, w
	}
	in := &st.Prog.Ins[a.Instr]
	if in.Op == ir.Uniform {
		return backend.Elsewhere, w
	}
	end, off := backend.IndexOf(st, in)
	n, spec := 0, plan.Tables[st.Table].Spec
	switch end {
	case backend.Own:
		n = l.length(spec)
	case backend.AtSource:
		n = spec.NSrc
	case backend.AtTarget:
		n = spec.NTgt
	default:
		return end, w
	}
	if in.Op == ir.Scatter2 {
		n *= 2
	}
	return end, words{a.Buf, off, off + n}
}

// length is the number of a Spec's synapses; beyond any where it cannot be told.
func (l *layout) length(spec *connect.Spec) int {
	total := 0
	for _, p := range spec.Projs {
		n, err := p.Count(l.work)
		if err != nil {
			return math.MaxInt / 4 // who lists them meets the error
		}
		total += n
	}
	return total
}

// sameRows says that the same synapses of two tables are due at the same steps.
func sameRows(a, b *backend.Table) bool {
	return a == b || a.Spec == b.Spec && a.First == b.First && a.Last == b.Last && slices.Equal(a.Sources, b.Sources)
}

// sameEvents says that the rows of two tables, of one delay each, are due at the same steps.
func sameEvents(a, b *backend.Table) bool {
	return a.First == b.First && a.Last == b.Last && slices.Equal(a.Sources, b.Sources) && a.MinDelay == a.MaxDelay && b.MinDelay == b.MaxDelay && a.MinDelay == b.MinDelay
}
