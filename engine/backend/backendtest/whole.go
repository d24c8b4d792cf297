package backendtest

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"synfire/engine/backend"
	"synfire/engine/ir"
	"synfire/kernels/ref"
)

// cortex is a network with a bit of everything: three populations, delays, two
// tables, noise, records, a flagged stage.
func cortex(seed uint64, batch int) *net {
	p := newNet(seed, batch)
	p.Host = 1
	e, i, g := p.pop("E", 800, 12), p.pop("I", 201, 12), p.pop("G", 64, 12)
	exc, inh := p.acc("exc", 1001), p.acc("inh", 1001)
	p.sample(e, []uint32{0, 500, 799}, batch)
	p.update(e, 0.04, 0.1, 1)
	p.update(i, 0.045, 0.1, 2)
	p.chance(g, 0.02, 3)
	p.spikes(e, 0, 800, 800*batch, true)
	p.spikes(i, 10, 150, 140*batch, false)
	p.deliver(p.table(p.pairs(864, 1001, 9000, 1, 11, 16), 1, 11, from(e, 0), from(g, 800)), exc)
	p.deliver(p.table(p.pairs(201, 1001, 4000, 2, 5, 0), 2, 5, from(i, 0)), inh)
	p.apply(e, exc, 0)
	p.apply(i, exc, 800)
	p.apply(e, inh, 0)
	p.apply(i, inh, 800)
	p.reset(e)
	p.reset(i)
	p.eval(counter(), 800, at(p.buf("E.count", backend.State, ir.U32, 800), 0)).Flag = 0
	return p
}

func everySeventh(s int) []uint32 {
	if s%7 == 0 {
		return []uint32{1}
	}
	return []uint32{0}
}

// testSplit: a thousand Runs of one step, Runs of odd lengths and one Run of a
// thousand steps give the same.
func testSplit(t *testing.T, open Open) {
	p := cortex(5, 1000)
	split(t, open, p, 1000, []int{1, 7, 333}, everySeventh)
	same(t, open, p, 300, everySeventh)
}

// split runs a plan in Runs as long as can be, then in chunks.
func split(t *testing.T, open Open, p *net, steps int, chunks []int, host hostWords) {
	t.Helper()
	b := open(t)
	defer b.Close()
	prog := load(t, b, p)
	want := run(t, prog, p, 0, steps, p.Batch, host)
	must(t, prog.Close())
	for _, chunk := range chunks {
		prog := load(t, b, p)
		got := run(t, prog, p, 0, steps, chunk, host)
		must(t, prog.Close())
		if d := differ(p, want, got); d != "" {
			t.Errorf("%s: Runs of %d steps: %s", b.Name(), chunk, d)
		}
	}
}

// testRestore: the state of a run, read in the middle and written to a fresh
// program of this or another backend, goes on as if nothing had happened.
func testRestore(t *testing.T, open Open) {
	restore(t, open, cortex(6, 64), []int{1, 5, 50, 130}, 100, everySeventh)
}

// restore saves a plan's state after so many steps, and goes on from it for steps more.
func restore(t *testing.T, open Open, p *net, after []int, steps int, host hostWords) {
	t.Helper()
	b, r := open(t), ref.New()
	defer b.Close()
	backends := []backend.Backend{b, r}
	for _, mid := range after {
		whole := load(t, r, p)
		run(t, whole, p, 0, mid, p.Batch, host)
		want := run(t, whole, p, mid, steps, p.Batch, host)
		must(t, whole.Close())
		for _, from := range backends {
			for _, to := range backends {
				first, then := load(t, from, p), load(t, to, p)
				saved := run(t, first, p, 0, mid, p.Batch, host).state
				run(t, then, p, 0, 13, p.Batch, host) // what is overwritten must leave no trace
				for id, w := range saved {
					if w != nil {
						must(t, then.Write(backend.BufID(id), w))
					}
				}
				if d := differStates(p, saved, states(t, then, p)); d != "" {
					t.Errorf("%s: state written and read back: %s", to.Name(), d)
				}
				got := run(t, then, p, mid, steps, p.Batch, host)
				if d := differ(p, want, got); d != "" {
					t.Errorf("saved by %s after %d steps, restored by %s: %s", from.Name(), mid, to.Name(), d)
				}
				must(t, first.Close())
				must(t, then.Close())
			}
		}
	}
}

// testReload loads a second plan that shares its synapses with the first, as
// the engine does when a script goes on after an assignment.
func testReload(t *testing.T, open Open) {
	p := cortex(7, 64)
	b := open(t)
	defer b.Close()
	first := load(t, b, p)
	saved := run(t, first, p, 0, 40, 64, everySeventh).state
	q := cortex(7, 64)
	for i := range q.Tables {
		q.Tables[i].Spec = p.Tables[i].Spec
	}
	again := load(t, b, q)
	must(t, first.Close())
	for id, w := range saved {
		if w != nil {
			must(t, again.Write(backend.BufID(id), w))
		}
	}
	got := run(t, again, q, 40, 60, 64, everySeventh)
	must(t, again.Close())
	r := load(t, ref.New(), p)
	run(t, r, p, 0, 40, 64, everySeventh)
	if d := differ(p, run(t, r, p, 40, 60, 64, everySeventh), got); d != "" {
		t.Errorf("%s: %s", b.Name(), d)
	}
}

