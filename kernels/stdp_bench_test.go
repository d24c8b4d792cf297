package kernels_test

import (
	"fmt"
	"math"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"synfire/engine/backend"
	"synfire/engine/connect"
	"synfire/engine/host"
	"synfire/engine/ir"
	"synfire/kernels"
)

var sourceEnd = backend.Binding{Buf: backend.NoBuf, Off: backend.SlotSource}

// pairing is a population of n neurons that fire at a rate, each with some k
// synapses to others that change with pairs of spikes:
//
//	on_pre: sum_post += w; apre += 1; w = clip(w - a*apost, 0, 1)
//	on_post: apost += 1; w = clip(w + b*apre, 0, 1)
//
// with traces kept once for each neuron.
func pairing(n, k int, rule connect.Rule, hz float64, delays int) *sketch {
	p := newSketch()
	e := p.event(n, 15+delays+1)
	v := p.buf("v", backend.State, ir.F32, n)
	b := ir.NewBuilder("chance")
	b.StoreBit(b.Slot("spike", ir.Mask, ir.Bool), b.LtU(b.Rand(b.Lane(), 1, 0), b.U(uint32(hz*1e-4*0x1p32))))
	p.eval(b, n, bits(e))

	delay := connect.Column{Const: 15, Lo: 15, Hi: 15}
	if delays > 1 {
		bl := ir.NewBuilder("delay")
		out := bl.Slot("out", ir.Array, ir.F32)
		bl.StoreRaw(out, bl.I2F(bl.AddI(bl.MulHi(bl.Rand(bl.Lane(), 5, 0), bl.U(uint32(delays))), bl.I(15))))
		prog, err := bl.Prog()
		if err != nil {
			panic(err)
		}
		delay = connect.Column{Prog: prog, Data: make([][]uint32, 1), Lo: 15, Hi: float64(14 + delays)}
	}
	table := func(spec *connect.Spec, lo, hi int) int {
		p.Tables = append(p.Tables, backend.Table{Spec: spec, Sources: []backend.Source{{Event: e, Lo: 0, Hi: n}}, Last: math.MaxInt64, MinDelay: lo, MaxDelay: hi})
		return len(p.Tables) - 1
	}
	proj := &connect.Proj{Name: "S", Rule: rule, N: k, P: float64(k) / float64(n), NPre: n, NPost: n, Seed: [2]uint32{1, 0}, Stream: 9, Unit: 1, Delay: delay}
	total, err := proj.Count(host.Work{})
	if err != nil {
		panic(err)
	}
	spec := &connect.Spec{Name: "S", NSrc: n, NTgt: n, Projs: []*connect.Proj{proj}, Scale: 1, Width: 32}
	pre := table(spec, 15, 14+delays)
	late := &connect.Spec{Name: "S", NSrc: n, NTgt: n, Projs: []*connect.Proj{proj.With(connect.Column{}, connect.Column{})}, Scale: 1, Width: 32}
	post := table(late, 0, 0)
	each := func(d float64) int {
		one := &connect.Proj{Name: "each", Rule: connect.OneToOne, NPre: n, NPost: n, Unit: 1, Delay: connect.Column{Const: d, Lo: d, Hi: d}}
		return table(&connect.Spec{Name: "each", NSrc: n, NTgt: n, Projs: []*connect.Proj{one}, Scale: 1, Width: 32}, int(d), int(d))
	}
	w := p.buf("w", backend.State, ir.F32, total)
	p.Bufs[w].Init = make([]uint32, total)
	for s := range total {
		p.Bufs[w].Init[s] = math.Float32bits(float32(s%1000) / 1000)
	}
	var trace [2][2]backend.BufID
	for s, name := range []string{"apre", "apost"} {
		trace[s] = [2]backend.BufID{p.buf(name, backend.State, ir.F32, n), p.buf(name+".since", backend.State, ir.I32, n)}
	}
	acc := p.buf("sum", backend.Scratch, ir.I32, n)

	effect := func(b *ir.Builder, table int, post bool, count int, bind ...backend.Binding) {
		prog, err := b.Prog()
		if err != nil {
			panic(err)
		}
		p.Stages = append(p.Stages, backend.Stage{Form: backend.FormEffect, Name: prog.Name, Flag: -1, Prog: prog, Bind: bind, Table: table, Count: count, Post: post, Trap: make([]backend.Trap, prog.Traps)})
	}
	advanced := func(b *ir.Builder, value, since ir.Value) ir.Value {
		_, d := b.SinceSteps(b.Step(), since)
		return b.Mul(value, b.Exp(b.Mul(d, b.F(-0.005))))
	}
	bump := func(name string, table int, of [2]backend.BufID) {
		b := ir.NewBuilder(name)
		sv, ss := b.Slot("value", ir.Array, ir.F32), b.Slot("since", ir.Array, ir.I32)
		b.Store(sv, b.Add(advanced(b, b.Load(sv), b.Load(ss)), b.F(1)))
		b.Store(ss, b.Step())
		effect(b, table, false, 0, at(of[0]), at(of[1]))
	}
	change := func(after bool) {
		b := ir.NewBuilder("S post")
		end, other, by, on := sourceEnd, trace[0], 0.004, post
		if !after {
			b = ir.NewBuilder("S pre")
			end, other, by, on = targetEnd, trace[1], -0.005, pre
		}
		sw, se, sv, ss := b.Slot("w", ir.Array, ir.F32), b.Slot("end", ir.Array, ir.U32), b.Slot("trace", ir.Table, ir.F32), b.Slot("since", ir.Table, ir.I32)
		bind := []backend.Binding{at(w), end, at(other[0]), at(other[1])}
		x, to := b.LoadRange(sw, ir.Range{Lo: 0, Hi: 1}), b.Load(se)
		if !after {
			sum := b.Slot("sum", ir.Accum, ir.I32)
			bind = append(bind, at(acc))
			b.Scatter(sum, to, b.Fix32(x, 0x1p16, 1, -1))
		}
		b.Store(sw, b.Clip(b.Add(x, b.Mul(advanced(b, b.Gather(sv, to, ir.Range{}), b.Gather(ss, to, ir.Range{})), b.F(by))), b.F(0), b.F(1)))
		count := 1
		if after {
			count = 0
		}
		effect(b, on, after, count, bind...)
	}
	change(false)
	if delays == 1 {
		bump("S pre by source", each(15), trace[0])
	}
	b = ir.NewBuilder("apply")
	sv, sa := b.Slot("v", ir.Array, ir.F32), b.Slot("sum", ir.Array, ir.I32)
	b.Store(sv, b.Add(b.Mul(b.Load(sv), b.F(0.995)), b.Mul(b.I2F(b.Load(sa)), b.F(0x1p-16))))
	p.eval(b, n, at(v), at(acc))
	change(true)
	bump("S post by target", each(0), trace[1])
	return p
}

