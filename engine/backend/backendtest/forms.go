package backendtest

import (
	"fmt"
	"math"
	"testing"

	"synfire/engine/backend"
	"synfire/engine/connect"
	"synfire/engine/ir"
)

// sizes are those at which words, vectors, blocks and work groups begin and end.
var sizes = []int{0, 1, 31, 32, 33, 1023, 1024, 1025}

// testMap updates neurons that fire all, not at all, or now and then.
func testMap(t *testing.T, open Open) {
	for _, n := range sizes {
		for _, drive := range []float32{0, 0.03, 2} {
			p := newNet(uint64(n), 16)
			q := p.pop("P", n, 3)
			p.update(q, drive, 0.1, 7)
			p.reset(q)
			tr := same(t, open, p, 32, nil)
			// Hand answer: with drive 2 every neuron passes 1 at every step.
			if drive == 2 {
				mask := tr.state[p.Events[q.event].Masks]
				for k := range n {
					if mask[k/32]>>(k%32)&1 == 0 || tr.state[q.v][k] != 0 {
						t.Fatalf("reference: neuron %d of %d did not fire and reset", k, n)
					}
				}
			}
		}
	}
}

// testAcross reads and writes the words of other lanes: a ring of neurons in
// which each takes over what its neighbour was, in two stages.
func testAcross(t *testing.T, open Open) {
	for _, n := range sizes {
		p := newNet(uint64(n), 16)
		q := p.pop("P", n, 1)
		next := p.buf("P.next", backend.Scratch, ir.F32, n)
		there := p.buf("there", backend.Constant, ir.U32, n)
		for k := range n {
			p.Bufs[there].Init = append(p.Bufs[there].Init, uint32((k+1)%n))
		}
		p.update(q, 0.05, 0.1, 3)
		c := write("look")
		at1, v, out := c.slot("there", ir.Array, ir.U32), c.slot("v", ir.Table, ir.F32), c.slot("next", ir.Array, ir.F32)
		c.of(ir.Store, out, c.of(ir.Gather, v, c.of(ir.Load, at1)))
		p.eval(&c.Prog, n, at(there, 0), at(q.v, 0), at(next, 0))
		c = write("put")
		at1, in, v := c.slot("there", ir.Array, ir.U32), c.slot("next", ir.Array, ir.F32), c.slot("v", ir.Table, ir.F32)
		c.of(ir.Put, v, c.of(ir.Load, at1), c.of(ir.Load, in))
		p.eval(&c.Prog, n, at(there, 0), at(next, 0), at(q.v, 0))
		p.reset(q)
		same(t, open, p, 20, nil)
	}
}

// testScatter adds up over lanes that share a target, in one and in two words,
// and drops the sums into state.
func testScatter(t *testing.T, open Open) {
	for _, n := range sizes {
		p := newNet(uint64(n), 16)
		const targets = 7
		one, two := p.buf("one", backend.State, ir.I32, targets), p.buf("two", backend.State, ir.U32, 2*targets)
		seen := p.buf("seen", backend.State, ir.I32, targets)
		sum := p.acc("sum", targets)
		c := write("scatter")
		a, b, d := c.slot("one", ir.Accum, ir.I32), c.slot("two", ir.Accum, ir.I32), c.slot("sum", ir.Accum, ir.I32)
		w := c.rand(5, 1)
		to := c.i(ir.And, w, c.word(3))
		lo := c.i(ir.ShrS, w, c.word(2))
		c.of(ir.Scatter, a, to, lo)
		c.of(ir.Scatter2, b, to, lo, c.i(ir.ShrS, w, c.word(31)))
		c.of(ir.Scatter, d, to, w)
		p.eval(&c.Prog, n, at(one, 0), at(two, 0), at(sum, 0))
		c = write("collect")
		s, out := c.slot("sum", ir.Array, ir.I32), c.slot("seen", ir.Array, ir.I32)
		c.of(ir.Store, out, c.of(ir.Load, s))
		p.eval(&c.Prog, targets, at(sum, 0), at(seen, 0))
		same(t, open, p, 20, nil)
	}
}

