//go:build egl && cgo && linux

package shaders

import (
	"testing"

	"synfire/engine/backend"
	"synfire/engine/host"
	"synfire/engine/ir"
	"synfire/kernels/ref"
)

// TestParts has noise for a part of a population, before and after its update: both
// are one body, and neither neurons nor random words are taken for others.
func TestParts(t *testing.T) {
	const n, lanes = 300, 90
	for _, first := range []int{0, 100, n - lanes} {
		for _, early := range []bool{false, true} {
			for _, philox := range []int{1, 4} {
				p := lif(n, 1, 20)
				extra := backend.BufID(len(p.Bufs))
				p.Bufs = append(p.Bufs, backend.Buf{Name: "extra", Kind: backend.State, Type: ir.F32, Len: lanes})
				a := &assembler{}
				a.Name = "noise of a part"
				v, x := a.slot(ir.Array, ir.F32), a.slot(ir.Array, ir.F32)
				w := a.op(ir.ShrU, ir.U32, a.op(ir.Rand, ir.U32, a.op(ir.Lane, ir.I32)), a.with(10, a.op(ir.Const, ir.U32)))
				u := a.op(ir.MulF, ir.F32, a.op(ir.I2F, ir.F32, w), a.with(f32(0x1p-24), a.op(ir.Const, ir.F32)))
				a.with(x, a.op(ir.Store, ir.F32, a.op(ir.Canon, ir.F32, u)))
				a.with(v, a.op(ir.Store, ir.F32, a.op(ir.Canon, ir.F32, a.op(ir.AddF, ir.F32, u, a.with(v, a.op(ir.Load, ir.F32))))))
				s := backend.Stage{Form: backend.FormMap, Name: a.Name, Flag: -1, N: lanes, Prog: &a.Prog, Bind: []backend.Binding{{Buf: 3 - 1, Off: first}, {Buf: extra}}}
				if early {
					p.Stages = append([]backend.Stage{s}, p.Stages...)
				} else {
					p.Stages = append(p.Stages, s)
				}
				want := after(t, ref.New(), p, 150, nil)
				b := open(t, Options{NoSelfTest: true, Philox: philox})
				equal(t, p, want, after(t, b, p, 150, func(prog *program) {
					if len(prog.passes) != 1 {
						t.Errorf("from lane %d, early %t: %d dispatches, expected 1", first, early, len(prog.passes))
					}
				}))
				b.Close()
			}
		}
	}
}

// TestGroups runs work groups of sizes that are no power of two: the prefix
// sum of a walk once covered 480 of its 512 pairs with 96 lanes.
func TestGroups(t *testing.T) {
	p := lif(300, 1, 40)
	want := trace(t, ref.New(), p, 200)
	for _, group := range []int{96, 192} {
		b := open(t, Options{NoSelfTest: true, WorkGroup: group})
		got := trace(t, b, p, 200)
		b.Close()
		for s := range want {
			for i := range want[s] {
				if want[s][i] != got[s][i] {
					t.Fatalf("groups of %d: v[%d] after step %d is %s, expected %s", group, i, s, both(got[s][i]), both(want[s][i]))
				}
			}
		}
	}
}

// TestSpans makes steps of many neurons that fire at once: a pass has room for
// all of them, and a Run ends only where the device's record is full.
func TestSpans(t *testing.T) {
	p := drift(20000, 1e9)
	count, index := backend.BufID(len(p.Bufs)), backend.BufID(len(p.Bufs)+1)
	p.Bufs = append(p.Bufs, backend.Buf{Name: "count", Kind: backend.Record, Type: ir.U32, Len: p.Batch}, backend.Buf{Name: "index", Kind: backend.Record, Type: ir.U32, Len: 20000 + 1<<14})
	masks := backend.BufID(len(p.Bufs))
	p.Bufs = append(p.Bufs, backend.Buf{Name: "masks", Kind: backend.State, Type: ir.U32, Len: 625})
	p.Events = []backend.Event{{Name: "spike", N: 20000, History: 1, Masks: masks, Spike: true}}
	a := &assembler{}
	a.Name = "P threshold"
	v, bit := a.slot(ir.Array, ir.F32), a.slot(ir.Mask, ir.Bool)
	a.with(bit, a.op(ir.StoreBit, ir.Bool, a.op(ir.LtF, ir.Bool, a.with(f32(0), a.op(ir.Const, ir.F32)), a.with(v, a.op(ir.Load, ir.F32)))))
	p.Stages = append(p.Stages, backend.Stage{Form: backend.FormMap, Name: a.Name, Flag: -1, N: 20000, Prog: &a.Prog, Bind: []backend.Binding{{Buf: 2}, {Event: 0}}},
		backend.Stage{Form: backend.FormSpikes, Name: "record", Flag: -1, Event: 0, Rec: backend.Rec{Count: count, Index: index, Hi: 20000}})
	b := open(t, Options{NoSelfTest: true})
	defer b.Close()
	prog, err := b.Load(host.Work{}, p)
	if err != nil {
		t.Fatal(err)
	}
	defer prog.Close()
	if span := prog.(*program).l.sc.span; span != 32 {
		t.Errorf("a pass of %d steps, expected 32", span)
	}
	for done := 0; done < 100; {
		n, err := prog.Run(100-done, nil)
		if err != nil || n == 0 {
			t.Fatal(n, err)
		}
		counts := make([]uint32, n)
		if err := prog.Read(count, counts); err != nil {
			t.Fatal(err)
		}
		who := make([]uint32, 20000*n)
		if err := prog.Read(index, who); err != nil {
			t.Fatal(err)
		}
		for s, k := range counts {
			if k != 20000 || who[s*20000+777] != 777 {
				t.Fatalf("%d spikes at step %d, number 777 is %d", k, done+s, who[s*20000+777])
			}
		}
		done += n
	}
}

// TestMoreThanARow has a walk of more work groups than a row of a dispatch holds: those that fill the last row once delivered a second time.
func TestMoreThanARow(t *testing.T) {
	p := lif(40, 0, 5)
	for range 40 { // they fire in the first step
		p.Bufs[2].Init = append(p.Bufs[2].Init, f32(2))
	}
	const steps = 18 // past the delay
	want := after(t, ref.New(), p, steps, nil)
	if due := want[p.Due][0]; due != 200 {
		t.Fatalf("reference: %d events, expected 200", due)
	}
	b := open(t, Options{NoSelfTest: true, Apart: true, WorkGroup: 32, WalkGroups: wide + 1})
	defer b.Close()
	equal(t, p, want, after(t, b, p, steps, nil))
}
