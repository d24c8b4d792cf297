package connect

import (
	"math"
	"math/big"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"synfire/engine/host"
	"synfire/engine/ir"
	"synfire/engine/num"
	"synfire/engine/philox"
)

// synapse is one entry of a list.
type synapse struct {
	i, j   uint32
	steps  uint16
	weight float32
}

// oracle is the list of a projection, straight from the text at Rule: one
// synapse after the other, nothing shared, nothing skipped but by its draw.
func oracle(p *Proj) []synapse {
	var pairs [][2]uint32 // row, end
	rows, size := p.NPre, p.NPost
	byTarget := p.Rule == FixedIndegree || p.ByTarget && (p.Rule == AllToAll || p.Rule == Bernoulli)
	if byTarget {
		rows, size = size, rows
	}
	synapseOf := func(row, end int) (i, j int) {
		if byTarget {
			return end, row
		}
		return row, end
	}
	autapse := func(row, end int) bool {
		i, j := synapseOf(row, end)
		return p.Same && p.NoAutapses && i+p.PreOff == j+p.PostOff
	}
	word := func(item, step, draw int) uint32 {
		return philox.Word(uint32(item), uint32(step), uint32(draw), p.Stream, p.Seed)
	}
	high := func(w uint32, n int) int { return int(uint64(w) * uint64(n) >> 32) }
	room := func(row int) int {
		n := 0
		for e := range size {
			if !autapse(row, e) {
				n++
			}
		}
		return n
	}
	holds := func(prog *ir.Prog, data [][]uint32, row, end, lane int) uint32 {
		i, j := synapseOf(row, end)
		return evaluate(prog, data, p.Seed, uint32(lane), uint32(row), uint32(i), uint32(j))
	}
	switch p.Rule {
	case OneToOne:
		for i := range p.NPre {
			if !autapse(i, i) {
				pairs = append(pairs, [2]uint32{uint32(i), uint32(i)})
			}
		}
	case AllToAll:
		for r := range rows {
			for e := range size {
				prob := 1.0
				if p.P > 0 {
					prob = p.P
				}
				if p.PProg != nil {
					prob = float64(math.Float32frombits(holds(p.PProg, p.PData, r, e, e)))
				}
				if autapse(r, e) || prob >= 0x1p-16 && float64(word(e, r, 0)) >= math.Floor(prob*0x1p32+0.5) ||
					prob < 0x1p-16 && float64(word(e, r, 0))+float64(word(e, r, 1))*0x1p-32 >= prob*0x1p32 ||
					p.Cond != nil && holds(p.Cond, p.CondData, r, e, e) == 0 {
					continue
				}
				pairs = append(pairs, [2]uint32{uint32(r), uint32(e)})
			}
		}
	case Bernoulli:
		for r := range rows {
			draw, candidate := 0, 0
			for e := 0; e < size; e++ {
				if p.P < 1 {
					m, found := 0, true
					if p.P >= 0x1p-16 {
						m, found = geometric(p.P, word(r, 0, draw))
						draw++
					} else {
						u := (float64(word(r, 0, draw)) + (float64(word(r, 0, draw+1))+0.5)*0x1p-32) * 0x1p-32
						m = int(min(1e9, num.Log1p(-u)/num.Log1p(-p.P)))
						draw += 2
					}
					if e += m; !found {
						e--
						continue
					}
				}
				if e >= size {
					break
				}
				if autapse(r, e) {
					continue
				}
				lane := candidate
				if p.P == 1 {
					lane = e
				}
				if p.Cond == nil || holds(p.Cond, p.CondData, r, e, lane) != 0 {
					pairs = append(pairs, [2]uint32{uint32(r), uint32(e)})
				}
				candidate++
			}
		}
	case FixedTotal, FixedOutdegree, FixedIndegree:
		degree := make([]int, rows)
		for r := range degree {
			degree[r] = p.N
		}
		if p.Rule == FixedTotal {
			clear(degree)
			all := 0
			for r := range rows {
				all += room(r)
			}
			n := p.N
			left := p.NoMultapses && 2*n > all
			if left {
				n = all - n
			}
			for k := range n {
				for a := 0; ; a++ {
					r := high(word(k, a, 0), rows)
					free := room(r)
					if p.NoMultapses {
						free -= degree[r]
					}
					if high(word(k, a, 1), size) < free {
						degree[r]++
						break
					}
				}
			}
			for r := range degree {
				if left {
					degree[r] = room(r) - degree[r]
				}
			}
		}
		for r, n := range degree {
			first, taken := len(pairs), map[int]bool{}
			draws, left := n, p.NoMultapses && 2*n > room(r)
			if left {
				draws = room(r) - n
			}
			for k := first; k < first+draws; k++ {
				for a := 0; ; a++ {
					e := high(word(k, a, 2), size)
					if autapse(r, e) || p.NoMultapses && taken[e] {
						continue
					}
					taken[e] = true
					if !left {
						pairs = append(pairs, [2]uint32{uint32(r), uint32(e)})
					}
					break
				}
			}
			for e := 0; left && e < size; e++ {
				if !taken[e] && !autapse(r, e) {
					pairs = append(pairs, [2]uint32{uint32(r), uint32(e)})
				}
			}
		}
	case Given:
		for k := range p.I {
			pairs = append(pairs, [2]uint32{p.I[k], p.J[k]})
		}
	}
	var list []synapse
	for _, pair := range pairs {
		for range max(p.Repeat, 1) {
			i, j := synapseOf(int(pair[0]), int(pair[1]))
			s := synapse{i: uint32(i), j: uint32(j)}
			k := uint32(len(list))
			value := func(c *Column) float64 {
				switch {
				case c.Prog != nil:
					return float64(math.Float32frombits(evaluate(c.Prog, c.Data, p.Seed, k, 0, s.i, s.j)))
				case c.Array != nil:
					return float64(c.Array[k])
				}
				return c.Const
			}
			s.weight = float32(value(&p.Weight))
			s.steps = uint16(value(&p.Delay))
			if p.Unit != 0 {
				s.steps = uint16(value(&p.Delay)*p.Unit + 0.5)
			}
			list = append(list, s)
		}
	}
	return list
}