// testSubgroups has stages over parts of a population, a shared variable that
// one lane writes and all read, and two populations that share it.
func testSubgroups(t *testing.T, open Open) {
	for _, n := range sizes {
		p := newNet(uint64(n), 16)
		q, r := p.pop("P", n, 2), p.pop("Q", n+100, 2)
		shared := p.buf("P.shared", backend.State, ir.F32, 1)
		p.Bufs[shared].Init = []uint32{math.Float32bits(0.5)}
		c := write("shared update")
		s := c.slot("shared", ir.Array, ir.F32)
		c.of(ir.Store, s, c.f(ir.Canon, c.f(ir.MulZ, c.of(ir.Load, s), c.float(0.96875))))
		p.eval(&c.Prog, 1, at(shared, 0))
		for k, g := range []*pop{q, r} {
			c = write("use shared")
			v, s := c.slot("v", ir.Array, ir.F32), c.slot("shared", ir.Table, ir.F32)
			c.of(ir.Store, v, c.f(ir.Canon, c.f(ir.AddF, c.of(ir.Load, v), c.of(ir.Uniform, s))))
			p.eval(&c.Prog, g.n, at(g.v, 0), at(shared, 0))
			p.update(g, 0.01, 0.02, uint32(k))
		}
		// The middle of Q gets a push of its own, then all of Q is reset.
		c = write("push")
		v := c.slot("v", ir.Array, ir.F32)
		x := c.f(ir.AddF, c.of(ir.Load, v), c.unit(c.rand(9, 0)))
		c.of(ir.Store, v, x)
		p.eval(&c.Prog, r.n/2, at(r.v, 33))
		p.reset(q)
		p.reset(r)
		same(t, open, p, 40, nil)
	}
}

// testFlags has stages that run at some steps only, and host words that reach
// the state.
func testFlags(t *testing.T, open Open) {
	for _, n := range []int{1, 33, 1025} {
		p := newNet(uint64(n), 50)
		p.Host = 3
		q := p.pop("P", n, 2)
		runs := p.buf("runs", backend.State, ir.U32, n)
		p.eval(counter(), n, at(runs, 0)).Flag = 1
		c := write("drive")
		v := c.slot("v", ir.Array, ir.F32)
		drive := c.put(ir.Instr{Op: ir.Host, Type: ir.F32, Imm: 0})
		c.of(ir.Store, v, c.f(ir.Canon, c.f(ir.AddF, c.of(ir.Load, v), drive)))
		p.eval(&c.Prog, n, at(q.v, 0))
		p.update(q, 0, 0.1, 1)
		p.reset(q).Flag = 2
		p.eval(counter(), n, at(runs, 0)).Flag = 2
		host := func(s int) []uint32 {
			w := []uint32{math.Float32bits(float32(s%5) * 0x1p-4), 0, 0}
			if s%10 == 3 {
				w[1] = 1
			}
			if s%3 == 0 {
				w[2] = 0x80000000
			}
			return w
		}
		tr := same(t, open, p, 100, host)
		if got := tr.state[runs][n-1]; got != 10+34 {
			t.Errorf("reference: %d runs of two flagged stages in 100 steps, expected 44", got)
		}
	}
}

// testInject fires listed neurons, once and periodically.
func testInject(t *testing.T, open Open) {
	for _, period := range []int64{0, 1, 7} {
		for _, n := range []int{1, 33, 1025} {
			p := newNet(uint64(n), 16)
			q := p.pop("G", n, 4)
			r := p.pop("P", 10, 1)
			s := p.stage(backend.Stage{Form: backend.FormInject, Event: q.event, Period: period, Start: []int32{0}})
			for _, step := range []int64{0, 3, 6, 40} {
				if period > 0 && step >= period {
					break
				}
				s.Steps = append(s.Steps, step)
				for range 1 + p.rng.IntN(n) {
					s.Index = append(s.Index, uint32(p.rng.IntN(n)))
				}
				s.Start = append(s.Start, int32(len(s.Index)))
			}
			acc := p.acc("acc", 10)
			p.deliver(p.table(p.pairs(n, 10, 3*n, 1, 3, 16), 1, 3, from(q, 0)), acc)
			p.apply(r, acc, 0)
			p.spikes(q, 0, n, 16*n, false)
			same(t, open, p, 64, nil)
		}
	}
}