// testRandom compares random small networks.
func testRandom(t *testing.T, open Open) {
	check(t, func(rt *rapid.T) {
		seed := rapid.Uint64Range(0, 1<<20).Draw(rt, "seed")
		p := newNet(seed, rapid.IntRange(1, 40).Draw(rt, "batch"))
		p.Host = 1
		drawNet(rt, p)
		b, r := open(t), ref.New()
		defer b.Close()
		host := func(s int) []uint32 { return []uint32{uint32(s) * 2654435761 >> 31} }
		steps := rapid.IntRange(1, 60).Draw(rt, "steps")
		chunk := rapid.IntRange(1, p.Batch).Draw(rt, "chunk")
		mine, his := load(t, b, p), load(t, r, p)
		got := run(t, mine, p, 0, steps, chunk, host)
		want := run(t, his, p, 0, steps, chunk, host)
		must(t, mine.Close())
		must(t, his.Close())
		if d := differ(p, want, got); d != "" {
			rt.Fatalf("%s: %s\n%s\n%s", b.Name(), d, firstStep(t, r, b, p, steps, host), outline(p))
		}
	})
}

// check is rapid.Check, which with -short makes a fifth of the checks that it is told to: none is no test.
func check(t *testing.T, property func(*rapid.T)) {
	made := 0
	rapid.Check(t, func(rt *rapid.T) {
		made++
		property(rt)
	})
	if made == 0 {
		t.Error("nothing was checked: with -short, -rapid.checks has to be 5 at least")
	}
}

// drawNet adds populations, tables between them, and stages in an order that
// varies.
func drawNet(rt *rapid.T, p *net) {
	size := rapid.SampledFrom([]int{0, 1, 7, 31, 32, 33, 64, 65, 127, 200, 513})
	maxDelay := rapid.SampledFrom([]int{0, 1, 2, 5, 33}).Draw(rt, "longest delay")
	flag := func(s *backend.Stage) {
		if rapid.IntRange(0, 7).Draw(rt, "flag") == 0 {
			s.Flag = 0
		}
	}
	var pops []*pop
	for k := range rapid.IntRange(1, 3).Draw(rt, "populations") {
		pops = append(pops, p.pop(fmt.Sprintf("P%d", k), size.Draw(rt, "size"), maxDelay+1+rapid.IntRange(0, 2).Draw(rt, "more history")))
	}
	any := func(what string) *pop { return pops[rapid.IntRange(0, len(pops)-1).Draw(rt, what)] }
	record := func(q *pop) {
		switch rapid.IntRange(0, 3).Draw(rt, "record") {
		case 0:
			flag(p.sample(q, nil, 1+rapid.IntRange(0, p.Batch).Draw(rt, "room")))
		case 1:
			lo := rapid.IntRange(0, q.n).Draw(rt, "lo")
			hi := rapid.IntRange(lo, q.n).Draw(rt, "hi")
			flag(p.spikes(q, lo, hi, (hi-lo)*2+rapid.IntRange(0, 200).Draw(rt, "room"), rapid.Bool().Draw(rt, "values")))
		}
	}
	for k, q := range pops {
		record(q)
		switch rapid.IntRange(0, 2).Draw(rt, "fires") {
		case 0:
			p.chance(q, rapid.SampledFrom([]float64{0, 0.01, 0.3, 1}).Draw(rt, "rate"), uint32(k))
		case 1:
			flag(p.update(q, 0.03, 0.2, uint32(k)))
		case 2:
			p.update(q, 0.03, 0.2, uint32(k))
		}
		record(q)
	}
	for range rapid.IntRange(0, 4).Draw(rt, "tables") {
		a, b := any("from"), any("to")
		lo := rapid.IntRange(0, maxDelay).Draw(rt, "shortest")
		hi := rapid.IntRange(lo, maxDelay).Draw(rt, "longest")
		width := rapid.SampledFrom([]int{0, 16, 32}).Draw(rt, "width")
		spec := p.pairs(a.n, b.n, rapid.IntRange(0, 800).Draw(rt, "synapses"), lo, hi, width)
		acc := p.acc(fmt.Sprintf("acc%d", len(p.Tables)), b.n)
		flag(p.deliver(p.table(spec, lo, hi, from(a, 0)), acc))
		p.apply(b, acc, 0)
		record(b)
	}
	for _, q := range pops {
		flag(p.reset(q))
		record(q)
	}
	if rapid.Bool().Draw(rt, "program") {
		randomMap(p, size.Draw(rt, "lanes"), 20)
		s := &p.Stages[len(p.Stages)-1]
		for i := range s.Prog.Ins { // the network has one host word
			if s.Prog.Ins[i].Op == ir.Host {
				s.Prog.Ins[i] = ir.Instr{Op: ir.Const, Type: s.Prog.Ins[i].Type, Imm: 0x3f000000, A: ir.None, B: ir.None, C: ir.None}
			}
		}
	}
}

func outline(p *net) string {
	s := ""
	for i := range p.Stages {
		st := &p.Stages[i]
		s += fmt.Sprintf("stage %d %s: form %d, flag %d, %d lanes, binds %v\n", i, st.Name, st.Form, st.Flag, st.N, st.Bind)
	}
	return s
}
