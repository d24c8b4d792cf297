package connect

import (
	"flag"
	"fmt"
	"math"
	"testing"
	"time"

	"synfire/engine/host"
	"synfire/engine/ir"
)

var long = flag.Bool("long", false, "BenchmarkBuild at full scale: 299 million synapses, 1.3 GB")

// microcircuit is Potjans and Diesmann (2014): sizes, and connection
// probabilities, targets down and sources across.
var (
	sizes = [8]int{20683, 5834, 21915, 5479, 4850, 1065, 14395, 2948}
	probs = [8][8]float64{
		{.1009, .1689, .0437, .0818, .0323, 0, .0076, 0},
		{.1346, .1371, .0316, .0515, .0755, 0, .0042, 0},
		{.0077, .0059, .0497, .1350, .0067, .0003, .0453, 0},
		{.0691, .0029, .0794, .1597, .0033, 0, .1057, 0},
		{.1004, .0622, .0505, .0057, .0831, .3726, .0204, 0},
		{.0548, .0269, .0257, .0022, .0600, .3158, .0086, 0},
		{.0156, .0066, .0211, .0166, .0572, .0197, .0396, .2252},
		{.0364, .0010, .0034, .0005, .0277, .0080, .0658, .1443},
	}
)

// normal is a program of mean + sd*x, x normal and above from, in standard
// deviations: the words above its quantile.
func normal(t testing.TB, stream uint32, mean, sd, below float64) *ir.Prog {
	b := ir.NewBuilder("normal")
	out := b.Slot("out", ir.Array, ir.F32)
	w := b.Rand(b.Lane(), stream, 0)
	first := uint32(below * 0x1p32)
	w = b.AddI(b.MulHi(w, b.U(-first)), b.U(first))
	b.Store(out, b.Add(b.Mul(b.Normal(w), b.F(sd)), b.F(mean)))
	p, err := b.Prog()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// potjansDiesmann is the microcircuit's one table, at a scale.
func potjansDiesmann(t testing.TB, scale float64) *Spec {
	s := &Spec{Name: "PD", Scale: 32, Width: 16}
	var start [9]int
	for x, n := range sizes {
		start[x+1] = start[x] + int(math.Round(float64(n)*scale))
	}
	s.NSrc, s.NTgt = start[8], start[8]
	for post := range 8 {
		for pre := range 8 {
			c := probs[post][pre]
			if c == 0 {
				continue
			}
			stream := uint32(3 * (8*post + pre))
			w, d := 87.81, 1.5
			if pre%2 == 1 {
				w, d = -4*w, .75
			}
			if post == 0 && pre == 2 {
				w *= 2
			}
			full := math.Log(1-c) / math.Log(1-1/(float64(sizes[post])*float64(sizes[pre])))
			below := 0.5 * math.Erfc((d-.05)/(d/2)/math.Sqrt2)
			s.Projs = append(s.Projs, &Proj{
				Name: fmt.Sprint(pre, "-", post), Rule: FixedTotal, N: int(math.Round(full * scale * scale)), Stream: stream,
				NPre: start[pre+1] - start[pre], NPost: start[post+1] - start[post], Row0: start[pre], Tgt0: start[post],
				Weight: Column{Prog: normal(t, stream+1, w, .1*math.Abs(w), 0), Lo: w - math.Abs(w), Hi: w + math.Abs(w)},
				Delay:  Column{Prog: normal(t, stream+2, d, d/2, below), Lo: 0, Hi: 20}, Unit: 10,
			})
		}
	}
	return s
}

// BenchmarkBuild measures and builds the Potjans-Diesmann microcircuit, at
// scale 0.1, or in full with -long, for two threads.
func BenchmarkBuild(b *testing.B) {
	scale := 0.1
	if *long {
		scale = 1
	}
	for b.Loop() {
		s := potjansDiesmann(b, scale)
		begin := time.Now()
		st, err := Measure(s, host.Work{Threads: 2})
		if err != nil {
			b.Fatal(err)
		}
		measured := time.Since(begin)
		tables, err := Build(s, Cut(s.NTgt, 2), host.Work{Threads: 2})
		if err != nil {
			b.Fatal(err)
		}
		bytes, huge := 0.0, 0.0
		for _, t := range tables {
			bytes += float64(t.Bytes())
			huge += float64(t.Huge())
		}
		b.ReportMetric(float64(measured.Nanoseconds())/float64(st.Total), "measure-ns/syn")
		b.ReportMetric(float64((time.Since(begin)-measured).Nanoseconds())/float64(st.Total), "build-ns/syn")
		b.ReportMetric(bytes/float64(st.Total), "B/syn")
		b.ReportMetric(100*huge/bytes, "%huge")
		b.ReportMetric(float64(st.Total), "synapses")
		for _, t := range tables {
			t.Close()
		}
	}
}

// BenchmarkBernoulli counts, measures and builds the synapses of 10^4 sources to
// 10^5 targets at p = 0.01 on one thread.
func BenchmarkBernoulli(b *testing.B) {
	for b.Loop() {
		p := &Proj{Name: "p", Rule: Bernoulli, P: .01, NPre: 10000, NPost: 100000, Stream: 3, Weight: Column{Const: 1}, Delay: Column{Const: 10}}
		s := &Spec{Name: "p", Scale: 1, Uniform: 1, NSrc: p.NPre, NTgt: p.NPost, Projs: []*Proj{p}}
		begin := time.Now()
		if _, err := p.Count(host.Work{Threads: 1}); err != nil {
			b.Fatal(err)
		}
		counted := time.Since(begin)
		st, err := Measure(s, host.Work{Threads: 1})
		if err != nil {
			b.Fatal(err)
		}
		measured := time.Since(begin)
		tables, err := Build(s, Cut(s.NTgt, 2), host.Work{Threads: 1})
		if err != nil {
			b.Fatal(err)
		}
		b.ReportMetric(float64(counted.Nanoseconds())/float64(st.Total), "count-ns/syn")
		b.ReportMetric(float64((measured-counted).Nanoseconds())/float64(st.Total), "measure-ns/syn")
		b.ReportMetric(float64((time.Since(begin)-measured).Nanoseconds())/float64(st.Total), "build-ns/syn")
		for _, t := range tables {
			t.Close()
		}
	}
}
