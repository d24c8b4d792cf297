package connect

import (
	"fmt"
	"math"
	"testing"

	"synfire/engine/host"
)

// draw is all pairs of a projection.
func draw(t *testing.T, p *Proj) *Columns {
	t.Helper()
	n, err := p.Count(host.Work{})
	if err != nil {
		t.Fatal(err)
	}
	c, err := p.Columns(host.Work{}, 0, n, 0)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func histogram(x []uint32, n int) []float64 {
	h := make([]float64, n)
	for _, v := range x {
		h[v]++
	}
	return h
}

// chiSquare fails where chi is further from its mean than one chi-square
// variable in a million, to either side. Wilson and Hilferty (1931): its cube root
// is nearly normal. Seeds are fixed, so a pass stays one.
func chiSquare(t *testing.T, what string, chi float64, freedom int) {
	t.Helper()
	v := 2 / (9 * float64(freedom))
	if z := (math.Cbrt(chi/float64(freedom)) - (1 - v)) / math.Sqrt(v); math.Abs(z) > 4.9 {
		t.Errorf("%s: chi-square %.1f with %d degrees of freedom (%.1f sd)", what, chi, freedom, z)
	}
}

// fair compares counts with an expected value that they share.
func fair(t *testing.T, what string, counts []float64, expected float64, freedom int) {
	t.Helper()
	chi := 0.0
	for _, c := range counts {
		chi += (c - expected) * (c - expected) / expected
	}
	chiSquare(t, what, chi, freedom)
}

// TestFixedTotal: rows, targets and pairs are uniform; without autapses, over
// ranges that partly overlap, every other pair is as likely as any.
func TestFixedTotal(t *testing.T) {
	const n = 200000
	p := &Proj{Rule: FixedTotal, NPre: 300, NPost: 170, N: n, Seed: [2]uint32{1, 2}, Stream: 9}
	c := draw(t, p)
	fair(t, "sources", histogram(c.I, 300), n/300.0, 299)
	fair(t, "targets", histogram(c.J, 170), n/170.0, 169)

	p = &Proj{Rule: FixedTotal, NPre: 12, NPost: 9, N: n, Same: true, NoAutapses: true, PreOff: 0, PostOff: 5, Stream: 4}
	c = draw(t, p)
	pairs := make([]float64, 0, 12*9)
	both := make([]float64, 12*9)
	for k := range c.I {
		both[c.I[k]*9+c.J[k]]++
	}
	for k, x := range both {
		if k/9 == k%9+5 {
			if x != 0 {
				t.Fatalf("%v autapses of source %d", x, k/9)
			}
			continue
		}
		pairs = append(pairs, x)
	}
	fair(t, "pairs that are no autapses", pairs, n/float64(len(pairs)), len(pairs)-1)
}

// TestDistinct: without multapses each set of pairs is as likely as any, and no
// pair comes twice, whether few or most pairs are taken.
func TestDistinct(t *testing.T) {
	for _, n := range []int{3, 15, 27} { // of 5 x 6
		const seeds = 3000
		pairs := make([]float64, 30)
		for seed := range uint32(seeds) {
			c := draw(t, &Proj{Rule: FixedTotal, NPre: 5, NPost: 6, N: n, NoMultapses: true, Seed: [2]uint32{seed, 0}})
			seen := map[uint32]bool{}
			for k := range c.I {
				pair := c.I[k]*6 + c.J[k]
				if seen[pair] {
					t.Fatalf("N = %d, seed %d: pair %d comes twice", n, seed, pair)
				}
				seen[pair] = true
				pairs[pair]++
			}
			if len(seen) != n {
				t.Fatalf("%d pairs, want %d", len(seen), n)
			}
		}
		q := float64(n) / 30 // sampling without replacement: less variance than multinomial
		variance := seeds * q * (1 - q)
		chi := 0.0
		for _, x := range pairs {
			chi += (x - seeds*q) * (x - seeds*q) / variance * 29 / 30
		}
		chiSquare(t, fmt.Sprintf("N = %d", n), chi, 29)
	}
}

// TestFixedDegrees: each neuron has its N partners, uniformly, none its own
// self or one of them twice where that is forbidden.
func TestFixedDegrees(t *testing.T) {
	for _, rule := range []Rule{FixedIndegree, FixedOutdegree} {
		for _, n := range []int{20, 70} { // of 99
			p := &Proj{Rule: rule, NPre: 100, NPost: 100, N: n, Same: true, NoAutapses: true, NoMultapses: true, Stream: 3}
			c := draw(t, p)
			seen := map[[2]uint32]bool{}
			for k := range c.I {
				pair := [2]uint32{c.I[k], c.J[k]}
				if seen[pair] || c.I[k] == c.J[k] {
					t.Fatalf("pair %v", pair)
				}
				seen[pair] = true
			}
			fixed, free := histogram(c.J, 100), histogram(c.I, 100)
			if rule == FixedOutdegree {
				fixed, free = free, fixed
			}
			for row, d := range fixed {
				if d != float64(n) {
					t.Fatalf("row %d has %v, want %d", row, d, n)
				}
			}
			q := float64(n) / 99
			chi := 0.0
			for _, x := range free {
				chi += (x - float64(n)) * (x - float64(n)) / (99 * q * (1 - q))
			}
			chiSquare(t, fmt.Sprintf("rule %d, N = %d", rule, n), chi, 99)
		}
		p := &Proj{Rule: rule, NPre: 50, NPost: 50, N: 4000}
		c := draw(t, p)
		both := make([]float64, 2500)
		for k := range c.I {
			both[c.I[k]*50+c.J[k]]++
		}
		fair(t, "pairs with multapses", both, 80, 49*50)
	}
}

// TestBernoulli: the number of pairs is binomial, in all, in each row and in
// each column, for skipping and for deciding pair by pair.
func TestBernoulli(t *testing.T) {
	for _, p := range []float64{2e-5, 0.004, 0.1, 0.5, 0.98} {
		for _, rule := range []Rule{Bernoulli, AllToAll} {
			const pre, post = 401, 1000
			c := draw(t, &Proj{Rule: rule, NPre: pre, NPost: post, P: p, Seed: [2]uint32{7, 7}, Stream: 5})
			mean, sd := pre*post*p, math.Sqrt(pre*post*p*(1-p))
			if d := float64(len(c.I)) - mean; math.Abs(d) > 4.9*sd {
				t.Errorf("p = %g: %d pairs, want %.0f +- %.1f", p, len(c.I), mean, sd)
			}
			if p < 1e-3 {
				continue
			}
			for what, h := range map[string][]float64{"rows": histogram(c.I, pre), "columns": histogram(c.J, post)} {
				m := float64(pre*post/len(h)) * p
				chi := 0.0
				for _, x := range h {
					chi += (x - m) * (x - m) / (m * (1 - p))
				}
				chiSquare(t, fmt.Sprintf("p = %g, %s", p, what), chi, len(h))
			}
		}
	}
}

// TestEstimate: after Measure the memory told is what the tables take, and
// before it the expected number of synapses is near.
func TestEstimate(t *testing.T) {
	for _, width := range []int{0, 16, 32} {
		s := &Spec{Name: "S", NSrc: 2000, NTgt: 3000, Width: width, Scale: 1, Projs: []*Proj{
			{Name: "a", Rule: Bernoulli, NPre: 2000, NPost: 3000, P: 0.05, Weight: Column{Const: 1}, Delay: Column{Const: 3}},
			{Name: "b", Rule: FixedIndegree, NPre: 500, NPost: 3000, N: 10, Weight: Column{Const: -1}, Delay: Column{Const: 15}},
		}}
		before := Estimate(s, 3, host.Work{Threads: 2})
		tables, err := Build(s, Cut(s.NTgt, 3), host.Work{Threads: 2})
		if err != nil {
			t.Fatal(err)
		}
		after := Estimate(s, 3, host.Work{Threads: 2})
		var bytes, synapses int64
		for _, x := range tables {
			bytes += x.Bytes()
			synapses += int64(x.Entries())
			x.Close()
		}
		if after.Synapses != synapses || math.Abs(float64(bytes-after.Entries-after.Index)) > 1000 {
			t.Errorf("width %d: told %+v; %d synapses in %d bytes", width, after, synapses, bytes)
		}
		if math.Abs(float64(before.Synapses-synapses)) > 0.02*float64(synapses) || before.Total() < after.Total()*9/10 {
			t.Errorf("width %d: told %+v before, %+v after", width, before, after)
		}
	}
}

// TestFewBytes: a table of many sources with one delay stays small.
func TestFewBytes(t *testing.T) {
	s := &Spec{NSrc: 1000000, NTgt: 1000000, Width: 16, Projs: []*Proj{{Rule: FixedOutdegree, N: 1000, NPre: 1000000, NPost: 1000000, Delay: Column{Const: 1}}}}
	m := Estimate(s, 16, host.Work{Threads: 2})
	if per := float64(m.Total()) / float64(m.Synapses); per > 4.5 {
		t.Errorf("%.2f bytes per synapse: %+v", per, m)
	}
}
