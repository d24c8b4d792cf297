//go:build egl && cgo && linux

package shaders

import (
	"math/rand/v2"
	"testing"

	"synfire/engine/backend"
	"synfire/engine/host"
	"synfire/kernels/ref"
)

// TestLarge has more targets than a tile holds and, with small blocks, more
// shards than one dispatch can bind; most spikes come from lists, and at the
// first steps, when a tenth of the neurons fire, from masks.
func TestLarge(t *testing.T) {
	if testing.Short() {
		t.Skip("the reference takes some seconds")
	}
	const n, steps = 70000, 40
	p := lif(n, 0, 20)
	rng := rand.New(rand.NewPCG(3, 4))
	for i := range n {
		x := rng.Float32()
		if i < n/10 {
			x = 1.1
		}
		p.Bufs[2].Init = append(p.Bufs[2].Init, f32(x))
	}
	r, err := ref.New().Load(host.Work{}, p)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Run(steps, nil); err != nil {
		t.Fatal(err)
	}
	for _, block := range []int64{0, 300 << 10} {
		b := open(t, Options{NoSelfTest: true, MaxBlock: block})
		defer b.Close()
		g, err := b.Load(host.Work{}, p)
		if err != nil {
			t.Fatal(err)
		}
		prog := g.(*program)
		t.Logf("blocks of %d bytes: %d arenas, %d shards, %d dispatches for %d steps", block, len(prog.arenas), len(prog.shards), len(prog.passes), prog.l.sc.span)
		if block > 0 && len(prog.passes) < 3 {
			t.Error("all shards fit one dispatch")
		}
		if _, err := g.Run(steps, nil); err != nil {
			t.Fatal(err)
		}
		for id := range p.Bufs {
			if p.Bufs[id].Kind != backend.State {
				continue
			}
			want, got := make([]uint32, p.Bufs[id].Len), make([]uint32, p.Bufs[id].Len)
			r.Read(backend.BufID(id), want)
			g.Read(backend.BufID(id), got)
			for i := range want {
				if want[i] != got[i] {
					t.Fatalf("%s[%d] is %s, expected %s", p.Bufs[id].Name, i, both(got[i]), both(want[i]))
				}
			}
		}
		due := make([]uint32, 2)
		if g.Read(p.Due, due); due[0] < n {
			t.Errorf("only %d events", due[0])
		}
		g.Close()
	}
}
