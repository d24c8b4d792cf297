//go:build egl && cgo && linux

package shaders

import (
	"syscall"
	"testing"

	"synfire/engine/backend"
	"synfire/engine/connect"
	"synfire/engine/host"
	"synfire/engine/ir"
)

// lif is a plan of n leaky neurons with noise from so many random words, and
// with out synapses for each where out > 0.
func lif(n, draws, out int) *backend.Plan {
	p := &backend.Plan{Dt: 1e-4, Batch: 200}
	buf := func(name string, k backend.BufKind, t ir.Type, n int) backend.BufID {
		p.Bufs = append(p.Bufs, backend.Buf{Name: name, Kind: k, Type: t, Len: n})
		return backend.BufID(len(p.Bufs) - 1)
	}
	p.Step, p.Due = buf("step", backend.State, ir.U32, 1), buf("due", backend.State, ir.U32, 2)
	v, acc := buf("v", backend.State, ir.F32, n), buf("acc", backend.Scratch, ir.I32, n)
	words := (n + 31) / 32
	p.Events = []backend.Event{{Name: "spike", N: n, History: 17, Masks: buf("masks", backend.State, ir.U32, 17*words), Spike: true}}
	a := &assembler{}
	a.Name = "P update"
	x, sum, bit := a.slot(ir.Array, ir.F32), a.slot(ir.Array, ir.I32), a.slot(ir.Mask, ir.Bool)
	c := func(f float32) ir.Value { return a.with(f32(f), a.op(ir.Const, ir.F32)) }
	y := a.op(ir.MulZ, ir.F32, a.with(x, a.op(ir.Load, ir.F32)), c(0.995))
	if out > 0 {
		y = a.op(ir.AddF, ir.F32, y, a.op(ir.MulZ, ir.F32, a.op(ir.I2F, ir.F32, a.with(sum, a.op(ir.Load, ir.I32))), c(0x1p-12)))
	}
	y = a.op(ir.AddF, ir.F32, y, c(0.004))
	for k := range draws {
		w := a.op(ir.Rand, ir.U32, a.op(ir.Lane, ir.I32))
		a.Ins[w].Imm = uint32(k)
		u := a.op(ir.MulF, ir.F32, a.op(ir.I2F, ir.F32, a.op(ir.ShrU, ir.U32, w, a.with(8, a.op(ir.Const, ir.U32)))), c(0x1p-24))
		y = a.op(ir.AddF, ir.F32, y, a.op(ir.MulZ, ir.F32, u, c(0.01)))
	}
	fire := a.op(ir.LtF, ir.Bool, c(1), y)
	a.with(bit, a.op(ir.StoreBit, ir.Bool, fire))
	a.with(x, a.op(ir.Store, ir.F32, a.op(ir.Canon, ir.F32, a.op(ir.Sel, ir.F32, fire, c(0), y))))
	if out > 0 {
		p.Tables = []backend.Table{{Spec: &connect.Spec{Name: "C", NSrc: n, NTgt: n, Width: 16, Scale: 4096, Projs: []*connect.Proj{
			{Name: "C", Rule: connect.FixedOutdegree, NPre: n, NPost: n, N: out, Stream: 9, Weight: connect.Column{Const: 0x1p-10}, Delay: connect.Column{Const: 16}},
		}}, Sources: []backend.Source{{Hi: n}}, MinDelay: 16, MaxDelay: 16, Last: 1 << 40}}
		p.Stages = append(p.Stages, backend.Stage{Form: backend.FormDeliver, Name: "C deliver", Flag: -1, Count: 1, Acc: acc})
	}
	p.Stages = append(p.Stages, backend.Stage{Form: backend.FormMap, Name: a.Name, Flag: -1, N: n, Prog: &a.Prog, Bind: []backend.Binding{{Buf: v}, {Buf: acc}, {}}})
	return p
}

func benchmark(b *testing.B, p *backend.Plan, neurons, philox int) {
	be := open(b, Options{NoSelfTest: true, Philox: philox})
	defer be.Close()
	prog, err := be.Load(host.Work{}, p)
	if err != nil {
		b.Fatal(err)
	}
	defer prog.Close()
	prog.Run(16, nil)
	due := make([]uint32, 2)
	prog.Read(p.Due, due)
	before := due[0]
	steps, cpu := 0, cpuTime()
	for b.Loop() {
		if _, err := prog.Run(16, nil); err != nil {
			b.Fatal(err)
		}
		steps += 16
	}
	cpu = cpuTime() - cpu
	prog.Read(p.Due, due)
	b.ReportMetric(float64(cpu)/float64(steps)/float64(neurons), "cpu-ns/neuron-step")
	if events := due[0] - before; events > 0 {
		b.ReportMetric(float64(cpu)/float64(events), "cpu-ns/event")
	}
}

// cpuTime is the time of all threads, in ns: a software renderer's figure that
// does not depend on what else the machine does.
func cpuTime() int64 {
	var r syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &r)
	return r.Utime.Nano() + r.Stime.Nano()
}

func BenchmarkUpdate(b *testing.B)       { benchmark(b, lif(1<<18, 0, 0), 1<<18, 0) }
func BenchmarkNoise(b *testing.B)        { benchmark(b, lif(1<<18, 1, 0), 1<<18, 1) }
func BenchmarkNoiseOfFour(b *testing.B)  { benchmark(b, lif(1<<18, 1, 0), 1<<18, 4) }
func BenchmarkNoises(b *testing.B)       { benchmark(b, lif(1<<18, 4, 0), 1<<18, 1) }
func BenchmarkNoisesOfFour(b *testing.B) { benchmark(b, lif(1<<18, 4, 0), 1<<18, 4) }
func BenchmarkDeliver(b *testing.B)      { benchmark(b, lif(4000, 1, 1000), 4000, 0) }