// resident is the memory of the process, in bytes.
func resident() float64 {
	runtime.GC()
	debug.FreeOSMemory()
	var kb float64
	text, _ := os.ReadFile("/proc/self/status")
	for _, line := range strings.Split(string(text), "\n") {
		fmt.Sscanf(line, "VmRSS: %f kB", &kb)
	}
	return 1024 * kb
}

// BenchmarkPairs is synapses that change with pairs of spikes. What a synapse
// takes is told of all that a process holds, its own first words among it.
func BenchmarkPairs(b *testing.B) {
	for _, c := range []struct {
		n, k, delays int
		rule         connect.Rule
	}{{2000, 200, 1, connect.Bernoulli}, {10_000, 1000, 1, connect.Bernoulli}, {10_000, 1000, 1, connect.FixedIndegree}, {10_000, 1000, 20, connect.Bernoulli}, {100_000, 1000, 1, connect.Bernoulli}} {
		for _, threads := range []int{1, 2} {
			b.Run(fmt.Sprintf("n=%d/k=%d/rule=%d/delays=%d/threads=%d", c.n, c.k, c.rule, c.delays, threads), func(b *testing.B) {
				before := resident()
				p := pairing(c.n, c.k, c.rule, 30, c.delays)
				cpu := kernels.New(threads)
				start := time.Now()
				prog, err := cpu.Load(host.Work{}, &p.Plan)
				if err != nil {
					b.Fatal(err)
				}
				built := time.Since(start).Seconds()
				runFor(b, prog, p, threads, 1000)
				b.ReportMetric(built, "s-to-build")
				b.ReportMetric((resident()-before)/float64(c.n*c.k), "bytes/synapse")
				runtime.KeepAlive(p)
				prog.Close()
				cpu.Close()
			})
		}
	}
}

// BenchmarkLater is what on_post costs at once and made up later.
func BenchmarkLater(b *testing.B) {
	for _, c := range []struct{ n, k int }{{100, 100}, {500, 20}, {632, 632}, {2000, 200}, {949, 949}, {3000, 300}, {4000, 400}} {
		for name, force := range map[string]func() (undo func()){"at once": kernels.ForceAtOnce, "later": kernels.ForceLater} {
			b.Run(fmt.Sprintf("n=%d/k=%d/%s", c.n, c.k, name), func(b *testing.B) {
				defer force()()
				p := pairing(c.n, c.k, connect.FixedIndegree, 30, 1)
				cpu := kernels.New(1)
				defer cpu.Close()
				prog, err := cpu.Load(host.Work{}, &p.Plan)
				if err != nil {
					b.Fatal(err)
				}
				defer prog.Close()
				runFor(b, prog, p, 1, 1000)
			})
		}
	}
}
