package connect

import (
	"fmt"
	"hash/fnv"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"synfire/engine/host"
)

// spec lays a few random projections over shared sources and targets.
func spec(t *rapid.T, n int) *Spec {
	s := &Spec{Name: "S", NSrc: rapid.IntRange(1, 2*n).Draw(t, "nsrc"), NTgt: rapid.IntRange(1, 2*n).Draw(t, "ntgt"), Scale: 64}
	s.Width = rapid.SampledFrom([]int{0, 16, 32}).Draw(t, "width")
	s.Uniform = 7
	for q := range rapid.IntRange(0, 4).Draw(t, "projections") {
		p := projection(t, n)
		p.Name = fmt.Sprint("S", q)
		s.NSrc, s.NTgt = max(s.NSrc, p.NPre), max(s.NTgt, p.NPost)
		p.Row0, p.Tgt0 = s.NSrc-p.NPre, s.NTgt-p.NPost
		s.Projs = append(s.Projs, p)
	}
	return s
}

type entry struct {
	src, tgt, steps int
	weight          int64
}

// entries is all that a Spec's tables should hold.
func entries(s *Spec) []entry {
	var all []entry
	for _, p := range s.Projs {
		for _, x := range oracle(p) {
			w := int64(s.Uniform)
			if s.Width > 0 {
				w = Fix(x.weight, s.Scale)
			}
			all = append(all, entry{p.Row0 + int(x.i), p.Tgt0 + int(x.j), int(x.steps), w})
		}
	}
	return all
}

// unpack reads tables the way that a backend does.
func unpack(t *rapid.T, tables []*Table) []entry {
	var all []entry
	for _, tab := range tables {
		var global []int
		for _, r := range tab.Tile {
			for x := r.Lo; x < r.Hi; x++ {
				global = append(global, x)
			}
		}
		d := len(tab.Delays)
		if len(tab.Index) != tab.NSrc*d+1 || len(global) != tab.NTgt || !slices.IsSorted(tab.Index) {
			t.Fatalf("index of %d words for %d sources and %d delays; %d local targets of %d", len(tab.Index), tab.NSrc, d, tab.NTgt, len(global))
		}
		for s := range tab.NSrc {
			for c, delay := range tab.Delays {
				for e := tab.Index[s*d+c]; e < tab.Index[s*d+c+1]; e++ {
					x := entry{src: s, steps: int(delay), weight: int64(tab.Uniform)}
					switch tab.Width {
					case 16:
						x.tgt, x.weight = global[tab.Packed[e]&0xffff], int64(int32(tab.Packed[e])>>16)
					case 32:
						x.tgt, x.weight = global[tab.Targets[e]], int64(tab.Weights[e])
					default:
						x.tgt = global[tab.Targets[e]]
					}
					all = append(all, x)
				}
			}
		}
		if cap(tab.Packed)*4 < len(tab.Packed)*4+pad && cap(tab.Targets)*2 < len(tab.Targets)*2+pad {
			t.Fatal("no room to read past the end")
		}
	}
	return all
}

func sorted(e []entry) []entry {
	e = slices.Clone(e)
	slices.SortFunc(e, func(a, b entry) int {
		for _, x := range [4][2]int64{{int64(a.src), int64(b.src)}, {int64(a.tgt), int64(b.tgt)}, {int64(a.steps), int64(b.steps)}, {a.weight, b.weight}} {
			if x[0] != x[1] {
				return int(x[0] - x[1])
			}
		}
		return 0
	})
	return e
}

// tiling cuts targets into tiles of several ranges in any order, and sometimes leaves some out.
func tiling(t *rapid.T, n int) (tiles [][]Range, held []bool) {
	tiles, held = make([][]Range, rapid.IntRange(1, 4).Draw(t, "tiles")), make([]bool, n)
	for lo := 0; lo < n; {
		hi := rapid.IntRange(lo+1, n).Draw(t, "cut")
		if tile := rapid.IntRange(-1, len(tiles)-1).Draw(t, "tile"); tile >= 0 {
			tiles[tile] = slices.Insert(tiles[tile], rapid.IntRange(0, len(tiles[tile])).Draw(t, "at"), Range{lo, hi})
			for x := lo; x < hi; x++ {
				held[x] = true
			}
		}
		lo = hi
	}
	return tiles, held
}

