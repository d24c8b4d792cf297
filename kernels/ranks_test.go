package kernels_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"synfire/engine/backend"
	"synfire/engine/backend/backendtest"
	"synfire/engine/connect"
	"synfire/engine/host"
	"synfire/engine/host/hosttest"
	"synfire/engine/ir"
	"synfire/kernels"
)

func openRanks(size, threads int) backend.Backend { return open(hosttest.New(size), threads) }

func open(w *hosttest.World, threads int) backend.Backend {
	var all []kernels.Ranks
	for k := range w.Size() {
		all = append(all, w.Rank(k))
	}
	return kernels.Together(all, threads)
}

// TestRanks holds ranks that share a network out to the suite.
func TestRanks(t *testing.T) {
	defer kernels.ForceLater()()
	for _, c := range []struct{ ranks, threads int }{{2, 1}, {2, 2}, {3, 2}, {4, 1}} {
		t.Run(fmt.Sprintf("%d ranks of %d threads", c.ranks, c.threads), func(t *testing.T) {
			if os.Getenv("SYNFIRE_LONG") == "" && (testing.Short() || c.ranks != 2 || c.threads != 1) {
				t.Skip("without SYNFIRE_LONG=1, 2 ranks of one thread stand for any number; with -short, none")
			}
			backendtest.Run(t, func(testing.TB) backend.Backend { return openRanks(c.ranks, c.threads) })
		})
	}
}

// TestRanksInSpans does so while several steps are made on a block of lanes at a time.
func TestRanksInSpans(t *testing.T) {
	if os.Getenv("SYNFIRE_LONG") == "" {
		t.Skip("the suite on ranks in spans: set SYNFIRE_LONG=1")
	}
	defer kernels.ForceSpans(1)()
	backendtest.Run(t, func(testing.TB) backend.Backend { return openRanks(2, 1) })
}

// TestRanksBuildTheirPart: the tables of ranks have each synapse once, about as many each, and what ranks tell each other of
// constant synapses is the spikes.
func TestRanksBuildTheirPart(t *testing.T) {
	const n = 4096
	for _, rule := range []connect.Proj{{Rule: connect.Bernoulli, P: 0.05}, {Rule: connect.FixedIndegree, N: 200}, {Rule: connect.FixedTotal, N: 800_000}} {
		rule.Name, rule.NPre, rule.NPost, rule.Weight, rule.Delay = "S", n, n, connect.Column{Const: 100, Lo: 100, Hi: 100}, connect.Column{Const: 5}
		plan := func() *backend.Plan {
			p, proj := newSketch(), rule
			acc := p.buf("acc", backend.Scratch, ir.I32, n)
			spec := &connect.Spec{Name: "S", NSrc: n, NTgt: n, Projs: []*connect.Proj{&proj}, Scale: 1, Width: 16}
			p.deliver(spec, 5, 5, 0, 0, n, acc)
			p.record(p.lif(n, 6, acc), n, 100*n)
			return &p.Plan
		}
		one := kernels.New(1)
		if _, err := one.Load(host.Work{}, plan()); err != nil {
			t.Fatal(err)
		}
		for _, size := range []int{2, 4} {
			w := hosttest.New(size)
			all, shared := open(w, 1), plan()
			prog, err := all.Load(host.Work{}, shared)
			if err != nil {
				t.Fatal(err)
			}
			sum := 0
			for k, b := range kernels.RanksOf(all) {
				n := kernels.Entries(b)
				if sum += n; float64(n) > 1.1*float64(kernels.Entries(one))/float64(size) {
					t.Errorf("rule %v: rank %d of %d has %d of %d synapses", rule.Rule, k, size, n, kernels.Entries(one))
				}
			}
			if sum != kernels.Entries(one) {
				t.Errorf("rule %v: %d ranks have %d synapses, one process %d", rule.Rule, size, sum, kernels.Entries(one))
			}
			told := w.Words()
			if done, err := prog.Run(100, nil); err != nil || done != 100 {
				t.Fatal(done, err)
			}
			spikes := make([]uint32, 100)
			for k := range shared.Stages {
				if st := &shared.Stages[k]; st.Form == backend.FormSpikes {
					if err := prog.Read(st.Rec.Count, spikes); err != nil {
						t.Fatal(err)
					}
				}
			}
			fired := 0
			for _, k := range spikes {
				fired += int(k)
			}
			// Each spike twice, in flight and as a record; a word for each step twice; and a few for each of 20 meetings.
			if told, most := w.Words()-told, int64(2*fired+size*(2*100+20*10)); fired == 0 || told > most {
				t.Errorf("rule %v: %d ranks told %d words for %d spikes, expected at most %d", rule.Rule, size, told, fired, most)
			}
			prog.Close()
			all.Close()
		}
		one.Close()
	}
}

