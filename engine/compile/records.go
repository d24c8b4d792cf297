package compile

import (
	"fmt"
	"math"
	"slices"

	"synfire/engine/backend"
	"synfire/engine/eqn"
	"synfire/engine/ir"
	"synfire/engine/model"
)

// RecordRef is a record of the plan and whom its entries are for.
type RecordRef struct {
	Rec   backend.Rec       // its buffers in the plan
	vars  []*model.Variable // of each value
	To    []model.Taker     // those that take its entries
	Event *model.GroupEvent // a record of all events of a population; nil: another one
	Pop   int               // the number of the population, in the hash of spikes
}

// Shown refuses values of subexpressions that have none, or that a clamp has
// changed: a record holds what Brian2 would record, or there is none.
func (r *RecordRef) Shown(n *model.Network, b *model.Batch) error {
	for k, v := range r.vars {
		if v.Words != nil || v.IrType() != ir.F32 {
			continue
		}
		for q, w := range b.Values[k] {
			if w&(1<<31-1) < math.Float32bits(model.MostShown) {
				continue
			}
			at, each := 0, r.Rec.N // the step of the entry, and the neuron
			for left := q; at < len(b.Counts)-1; at++ {
				entries := int(b.Counts[at]) * max(1, each)
				if left -= entries; left < 0 {
					break
				}
			}
			who := v.OwnerName() // and which neuron of it
			switch {
			case b.Index != nil:
				who += fmt.Sprintf("[%d]", b.Index[q])
			case r.Rec.Items != nil:
				who += fmt.Sprintf("[%d]", r.Rec.Items[q%each])
			}
			_, err := model.WordOf(v.Symbol, v.Dt(), w, eqn.Float, model.MostShown)
			return fmt.Errorf("%s at %g s, as recorded: %w", who, float64(float64(b.Step+int64(at))*v.Dt()), err)
		}
	}
	return nil
}

// spikes plans the record of an event of a whole population: counts, the hash,
// and the monitors that want no values.
func (c *compiler) spikes(g *model.NeuronGroup, e *model.GroupEvent) error {
	r := &RecordRef{Event: e, Pop: slices.Index(c.n.Groups(), g), To: c.watched[e]}
	if e.Name != "spike" && r.To == nil {
		return nil
	}
	by := g.AutoName
	if g.Generator == nil {
		by += "_" + e.Name + "_thresholder"
	}
	c.Shares[len(c.Plan.Stages)] = []Share{{by, 1}}
	c.record(backend.Stage{Form: backend.FormSpikes, Name: g.Name() + " record " + e.Name, Flag: -1, Event: c.event(g, e), Rec: backend.Rec{Lo: 0, Hi: g.Size}}, g.Size+max(1<<14, g.Size/4), nil, r)
	return nil
}

// record adds a record stage with room for entries entries; src are the values
// taken at each.
func (c *compiler) record(s backend.Stage, entries int, src []backend.Binding, ref *RecordRef) {
	s.Acc = backend.NoBuf
	r := &s.Rec
	r.Index = backend.NoBuf
	r.Count = c.blank(s.Name+" count", backend.Record, ir.U32, c.Plan.Batch)
	if s.Form == backend.FormSpikes {
		r.Index = c.blank(s.Name+" index", backend.Record, ir.U32, entries)
	}
	r.Src = src
	for k, b := range src {
		r.Dst = append(r.Dst, c.blank(fmt.Sprintf("%s value %d", s.Name, k), backend.Record, c.Plan.Bufs[b.Buf].Type, entries))
	}
	c.Plan.Stages = append(c.Plan.Stages, s)
	ref.Rec = s.Rec
	c.Recs = append(c.Recs, ref)
}

// source is where a recorded variable's words are: its buffer, or a temporary
// that a Map stage fills where it is worked out from others. With spread, a shared
// variable has a word for each neuron.
func (c *compiler) source(v *model.Variable, owner string, ago, flag int, spread bool) (backend.Binding, error) {
	spread = spread && v.Shared
	y := c.image(v).Sym
	derived := v.Words == nil || v.Name == "not_refractory" && v.Group.RefKind == model.RefConst
	if !derived && !spread {
		return backend.Binding{Buf: c.variable(v, false), Event: -1}, nil
	}
	g := v.Group
	sc := c.scope(g)
	l := c.lanes(g, "value of "+v.Name+" for "+owner)
	l.Ago = ago
	l.Single = v.Shared && !spread
	var x ir.Value
	if derived && y.Steps { // a link
		x = l.Load(y)
	} else if derived {
		r, typ, _, err := eqn.LowerExpr(l.B, &eqn.Name{ID: v.Name}, sc, l)
		if err != nil {
			return backend.Binding{}, sc.Explain(err)
		}
		x = model.As(l.B, r, typ, y)
	} else {
		x = l.Load(y)
	}
	n := v.Count
	if spread {
		n = g.Size
	}
	out := &model.Scratch{Name: g.Name() + "." + v.Name + " for " + owner, Typ: model.IrType(y), N: n}
	l.B.StoreRaw(l.Slot("out", ir.Array, out.Typ, model.Memory{Out: out}), x)
	if err := c.stage(l, n, flag, nil); err != nil {
		return backend.Binding{}, err
	}
	return backend.Binding{Buf: c.bufs[bufKey{key: out}], Event: -1}, nil
}