// geometric is what one word of a Bernoulli row says, from the definition of
// the thresholds.
func geometric(p float64, w uint32) (int, bool) {
	length := 1 << 16
	if p*float64(length) > 4 {
		length = int(4/p) + 1
	}
	stay := 1.0
	for m := range length {
		stay *= 1 - p
		t := math.Floor((1-stay)*0x1p32 + 0.5)
		if t > math.MaxUint32 && m > 0 {
			return m, false
		}
		if float64(w) < min(t, math.MaxUint32) {
			return m, true
		}
	}
	return length, false
}

// evaluate runs a program for one pair.
func evaluate(prog *ir.Prog, data [][]uint32, seed [2]uint32, lane, step, i, j uint32) uint32 {
	e := ir.Env{Lane0: lane, Step: step, Seed: seed}
	out := []uint32{0}
	for n, s := range prog.Slots {
		switch s.Name {
		case "i":
			e.Slots = append(e.Slots, []uint32{i})
		case "j":
			e.Slots = append(e.Slots, []uint32{j})
		case "out":
			e.Slots = append(e.Slots, out)
		default:
			e.Slots = append(e.Slots, data[n])
		}
	}
	ir.Eval(prog, &e, 0, 1)
	return out[0]
}

var (
	slotI   = ir.Slot{Name: "i", Kind: ir.Array, Type: ir.U32}
	slotJ   = ir.Slot{Name: "j", Kind: ir.Array, Type: ir.U32}
	slotOut = ir.Slot{Name: "out", Kind: ir.Array, Type: ir.F32}
	slotYes = ir.Slot{Name: "out", Kind: ir.Array, Type: ir.Bool}
)

