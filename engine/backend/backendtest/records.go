package backendtest

import (
	"errors"
	"math"
	"testing"

	"synfire/engine/backend"
	"synfire/engine/host"
	"synfire/engine/ir"
)

// testSample records all items and some, before and after the update.
func testSample(t *testing.T, open Open) {
	for _, n := range sizes {
		p := newNet(uint64(n), 32)
		p.Host = 1
		q := p.pop("P", n, 1)
		p.sample(q, nil, 32)
		p.update(q, 0.05, 0.1, 1)
		if n > 2 {
			p.sample(q, []uint32{uint32(n - 1), 0, uint32(n / 2), 0}, 32)
		}
		p.sample(q, []uint32{}, 0)
		p.reset(q)
		p.sample(q, nil, 32).Flag = 0
		same(t, open, p, 70, func(s int) []uint32 { return []uint32{uint32(s % 3)} })
	}
	// What nothing writes, of some items, by itself and at some steps: a backend
	// that fuses steps samples it at each.
	for _, n := range sizes[1:] {
		p := newNet(uint64(n), 32)
		p.Host = 1
		q := p.pop("P", n, 1)
		fixed := p.buf("fixed", backend.Constant, ir.F32, n)
		for k := range n {
			p.Bufs[fixed].Init = append(p.Bufs[fixed].Init, math.Float32bits(float32(k)+0.5))
		}
		p.update(q, 0.05, 0.1, 1)
		p.sample(q, []uint32{uint32(n - 1)}, 70).Rec.Src[0] = at(fixed, 0)
		s := p.sample(q, []uint32{0}, 70)
		s.Rec.Src[0], s.Flag = at(fixed, 0), 0
		p.reset(q)
		same(t, open, p, 70, func(s int) []uint32 { return []uint32{uint32(s % 3)} })
	}
}

// testSpikes records events and values at them, of the whole and of a part.
func testSpikes(t *testing.T, open Open) {
	for _, n := range sizes {
		for _, drive := range []float32{0, 0.05, 2} {
			p := newNet(uint64(n), 16)
			q := p.pop("P", n, 1)
			p.update(q, drive, 0.1, 1)
			p.spikes(q, 0, n, 16*n, true)
			p.reset(q)
			p.spikes(q, n/3, n-n/4, 16*n, false)
			p.spikes(q, n/2, n/2, 0, true)
			tr := same(t, open, p, 50, nil)
			if drive == 2 && tr.counts[1][7] != uint32(n) {
				t.Errorf("reference: %d of %d fired", tr.counts[1][7], n)
			}
		}
	}
}

// testFull stops before a step whose record might not fit, and goes on with an
// empty one.
func testFull(t *testing.T, open Open) {
	for _, n := range []int{1, 33, 1000} {
		for room := 1; room <= 3; room++ {
			p := newNet(uint64(n), 64)
			p.Host = 1
			q := p.pop("P", n, 2)
			p.sample(q, nil, 5).Flag = 0
			p.update(q, 0.03, 0.1, 1)
			p.spikes(q, 0, n, room*n+n/2, true)
			p.reset(q)
			host := func(s int) []uint32 { return []uint32{uint32(s & 4)} }
			same(t, open, p, 200, host)

			// Run itself must stop where the reference stops.
			b := open(t)
			prog := load(t, b, p)
			h := make([]uint32, 64)
			for s := range h {
				h[s] = host(s)[0]
			}
			done, err := prog.Run(64, h)
			must(t, err)
			used := 0
			counts := make([]uint32, done)
			must(t, prog.Read(p.Stages[2].Rec.Count, counts))
			for _, c := range counts {
				used += int(c)
			}
			if used+n <= room*n+n/2 && sampled(h[:done+1]) <= 5 {
				t.Errorf("%s: stopped after %d steps with %d of %d entries used", b.Name(), done, used, room*n+n/2)
			}
			must(t, prog.Close())
			must(t, b.Close())
		}
	}
}

func sampled(h []uint32) (n int) {
	for _, w := range h {
		if w != 0 {
			n++
		}
	}
	return n
}

// grow multiplies v and traps where it stands at the limit; lane k starts at
// 2^k/8 or so, such that several neurons and two variables trap at one step.
func (p *net) grow(q *pop, pop int) {
	u := p.buf(p.Bufs[q.v].Name+"2", backend.State, ir.F32, q.n)
	for k := range q.n {
		p.Bufs[u].Init = append(p.Bufs[u].Init, math.Float32bits(float32(1+k%5)))
		p.Bufs[q.v].Init[k] = math.Float32bits(float32(1 + k%3))
	}
	c := write("grow")
	for i, name := range []string{"v", "u"} {
		s := c.slot(name, ir.Array, ir.F32)
		x := c.f(ir.Canon, c.f(ir.MulZ, c.of(ir.Load, s), c.float(8)))
		c.of(ir.Store, s, x)
		c.trap(c.b(ir.LeF, c.float(float32(ir.Saturate)), c.f(ir.AbsF, x)), uint32(1-i))
	}
	s := p.eval(&c.Prog, q.n, at(q.v, 0), at(u, 0))
	s.Trap = []backend.Trap{{Pop: pop, Var: 1, Object: "P", Name: "u", Why: "stands at the limit"}, {Pop: pop, Var: 0, Object: "P", Name: "v", Why: "stands at the limit"}}
}

