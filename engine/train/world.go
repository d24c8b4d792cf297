package train

import (
	"math/bits"
	"slices"

	"synfire/engine/backend"
	"synfire/engine/ir"
)

// world is the memory of one sample at a time: the words of the plan's buffers, and
// the derivatives with respect to them.
type world struct {
	l       *loaded
	bufs    [][]uint32
	own     []bool      // by buffer: not the plan's own words
	d       [][]float64 // by buffer; nil where it does not vary
	events  [][]float64 // by event: as many rows as its masks
	sums    map[*stage][][]float64
	seen    [][]uint32 // by event: its masks from History-1 steps before the first on
	tapes   []taped    // by step of the segment in hand
	saved   [][][]uint32
	read    *Readout
	n       int // the step in hand, counted from the first
	drawn   uint32
	inject  map[int]*Spikes
	scratch ir.Scratch
	watched reading
}

// taped is what a step leaves for the way back, by stage.
type taped []tape

type tape struct {
	columns [][]uint32
	due     []uint32 // FormEffect: the synapses that were due
	all     bool     // columns are of all synapses, else of those due
	sums    [][]float64
}

// reading is what the loss reads.
type reading struct {
	event int // -1: words
	buf   backend.BufID
	lo, n int
	scale float64
}

func (l *loaded) newWorld(r reading) *world {
	w := &world{l: l, sums: map[*stage][][]float64{}, watched: r}
	for k := range l.plan.Bufs {
		b := &l.plan.Bufs[k]
		own := b.Kind != backend.Constant || len(b.Init) < b.Len
		words := b.Init
		if own {
			words = make([]uint32, b.Len)
		}
		w.bufs, w.own = append(w.bufs, words), append(w.own, own)
		var d []float64
		if l.varies[k] {
			d = make([]float64, b.Len)
		}
		w.d = append(w.d, d)
	}
	for k := range l.plan.Events {
		e := &l.plan.Events[k]
		var d []float64
		if l.fires[k] {
			d = make([]float64, e.History*e.N)
		}
		w.events = append(w.events, d)
		w.seen = append(w.seen, make([]uint32, (e.History-1+l.steps)*e.Words()))
	}
	for _, s := range l.stages {
		if s.syn != nil && s.syn.constant && s.syn.trained {
			for range s.syn.sums {
				w.sums[s] = append(w.sums[s], make([]float64, len(s.syn.k)))
			}
		}
	}
	w.read = &Readout{Steps: l.steps, N: r.n, X: make([]float64, l.steps*r.n), D: make([]float64, l.steps*r.n)}
	return w
}

// begin brings the words to where a sample begins.
func (w *world) begin(s *Sample, inputs []*input, drawn uint32) {
	w.n, w.drawn = 0, drawn
	for _, d := range w.d { // a sample that broke off leaves derivatives
		clear(d)
	}
	for _, e := range w.events {
		clear(e)
	}
	for _, x := range w.sums {
		for _, y := range x {
			clear(y)
		}
	}
	for k := range w.bufs {
		if w.own[k] {
			clear(w.bufs[k][copy(w.bufs[k], w.l.plan.Bufs[k].Init):])
		}
	}
	w.inject = map[int]*Spikes{}
	for k, in := range inputs {
		x := &s.Inputs[k]
		if in.event >= 0 {
			w.inject[in.event] = &x.Spikes
			continue
		}
		for _, b := range in.bufs {
			if !w.own[b] {
				w.bufs[b], w.own[b] = slices.Clone(w.bufs[b]), true
			}
			copy(w.bufs[b][in.lo:], x.words)
		}
	}
	for k := range w.seen {
		clear(w.seen[k])
		e := &w.l.plan.Events[k]
		for back := 1; back < e.History; back++ { // what is in flight
			if s := w.l.first - int64(back); s >= 0 {
				copy(w.row(k, -back), w.mask(k, s))
			}
		}
	}
}

// row is the events of step n of the sample.
func (w *world) row(event, n int) []uint32 {
	e := &w.l.plan.Events[event]
	at := (n + e.History - 1) * e.Words()
	return w.seen[event][at : at+e.Words()]
}

