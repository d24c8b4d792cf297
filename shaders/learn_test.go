//go:build egl && cgo && linux

package shaders

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"synfire/engine/backend"
	"synfire/engine/backend/backendtest"
	"synfire/engine/connect"
	"synfire/engine/host"
	"synfire/engine/ir"
	"synfire/kernels/ref"
)

// TestBarriers: dispatches wait where they must, and nowhere else.
func TestBarriers(t *testing.T) {
	b := open(t, Options{NoSelfTest: true})
	defer b.Close()
	prog, err := b.Load(host.Work{}, backendtest.Plastic())
	if err != nil {
		t.Fatal(err)
	}
	defer prog.Close()
	var got []string
	for _, x := range prog.(*program).passes {
		if x.barrier {
			got = append(got, "---")
		}
		got = append(got, x.name)
	}
	want := strings.Split(strings.TrimSpace(`
---
chance
---
S summed
---
S sum + update + update + stage 5
---
S update + S update
---
A count
S pre
S pre by source
S pre
S pre by source
---
reset + apply + apply + reset
S post
S post by target
S post
S post by target
---
stage 21
`), "\n")
	want = append(want, "") // sums are zeroed
	if !slices.Equal(got, want) {
		t.Errorf("%s\nexpected\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// TestNoTraffic: a Run of many steps copies as much between host and device as
// a Run of one, and looks between two submissions whether it is over.
func TestNoTraffic(t *testing.T) {
	b := open(t, Options{NoSelfTest: true, Submit: 5})
	defer b.Close()
	p := backendtest.Plastic()
	prog, err := b.Load(host.Work{}, p)
	if err != nil {
		t.Fatal(err)
	}
	defer prog.Close()
	var copies []int64
	for _, steps := range []int{1, 1, p.Batch} {
		before := transfers.Load()
		if done, err := prog.Run(steps, nil); err != nil || done != steps {
			t.Fatal(done, err)
		}
		copies = append(copies, transfers.Load()-before)
	}
	if looks := int64(p.Batch+4)/5 - 1; copies[1]+looks != copies[2] {
		t.Errorf("%d copies for a Run of one step, %d for one of %d in %d submissions", copies[1], copies[2], p.Batch, looks+1)
	}
}

// TestInOrder has thousands of synapses due at a time, each of which sees what
// those before it wrote: it takes several dispatches a step, and the user is told.
func TestInOrder(t *testing.T) {
	const n, count = 300, 10 * mostRounds
	p := lif(n, 1, 0)
	rng := rand.New(rand.NewPCG(7, 7))
	for range n {
		p.Bufs[2].Init = append(p.Bufs[2].Init, f32(1.1+rng.Float32()))
	}
	proj := &connect.Proj{Name: "C", Rule: connect.Given, NPre: n, NPost: n, Unit: 1, Delay: connect.Column{Lo: 1, Hi: 3}}
	for range count {
		proj.I, proj.J = append(proj.I, uint32(rng.IntN(n))), append(proj.J, uint32(rng.IntN(n)))
		proj.Delay.Array = append(proj.Delay.Array, float32(1+rng.IntN(3)))
	}
	spec := &connect.Spec{Name: "C", NSrc: n, NTgt: n, Projs: []*connect.Proj{proj}, Scale: 1, Width: 32}
	p.Tables = []backend.Table{{Spec: spec, Sources: []backend.Source{{Hi: n}}, MinDelay: 1, MaxDelay: 3, Last: 1 << 40}}
	a := &assembler{}
	a.Name = "C pre"
	from, to, get, put := a.slot(ir.Array, ir.I32), a.slot(ir.Array, ir.I32), a.slot(ir.Table, ir.F32), a.slot(ir.Table, ir.F32)
	noise := a.op(ir.I2F, ir.F32, a.op(ir.ShrU, ir.U32, a.op(ir.Rand, ir.U32, a.op(ir.Lane, ir.I32)), a.with(9, a.op(ir.Const, ir.U32))))
	x := a.op(ir.MulZ, ir.F32, a.with(get, a.op(ir.Gather, ir.F32, a.with(from, a.op(ir.Load, ir.I32)))), a.with(f32(0.5), a.op(ir.Const, ir.F32)))
	y := a.op(ir.AddF, ir.F32, x, a.op(ir.MulZ, ir.F32, noise, a.with(f32(0x1p-24), a.op(ir.Const, ir.F32))))
	a.with(put, a.op(ir.Put, ir.F32, a.with(to, a.op(ir.Load, ir.I32)), a.op(ir.Canon, ir.F32, y)))
	p.Stages = append(p.Stages, backend.Stage{Form: backend.FormEffect, Name: "C pre", Flag: -1, Count: 1, Prog: &a.Prog,
		Bind: []backend.Binding{{Buf: backend.NoBuf, Off: backend.SlotSource}, {Buf: backend.NoBuf, Off: backend.SlotTarget}, {Buf: 2}, {Buf: 2}}})
	want := after(t, ref.New(), p, 24, nil)
	b := open(t, Options{NoSelfTest: true})
	defer b.Close()
	equal(t, p, want, after(t, b, p, 24, func(prog *program) {
		if w := prog.Warnings(); len(w) != 1 || !strings.Contains(w[0], "C pre") || !strings.Contains(w[0], "one after the other") {
			t.Errorf("warnings are %q", w)
		}
	}))
	if due := want[p.Due][0]; due < count {
		t.Errorf("only %d events", due)
	}
}
