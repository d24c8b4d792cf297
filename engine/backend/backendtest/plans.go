package backendtest

import (
	"fmt"
	"math"
	"math/rand/v2"

	"synfire/engine/backend"
	"synfire/engine/connect"
	"synfire/engine/ir"
)

// net is a plan under construction.
type net struct {
	backend.Plan
	rng *rand.Rand // of the test's own choices: pairs, weights, initial values
}

func newNet(seed uint64, batch int) *net {
	p := &net{rng: rand.New(rand.NewPCG(seed, 0))}
	p.Seed, p.Batch, p.Dt = seed, batch, 1e-4
	p.Step = p.buf("step", backend.State, ir.U32, 1)
	p.Due = p.buf("due", backend.State, ir.U32, 2)
	return p
}

func (p *net) buf(name string, k backend.BufKind, t ir.Type, n int) backend.BufID {
	p.Bufs = append(p.Bufs, backend.Buf{Name: name, Kind: k, Type: t, Len: n})
	return backend.BufID(len(p.Bufs) - 1)
}

// pop is a population: one float per neuron and its spikes.
type pop struct {
	n     int
	v     backend.BufID
	event int
}

// pop adds n neurons, v uniform in [0, 1), whose spikes are kept for history steps.
func (p *net) pop(name string, n, history int) *pop {
	q := &pop{n: n, v: p.buf(name+".v", backend.State, ir.F32, n), event: len(p.Events)}
	for range n {
		p.Bufs[q.v].Init = append(p.Bufs[q.v].Init, math.Float32bits(float32(p.rng.IntN(1<<20))*0x1p-20))
	}
	masks := p.buf(name+".spikes", backend.State, ir.U32, history*((n+31)/32))
	p.Events = append(p.Events, backend.Event{Name: name + ".spike", N: n, History: history, Masks: masks, Spike: true})
	return q
}

// stage adds a stage that always runs and returns it.
func (p *net) stage(s backend.Stage) *backend.Stage {
	s.Flag = -1
	if s.Name == "" {
		s.Name = fmt.Sprintf("stage %d", len(p.Stages))
	}
	p.Stages = append(p.Stages, s)
	return &p.Stages[len(p.Stages)-1]
}

// eval adds a FormMap stage.
func (p *net) eval(prog *ir.Prog, n int, bind ...backend.Binding) *backend.Stage {
	return p.stage(backend.Stage{Form: backend.FormMap, Name: prog.Name, N: n, Prog: prog, Bind: bind})
}

func at(b backend.BufID, off int) backend.Binding { return backend.Binding{Buf: b, Off: off} }

func bits(event int) backend.Binding { return backend.Binding{Buf: backend.NoBuf, Event: event} }

// update adds the leaky integration of v with drive and noise, and the
// threshold at 1.
func (p *net) update(q *pop, drive, noise float32, stream uint32) *backend.Stage {
	return p.eval(leak(drive, noise, stream), q.n, at(q.v, 0), bits(q.event))
}

// chance adds a threshold that neurons pass with probability rate, whatever v is.
func (p *net) chance(q *pop, rate float64, stream uint32) {
	p.eval(coin(rate, stream), q.n, bits(q.event))
}

// acc adds an accumulator of n targets.
func (p *net) acc(name string, n int) backend.BufID {
	return p.buf(name, backend.Scratch, ir.I32, n)
}

// apply adds acc, from word off on, to v.
func (p *net) apply(q *pop, acc backend.BufID, off int) {
	p.eval(applied(), q.n, at(q.v, 0), at(acc, off))
}

// reset sets v to 0 where a neuron fired.
func (p *net) reset(q *pop) *backend.Stage {
	return p.eval(zeroed(), q.n, at(q.v, 0), bits(q.event))
}

// table adds a table of one projection between populations, and gives it room
// to remember.
func (p *net) table(spec *connect.Spec, lo, hi int, sources ...backend.Source) int {
	p.Tables = append(p.Tables, backend.Table{Spec: spec, Sources: sources, Last: math.MaxInt64, MinDelay: lo, MaxDelay: hi})
	return len(p.Tables) - 1
}

func (p *net) deliver(table int, acc backend.BufID) *backend.Stage {
	return p.stage(backend.Stage{Form: backend.FormDeliver, Name: p.Tables[table].Spec.Name, Table: table, Count: 1, Acc: acc})
}

// pairs is a Spec of count random synapses with delays of lo to hi steps and
// weights that are multiples of 2^-10.
func (p *net) pairs(npre, npost, count, lo, hi, width int) *connect.Spec {
	proj := &connect.Proj{Name: "given", Rule: connect.Given, NPre: npre, NPost: npost, Unit: 1}
	if npre > 0 && npost > 0 {
		for range count {
			proj.I = append(proj.I, uint32(p.rng.IntN(npre)))
			proj.J = append(proj.J, uint32(p.rng.IntN(npost)))
			proj.Delay.Array = append(proj.Delay.Array, float32(lo+p.rng.IntN(hi-lo+1)))
			proj.Weight.Array = append(proj.Weight.Array, float32(p.rng.IntN(2000)-1000)*0x1p-10)
		}
	}
	proj.Delay.Lo, proj.Delay.Hi = float64(lo), float64(hi)
	proj.Weight.Lo, proj.Weight.Hi = -1, 1
	spec := &connect.Spec{Name: fmt.Sprintf("given %d", len(p.Tables)), NSrc: npre, NTgt: npost, Projs: []*connect.Proj{proj}, Scale: 1024, Width: width}
	if width == 0 {
		proj.Weight = connect.Column{Const: 0x1p-6, Lo: 0x1p-6, Hi: 0x1p-6}
		spec.Uniform = 16
	}
	return spec
}

// from is the whole population as rows from row0 on.
func from(q *pop, row0 int) backend.Source {
	return backend.Source{Event: q.event, Lo: 0, Hi: q.n, Row0: row0}
}

// sample records v of some items (nil: all) for up to room steps.
func (p *net) sample(q *pop, items []uint32, room int) *backend.Stage {
	return p.sampleOf(q.v, items, room)
}

// sampleOf records words of a buffer of floats.
func (p *net) sampleOf(b backend.BufID, items []uint32, room int) *backend.Stage {
	r := backend.Rec{Items: items, N: p.Bufs[b].Len, Src: []backend.Binding{at(b, 0)}}
	r.Count = p.buf(fmt.Sprintf("count %d", len(p.Bufs)), backend.Record, ir.U32, p.Batch)
	r.Dst = []backend.BufID{p.buf(fmt.Sprintf("samples %d", len(p.Bufs)), backend.Record, ir.F32, room*r.Width())}
	return p.stage(backend.Stage{Form: backend.FormSample, Rec: r})
}

// spikes records the spikes of neurons lo to hi-1, with v if values.
func (p *net) spikes(q *pop, lo, hi, room int, values bool) *backend.Stage {
	r := backend.Rec{Lo: lo, Hi: hi}
	r.Count = p.buf(fmt.Sprintf("count %d", len(p.Bufs)), backend.Record, ir.U32, p.Batch)
	r.Index = p.buf(fmt.Sprintf("index %d", len(p.Bufs)), backend.Record, ir.U32, room)
	if values {
		r.Src = []backend.Binding{at(q.v, 0)}
		r.Dst = []backend.BufID{p.buf(fmt.Sprintf("values %d", len(p.Bufs)), backend.Record, ir.F32, room)}
	}
	return p.stage(backend.Stage{Form: backend.FormSpikes, Event: q.event, Rec: r})
}