// mask is the row of a step in the plan's own buffer.
func (w *world) mask(event int, step int64) []uint32 {
	e := &w.l.plan.Events[event]
	at := int(step%int64(e.History)) * e.Words()
	return w.bufs[e.Masks][at : at+e.Words()]
}

// moment is the time in an Env.
func (w *world) moment(e *ir.Env) {
	e.Step = uint32(w.l.first) + uint32(w.n)
	e.Seed = w.l.plan.Key()
	e.Drawn = uint32(w.l.plan.Drawn) - w.drawn
	e.Host, e.HostN = w.l.host[w.n*w.l.plan.Host:], w.l.plan.Host
}

func (w *world) env(s *stage) *ir.Env {
	e := &ir.Env{Slots: make([][]uint32, len(s.Bind), len(s.Bind)+16), Traps: make([]uint32, len(s.Trap))}
	w.moment(e)
	for k, b := range s.Bind {
		if s.Prog.Slots[k].Kind == ir.Mask {
			e.Slots[k] = w.mask(b.Event, w.l.first+int64(w.n))
		} else {
			e.Slots[k] = w.bufs[b.Buf][b.Off:]
		}
	}
	for k := range e.Traps {
		e.Traps[k] = ir.NoTrap
	}
	return e
}

// runs says whether a stage runs in the step in hand.
func (w *world) runs(s *stage) bool {
	return s.Flag < 0 || w.l.host[w.n*w.l.plan.Host+s.Flag] != 0
}

// step makes a step; with a tape it leaves there what the way back needs.
func (w *world) step(to taped) error {
	l := w.l
	at := l.first + int64(w.n)
	for k := range l.plan.Events {
		clear(w.mask(k, at))
	}
	var fault *backend.Fault
	for k, s := range l.stages {
		if !w.runs(s) {
			continue
		}
		var err error
		switch s.Form {
		case backend.FormMap:
			e := w.env(s)
			if to != nil && s.back {
				t := *e
				t.Slots = append(slices.Clip(e.Slots), to[k].columns...)
				s.tape.Run(&t, 0, s.N)
			}
			s.code.Run(e, 0, s.N)
			err = w.trapped(s, e)
		case backend.FormInject:
			w.injected(s, at)
		case backend.FormDeliver, backend.FormEffect:
			if s.syn.constant {
				w.deliver(s)
				continue
			}
			var t *tape
			if to != nil && s.back {
				t = &to[k]
			}
			err = w.effect(s, t)
		}
		if f, ok := err.(*backend.Fault); ok {
			if fault == nil || f.Less(fault) {
				fault = f
			}
		}
	}
	if fault != nil {
		return fault
	}
	for k := range l.plan.Events {
		copy(w.row(k, w.n), w.mask(k, at))
	}
	for k := range l.plan.Bufs {
		if l.plan.Bufs[k].Kind == backend.Scratch {
			clear(w.bufs[k])
		}
	}
	w.bufs[l.plan.Step][0]++
	r := w.read.X[w.n*w.read.N:][:w.read.N]
	for i := range r {
		if w.watched.event >= 0 {
			r[i] = float64(w.row(w.watched.event, w.n)[i/32] >> (i % 32) & 1)
		} else {
			r[i] = float64(floatOf(w.bufs[w.watched.buf][w.watched.lo+i])) * w.watched.scale
		}
	}
	return nil
}

func (w *world) trapped(s *stage, e *ir.Env) error {
	var fault *backend.Fault
	for code, item := range e.Traps {
		if item != ir.NoTrap {
			f := &backend.Fault{Step: w.l.first + int64(w.n), Trap: s.Trap[code], Item: int(item)}
			if fault == nil || f.Less(fault) {
				fault = f
			}
		}
	}
	if fault == nil {
		return nil
	}
	return fault
}