// TestRanksDeliverWhileTheyTell: synapses whose delay is longer than the shortest are served while spikes are being told, and bits are
// those of one process; where all have the shortest, those alone whose sources are the rank's own.
func TestRanksDeliverWhileTheyTell(t *testing.T) {
	const n, steps = 1000, 200
	served := map[int]int64{}
	for _, later := range []int{5, 40} {
		var counts [2][]uint32
		w := hosttest.New(2)
		for k, b := range []backend.Backend{kernels.New(1), open(w, 2)} {
			p := newSketch()
			acc := p.buf("acc", backend.Scratch, ir.I32, n)
			spec := &connect.Spec{Name: "S", NSrc: n, NTgt: n, Scale: 1, Width: 16}
			for _, delay := range []int{5, later} {
				spec.Projs = append(spec.Projs, &connect.Proj{Name: "S", Rule: connect.FixedIndegree, N: 20, NPre: n, NPost: n, Seed: [2]uint32{uint32(delay)},
					Weight: connect.Column{Const: 100, Lo: 100, Hi: 100}, Delay: connect.Column{Const: float64(delay)}})
			}
			p.deliver(spec, 5, later, 0, 0, n, acc)
			p.record(p.lif(n, 41, acc), n, 100*n)
			prog, err := b.Load(host.Work{}, &p.Plan)
			if err != nil {
				t.Fatal(err)
			}
			if done, err := prog.Run(steps, nil); err != nil || done != steps {
				t.Fatal(done, err)
			}
			for i := range p.Stages {
				if st := &p.Stages[i]; st.Form == backend.FormSpikes {
					counts[k] = make([]uint32, steps)
					if err := prog.Read(st.Rec.Count, counts[k]); err != nil {
						t.Fatal(err)
					}
				}
			}
			prog.Close()
			b.Close()
		}
		if !slices.Equal(counts[0], counts[1]) || slices.Max(counts[0]) == 0 {
			t.Errorf("delays of 5 and %d steps: %v spikes in one process, %v on two ranks", later, counts[0], counts[1])
		}
		served[later] = w.Looks()
	}
	if served[5] == 0 || served[40] <= 2*served[5] {
		t.Errorf("synapses were served %v times while spikes were told, by the longest delay", served)
	}
}

// TestRanksThatDiffer: ranks that have described different networks are told so, all the same.
func TestRanksThatDiffer(t *testing.T) {
	const n, synapses = 1000, 20_000
	for name, change := range map[string]func(*sketch, *connect.Proj){
		"a value":   func(p *sketch, _ *connect.Proj) { p.Bufs[p.Stages[0].Bind[0].Buf].Init[n-1]++ },
		"a synapse": func(_ *sketch, q *connect.Proj) { q.J[synapses-1]-- },
		"a weight":  func(_ *sketch, q *connect.Proj) { q.Weight.Array[synapses-1]++ },
		"a delay": func(_ *sketch, q *connect.Proj) {
			q.Delay.Exact = &connect.Exact{Leaves: []connect.Column{{Data: [][]uint32{{1}}}}}
		},
		"nothing": func(*sketch, *connect.Proj) {},
	} {
		all := openRanks(3, 1)
		told := make([]string, 3)
		kernels.Each(3, func(k int) error {
			p := newSketch()
			acc := p.buf("acc", backend.Scratch, ir.I32, n)
			e := p.lif(n, 6, acc)
			q := &connect.Proj{Name: "S", Rule: connect.Given, NPre: n, NPost: n, Weight: connect.Column{Lo: 0, Hi: 10}, Delay: connect.Column{Const: 5}}
			for s := range uint32(synapses) {
				q.I, q.J, q.Weight.Array = append(q.I, s/20), append(q.J, 1+s%(n-1)), append(q.Weight.Array, 1)
			}
			p.deliver(&connect.Spec{Name: "S", NSrc: n, NTgt: n, Projs: []*connect.Proj{q}, Scale: 1, Width: 16}, 5, 5, e, 0, n, acc)
			if k == 1 {
				change(p, q)
			}
			_, err := kernels.RanksOf(all)[k].Load(host.Work{}, &p.Plan)
			told[k] = fmt.Sprint(err)
			return err
		})
		want := "ranks 0 and 1 have described different networks"
		if name == "nothing" {
			want = "<nil>"
		}
		if !strings.Contains(told[0], want) || told[1] != told[0] || told[2] != told[0] {
			t.Errorf("%s: %q, expected %s", name, told, want)
		}
	}
}