// drawn is a program giving a + b*n, n uniform in 0..2^bits-1, by item k.
func drawn(stream, bits uint32, a, b float32) *ir.Prog {
	return &ir.Prog{Name: "drawn", Slots: []ir.Slot{slotOut}, Ins: []ir.Instr{
		{Op: ir.Lane, Type: ir.I32},
		{Op: ir.Rand, Type: ir.U32, A: 0, Imm: stream},
		{Op: ir.Const, Type: ir.U32, Imm: 32 - bits},
		{Op: ir.ShrU, Type: ir.U32, A: 1, B: 2},
		{Op: ir.I2F, Type: ir.F32, A: 3},
		{Op: ir.Const, Type: ir.F32, Imm: math.Float32bits(b)},
		{Op: ir.MulF, Type: ir.F32, A: 4, B: 5},
		{Op: ir.Const, Type: ir.F32, Imm: math.Float32bits(a)},
		{Op: ir.AddF, Type: ir.F32, A: 6, B: 7},
		{Op: ir.Store, Type: ir.F32, A: 8, Imm: 0},
	}}
}

// cond is a program that holds where (table[i] + j + a random bit) is odd.
func cond() *ir.Prog {
	return &ir.Prog{Name: "cond", Slots: []ir.Slot{slotI, slotJ, slotYes, {Name: "x_pre", Kind: ir.Table, Type: ir.I32}}, Ins: []ir.Instr{
		{Op: ir.Load, Type: ir.U32, Imm: 0},
		{Op: ir.Gather, Type: ir.I32, A: 0, Imm: 3},
		{Op: ir.Load, Type: ir.U32, Imm: 1},
		{Op: ir.Lane, Type: ir.I32},
		{Op: ir.Rand, Type: ir.U32, A: 3, Imm: 77},
		{Op: ir.AddI, Type: ir.I32, A: 1, B: 2},
		{Op: ir.AddI, Type: ir.I32, A: 5, B: 4},
		{Op: ir.Const, Type: ir.U32, Imm: 1},
		{Op: ir.And, Type: ir.U32, A: 6, B: 7},
		{Op: ir.EqI, Type: ir.Bool, A: 8, B: 7},
		{Op: ir.Store, Type: ir.Bool, A: 9, Imm: 2},
	}}
}

// near is a program giving probability 2^-|i-j|, or so.
func near() *ir.Prog {
	return &ir.Prog{Name: "near", Slots: []ir.Slot{slotI, slotJ, slotOut}, Ins: []ir.Instr{
		{Op: ir.Load, Type: ir.U32, Imm: 0},
		{Op: ir.Load, Type: ir.U32, Imm: 1},
		{Op: ir.SubI, Type: ir.I32, A: 0, B: 1},
		{Op: ir.I2F, Type: ir.F32, A: 2},
		{Op: ir.AbsF, Type: ir.F32, A: 3},
		{Op: ir.F2I, Type: ir.I32, A: 4},
		{Op: ir.Const, Type: ir.I32, Imm: 23},
		{Op: ir.Shl, Type: ir.I32, A: 5, B: 6},
		{Op: ir.Const, Type: ir.I32, Imm: math.Float32bits(1)},
		{Op: ir.SubI, Type: ir.I32, A: 8, B: 7},
		{Op: ir.Float, Type: ir.F32, A: 9},
		{Op: ir.Store, Type: ir.F32, A: 10, Imm: 2},
	}}
}

