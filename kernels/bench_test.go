package kernels_test

import (
	"fmt"
	"math"
	"testing"

	"synfire/engine/backend"
	"synfire/engine/connect"
	"synfire/engine/host"
	"synfire/engine/ir"
	"synfire/kernels"
)

// sketch is a plan of a benchmark.
type sketch struct{ backend.Plan }

func newSketch() *sketch {
	p := &sketch{backend.Plan{Seed: 1, Batch: 1000, Dt: 1e-4}}
	p.Step = p.buf("step", backend.State, ir.U32, 1)
	p.Due = p.buf("due", backend.State, ir.U32, 2)
	return p
}

func (p *sketch) buf(name string, k backend.BufKind, t ir.Type, n int) backend.BufID {
	p.Bufs = append(p.Bufs, backend.Buf{Name: name, Kind: k, Type: t, Len: n})
	return backend.BufID(len(p.Bufs) - 1)
}

func (p *sketch) event(n, history int) int {
	m := p.buf("masks", backend.State, ir.U32, history*((n+31)/32))
	p.Events = append(p.Events, backend.Event{Name: "spike", N: n, History: history, Masks: m})
	return len(p.Events) - 1
}

func (p *sketch) eval(b *ir.Builder, n int, bind ...backend.Binding) {
	prog, err := b.Prog()
	if err != nil {
		panic(err)
	}
	p.Stages = append(p.Stages, backend.Stage{Form: backend.FormMap, Name: prog.Name, Flag: -1, N: n, Prog: prog, Bind: bind})
}

func (p *sketch) deliver(spec *connect.Spec, lo, hi, event int, src0, src1 int, acc backend.BufID) {
	p.Tables = append(p.Tables, backend.Table{Spec: spec, Sources: []backend.Source{{Event: event, Lo: src0, Hi: src1}}, Last: math.MaxInt64, MinDelay: lo, MaxDelay: hi})
	p.Stages = append(p.Stages, backend.Stage{Form: backend.FormDeliver, Name: spec.Name, Flag: -1, Table: len(p.Tables) - 1, Count: 1, Acc: acc})
}

func (p *sketch) record(event, n, room int) {
	r := backend.Rec{Hi: n, Count: p.buf("count", backend.Record, ir.U32, p.Batch), Index: p.buf("index", backend.Record, ir.U32, room)}
	p.Stages = append(p.Stages, backend.Stage{Form: backend.FormSpikes, Name: "spikes", Flag: -1, Event: event, Rec: r})
}

func at(b backend.BufID) backend.Binding { return backend.Binding{Buf: b} }
func bits(e int) backend.Binding         { return backend.Binding{Buf: backend.NoBuf, Event: e} }

// bench runs the plan for b.N steps.
func bench(b *testing.B, p *sketch, threads, warm int) {
	cpu := kernels.New(threads)
	defer cpu.Close()
	prog, err := cpu.Load(host.Work{}, &p.Plan)
	if err != nil {
		b.Fatal(err)
	}
	defer prog.Close()
	runFor(b, prog, p, threads, warm)
}

// runFor runs a program for b.N steps.
func runFor(b *testing.B, prog backend.Program, p *sketch, threads, warm int) {
	due := func() float64 {
		w := make([]uint32, 2)
		if err := prog.Read(p.Due, w); err != nil {
			b.Fatal(err)
		}
		return float64(uint64(w[1])<<32 | uint64(w[0]))
	}
	run := func(n int) {
		for n > 0 {
			done, err := prog.Run(min(n, p.Batch), nil)
			if err != nil {
				b.Fatal(err)
			}
			n -= done
		}
	}
	run(warm)
	before, cpu0 := due(), processed()
	phases := prog.(backend.Profiler).Profile()
	b.ResetTimer()
	run(b.N)
	b.StopTimer()
	events, cpu1 := due()-before, processed()
	ns := float64(b.Elapsed().Nanoseconds())
	b.ReportMetric(ns/float64(b.N)/1e3, "us/step")
	if events > 0 {
		b.ReportMetric(events/float64(b.N), "events/step")
		b.ReportMetric((cpu1-cpu0)/events, "cpu-ns/event")
	}
	for i, ph := range prog.(backend.Profiler).Profile() {
		d := float64((ph.Time - phases[i].Time).Nanoseconds()) / float64(threads)
		b.ReportMetric(100*d/ns, ph.Name+"-%")
		if ph.Name == "deliver" && events > 0 {
			b.ReportMetric(d*float64(threads)/events, "ns/event/thread")
		}
	}
	b.ReportMetric(0, "ns/op")
}