// valuesAt plans the record of some neurons' events with values at each.
func (c *compiler) valuesAt(m model.Monitor, w *model.Watch) error {
	var src []backend.Binding
	for _, v := range w.Values {
		b, err := c.source(v, c.random.Draws(m), 0, c.flag(w.Of.Group.Dt()), true)
		if err != nil {
			return err
		}
		src = append(src, b)
	}
	size := w.Of.Hi - w.Of.Lo
	c.record(backend.Stage{Form: backend.FormSpikes, Name: w.Name, Flag: -1, Event: c.event(w.Of.Group, w.Event), Rec: backend.Rec{Lo: w.Of.Lo, Hi: w.Of.Hi}},
		size+max(1<<14, size/4), src, &RecordRef{vars: w.Values, To: []model.Taker{w.To}})
	return nil
}

// sample plans the record of a variable now and then.
func (c *compiler) sample(m model.Monitor, w *model.Watch) error {
	flag := c.flagOf(m.Base())
	var b backend.Binding
	var err error
	rec := backend.Rec{N: 1}
	if w.Sampled.Syn != nil {
		b, rec.Items, err = c.pickedSource(w.Sampled, c.random.Draws(m), w.Items, flag)
		rec.N = max(1, len(rec.Items))
	} else {
		b, err = c.source(w.Sampled, c.random.Draws(m), c.ago(w.When), flag, false)
	}
	if err != nil {
		return err
	}
	if w.Sampled.Syn == nil && !w.Sampled.Shared {
		rec.N, rec.Items = len(w.Items), make([]uint32, len(w.Items))
		for k, i := range w.Items {
			rec.Items[k] = uint32(i)
		}
	}
	ref := &RecordRef{To: []model.Taker{w.To}}
	if !w.Ignored {
		ref.vars = []*model.Variable{w.Sampled}
	}
	samples := max(1, min(c.Plan.Batch, 1<<22/rec.N))
	c.record(backend.Stage{Form: backend.FormSample, Name: w.Name, Flag: flag, Event: -1, Rec: rec}, samples*rec.N, []backend.Binding{b}, ref)
	return nil
}

// history gives every event the masks that its longest delay asks for, once it is
// known that the host and the program have room for them.
func (c *compiler) history() error {
	need := make([]int, len(c.Plan.Events))
	for k := range need {
		need[k] = 1
	}
	for _, t := range c.Plan.Tables {
		for _, s := range t.Sources {
			need[s.Event] = max(need[s.Event], t.MaxDelay+1)
		}
	}
	events := make([]*model.GroupEvent, len(c.Plan.Events)) // nil: of every step
	for e, k := range c.evs {
		events[k] = e
		if c.middle { // tables whose last effect has been go, the steps that were kept for them stay
			need[k] = max(need[k], e.Hist)
		}
	}
	masks, largest := int64(0), 0
	for k := range events {
		p := &c.Plan.Events[k]
		p.History = need[k]
		masks += 4 * int64(need[k]) * int64(p.Words())
		if need[k]*p.Words() > need[largest]*c.Plan.Events[largest].Words() {
			largest = k
		}
	}
	word := int64(0) // of the largest buffer of state: Hash reads one after the other
	for k := range c.Plan.Bufs {
		if c.Plan.Bufs[k].Kind == backend.State {
			word = max(word, int64(c.Plan.Bufs[k].Len))
		}
	}
	if len(events) > 0 {
		p := &c.Plan.Events[largest]
		word = max(word, int64(p.History)*int64(p.Words()))
		if err := c.w.Room(2*masks+4*word, "%s is kept for the %d steps of the longest delay", p.Name, p.History-1); err != nil {
			return fmt.Errorf("%w; shorten the longest delays, or take a larger dt", err)
		}
	}
	c.Own = masks + 4*word
	for k, e := range events {
		p := &c.Plan.Events[k]
		words := p.Words()
		masks := make([]uint32, need[k]*words)
		if e == nil {
			p.Masks = c.buffer(p.Name+" masks", backend.State, ir.U32, masks)
			continue
		}
		for s := c.n.Step - 1; s >= 0 && s > c.n.Step-1-int64(min(e.Hist, need[k])); s-- {
			from, to := int(s%int64(e.Hist))*words, int(s%int64(need[k]))*words
			copy(masks[to:to+words], e.Masks[from:from+words])
		}
		c.masks[e] = mask{masks, need[k]}
		p.Masks = c.buffer(p.Name+" masks", backend.State, ir.U32, masks)
		c.Keep = append(c.Keep, kept{p.Masks, masks, nil})
	}
	return nil
}