// projection draws a projection of up to n neurons on a side.
func projection(t *rapid.T, n int) *Proj {
	p := &Proj{
		Name: "S", Rule: Rule(rapid.IntRange(0, int(Given)).Draw(t, "rule")),
		NPre: rapid.IntRange(1, n).Draw(t, "pre"), NPost: rapid.IntRange(1, n).Draw(t, "post"),
		Same: rapid.Bool().Draw(t, "same"), NoAutapses: rapid.Bool().Draw(t, "noautapses"), NoMultapses: rapid.Bool().Draw(t, "nomultapses"),
		PreOff: rapid.IntRange(0, 3).Draw(t, "preoff"), PostOff: rapid.IntRange(0, 3).Draw(t, "postoff"),
		Repeat: rapid.SampledFrom([]int{0, 1, 1, 3}).Draw(t, "repeat"), ByTarget: rapid.Bool().Draw(t, "bytarget"),
		Seed: [2]uint32{rapid.Uint32().Draw(t, "seed"), 5}, Stream: rapid.Uint32().Draw(t, "stream"),
	}
	switch p.Rule {
	case OneToOne:
		p.NPost = p.NPre
	case AllToAll, Bernoulli:
		p.P = rapid.SampledFrom([]float64{0.001, 0.1, 0.5, 0.97, 1, 1 - 0x1p-40}).Draw(t, "p")
		if rapid.Bool().Draw(t, "cond") {
			x := make([]uint32, p.NPre)
			for i := range x {
				x[i] = uint32(i / 2)
			}
			p.Cond, p.CondData = cond(), [][]uint32{nil, nil, nil, x}
		}
		if p.Rule == AllToAll && rapid.Bool().Draw(t, "pprog") {
			p.PProg = near()
		}
	case FixedTotal:
		p.N = rapid.IntRange(0, 2*n).Draw(t, "N")
	case FixedIndegree, FixedOutdegree:
		p.N = rapid.IntRange(0, n).Draw(t, "N")
	case Given:
		p.I = rapid.SliceOfN(rapid.Uint32Range(0, uint32(p.NPre-1)), 0, 2*n).Draw(t, "I")
		if rapid.Bool().Draw(t, "sorted") {
			slices.Sort(p.I)
		}
		p.J = rapid.SliceOfN(rapid.Uint32Range(0, uint32(p.NPost-1)), len(p.I), len(p.I)).Draw(t, "J")
	}
	if p.check(mustRows(p)) != nil { // cannot be satisfied: forgo what forbids
		p.NoMultapses, p.NoAutapses = false, false
	}
	p.Weight = Column{Const: 3.5}
	p.Delay = Column{Const: float64(rapid.IntRange(0, 5).Draw(t, "delay"))}
	if rapid.Bool().Draw(t, "drawn weights") {
		p.Weight = Column{Prog: drawn(p.Stream+1, 12, -100, 0.125), Lo: -100, Hi: 412}
	}
	if rapid.Bool().Draw(t, "drawn delays") {
		p.Delay, p.Unit = Column{Prog: drawn(p.Stream+2, 3, 0.25, 0.5), Lo: 0.25, Hi: 4}, 2
	}
	return p
}

// mustRows is the shape that check needs.
func mustRows(p *Proj) *rows {
	r := &rows{n: p.NPre, size: p.NPost, self: p.NoAutapses && p.Same, shift: p.PreOff - p.PostOff}
	if p.Rule == FixedIndegree {
		r.byTarget, r.n, r.size, r.shift = true, p.NPost, p.NPre, -r.shift
	}
	return r
}

// TestWalk holds any part of any list, on any number of threads, to the oracle.
func TestWalk(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := projection(t, rapid.SampledFrom([]int{4, 40}).Draw(t, "n"))
		want := oracle(p)
		n, err := p.Count(host.Work{Threads: rapid.IntRange(1, 3).Draw(t, "threads")})
		if err != nil || n != len(want) {
			t.Fatalf("%d synapses (%v), want %d", n, err, len(want))
		}
		k0 := rapid.IntRange(0, n).Draw(t, "k0")
		k1 := rapid.IntRange(k0, n).Draw(t, "k1")
		for _, part := range [][2]int{{0, n}, {k0, k1}} {
			c, err := p.Columns(host.Work{}, part[0], part[1], WantSteps|WantWeight|WantDelay)
			if err != nil {
				t.Fatal(err)
			}
			for k := range c.I {
				if got := (synapse{c.I[k], c.J[k], c.Steps[k], c.Weight[k]}); got != want[part[0]+k] {
					t.Fatalf("synapse %d of %v is %v, want %v", part[0]+k, part, got, want[part[0]+k])
				}
			}
		}
	})
}

