package backend

import (
	"fmt"

	"synfire/engine/ir"
)

// Check says what is wrong with a plan, so that a backend that loads it needs
// to trust nothing: every index is in range, every buffer long enough for the
// lanes that use it, and every record large enough for one step.
func (p *Plan) Check() error {
	if p.Batch < 1 {
		return fmt.Errorf("plan: batch of %d steps, expected at least 1", p.Batch)
	}
	if p.Host < 0 {
		return fmt.Errorf("plan: %d host words", p.Host)
	}
	for i := range p.Bufs {
		if b := &p.Bufs[i]; b.Len < 0 || len(b.Init) > b.Len {
			return fmt.Errorf("buffer %s: length %d, %d initial words", b.Name, b.Len, len(b.Init))
		}
	}
	for _, need := range []struct {
		what string
		b    BufID
		n    int
	}{{"step", p.Step, 1}, {"count of due events", p.Due, 2}} {
		if err := p.holds(need.b, 0, need.n, State); err != nil {
			return fmt.Errorf("plan, %s: %w", need.what, err)
		}
	}
	for i := range p.Events {
		e := &p.Events[i]
		if e.N < 0 || e.History < 1 {
			return fmt.Errorf("event %s: %d neurons, history of %d steps", e.Name, e.N, e.History)
		}
		if err := p.holds(e.Masks, 0, e.History*e.Words(), State); err != nil {
			return fmt.Errorf("event %s, masks: %w", e.Name, err)
		}
	}
	for i := range p.Tables {
		if err := p.checkTable(&p.Tables[i]); err != nil {
			return fmt.Errorf("table %d: %w", i, err)
		}
	}
	for i := range p.Stages {
		if err := p.checkStage(&p.Stages[i]); err != nil {
			return fmt.Errorf("stage %s: %w", p.Stages[i].Name, err)
		}
	}
	return nil
}

// Words is the number of words of one mask.
func (e *Event) Words() int { return (e.N + 31) / 32 }

// holds says whether buffer b has words off..off+n-1 and is of one of kinds.
func (p *Plan) holds(b BufID, off, n int, kinds ...BufKind) error {
	if b < 0 || int(b) >= len(p.Bufs) {
		return fmt.Errorf("buffer %d of %d", b, len(p.Bufs))
	}
	buf := &p.Bufs[b]
	if off < 0 || n < 0 || off > buf.Len-n {
		return fmt.Errorf("words %d to %d of buffer %s, which has %d", off, off+n, buf.Name, buf.Len)
	}
	for _, k := range kinds {
		if buf.Kind == k {
			return nil
		}
	}
	if len(kinds) == 0 {
		return nil
	}
	return fmt.Errorf("buffer %s is of kind %d, expected one of %v", buf.Name, buf.Kind, kinds)
}

func (p *Plan) checkTable(t *Table) error {
	if t.Spec == nil {
		return fmt.Errorf("no synapses given")
	}
	if t.MinDelay < 0 || t.MaxDelay < t.MinDelay || t.MaxDelay > 65535 {
		return fmt.Errorf("%s: delays %d to %d steps, expected 0 to 65535", t.Spec.Name, t.MinDelay, t.MaxDelay)
	}
	for _, s := range t.Sources {
		if s.Event < 0 || s.Event >= len(p.Events) {
			return fmt.Errorf("%s: event %d of %d", t.Spec.Name, s.Event, len(p.Events))
		}
		e := &p.Events[s.Event]
		if s.Lo < 0 || s.Hi < s.Lo || s.Hi > e.N {
			return fmt.Errorf("%s: neurons %d to %d of %s, which has %d", t.Spec.Name, s.Lo, s.Hi, e.Name, e.N)
		}
		if e.History <= t.MaxDelay {
			return fmt.Errorf("%s: a delay of %d steps, but %s keeps %d", t.Spec.Name, t.MaxDelay, e.Name, e.History)
		}
	}
	return nil
}

func (p *Plan) checkStage(s *Stage) error {
	if s.Flag < -1 || s.Flag >= p.Host {
		return fmt.Errorf("flag is host word %d of %d", s.Flag, p.Host)
	}
	switch s.Form {
	case FormMap:
		return p.checkProg(s, s.N)
	case FormInject:
		return p.checkInject(s)
	case FormDeliver, FormEffect:
		if s.Table < 0 || s.Table >= len(p.Tables) {
			return fmt.Errorf("table %d of %d", s.Table, len(p.Tables))
		}
		if s.Count < 0 {
			return fmt.Errorf("a due synapse counts as %d events", s.Count)
		}
		t, rows := &p.Tables[s.Table], p.Tables[s.Table].Spec.NSrc
		if s.Post {
			rows = t.Spec.NTgt
		}
		for _, src := range t.Sources {
			if src.Row0 < 0 || src.Row0+src.Hi-src.Lo > rows {
				return fmt.Errorf("%s: %d neurons as rows from %d of %d", t.Spec.Name, src.Hi-src.Lo, src.Row0, rows)
			}
		}
		if s.Form == FormEffect {
			return p.checkProg(s, 0)
		}
		return p.holds(s.Acc, 0, t.Spec.NTgt, Scratch)
	case FormSample, FormSpikes:
		return p.checkRec(s)
	}
	return fmt.Errorf("unknown form %d", s.Form)
}

