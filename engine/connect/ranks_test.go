package connect

import (
	"context"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"synfire/engine/host"
	"synfire/engine/host/hosttest"
	"synfire/engine/ir"
)

// own is a Spec that no other rank uses.
func own(s *Spec) *Spec {
	t := s.Rounded(s.Scale, s.Width, s.Uniform)
	t.Projs = nil
	for _, p := range s.Projs {
		q := *p
		q.rows, q.weight, q.delay, q.found, q.sums = nil, nil, nil, nil, nil
		t.Projs = append(t.Projs, &q)
	}
	return t
}

// TestRanks: what ranks measure and build together is what one process does alone, whatever the rule, their number and
// whose the targets are.
func TestRanks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := spec(t, rapid.SampledFrom([]int{4, 40, 150}).Draw(t, "n"))
		if rapid.Bool().Draw(t, "unknown bounds") {
			for _, p := range s.Projs {
				p.Weight.Lo, p.Weight.Hi = 0, 0
			}
		}
		alone := own(s)
		want, err := Measure(alone, host.Work{Threads: 1})
		if err != nil {
			t.Fatal(err)
		}
		tiles, _ := tiling(t, s.NTgt)
		tables, errAlone := Build(alone, tiles, host.Work{Threads: 1})
		world := hosttest.New(rapid.IntRange(1, 5).Draw(t, "ranks"))
		var of []int // the rank of each tile
		for range tiles {
			of = append(of, rapid.IntRange(0, world.Size()-1).Draw(t, "rank"))
		}
		threads := rapid.IntRange(1, 3).Draw(t, "threads")
		for k, err := range world.Each(func(r host.Ranks) error {
			s, w := own(s), host.Work{Threads: threads, Ranks: r}
			got, err := Measure(s, w)
			if err != nil {
				return err
			}
			if !reflect.DeepEqual(got, want) {
				return fmt.Errorf("measured %+v, alone %+v", got, want)
			}
			for n, p := range s.Projs {
				q := alone.Projs[n]
				a, _ := p.Weights(w)
				b, _ := q.Weights(host.Work{})
				c, _ := p.Sums(w)
				d, _ := q.Sums(host.Work{})
				if !reflect.DeepEqual(a, b) || !reflect.DeepEqual(c, d) {
					return fmt.Errorf("weights %+v and sums %+v, alone %+v and %+v", a, c, b, d)
				}
				lo, hi, _ := p.Bounds(w)
				if l, h, _ := q.Bounds(host.Work{}); lo != l || hi != h {
					return fmt.Errorf("bounds %g and %g, alone %g and %g", lo, hi, l, h)
				}
			}
			var mine [][]Range
			var there []*Table
			for n, rank := range of {
				if rank == r.Rank() {
					mine = append(mine, tiles[n])
					if errAlone == nil {
						there = append(there, tables[n])
					}
				}
			}
			built, err := Build(s, mine, w)
			if fmt.Sprint(err) != fmt.Sprint(errAlone) {
				return fmt.Errorf("%v, alone %v", err, errAlone)
			}
			for n, b := range built {
				a := there[n]
				if !slices.Equal(a.Index, b.Index) || !slices.Equal(a.Packed, b.Packed) || !slices.Equal(a.Targets, b.Targets) || !slices.Equal(a.Weights, b.Weights) || !slices.Equal(a.Delays, b.Delays) {
					return fmt.Errorf("table %d differs from that of one process", n)
				}
				b.Close()
			}
			return nil
		}) {
			if err != nil {
				t.Errorf("rank %d: %v", k, err)
			}
		}
		for _, a := range tables {
			a.Close()
		}
	})
}