// receivers is a plan in which a population of nsrc fires with probability rate
// and synapses of the given delays reach ntgt neurons that also fire.
func receivers(seed uint64, nsrc, ntgt, count, lo, hi, width int, rate float64) (*net, *pop) {
	p := newNet(seed, 32)
	src := p.pop("S", nsrc, hi+1)
	q := p.pop("P", ntgt, 2)
	acc := p.acc("acc", ntgt)
	p.chance(src, rate, 11)
	p.update(q, 0.02, 0.1, 12)
	p.deliver(p.table(p.pairs(nsrc, ntgt, count, lo, hi, width), lo, hi, from(src, 0)), acc)
	p.apply(q, acc, 0)
	p.reset(q)
	return p, q
}

// testDeliver adds packed weights: all sizes, all widths, all firing and none.
func testDeliver(t *testing.T, open Open) {
	for i, n := range sizes {
		for j, width := range []int{0, 16, 32} {
			for k, rate := range []float64{0, 0.1, 1} {
				if testing.Short() && (i+j+k)%3 != 0 { // any two of the three come together
					continue
				}
				p, _ := receivers(uint64(n), n, max(1025-n, 1), 3*n, 1, 3, width, rate)
				tr := same(t, open, p, 40, nil)
				// Hand answer: all fire at steps 0..39, and synapse k is due from its delay on.
				if rate == 1 {
					want := 0
					proj := p.Tables[0].Spec.Projs[0]
					for _, d := range proj.Delay.Array {
						want += 40 - int(d)
					}
					if due := tr.state[p.Due]; int(due[0]) != want || due[1] != 0 {
						t.Errorf("reference: %d events were due, expected %d", due[0], want)
					}
				}
			}
		}
	}
}

// testDelays tries the ends of the range of delays, and delay 0 alone and mixed.
func testDelays(t *testing.T, open Open) {
	for _, d := range [][2]int{{0, 0}, {0, 1}, {0, 5}, {1, 1}, {5, 5}, {17, 40}, {62, 64}, {63, 63}, {1, 64}, {3, 300}, {1000, 1000}} {
		t.Run(fmt.Sprintf("%d-%d", d[0], d[1]), func(t *testing.T) {
			p, _ := receivers(1, 100, 700, 5000, d[0], d[1], 16, 0.05)
			p.Batch = 1500
			same(t, open, p, 200+d[1], nil)
		})
	}
	if testing.Short() {
		return
	}
	p, _ := receivers(1, 10, 40, 200, 65535, 65535, 16, 0.2)
	p.Batch = 30000
	same(t, open, p, 65600, nil)
}