// injected sets the spikes of a SpikeGeneratorGroup, the sample's where it has some.
func (w *world) injected(s *stage, at int64) {
	mask := w.mask(s.Event, at)
	if x, ok := w.inject[s.Event]; ok {
		for _, i := range x.at(w.n) {
			mask[i/32] |= 1 << (i % 32)
		}
		return
	}
	if s.Period > 0 {
		at %= s.Period
	}
	k, _ := slices.BinarySearch(s.Steps, at)
	for ; k < len(s.Steps) && s.Steps[k] == at; k++ {
		for _, i := range s.Index[s.Start[k]:s.Start[k+1]] {
			mask[i/32] |= 1 << (i % 32)
		}
	}
}

// due calls f for each row whose synapses of a delay are due, as positions lo to hi-1
// in the list.
func (w *world) due(s *stage, f func(lo, hi int)) {
	t := &w.l.plan.Tables[s.Table]
	total := 0
	for d, delay := range s.syn.delays {
		n := w.n - int(delay)
		if at := w.l.first + int64(n); at < 0 || at < t.First || at > t.Last {
			continue
		}
		for _, src := range t.Sources {
			row := w.row(src.Event, n)
			if delay == 0 {
				row = w.mask(src.Event, w.l.first+int64(w.n))
			}
			for q := src.Lo / 32; q*32 < src.Hi; q++ {
				for word := row[q]; word != 0; word &= word - 1 {
					i := q*32 + bits.TrailingZeros32(word)
					if i < src.Lo || i >= src.Hi {
						continue
					}
					group := (src.Row0+i-src.Lo)*len(s.syn.delays) + d
					lo, hi := int(s.syn.index[group]), int(s.syn.index[group+1])
					f(lo, hi)
					total += hi - lo
				}
			}
		}
	}
	due := w.bufs[w.l.plan.Due]
	count := uint64(total)*uint64(s.Count) + (uint64(due[1])<<32 | uint64(due[0]))
	due[0], due[1] = uint32(count), uint32(count>>32)
}

// deliver adds what never changes.
func (w *world) deliver(s *stage) {
	w.due(s, func(lo, hi int) {
		for k := range s.syn.sums {
			x := &s.syn.sums[k]
			acc := w.bufs[x.buf][x.off:]
			if !x.wide {
				for q := lo; q < hi; q++ {
					acc[x.at[q]] += uint32(x.word[q])
				}
				continue
			}
			for q := lo; q < hi; q++ {
				to := acc[x.at[q]:][:2]
				sum := (uint64(to[1])<<32 | uint64(to[0])) + x.word[q]
				to[0], to[1] = uint32(sum), uint32(sum>>32)
			}
		}
	})
}

// effect runs the program of what is due.
func (w *world) effect(s *stage, to *tape) error {
	e := &ir.Env{Slots: w.l.effectSlots(s, w), Traps: make([]uint32, len(s.Trap))}
	w.moment(e)
	for k := range e.Traps {
		e.Traps[k] = ir.NoTrap
	}
	if to != nil {
		*to = tape{all: w.l.fed(s)}
		to.columns = w.l.allSynapses(s, s.tape, len(s.rev.Columns), w)
		if to.all {
			to.sums = w.contributions(s)
		}
	}
	w.due(s, func(lo, hi int) {
		for _, k := range s.syn.k[lo:hi] {
			ir.Eval(s.Prog, e, int(k), int(k)+1)
			if to != nil {
				to.due = append(to.due, k)
			}
		}
	})
	return w.trapped(s, e)
}

// contributions are what each synapse would add now: target words and numbers, by number, in turn.
func (w *world) contributions(s *stage) (out [][]float64) {
	values, adds := sums(s.Prog)
	columns := w.l.allSynapses(s, s.adds, len(values), w)
	for _, in := range adds {
		two := in.Op == ir.Scatter2
		at, x := make([]float64, len(s.syn.k)), make([]float64, len(s.syn.k))
		for k := range x {
			if at[k], x[k] = float64(columns[0][k]), float64(int32(columns[1][k])); two {
				at[k], x[k] = 2*at[k], float64(int64(uint64(columns[1][k])|uint64(columns[2][k])<<32))
			}
		}
		out = append(out, at, x)
		columns = columns[2:]
		if two {
			columns = columns[1:]
		}
	}
	return out
}