// TestBuild finds in the tables of any tiling exactly the list's synapses, and
// the same words for any number of threads.
func TestBuild(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := spec(t, rapid.SampledFrom([]int{4, 40, 150}).Draw(t, "n"))
		tiles, held := tiling(t, s.NTgt)
		tables, err := Build(s, tiles, host.Work{Threads: 1})
		if err != nil {
			t.Fatal(err)
		}
		want := slices.DeleteFunc(entries(s), func(e entry) bool { return !held[e.tgt] })
		if got := unpack(t, tables); !slices.Equal(sorted(got), sorted(want)) {
			t.Fatalf("tables hold %d synapses\n%v\nwant %d\n%v", len(got), sorted(got), len(want), sorted(want))
		}
		again, err := Build(s, tiles, host.Work{Threads: 3})
		if err != nil {
			t.Fatal(err)
		}
		for n, a := range tables {
			b := again[n]
			if !slices.Equal(a.Index, b.Index) || !slices.Equal(a.Packed, b.Packed) || !slices.Equal(a.Targets, b.Targets) || !slices.Equal(a.Weights, b.Weights) {
				t.Fatalf("table %d differs on three threads", n)
			}
			a.Close()
			b.Close()
		}
	})
}

// TestMeasure holds the statistics to the oracle's lists.
func TestMeasure(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := spec(t, 40)
		if rapid.Bool().Draw(t, "unknown bounds") {
			for _, p := range s.Projs {
				p.Weight.Lo, p.Weight.Hi = 0, 0
			}
		}
		st, err := Measure(s, host.Work{Threads: rapid.IntRange(1, 3).Draw(t, "threads")})
		if err != nil {
			t.Fatal(err)
		}
		degree, in, delays := make([]uint32, s.NTgt), make([]float64, s.NTgt), map[int]bool{}
		total := 0
		for n, p := range s.Projs {
			list := oracle(p)
			bound := 3.5
			if p.Weight.Prog != nil {
				bound = 412
				if p.Weight.Hi == 0 {
					bound = 0
					for _, x := range list {
						bound = max(bound, float64(max(x.weight, -x.weight)))
					}
				}
			}
			if st.Count[n] != int64(len(list)) || st.Bound[n] != bound {
				t.Fatalf("projection %d: %d synapses, bound %g; want %d, %g", n, st.Count[n], st.Bound[n], len(list), bound)
			}
			total += len(list)
			for _, x := range list {
				degree[p.Tgt0+int(x.j)]++
				in[p.Tgt0+int(x.j)] += bound
				delays[int(x.steps)] = true
			}
		}
		if st.Total != int64(total) || !slices.Equal(degree, st.InDegree) || st.MaxInDegree != int(slices.Max(degree)) || st.MaxIn != slices.Max(st.In) {
			t.Fatalf("%+v, want in-degrees %v", st, degree)
		}
		for j, x := range in {
			if d := st.In[j] - x; d > 1e-6*x || d < -1e-6*x {
				t.Fatalf("bound at target %d: %g, want %g", j, st.In[j], x)
			}
		}
		for _, d := range st.Delays {
			if !delays[int(d)] {
				t.Fatalf("delay %d does not occur", d)
			}
		}
		if len(st.Delays) != len(delays) || len(delays) > 0 && (st.MinDelay != int(slices.Min(st.Delays)) || st.MaxDelay != int(slices.Max(st.Delays))) {
			t.Fatalf("delays %v (%d to %d), want %v", st.Delays, st.MinDelay, st.MaxDelay, delays)
		}
	})
}