// lif is v' = a v + b, threshold and reset in one or two stages.
func (p *sketch) lif(n, history int, acc ...backend.BufID) int {
	v := p.buf("v", backend.State, ir.F32, n)
	for k := range n {
		p.Bufs[v].Init = append(p.Bufs[v].Init, math.Float32bits(float32(k%1000)/1000))
	}
	e := p.event(n, history)
	b := ir.NewBuilder("update")
	sv, sp := b.Slot("v", ir.Array, ir.F32), b.Slot("spike", ir.Mask, ir.Bool)
	x := b.Add(b.Mul(b.Load(sv), b.F(0.995)), b.F(0.0052))
	b.Store(sv, x)
	b.StoreBit(sp, b.Gt(x, b.F(1)))
	p.eval(b, n, at(v), bits(e))
	for _, a := range acc {
		b := ir.NewBuilder("apply")
		sv, sa := b.Slot("v", ir.Array, ir.F32), b.Slot("acc", ir.Array, ir.I32)
		b.Store(sv, b.Add(b.Load(sv), b.Mul(b.I2F(b.Load(sa)), b.F(0x1p-16))))
		p.eval(b, n, at(v), at(a))
	}
	b = ir.NewBuilder("reset")
	sv, sp = b.Slot("v", ir.Array, ir.F32), b.Slot("spike", ir.Mask, ir.Bool)
	b.Store(sv, b.Sel(b.Bit(sp), b.F(0), b.Load(sv)))
	p.eval(b, n, at(v), bits(e))
	return e
}

// BenchmarkUpdate is a million LIF neurons without synapses or noise.
func BenchmarkUpdate(b *testing.B) {
	for _, n := range []int{4000, 100_000, 1_000_000} {
		for _, threads := range []int{1, 2} {
			b.Run(fmt.Sprintf("n=%d/threads=%d", n, threads), func(b *testing.B) {
				p := newSketch()
				e := p.lif(n, 1)
				p.record(e, n, 100*n)
				bench(b, p, threads, 100)
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/neuron")
			})
		}
	}
}

// BenchmarkNoise is a million LIF neurons with one normal number each per step.
func BenchmarkNoise(b *testing.B) {
	const n = 1_000_000
	for _, threads := range []int{1, 2} {
		b.Run(fmt.Sprintf("threads=%d", threads), func(b *testing.B) {
			p := newSketch()
			v, e := p.buf("v", backend.State, ir.F32, n), p.event(n, 1)
			bl := ir.NewBuilder("update")
			sv, sp := bl.Slot("v", ir.Array, ir.F32), bl.Slot("spike", ir.Mask, ir.Bool)
			noise := bl.Mul(bl.Normal(bl.Rand(bl.Lane(), 1, 0)), bl.F(0.01))
			x := bl.Add(bl.Add(bl.Mul(bl.Load(sv), bl.F(0.995)), bl.F(0.004)), noise)
			fire := bl.Gt(x, bl.F(1))
			bl.Store(sv, bl.Sel(fire, bl.F(0), x))
			bl.StoreBit(sp, fire)
			p.eval(bl, n, at(v), bits(e))
			p.record(e, n, 100*n)
			bench(b, p, threads, 64)
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/neuron")
		})
	}
}

// BenchmarkDelayed is a million LIF neurons with 10 synapses each after 18
// steps: the state is beyond the caches, the delay lets it be cut into blocks.
func BenchmarkDelayed(b *testing.B) {
	const n = 1_000_000
	for _, threads := range []int{1, 2} {
		b.Run(fmt.Sprintf("threads=%d", threads), func(b *testing.B) {
			p := newSketch()
			acc := p.buf("acc", backend.Scratch, ir.I32, n)
			e := p.lif(n, 19, acc)
			one := connect.Column{Const: 0x1p-8, Lo: 0x1p-8, Hi: 0x1p-8}
			proj := &connect.Proj{Name: "C", Rule: connect.FixedTotal, N: 10 * n, NPre: n, NPost: n, Seed: [2]uint32{1, 0}, Weight: one, Delay: connect.Column{Const: 18, Lo: 18, Hi: 18}}
			p.deliver(&connect.Spec{Name: "C", NSrc: n, NTgt: n, Projs: []*connect.Proj{proj}, Scale: 1 << 16, Uniform: 100}, 18, 18, e, 0, n, acc)
			p.record(e, n, 100*n)
			bench(b, p, threads, 64)
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/n, "ns/neuron")
		})
	}
}