// TestRanksAgree: ranks make as many steps as the one that wants fewest.
func TestRanksAgree(t *testing.T) {
	all := openRanks(2, 1)
	err := kernels.Each(2, func(k int) error {
		p := newSketch()
		p.lif(1000, 1)
		prog, err := kernels.RanksOf(all)[k].Load(host.Work{}, &p.Plan)
		if err != nil {
			return err
		}
		done, err := prog.Run([]int{10, 7}[k], nil)
		if err == nil && done != 7 {
			err = fmt.Errorf("rank %d made %d steps, expected 7", k, done)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// TestRanksFillRecords: a Run ends where the record of all ranks' spikes is full, at the same step everywhere.
func TestRanksFillRecords(t *testing.T) {
	defer kernels.ForceRoom(5000)()
	const n = 1000
	p := newSketch()
	v := p.buf("v", backend.State, ir.F32, n)
	e := p.event(n, 1)
	b := ir.NewBuilder("fire")
	sv, sp := b.Slot("v", ir.Array, ir.F32), b.Slot("spike", ir.Mask, ir.Bool)
	b.StoreBit(sp, b.Lt(b.Load(sv), b.F(1)))
	p.eval(b, n, at(v), bits(e))
	p.record(e, n, 5000)
	prog, err := openRanks(2, 1).Load(host.Work{}, &p.Plan)
	if err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if done, err := prog.Run(100, nil); err != nil || done != 5 {
			t.Fatalf("%d steps (%v), expected the 5 that there is room for", done, err)
		}
	}
}

// TestRanksAlone: a network that ranks cannot share out each of them computes whole, and says so: its sums are one thread's, or
// belong to lanes of two kinds.
func TestRanksAlone(t *testing.T) {
	const n = 1000
	for _, applied := range []bool{false, true} {
		plan := func() (*backend.Plan, backend.BufID) {
			p := newSketch()
			acc, sum := p.buf("acc", backend.Scratch, ir.I32, n), p.buf("sum", backend.State, ir.I32, 1)
			var own []backend.BufID
			if applied {
				own = append(own, acc)
			}
			e := p.lif(n, 6, own...)
			one := func(v float64) connect.Column { return connect.Column{Const: v, Lo: v, Hi: v} }
			proj := &connect.Proj{Name: "S", Rule: connect.FixedIndegree, N: 20, NPre: n, NPost: n, Weight: one(100), Delay: one(5)}
			p.deliver(&connect.Spec{Name: "S", NSrc: n, NTgt: n, Projs: []*connect.Proj{proj}, Scale: 1, Width: 16}, 5, 5, e, 0, n, acc)
			b := ir.NewBuilder("collect")
			in, out := b.Slot("acc", ir.Array, ir.I32), b.Slot("sum", ir.Accum, ir.I32)
			b.Scatter(out, b.I(0), b.Load(in))
			p.eval(b, n, at(acc), at(sum))
			return &p.Plan, sum
		}
		var got [2]uint32
		for k, b := range []backend.Backend{kernels.New(1), openRanks(2, 1)} {
			p, sum := plan()
			prog, err := b.Load(host.Work{}, p)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := prog.Run(300, nil); err != nil {
				t.Fatal(err)
			}
			if err := prog.Read(sum, got[k:k+1]); err != nil {
				t.Fatal(err)
			}
			if k == 1 && len(kernels.RankWarnings(prog, 1)) != 1 {
				t.Errorf("applied %t: no warning", applied)
			}
			prog.Close()
			b.Close()
		}
		if got[0] != got[1] || got[0] == 0 {
			t.Errorf("applied %t: one process %d, two ranks %d", applied, got[0], got[1])
		}
	}
}
