package connect

import (
	"context"
	"errors"
	"math"
	"sync/atomic"
	"testing"

	"synfire/engine/host"
	"synfire/engine/ir"
)

// counting is a context that ends after it was asked so many times.
type counting struct {
	context.Context
	asked, after int64
}

func (c *counting) Err() error {
	if atomic.AddInt64(&c.asked, 1) > c.after {
		return context.Canceled
	}
	return nil
}

func work(after int64) (host.Work, *counting) {
	c := &counting{Context: context.Background(), after: after}
	return host.Work{Ctx: c, Threads: 2}, c
}

// always is a condition that holds for every pair.
func always() *ir.Prog {
	b := ir.NewBuilder("condition")
	b.Store(b.Slot("out", ir.Array, ir.Bool), b.B(true))
	p, err := b.Prog()
	if err != nil {
		panic(err)
	}
	return p
}

// TestInterrupted: whatever is drawn, counted or packed asks in every block
// whether to go on, stops at the first that says no, and is as if it had not begun.
func TestInterrupted(t *testing.T) {
	const n = 1500
	given := &Proj{Rule: Given}
	for k := range uint32(1 << 18) {
		given.I, given.J = append(given.I, k%n), append(given.J, k*7%n)
	}
	for name, p := range map[string]*Proj{
		"condition":       {Rule: AllToAll, Cond: always()},
		"all to all":      {Rule: AllToAll},
		"probability":     {Rule: Bernoulli, P: 0.2},
		"total":           {Rule: FixedTotal, N: 1 << 18},
		"different":       {Rule: FixedTotal, N: 1 << 18, NoMultapses: true},
		"indegree":        {Rule: FixedIndegree, N: 300},
		"given, unsorted": given,
	} {
		p.Name, p.NPre, p.NPost = name, n, n
		p.Weight, p.Delay = Column{Const: 1}, Column{Const: 1}
		fresh := func() *Spec {
			return &Spec{Name: name, NSrc: n, NTgt: n, Scale: 1, Width: 32, Projs: []*Proj{p.With(p.Weight, p.Delay)}}
		}
		for what, f := range map[string]func(*Spec, host.Work) error{
			"Measure": func(s *Spec, w host.Work) error { _, err := Measure(s, w); return err },
			"Build":   func(s *Spec, w host.Work) error { _, err := Build(s, Cut(n, 3), w); return err },
			"Columns": func(s *Spec, w host.Work) error {
				c, err := s.Projs[0].Count(w)
				if err == nil {
					_, err = s.Projs[0].Columns(w, 0, c, WantSteps)
				}
				return err
			},
			"Adjacent": func(s *Spec, w host.Work) error { _, err := Adjacent(s, true, w); return err },
		} {
			w, all := work(math.MaxInt64)
			if err := f(fresh(), w); err != nil {
				t.Fatalf("%s of %s: %v", what, name, err)
			}
			total := all.asked
			if least := int64(10); total < least && !(what == "Measure" && (name == "all to all" || name == "indegree")) {
				t.Errorf("%s of %s: asked %d times only", what, name, total)
			}
			for _, after := range []int64{0, 1, total / 2, total - 1} {
				if after < 0 || after >= total {
					continue
				}
				w, c := work(after)
				s := fresh()
				err := f(s, w)
				if !errors.Is(err, host.ErrInterrupted) && after < total-4 { // at the very end all may be done
					t.Errorf("%s of %s, interrupted after %d of %d: %v", what, name, after, total, err)
				}
				if c.asked > after+8 {
					t.Errorf("%s of %s: asked %d times more after the interruption", what, name, c.asked-after)
				}
				if err := f(s, host.Work{}); err != nil {
					t.Errorf("%s of %s, again: %v", what, name, err)
				}
			}
		}
	}
}

// TestInterruptedRow: a single row of many pairs is not deaf either.
func TestInterruptedRow(t *testing.T) {
	for name, p := range map[string]*Proj{"condition": {Rule: AllToAll, Cond: always()}, "probability": {Rule: Bernoulli, P: 0.5}} {
		p.Name, p.NPre, p.NPost = name, 1, 1<<22
		w, c := work(3)
		if _, err := p.Count(w); !errors.Is(err, host.ErrInterrupted) {
			t.Errorf("%s: %v", name, err)
		}
		if c.asked > 8 {
			t.Errorf("%s: asked %d times", name, c.asked)
		}
	}
}

// TestNoRoom: lists are asked for before they are made.
func TestNoRoom(t *testing.T) {
	p := &Proj{Name: "P", Rule: AllToAll, NPre: 1000, NPost: 1000}
	w := host.Work{Memory: 2 << 20}
	if _, err := p.Columns(w, 0, 1000000, 0); err == nil {
		t.Error("8 MB of lists in 2 MB")
	}
	s := &Spec{Name: "S", NSrc: 1000, NTgt: 1000, Scale: 1, Width: 32, Projs: []*Proj{p}}
	if _, err := Adjacent(s, false, w); err == nil {
		t.Error("4 MB of numbers in 2 MB")
	}
	wide := &Proj{Name: "W", Rule: Bernoulli, P: 1e-9, NPre: 1 << 20, NPost: 1 << 20}
	if _, err := wide.Count(w); err == nil {
		t.Error("12 MB of counters in 2 MB")
	}
}