// BenchmarkSmall is 4,000 neurons with 80 synapses each of one step's delay: cuba.
func BenchmarkSmall(b *testing.B) {
	for _, threads := range []int{1, 2} {
		b.Run(fmt.Sprintf("threads=%d", threads), func(b *testing.B) {
			p := newSketch()
			const n = 4000
			exc, inh := p.buf("exc", backend.Scratch, ir.I32, n), p.buf("inh", backend.Scratch, ir.I32, n)
			e := p.lif(n, 2, exc, inh)
			for k, acc := range []backend.BufID{exc, inh} {
				lo, hi := k*3200, 3200+k*800
				proj := &connect.Proj{Name: "C", Rule: connect.Bernoulli, P: 0.02, NPre: hi - lo, NPost: n, Seed: [2]uint32{1, 0}, Stream: uint32(k),
					Weight: connect.Column{Const: 0x1p-8, Lo: 0x1p-8, Hi: 0x1p-8}, Delay: connect.Column{Const: 1, Lo: 1, Hi: 1}}
				spec := &connect.Spec{Name: "C", NSrc: hi - lo, NTgt: n, Projs: []*connect.Proj{proj}, Scale: 1 << 16, Uniform: 100}
				p.deliver(spec, 1, 1, e, lo, hi, acc)
			}
			p.record(e, n, 100*n)
			bench(b, p, threads, 1000)
		})
	}
}

// BenchmarkDelivery is n neurons of which each reaches k others after 1 to 60
// steps, firing at 3 Hz, as in Potjans and Diesmann's network.
func BenchmarkDelivery(b *testing.B) {
	for _, c := range []struct{ n, k, delays, threads int }{{20_000, 1000, 60, 1}, {100_000, 300, 60, 1}, {100_000, 300, 60, 2}, {100_000, 300, 1, 2}, {100_000, 1000, 60, 2}} {
		b.Run(fmt.Sprintf("n=%d/k=%d/delays=%d/threads=%d", c.n, c.k, c.delays, c.threads), func(b *testing.B) {
			p := newSketch()
			acc := p.buf("acc", backend.Scratch, ir.I32, c.n)
			v := p.buf("v", backend.State, ir.I32, c.n)
			e := p.event(c.n, c.delays+1)
			bl := ir.NewBuilder("chance")
			sp := bl.Slot("spike", ir.Mask, ir.Bool)
			bl.StoreBit(sp, bl.LtU(bl.Rand(bl.Lane(), 1, 0), bl.U(1288490)))
			p.eval(bl, c.n, bits(e))
			draw := func(stream uint32, f func(*ir.Builder, ir.Value) ir.Value) *ir.Prog {
				bl := ir.NewBuilder("draw")
				out := bl.Slot("out", ir.Array, ir.F32)
				bl.StoreRaw(out, f(bl, bl.Rand(bl.Lane(), stream, 0)))
				prog, err := bl.Prog()
				if err != nil {
					b.Fatal(err)
				}
				return prog
			}
			delay := draw(5, func(bl *ir.Builder, w ir.Value) ir.Value {
				return bl.I2F(bl.AddI(bl.MulHi(w, bl.U(uint32(c.delays))), bl.I(1)))
			})
			weight := draw(6, func(bl *ir.Builder, w ir.Value) ir.Value {
				return bl.Mul(bl.I2F(bl.ShrU(w, bl.U(20))), bl.F(0x1p-12))
			})
			proj := &connect.Proj{Name: "C", Rule: connect.FixedTotal, N: c.n * c.k, NPre: c.n, NPost: c.n, Seed: [2]uint32{1, 0}, Stream: 9, Unit: 1,
				Weight: connect.Column{Prog: weight, Data: make([][]uint32, 1), Lo: 0, Hi: 1},
				Delay:  connect.Column{Prog: delay, Data: make([][]uint32, 1), Lo: 1, Hi: float64(c.delays)}}
			spec := &connect.Spec{Name: "C", NSrc: c.n, NTgt: c.n, Projs: []*connect.Proj{proj}, Scale: 1 << 14, Width: 16}
			p.deliver(spec, 1, c.delays, e, 0, c.n, acc)
			bl = ir.NewBuilder("apply")
			sv, sa := bl.Slot("v", ir.Array, ir.I32), bl.Slot("acc", ir.Array, ir.I32)
			bl.Store(sv, bl.AddI(bl.Load(sv), bl.Load(sa)))
			p.eval(bl, c.n, at(v), at(acc))
			bench(b, p, c.threads, 100)
		})
	}
}