// TestAdjacent finds each synapse once in its row and delay, in ascending order.
func TestAdjacent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := spec(t, 30)
		byTarget := rapid.Bool().Draw(t, "by target")
		a, err := Adjacent(s, byTarget, host.Work{Threads: 2})
		if err != nil {
			t.Fatal(err)
		}
		all := entries(s)
		found := make([]bool, len(all))
		d := len(a.Delays)
		rows := (len(a.Index) - 1) / max(d, 1)
		for r := range rows {
			for c, delay := range a.Delays {
				group := a.K[a.Index[r*d+c]:a.Index[r*d+c+1]]
				if !slices.IsSorted(group) {
					t.Fatalf("row %d, delay %d: %v does not ascend", r, delay, group)
				}
				for _, k := range group {
					row := all[k].src
					if byTarget {
						row = all[k].tgt
					}
					if row != r || all[k].steps != int(delay) || found[k] {
						t.Fatalf("synapse %d %v stands in row %d, delay %d", k, all[k], r, delay)
					}
					found[k] = true
				}
			}
		}
		if slices.Contains(found, false) {
			t.Fatal("a synapse is missing")
		}
	})
}

// TestErrors checks that what cannot be built is refused with the projection
// and the synapse named.
func TestErrors(t *testing.T) {
	base := func(f func(*Proj)) *Spec {
		p := &Proj{Name: "Ce", Rule: AllToAll, NPre: 5, NPost: 4, Weight: Column{Const: 1}}
		f(p)
		return &Spec{Name: "P.ge", NSrc: 5, NTgt: 5, Scale: 1, Width: 16, Projs: []*Proj{p}}
	}
	cases := map[string]struct {
		f    func(*Proj)
		want []string
	}{
		"one_to_one":       {func(p *Proj) { p.Rule = OneToOne }, []string{"Ce: ", "5 and 4"}},
		"indegree":         {func(p *Proj) { p.Rule, p.N, p.NoMultapses = FixedIndegree, 6, true }, []string{"Ce: ", "N = 6", "only 5"}},
		"outdegree self":   {func(p *Proj) { p.Rule, p.N, p.NoMultapses, p.NoAutapses, p.Same = FixedOutdegree, 4, true, true, true }, []string{"N = 4", "only 3"}},
		"no sources":       {func(p *Proj) { p.Rule, p.N, p.NPre = FixedIndegree, 1, 0 }, []string{"none to choose from"}},
		"only autapses":    {func(p *Proj) { p.Rule, p.N, p.NPre, p.NPost, p.NoAutapses, p.Same = FixedTotal, 3, 1, 1, true, true }, []string{"no pair"}},
		"total":            {func(p *Proj) { p.Rule, p.N, p.NoMultapses = FixedTotal, 21, true }, []string{"N = 21", "only 20"}},
		"source range":     {func(p *Proj) { p.Rule, p.I, p.J = Given, []uint32{0, 5}, []uint32{0, 0} }, []string{"synapse 1", "source 5"}},
		"target range":     {func(p *Proj) { p.Rule, p.I, p.J = Given, []uint32{0, 1, 2}, []uint32{0, 3, 4} }, []string{"synapse 2", "target 4"}},
		"unequal arrays":   {func(p *Proj) { p.Rule, p.I, p.J = Given, []uint32{0}, nil }, []string{"1 sources but 0 targets"}},
		"probability":      {func(p *Proj) { p.Rule, p.P = Bernoulli, 1.5 }, []string{"p = 1.5"}},
		"negative delay":   {func(p *Proj) { p.Delay.Const = -1 }, []string{"Ce: ", "negative"}},
		"long delay":       {func(p *Proj) { p.Delay.Const = 65536 }, []string{"65536 steps", "65535"}},
		"delay of synapse": {func(p *Proj) { p.Delay.Array = make([]float32, 20); p.Delay.Array[7] = -2 }, []string{"synapse 7 (i = 1, j = 3)", "negative"}},
		"drawn delay":      {func(p *Proj) { p.Delay.Prog = drawn(1, 4, 65530, 1) }, []string{"synapse ", "beyond the limit"}},
		"too few values":   {func(p *Proj) { p.Weight.Array = make([]float32, 19) }, []string{"19 values of w", "20 synapses"}},
		"wide weight":      {func(p *Proj) { p.Weight.Array = make([]float32, 20); p.Weight.Array[19] = 32768 }, []string{"synapse 19 (i = 4, j = 3)", "32768", "16 bits"}},
		"beyond its bound": {func(p *Proj) { p.Weight = Column{Prog: drawn(1, 4, 0, 1), Lo: 0, Hi: 5} }, []string{"synapse ", "outside 0 to 5"}},
		"too many":         {func(p *Proj) { p.Rule, p.N, p.NPre = FixedOutdegree, 1<<30, 5 }, []string{"at most 2147483647"}},
		"outside":          {func(p *Proj) { p.Tgt0 = 3 }, []string{"lie outside the table"}},
		"no data":          {func(p *Proj) { p.Cond = cond() }, []string{"Ce.condition", `"x_pre"`}},
		"wrong type":       {func(p *Proj) { p.Weight.Prog = cond() }, []string{"Ce.w"}},
	}
	for name, c := range cases {
		for _, threads := range []int{1, 3} {
			s := base(c.f)
			_, err := Build(s, Cut(s.NTgt, 2), host.Work{Threads: threads})
			if err == nil {
				t.Errorf("%s: no error", name)
				continue
			}
			for _, part := range c.want {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%s: %q does not say %q", name, err, part)
				}
			}
		}
	}
	s := base(func(*Proj) {})
	for _, tiles := range [][][]Range{{{{0, 3}}, {{2, 5}}}, {{{0, 6}}}, {{{3, 2}}}} {
		if _, err := Build(s, tiles, host.Work{Threads: 1}); err == nil {
			t.Errorf("tiles %v: no error", tiles)
		}
	}
}