func (p *Plan) checkProg(s *Stage, n int) error {
	if s.Prog == nil || n < 0 {
		return fmt.Errorf("no program, or %d lanes", n)
	}
	if len(s.Bind) != len(s.Prog.Slots) || len(s.Trap) != s.Prog.Traps {
		return fmt.Errorf("%d bindings for %d slots, %d meanings for %d traps", len(s.Bind), len(s.Prog.Slots), len(s.Trap), s.Prog.Traps)
	}
	if err := s.Prog.Verify(); err != nil {
		return err
	}
	for i, b := range s.Bind {
		slot := &s.Prog.Slots[i]
		if err := p.checkBind(b, slot.Kind, n, s.Form); err != nil {
			return fmt.Errorf("slot %s: %w", slot.Name, err)
		}
	}
	for _, in := range s.Prog.Ins {
		if in.Op == ir.Store && s.Bind[in.Imm].Buf == NoBuf {
			return fmt.Errorf("slot %s is written, but it is an end of the synapse", s.Prog.Slots[in.Imm].Name)
		}
		if in.Phase != 0 {
			return fmt.Errorf("a plan's programs work on the current step, this one on step +%d", in.Phase)
		}
		if in.Op == ir.Host && int(in.Imm) >= p.Host {
			return fmt.Errorf("host word %d of %d", in.Imm, p.Host)
		}
	}
	for _, a := range p.program(s, nil) {
		if a.Write && a.Event < 0 && p.Bufs[a.Buf].Kind == Constant {
			return fmt.Errorf("slot %s is written, but its words are constant during a Run", s.Prog.Slots[s.Prog.Ins[a.Instr].Imm].Name)
		}
	}
	return nil
}

func (p *Plan) checkBind(b Binding, k ir.Kind, n int, f Form) error {
	switch {
	case k == ir.Mask && f == FormEffect:
		return fmt.Errorf("a mask is of neurons, the lanes of an effect are synapses")
	case k == ir.Mask:
		if b.Event < 0 || b.Event >= len(p.Events) || p.Events[b.Event].N < n {
			return fmt.Errorf("event %d of %d, for %d lanes", b.Event, len(p.Events), n)
		}
		return nil
	case b.Buf == NoBuf && f == FormEffect && k == ir.Array && (b.Off == SlotSource || b.Off == SlotTarget):
		return nil
	case p.hidden(b.Buf):
		return fmt.Errorf("%s is kept by the backend; programs use ir.Step and mask slots", p.Bufs[b.Buf].Name)
	case k == ir.Array:
		return p.holds(b.Buf, b.Off, n, State, Constant, Scratch)
	}
	return p.holds(b.Buf, b.Off, min(n, 1), State, Constant, Scratch)
}

// hidden says that only the backend itself touches a buffer during a Run.
func (p *Plan) hidden(b BufID) bool {
	for i := range p.Events {
		if b == p.Events[i].Masks {
			return true
		}
	}
	return b == p.Step || b == p.Due
}

func (p *Plan) checkInject(s *Stage) error {
	if s.Event < 0 || s.Event >= len(p.Events) {
		return fmt.Errorf("event %d of %d", s.Event, len(p.Events))
	}
	if len(s.Start) != len(s.Steps)+1 || s.Start[0] < 0 || int(s.Start[len(s.Steps)]) > len(s.Index) || s.Period < 0 {
		return fmt.Errorf("%d starts for %d steps, period %d", len(s.Start), len(s.Steps), s.Period)
	}
	for k, at := range s.Steps {
		if s.Start[k+1] < s.Start[k] || k > 0 && at <= s.Steps[k-1] || at < 0 || s.Period > 0 && at >= s.Period {
			return fmt.Errorf("spikes of step %d do not ascend or lie past the period %d", at, s.Period)
		}
	}
	for _, i := range s.Index {
		if int(i) >= p.Events[s.Event].N {
			return fmt.Errorf("neuron %d of %d", i, p.Events[s.Event].N)
		}
	}
	return nil
}

func (p *Plan) checkRec(s *Stage) error {
	r := &s.Rec
	if len(r.Src) != len(r.Dst) {
		return fmt.Errorf("%d sources for %d records", len(r.Src), len(r.Dst))
	}
	if err := p.holds(r.Count, 0, p.Batch, Record); err != nil {
		return fmt.Errorf("counts: %w", err)
	}
	need, reach := r.Width(), r.Reach()
	if s.Form == FormSpikes {
		if s.Event < 0 || s.Event >= len(p.Events) || r.Lo < 0 || r.Hi < r.Lo || r.Hi > p.Events[s.Event].N {
			return fmt.Errorf("neurons %d to %d of event %d", r.Lo, r.Hi, s.Event)
		}
		need, reach = r.Hi-r.Lo, r.Hi
		if err := p.holds(r.Index, 0, need, Record); err != nil {
			return fmt.Errorf("room for one step: %w", err)
		}
	}
	for k, d := range r.Dst {
		if err := p.holds(d, 0, need, Record); err != nil {
			return fmt.Errorf("room for one step: %w", err)
		}
		if err := p.checkBind(r.Src[k], ir.Array, reach, s.Form); err != nil {
			return fmt.Errorf("source: %w", err)
		}
	}
	return nil
}

// Width is the number of items that a sample takes.
func (r *Rec) Width() int {
	if r.Items != nil {
		return len(r.Items)
	}
	return r.N
}
