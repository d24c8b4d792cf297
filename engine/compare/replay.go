package compare

import (
	"fmt"
	"slices"
	"strings"

	"synfire/engine/backend"
	"synfire/engine/host"
	"synfire/engine/ir"
)

// replay finds the stage of the step at which two backends part: it runs the
// step's first stages alone, from the state in which they still agree, and
// bisects over how many.
func (d *Difference) replay(a, b *Side, s *Snapshot) {
	ba, err := a.Open()
	if err != nil {
		d.Reason = "the stages could not be tried: " + err.Error()
		return
	}
	defer ba.Close()
	bb, err := b.Open()
	if err != nil {
		d.Reason = "the stages could not be tried: " + err.Error()
		return
	}
	defer bb.Close()
	var found []Word
	probe := func(points []int64) (int, error) {
		for k, n := range points {
			p := s.prefix(int(n))
			x, err := s.step(ba, p)
			if err != nil {
				return 0, err
			}
			y, err := s.step(bb, p)
			if err != nil {
				return 0, err
			}
			if w := Words(p, x, y, d.Step+1); len(w) > 0 {
				found = w
				return k, nil
			}
		}
		return -1, nil
	}
	n := int64(len(s.plan.Stages))
	whole, err := probe([]int64{n})
	if err == nil && whole < 0 {
		d.Reason = "the step gives equal results when it is run again alone: the difference depends on how steps are batched, or on the machine; written by " + d.writers(s.plan)
		if a.Inject != nil || b.Inject != nil {
			d.Reason = "none makes this difference: the word was changed on purpose when the step was done"
		}
		return
	}
	var k int64
	if err == nil {
		k, err = First(0, n, 2, probe)
	}
	if err != nil {
		d.Reason = fmt.Sprintf("the stages could not be tried one by one (%v); written by %s", err, d.writers(s.plan))
		return
	}
	st := &s.plan.Stages[k-1]
	d.Stage = st.Name
	d.Reason = fmt.Sprintf("stage %d of %d: before it both are equal, after it they are not", k, n)
	d.first(s.plan, st, found)
}

// first puts what a stage wrote before everything else, as found after it: its
// accumulators are not among the words at the end of the step.
func (d *Difference) first(p *backend.Plan, st *backend.Stage, found []Word) {
	own := map[string]bool{}
	for _, b := range writes(p, st) {
		if b != backend.NoBuf {
			own[p.Bufs[b].Name] = true
		}
	}
	for _, w := range found {
		if own[w.Buffer] && !slices.ContainsFunc(d.Words, func(x Word) bool { return x.Buffer == w.Buffer }) {
			d.Words = append(d.Words, w)
		}
	}
	slices.SortStableFunc(d.Words, func(x, y Word) int {
		switch {
		case own[x.Buffer] == own[y.Buffer]:
			return 0
		case own[x.Buffer]:
			return -1
		}
		return 1
	})
}

// writers names the stages that write the first differing buffer.
func (d *Difference) writers(p *backend.Plan) string {
	var names []string
	for i := range p.Stages {
		for _, b := range writes(p, &p.Stages[i]) {
			if b != backend.NoBuf && p.Bufs[b].Name == d.Words[0].Buffer && !slices.Contains(names, p.Stages[i].Name) {
				names = append(names, p.Stages[i].Name)
			}
		}
	}
	if names == nil {
		return "no stage"
	}
	return strings.Join(names, ", ")
}

// prefix is the plan with its first n stages alone. Accumulators that the last
// of them adds to are copied into state of their own, so that they can be seen.
func (s *Snapshot) prefix(n int) *backend.Plan {
	p := *s.plan
	p.Bufs = slices.Clone(s.plan.Bufs)
	p.Stages = slices.Clone(s.plan.Stages[:n])
	if n == 0 || n == len(s.plan.Stages) {
		return &p
	}
	for _, b := range writes(s.plan, &s.plan.Stages[n-1]) {
		if b == backend.NoBuf || p.Bufs[b].Kind != backend.Scratch || p.Bufs[b].Len == 0 {
			continue
		}
		buf := p.Bufs[b]
		x := ir.NewBuilder("copy of " + buf.Name)
		from, to := x.Slot("from", ir.Array, buf.Type), x.Slot("to", ir.Array, buf.Type)
		x.StoreRaw(to, x.Load(from))
		prog, err := x.Prog()
		if err != nil {
			continue
		}
		p.Bufs = append(p.Bufs, backend.Buf{Name: buf.Name, Kind: backend.State, Type: buf.Type, Len: buf.Len})
		p.Stages = append(p.Stages, backend.Stage{Form: backend.FormMap, Name: prog.Name, Flag: -1, N: buf.Len, Prog: prog, Acc: backend.NoBuf,
			Bind: []backend.Binding{{Buf: b, Event: -1}, {Buf: backend.BufID(len(p.Bufs) - 1), Event: -1}}})
	}
	return &p
}

// step runs one step of a plan from the snapshot's state and returns the state
// after it.
func (s *Snapshot) step(b backend.Backend, p *backend.Plan) ([][]uint32, error) {
	prog, err := b.Load(host.Work{}, p)
	if err != nil {
		return nil, err
	}
	defer prog.Close()
	for i, words := range s.Pre {
		if p.Bufs[i].Kind == backend.State && len(words) > 0 {
			if err := prog.Write(backend.BufID(i), words); err != nil {
				return nil, err
			}
		}
	}
	if _, err := prog.Run(1, s.Host); err != nil {
		return nil, err
	}
	return States(prog, p)
}