// TestSkips compares the threshold table with the geometric distribution in
// exact arithmetic and next with a plain search.
func TestSkips(t *testing.T) {
	for _, p := range []float64{0x1p-16, 2e-5, 0.02, 0.1, 0.5, 0.999, 1 - 0x1p-40} {
		s := newSkips(p)
		stay := new(big.Float).SetPrec(200).SetFloat64(1)
		q := new(big.Float).SetPrec(200).Sub(big.NewFloat(1), big.NewFloat(p))
		for m, got := range s.less {
			stay.Mul(stay, q)
			want, _ := new(big.Float).Mul(new(big.Float).Sub(big.NewFloat(1), stay), big.NewFloat(0x1p32)).Float64()
			if math.Abs(float64(got)-want) > 1.01 {
				t.Fatalf("p %g: threshold %d is %d, want %.1f", p, m, got, want)
			}
		}
		for item := range uint32(3000) {
			w := philox.Word(item, 0, 0, 0, [2]uint32{})
			for _, w := range []uint32{w, w >> 20, ^w >> 25 << 3} {
				m, found := s.next(w)
				if wm, wf := geometric(p, w); m != wm || found != wf {
					t.Fatalf("p %g, word %#x: %d %v, want %d %v", p, w, m, found, wm, wf)
				}
			}
		}
	}
}

// TestRarePairs: the distance to the next pair is m exactly for those of 2^64
// numbers that the geometric distribution gives to m, whatever the probability.
func TestRarePairs(t *testing.T) {
	const size = 1 << 40
	for _, p := range []float64{1e-300, 1e-15, 1e-12, 1e-9, 2.5e-10, 1.5e-5} {
		s := newSkips(p)
		log := math.Log1p(-p)
		for _, m := range []float64{1, 2, 3, 7, 1000, 123456, 1 << 30} {
			share := -math.Expm1(m * log) // of numbers that mean less than m
			for _, off := range []float64{-1e-9, 1e-9} {
				u := share * (1 + off)
				if high := u * 0x1p64; high < 1 || u >= 1 {
					continue // there is no such number
				}
				w := uint64(u * 0x1p63 * 2)
				if u >= 0.5 {
					w = uint64((u-0.5)*0x1p64) + 1<<63
				}
				at, ends := s.row([]uint32{uint32(w >> 32), uint32(w)}, 0, size, nil)
				want := m - 1
				if off > 0 {
					want = m
				}
				if w < 1<<32 || m > 1e8 { // one in 2^64, or in 10^9, is more than 1e-9 of them, or of m
					continue
				}
				if len(ends) != 1 || float64(ends[0]) != want || at != int(want)+1 {
					t.Errorf("p = %g: %g of all numbers mean %v and go on at %d, want %g", p, u, ends, at, want)
				}
			}
		}
	}
	// A pair far beyond the row, and none at all.
	for _, p := range []float64{0, 5e-324, 1e-9} {
		if at, ends := newSkips(p).row([]uint32{1 << 31, 0}, 3, 1000, nil); at != 1000 || ends != nil {
			t.Errorf("p = %g: %v, then %d", p, ends, at)
		}
	}
}

// TestRareWords: pairs that are decided one by one are chosen with their probability.
func TestRareWords(t *testing.T) {
	p := &Proj{Stream: 5, Seed: [2]uint32{1, 2}}
	g := &gen{p: p}
	const n = 1 << 16
	for _, prob := range []float64{1e-9, 3.3e-10, 1e-12, 1.2e-5} {
		whole := math.Floor(prob * 0x1p32)
		if whole > 0 && !g.below(uint32(whole)-1, prob, 0, 0) || g.below(uint32(whole)+1, prob, 0, 0) {
			t.Errorf("p = %g: the words around %g are decided otherwise", prob, whole)
		}
		hit := 0
		for k := range n {
			if g.below(uint32(whole), prob, 0, k) {
				hit++
			}
		}
		want := n * (prob*0x1p32 - whole)
		if d := float64(hit) - want; math.Abs(d) > 5*math.Sqrt(want+1) {
			t.Errorf("p = %g: %d of %d words %g, want %.1f", prob, hit, n, whole, want)
		}
	}
}
