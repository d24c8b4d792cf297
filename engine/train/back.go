package train

import (
	"math"
	"math/bits"

	"synfire/engine/backend"
	"synfire/engine/ir"
)

func floatOf(w uint32) float32 { return math.Float32frombits(w) }

// back goes back through the step in hand.
func (w *world) back(from taped) {
	l := w.l
	at := l.first + int64(w.n)
	d := w.read.D[w.n*w.read.N:][:w.read.N]
	for i, x := range d { // the loss has seen the end of the step
		if w.watched.event >= 0 {
			if e := w.eventRow(w.watched.event, at); e != nil {
				e[i] += x
			}
		} else if b := w.d[w.watched.buf]; b != nil {
			b[w.watched.lo+i] += x * w.watched.scale
		}
	}
	for k := len(l.stages) - 1; k >= 0; k-- {
		s := l.stages[k]
		if !s.back || !w.runs(s) {
			continue
		}
		switch s.Form {
		case backend.FormMap:
			s.rev.Lanes(from[k].columns, s.N, w.derivatives(s), &w.scratch)
		case backend.FormDeliver, backend.FormEffect:
			if s.syn.constant {
				w.backDeliver(s)
			} else {
				w.backEffect(s, &from[k])
			}
		}
	}
	for k := range l.plan.Bufs {
		if w.d[k] != nil && l.plan.Bufs[k].Kind == backend.Scratch {
			clear(w.d[k])
		}
	}
	for k := range w.events {
		if w.events[k] != nil {
			clear(w.eventRow(k, at))
		}
	}
}

// eventRow is the derivatives with respect to the events of a step.
func (w *world) eventRow(event int, step int64) []float64 {
	if w.events[event] == nil {
		return nil
	}
	e := &w.l.plan.Events[event]
	row := int(step % int64(e.History))
	return w.events[event][row*e.N : (row+1)*e.N]
}

func (w *world) derivatives(s *stage) *ir.Derivatives {
	d := &ir.Derivatives{Slots: make([][]float64, len(s.Bind)), Surrogate: s.surrogate}
	for k, b := range s.Bind {
		switch {
		case s.Prog.Slots[k].Kind == ir.Mask:
			d.Slots[k] = w.eventRow(b.Event, w.l.first+int64(w.n))
		case b.Buf != backend.NoBuf && w.d[b.Buf] != nil:
			d.Slots[k] = w.d[b.Buf][b.Off:]
		}
	}
	return d
}

// groups calls f for the synapses of each row and delay that a step may bring: what
// they are due to (event and step, nil: from before the sample), whether they are due.
func (w *world) groups(s *stage, dense bool, f func(lo, hi int, due bool, spike *float64)) {
	t := &w.l.plan.Tables[s.Table]
	for d, delay := range s.syn.delays {
		n := w.n - int(delay)
		at := w.l.first + int64(n)
		if at < 0 || at < t.First || at > t.Last {
			continue
		}
		for _, src := range t.Sources {
			row := w.row(src.Event, n)
			group := func(i int) (lo, hi int) {
				g := (src.Row0+i-src.Lo)*len(s.syn.delays) + d
				return int(s.syn.index[g]), int(s.syn.index[g+1])
			}
			if derivatives := w.eventRow(src.Event, max(0, at)); dense && derivatives != nil && n >= 0 {
				for i := src.Lo; i < src.Hi; i++ {
					if lo, hi := group(i); lo < hi {
						f(lo, hi, row[i/32]>>(i%32)&1 != 0, &derivatives[i])
					}
				}
				continue
			}
			for q := src.Lo / 32; q*32 < src.Hi; q++ {
				for word := row[q]; word != 0; word &= word - 1 {
					if i := q*32 + bits.TrailingZeros32(word); i >= src.Lo && i < src.Hi {
						lo, hi := group(i)
						f(lo, hi, true, nil)
					}
				}
			}
		}
	}
}

// backDeliver goes back through synapses whose contributions never change.
func (w *world) backDeliver(s *stage) {
	own := w.sums[s]
	w.groups(s, w.l.fed(s), func(lo, hi int, due bool, spike *float64) {
		g := 0.0
		for k := range s.syn.sums {
			x := &s.syn.sums[k]
			acc := w.d[x.buf]
			if acc == nil {
				continue
			}
			acc = acc[x.off:]
			if spike != nil {
				at, c := x.at[lo:hi], x.x[lo:hi]
				for q, to := range at {
					g += float64(acc[to] * c[q])
				}
			}
			if due && own != nil {
				at, sum := x.at[lo:hi], own[k][lo:hi]
				for q, to := range at {
					sum[q] += acc[to]
				}
			}
		}
		if spike != nil {
			*spike += g
		}
	})
}

// backEffect goes back through synapses that ran a program.
func (w *world) backEffect(s *stage, from *tape) {
	if from.all {
		w.groups(s, true, func(lo, hi int, _ bool, spike *float64) {
			if spike == nil {
				return
			}
			n := 0
			for slot := range s.Prog.Ins {
				in := &s.Prog.Ins[slot]
				if in.Op != ir.Scatter && in.Op != ir.Scatter2 {
					continue
				}
				at, x := from.sums[2*n], from.sums[2*n+1]
				n++
				b := s.Bind[in.Imm]
				if acc := w.d[b.Buf]; acc != nil {
					for _, k := range s.syn.k[lo:hi] {
						*spike += float64(acc[b.Off+int(at[k])] * x[k])
					}
				}
			}
		})
	}
	if len(from.due) == 0 {
		return
	}
	d := w.derivatives(s)
	columns := make([][]uint32, len(from.columns))
	for c := range columns {
		columns[c] = make([]uint32, len(from.due))
		for q, k := range from.due {
			columns[c][q] = from.columns[c][k]
		}
	}
	whole := make([][]float64, len(d.Slots))
	for k, s := range s.Prog.Slots { // lanes are those due
		if s.Kind == ir.Array && d.Slots[k] != nil {
			whole[k], d.Slots[k] = d.Slots[k], make([]float64, len(from.due))
			for q, lane := range from.due {
				d.Slots[k][q] = whole[k][lane]
			}
		}
	}
	s.rev.Lanes(columns, len(from.due), d, &w.scratch)
	for k := range whole {
		if whole[k] != nil {
			for q, lane := range from.due {
				whole[k][lane] = d.Slots[k][q]
			}
		}
	}
}