// testFaults: the least error counts, records through its step are kept, state
// is refused.
func testFaults(t *testing.T, open Open) {
	for _, n := range []int{1, 33, 1025} {
		for _, chunk := range []int{1, 5, 64} {
			p := newNet(uint64(n), chunk)
			late, q := p.pop("A", n, 2), p.pop("P", n, 2)
			p.chance(late, 0.5, 1)
			p.spikes(late, 0, n, n*chunk, true)
			p.update(q, 0.05, 0.1, 2)
			p.grow(q, 2)
			p.grow(late, 1)
			p.sample(q, nil, chunk)
			tr := same(t, open, p, 64, nil)
			if tr.fault == nil || tr.steps != int(tr.fault.Step)+1 {
				t.Fatalf("reference: fault %v after %d steps", tr.fault, tr.steps)
			}

			b := open(t)
			prog := load(t, b, p)
			run(t, prog, p, 0, 64, chunk, nil)
			var fault *backend.Fault
			for _, id := range []backend.BufID{q.v, p.Step} {
				if err := prog.Read(id, make([]uint32, 1)); !errors.As(err, &fault) {
					t.Errorf("%s: Read %s after an error: %v", b.Name(), p.Bufs[id].Name, err)
				}
			}
			if done, err := prog.Run(1, nil); done != 0 || !errors.As(err, &fault) {
				t.Errorf("%s: Run after an error: %d, %v", b.Name(), done, err)
			}
			must(t, prog.Close())
			must(t, b.Close())
		}
	}
}

// testRefusals: bad arguments and bad plans are errors, never panics.
func testRefusals(t *testing.T, open Open) {
	b := open(t)
	defer b.Close()
	p, q := receivers(1, 10, 10, 20, 1, 2, 16, 0.5)
	p.Host = 2
	prog := load(t, b, p)
	for name, err := range map[string]error{
		"too many steps":     second(prog.Run(p.Batch+1, make([]uint32, 2*p.Batch+2))),
		"no steps":           second(prog.Run(-1, nil)),
		"host words missing": second(prog.Run(3, make([]uint32, 5))),
		"read past the end":  prog.Read(q.v, make([]uint32, 11)),
		"no such buffer":     prog.Read(backend.BufID(len(p.Bufs)), nil),
		"absent buffer":      prog.Write(backend.NoBuf, nil),
		"write past the end": prog.Write(q.v, make([]uint32, 11)),
		"write a scratch":    prog.Write(p.Stages[2].Acc, make([]uint32, 1)),
	} {
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if done, err := prog.Run(0, nil); done != 0 || err != nil {
		t.Errorf("Run(0): %d, %v", done, err)
	}
	acc := words(t, prog, p, p.Stages[2].Acc)
	if mismatch(acc, make([]uint32, len(acc))) >= 0 {
		t.Errorf("a scratch buffer is not read as zeros")
	}
	must(t, prog.Close())
	if err := prog.Read(q.v, nil); err == nil {
		t.Errorf("Read after Close: no error")
	}
	if _, err := prog.Run(1, make([]uint32, 2)); err == nil {
		t.Errorf("Run after Close: no error")
	}
	for name, spoil := range map[string]func(*net){
		"no batch":                   func(p *net) { p.Batch = 0 },
		"no step":                    func(p *net) { p.Step = backend.NoBuf },
		"a missing buffer":           func(p *net) { p.Stages[1].Bind[0].Buf = 99 },
		"too many lanes":             func(p *net) { p.Stages[1].N++ },
		"a missing event":            func(p *net) { p.Stages[0].Bind[0].Event = -1 },
		"a missing table":            func(p *net) { p.Stages[2].Table = 1 },
		"a short history":            func(p *net) { p.Tables[0].MaxDelay = 3 },
		"longer delays":              func(p *net) { p.Tables[0].MaxDelay = 1 },
		"shorter delays":             func(p *net) { p.Tables[0].MinDelay = 2 },
		"a flag":                     func(p *net) { p.Stages[0].Flag = 2 },
		"rows":                       func(p *net) { p.Tables[0].Sources[0].Row0 = 1 },
		"a count below zero":         func(p *net) { p.Stages[2].Count = -1 },
		"a short mask":               func(p *net) { p.Bufs[p.Events[0].Masks].Len-- },
		"bindings":                   func(p *net) { p.Stages[1].Bind = p.Stages[1].Bind[:1] },
		"a constant that is written": func(p *net) { p.Bufs[p.Stages[1].Bind[0].Buf].Kind = backend.Constant },
		"the step as a variable":     func(p *net) { p.Bufs[p.Step].Len = 10; p.Stages[1].Bind[0].Buf = p.Step },
		"an accumulator":             func(p *net) { p.Stages[2].Acc = p.Step },
		"an operand": func(p *net) {
			prog := *p.Stages[1].Prog
			prog.Ins = append(append([]ir.Instr{}, prog.Ins...), ir.Instr{Op: ir.AddF, Type: ir.F32, A: 1000, B: 0, C: ir.None})
			p.Stages[1].Prog = &prog
		},
	} {
		p, _ := receivers(1, 10, 10, 20, 1, 2, 16, 0.5)
		spoil(p)
		if prog, err := b.Load(host.Work{}, &p.Plan); err == nil {
			prog.Close()
			t.Errorf("a plan spoilt by %s was loaded", name)
		}
	}
}

func second(_ int, err error) error { return err }