// testDeliverByHand works one spike out: neuron 2 fires at step 3 and reaches
// targets 0 and 40 after 2 and 5 steps.
func testDeliverByHand(t *testing.T, open Open) {
	p := newNet(1, 1)
	q, r := p.pop("G", 4, 6), p.pop("P", 41, 1)
	p.Bufs[r.v].Init = nil
	p.stage(backend.Stage{Form: backend.FormInject, Event: q.event, Steps: []int64{3}, Start: []int32{0, 1}, Index: []uint32{2}})
	proj := &connect.Proj{Name: "hand", Rule: connect.Given, NPre: 4, NPost: 41, Unit: 1, I: []uint32{2, 2, 1}, J: []uint32{0, 40, 7},
		Weight: connect.Column{Array: []float32{0.25, -0.5, 9}, Lo: -10, Hi: 10}, Delay: connect.Column{Array: []float32{2, 5, 1}, Lo: 1, Hi: 5}}
	spec := &connect.Spec{Name: "hand", NSrc: 4, NTgt: 41, Projs: []*connect.Proj{proj}, Scale: 1024, Width: 16}
	acc := p.acc("acc", 41)
	p.deliver(p.table(spec, 1, 5, from(q, 0)), acc).Count = 3
	p.apply(r, acc, 0)

	b := open(t)
	defer b.Close()
	prog := load(t, b, p)
	defer prog.Close()
	for s := range 10 {
		if _, err := prog.Run(1, nil); err != nil {
			t.Fatal(err)
		}
		v := words(t, prog, p, r.v)
		for j := range v {
			var want float32
			if j == 0 && s >= 5 {
				want = 0.25
			}
			if j == 40 && s >= 8 {
				want = -0.5
			}
			if v[j] != math.Float32bits(want) {
				t.Fatalf("after step %d v[%d] = %g, expected %g", s, j, math.Float32frombits(v[j]), want)
			}
		}
	}
	if due := words(t, prog, p, p.Due); due[0] != 6 || due[1] != 0 {
		t.Errorf("events due: %v, expected 2 that count as 3 each", due)
	}
}

// testTables lays several populations end to end in one table, several tables
// on one accumulator, and several accumulators on one population.
func testTables(t *testing.T, open Open) {
	for _, n := range []int{1, 33, 600} {
		p := newNet(uint64(n), 32)
		a, b, c := p.pop("A", n, 9), p.pop("B", 2*n+1, 9), p.pop("C", 40, 9)
		total := a.n + b.n + c.n
		all := p.pairs(total, total, 10*total, 1, 8, 16)
		rows := []backend.Source{from(a, 0), from(b, a.n), from(c, a.n+b.n)}
		exc, inh := p.acc("exc", total), p.acc("inh", b.n)
		for k, q := range []*pop{a, b, c} {
			p.update(q, 0.05, 0.1, uint32(20+k))
		}
		p.deliver(p.table(all, 1, 8, rows...), exc)
		p.deliver(p.table(p.pairs(c.n, b.n, 100, 0, 2, 32), 0, 2, from(c, 0)), inh)
		p.deliver(p.table(p.pairs(n, total, 300, 3, 3, 0), 3, 3, from(a, 0)), exc)
		p.apply(a, exc, 0)
		p.apply(b, exc, a.n)
		p.apply(b, inh, 0)
		p.apply(c, exc, a.n+b.n)
		// Part of a population, twice: the rows overlap.
		half := backend.Source{Event: b.event, Lo: n / 2, Hi: b.n, Row0: 0}
		p.deliver(p.table(p.pairs(b.n, b.n, 500, 1, 2, 16), 1, 2, half, from(b, 0)), inh)
		for _, q := range []*pop{a, b, c} {
			p.reset(q)
		}
		same(t, open, p, 100, nil)
	}
}

// testServes has tables that serve spikes of some steps only: what a change of
// delays between runs leaves behind.
func testServes(t *testing.T, open Open) {
	p, q := receivers(3, 200, 300, 3000, 2, 9, 16, 0.1)
	p.Tables[0].Last = 29
	src := p.Tables[0].Sources[0]
	acc := p.Stages[2].Acc
	stages := p.Stages
	p.Stages = stages[:3:3]
	next := p.table(p.pairs(200, 300, 3000, 1, 4, 16), 1, 4, src)
	p.Tables[next].First, p.Tables[next].Last = 30, 59
	p.deliver(next, acc)
	last := p.table(p.pairs(200, 300, 3000, 0, 0, 16), 0, 0, src)
	p.Tables[last].First = 60
	p.deliver(last, acc)
	p.apply(q, acc, 0)
	p.reset(q)
	same(t, open, p, 100, nil)
}
