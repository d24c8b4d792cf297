package kernels_test

import (
	"slices"
	"testing"

	"synfire/engine/backend"
	"synfire/engine/host"
	"synfire/engine/ir"
	"synfire/kernels"
	"synfire/kernels/ref"
)

// TestFewOfManyLanes: an event of 100 of the 5,000 lanes that are run block by block.
func TestFewOfManyLanes(t *testing.T) {
	defer kernels.ForceSpans(1)()
	p := newSketch()
	p.Batch = 64
	v, e := p.buf("v", backend.State, ir.F32, 5000), p.event(100, 1)
	b := ir.NewBuilder("update")
	sv, sp := b.Slot("v", ir.Array, ir.F32), b.Slot("spike", ir.Mask, ir.Bool)
	x := b.Add(b.Load(sv), b.F(0.7))
	fire := b.Gt(x, b.F(4))
	b.Store(sv, b.Sel(fire, b.F(0), x))
	b.StoreBit(sp, fire)
	p.eval(b, 100, at(v), bits(e))
	p.record(e, 100, 6400)
	run := func(b backend.Backend) []uint32 {
		defer b.Close()
		prog, err := b.Load(host.Work{}, &p.Plan)
		if err != nil {
			t.Fatal(err)
		}
		defer prog.Close()
		if _, err := prog.Run(64, nil); err != nil {
			t.Fatal(err)
		}
		w := make([]uint32, 5000)
		if err := prog.Read(v, w); err != nil {
			t.Fatal(err)
		}
		return w
	}
	want := run(ref.New())
	for threads := 1; threads <= 3; threads++ {
		if !slices.Equal(run(kernels.New(threads)), want) {
			t.Errorf("%d threads: other words than on the reference", threads)
		}
	}
}