// TestGolden pins the words of one table for every rule: a change of them
// changes all networks' results and must be meant.
func TestGolden(t *testing.T) {
	s := &Spec{Name: "golden", NSrc: 700, NTgt: 900, Width: 16, Scale: 16}
	for n, p := range []*Proj{
		{Rule: OneToOne, NPre: 300, NPost: 300},
		{Rule: AllToAll, NPre: 100, NPost: 90, P: 0.3, Same: true, NoAutapses: true},
		{Rule: Bernoulli, NPre: 700, NPost: 900, P: 0.01},
		{Rule: FixedTotal, NPre: 500, NPost: 400, N: 3000},
		{Rule: FixedIndegree, NPre: 200, NPost: 900, N: 7, NoMultapses: true},
		{Rule: FixedOutdegree, NPre: 200, NPost: 900, N: 9, Repeat: 2},
		{Rule: Given, NPre: 3, NPost: 3, I: []uint32{2, 0, 1}, J: []uint32{0, 1, 2}},
	} {
		p.Name, p.Stream, p.Seed = fmt.Sprint("S", n), uint32(10*n), [2]uint32{12345, 6789}
		p.Weight = Column{Prog: drawn(uint32(10*n+1), 12, -100, 0.125), Lo: -100, Hi: 412}
		p.Delay, p.Unit = Column{Prog: drawn(uint32(10*n+2), 3, 0.25, 0.5)}, 2
		s.Projs = append(s.Projs, p)
	}
	tables, err := Build(s, Cut(s.NTgt, 2), host.Work{Threads: 2})
	if err != nil {
		t.Fatal(err)
	}
	h := fnv.New64a()
	for _, tab := range tables {
		for _, words := range [][]uint32{tab.Index, tab.Packed} {
			for _, w := range words {
				h.Write([]byte{byte(w), byte(w >> 8), byte(w >> 16), byte(w >> 24)})
			}
		}
	}
	if got, want := h.Sum64(), uint64(0xc40603426ba76882); got != want {
		t.Errorf("hash %#x, want %#x", got, want)
	}
}