// TestRanksDrawTheirShare: what a rank draws and is told shrinks with the number of ranks, whatever the rule by source.
func TestRanksDrawTheirShare(t *testing.T) {
	const n = 2000
	for _, p := range []Proj{{Rule: Bernoulli, P: .2}, {Rule: AllToAll, P: .2}, {Rule: FixedTotal, N: 800_000}, {Rule: FixedOutdegree, N: 400}} {
		p.Name, p.NPre, p.NPost, p.Weight = "p", n, n, Column{Const: 1}
		for _, size := range []int{2, 4} {
			world := hosttest.New(size)
			for k, err := range world.Each(func(r host.Ranks) error {
				drawn := 0
				q := p
				q.Delay = Column{Prog: drawnDelay, Exact: &Exact{Steps: func(i, j []uint32, _ [][]uint32) ([]float64, error) {
					drawn += len(i)
					return make([]float64, len(i)), nil
				}}}
				s := &Spec{Name: "S", NSrc: n, NTgt: n, Width: 16, Scale: 1, Projs: []*Proj{&q}}
				tables, err := Build(s, Cut(n, size)[r.Rank():r.Rank()+1], host.Work{Threads: 1, Ranks: r})
				if err != nil {
					return err
				}
				defer tables[0].Close()
				all := float64(s.stats.Load().Total) // measured, then built
				if share := float64(drawn) / all / 2; math.Abs(share-1/float64(size)) > .04 {
					return fmt.Errorf("it has drawn %.2f of the synapses", share)
				}
				if share := float64(tables[0].Entries()) / all; math.Abs(share-1/float64(size)) > .04 {
					return fmt.Errorf("it holds %.2f of the synapses", share)
				}
				return nil
			}) {
				if err != nil {
					t.Errorf("rule %d, rank %d of %d: %v", p.Rule, k, size, err)
				}
			}
		}
	}
}

var drawnDelay = drawn(7, 3, 0.25, 0.5)

// TestRanksFail: an error that one rank meets is that of all, and that of one process; so is an interruption.
func TestRanksFail(t *testing.T) {
	const n = 400
	proj := func() *Proj {
		return &Proj{Name: "p", Rule: Bernoulli, P: .5, NPre: n, NPost: n, Weight: Column{Const: 1}, Delay: Column{Const: 1}}
	}
	at := func(name string, x float64) Column { // 0, but for i = 317
		return Column{Lo: -2, Hi: 2, Prog: &ir.Prog{Name: name, Slots: []ir.Slot{slotI, slotOut}, Ins: []ir.Instr{
			{Op: ir.Load, Type: ir.U32, Imm: 0},
			{Op: ir.Const, Type: ir.U32, Imm: 317},
			{Op: ir.EqI, Type: ir.Bool, A: 0, B: 1},
			{Op: ir.Const, Type: ir.F32, Imm: math.Float32bits(float32(x))},
			{Op: ir.Const, Type: ir.F32},
			{Op: ir.Sel, Type: ir.F32, A: 2, B: 3, C: 4},
			{Op: ir.Store, Type: ir.F32, A: 5, Imm: 1},
		}}}
	}
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	for _, c := range []struct {
		what   string
		change func(*Proj)
		ctx    context.Context
		says   string
	}{
		{"a negative delay", func(p *Proj) { p.Delay = at("delay", -1) }, nil, "(i = 317"},
		{"a weight that does not fit", func(p *Proj) { p.Weight = at("w", 40000); p.Weight.Hi = 50000 }, nil, "(i = 317"},
		{"a rule that cannot hold", func(p *Proj) { p.Rule, p.N, p.NoMultapses = FixedOutdegree, n+1, true }, nil, "lower N"},
		{"an interruption", func(*Proj) {}, cancelled, "interrupted"},
	} {
		build := func(r host.Ranks, tiles [][]Range) error {
			p := proj()
			c.change(p)
			w := host.Work{Threads: 2, Ranks: r}
			if r == nil || r.Rank() == 1 {
				w.Ctx = c.ctx
			}
			tables, err := Build(&Spec{Name: "S", NSrc: n, NTgt: n, Width: 16, Scale: 1, Projs: []*Proj{p}}, tiles, w)
			for _, t := range tables {
				t.Close()
			}
			return err
		}
		want := fmt.Sprint(build(nil, Cut(n, 3)))
		if !strings.Contains(want, c.says) {
			t.Errorf("%s: %s", c.what, want)
		}
		for k, err := range hosttest.New(3).Each(func(r host.Ranks) error { return build(r, Cut(n, 3)[r.Rank():r.Rank()+1]) }) {
			if fmt.Sprint(err) != want {
				t.Errorf("%s: rank %d says %v, one process %s", c.what, k, err, want)
			}
		}
	}
	for k, err := range hosttest.New(2).Each(func(r host.Ranks) error {
		p := proj()
		p.NPost += r.Rank()
		_, err := Measure(&Spec{Name: "S", NSrc: n, NTgt: p.NPost, Projs: []*Proj{p}}, host.Work{Ranks: r})
		return err
	}) {
		if want := "ranks 0 and 1 have described different networks"; !strings.Contains(fmt.Sprint(err), want) {
			t.Errorf("rank %d says %v, expected %s", k, err, want)
		}
	}
}
