package backend

import "synfire/engine/ir"

// Access is what one stage touches in one buffer: the words from Lo up to Hi.
// Everything that asks what a stage reads and writes asks here: Check, Sharing,
// the order of stages in a backend, and Plan.String.
type Access struct {
	Buf    BufID // of an event's mask: Events[Event].Masks, and Lo and Hi count neurons
	Event  int   // a mask of this event; -1: words
	Lo, Hi int
	Lane   bool // lane k of the stage touches word Lo+k alone
	Write  bool
	Add    bool // additions of whole numbers, which commute (with Write)
	Past   int  // of a mask that is read: that of so many steps ago and older ones; 0: this step's
	Instr  int  // the instruction of Prog that does it; -1: the form itself
}

// toTheEnd is the Hi of what an index reaches that only the lanes know.
const toTheEnd = 1 << 62

// Accesses lists what stage s reads and writes, in the order in which it does.
// Records are left out, since no other stage touches them, and so are the ends
// of synapses, which are no words of a buffer.
func (p *Plan) Accesses(s *Stage) []Access {
	var out []Access
	mask := func(event int, write bool, past, instr int) {
		e := &p.Events[event]
		out = append(out, Access{Buf: e.Masks, Event: event, Hi: e.N, Lane: past == 0, Write: write, Past: past, Instr: instr})
	}
	sources := func() {
		t := &p.Tables[s.Table]
		for k, src := range t.Sources {
			seen := false
			for _, o := range t.Sources[:k] {
				seen = seen || o.Event == src.Event
			}
			if !seen {
				mask(src.Event, false, t.MinDelay, -1)
				out[len(out)-1].Lane = false
			}
		}
	}
	words := func(src []Binding, n int) {
		for _, b := range src {
			out = append(out, Access{Buf: b.Buf, Event: -1, Lo: b.Off, Hi: b.Off + n, Lane: true, Instr: -1})
		}
	}
	switch s.Form {
	case FormInject:
		mask(s.Event, true, 0, -1)
	case FormDeliver:
		sources()
		out = append(out, Access{Buf: s.Acc, Event: -1, Hi: p.Tables[s.Table].Spec.NTgt, Write: true, Add: true, Instr: -1})
	case FormSample:
		words(s.Rec.Src, s.Rec.Reach())
	case FormSpikes:
		mask(s.Event, false, 0, -1)
		words(s.Rec.Src, s.Rec.Hi)
	case FormEffect:
		sources()
		out = p.program(s, out)
	case FormMap:
		out = p.program(s, out)
	}
	return out
}

// program appends what a stage's program touches.
func (p *Plan) program(s *Stage, out []Access) []Access {
	for n := range s.Prog.Ins {
		in := &s.Prog.Ins[n]
		a := Access{Event: -1, Hi: toTheEnd, Instr: n}
		switch in.Op {
		case ir.Load, ir.Store:
			a.Write = in.Op == ir.Store
		case ir.Gather, ir.Uniform:
		case ir.Put:
			a.Write = true
		case ir.Scatter, ir.Scatter2:
			a.Write, a.Add = true, true
		case ir.Bit, ir.StoreBit:
			a.Write = in.Op == ir.StoreBit
			a.Event = s.Bind[in.Imm].Event
		default:
			continue
		}
		switch b := s.Bind[in.Imm]; {
		case a.Event >= 0:
			a.Buf, a.Hi, a.Lane = p.Events[a.Event].Masks, p.Events[a.Event].N, s.Form == FormMap
		case b.Buf == NoBuf:
			continue
		default:
			a.Buf, a.Lo = b.Buf, b.Off
			switch {
			case in.Op == ir.Uniform:
				a.Hi = b.Off + 1
			case (in.Op == ir.Load || in.Op == ir.Store) && s.Form == FormMap:
				a.Lane, a.Hi = true, b.Off+s.N
			}
		}
		out = append(out, a)
	}
	return out
}

// Reach is the number of items that a sample's largest one needs.
func (r *Rec) Reach() int {
	if r.Items == nil {
		return r.N
	}
	n := 0
	for _, i := range r.Items {
		n = max(n, int(i)+1)
	}
	return n
}
