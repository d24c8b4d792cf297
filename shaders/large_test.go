//go:build egl && cgo && linux

package shaders

import (
	"math/rand/v2"
	"testing"

	"synfire/engine/backend"
	"synfire/engine/backend/backendtest"
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
	want := after(t, ref.New(), p, steps, nil)
	for _, block := range []int64{0, 300 << 10} {
		b := open(t, Options{NoSelfTest: true, MaxBlock: block})
		defer b.Close()
		got := after(t, b, p, steps, func(prog *program) {
			t.Logf("blocks of %d bytes: %d arenas, %d listings of rows, %d dispatches for %d steps", block, len(prog.arenas), len(prog.held), len(prog.passes), prog.l.sc.span)
			if block > 0 && len(prog.passes) < 3 {
				t.Error("all shards fit one dispatch")
			}
		})
		equal(t, p, want, got)
		if due := got[p.Due]; due[0] < n {
			t.Errorf("only %d events", due[0])
		}
	}
}

// TestPieces has arrays, of neurons and of synapses, records and masks in
// several pieces, since blocks hold 4 KiB; with few of them to a kernel, effects
// take the synapses of one piece at a time.
func TestPieces(t *testing.T) {
	p := backendtest.Plastic()
	want := after(t, ref.New(), p, p.Batch, nil)
	for _, blocks := range []int{0, 13} {
		b := open(t, Options{NoSelfTest: true, MaxBlock: 4 << 10, MaxBlocks: blocks})
		defer b.Close()
		equal(t, p, want, after(t, b, p, p.Batch, func(prog *program) {
			whole, parts := 0, 0
			for _, x := range prog.passes {
				if x.name == "S pre" {
					parts++
				}
			}
			for _, r := range prog.l.bufs {
				whole = max(whole, r.pieces)
			}
			t.Logf("%d arenas, at most %d for one array, %d shards, %d dispatches, %d of them S pre", len(prog.arenas), whole, len(prog.held), len(prog.passes), parts)
			if whole < 5 || blocks > 0 && parts < 20 {
				t.Error("expected arrays in five pieces and more, and for few blocks a dispatch of the two effects S pre for each piece")
			}
		}))
	}
}

// after is the state after so many steps; look sees the program before.
func after(t *testing.T, b backend.Backend, p *backend.Plan, steps int, look func(*program)) [][]uint32 {
	t.Helper()
	prog, err := b.Load(host.Work{}, p)
	if err != nil {
		t.Fatal(err)
	}
	defer prog.Close()
	if look != nil {
		look(prog.(*program))
	}
	for done := 0; done < steps; { // a Run may end early, where a record is full
		n, err := prog.Run(min(p.Batch, steps-done), nil)
		if err != nil || n == 0 {
			t.Fatal(n, err)
		}
		done += n
	}
	return state(t, p, prog)
}

// state is all state of a program.
func state(t *testing.T, p *backend.Plan, prog backend.Program) [][]uint32 {
	t.Helper()
	out := make([][]uint32, len(p.Bufs))
	for id := range p.Bufs {
		if p.Bufs[id].Kind == backend.State {
			out[id] = make([]uint32, p.Bufs[id].Len)
			if err := prog.Read(backend.BufID(id), out[id]); err != nil {
				t.Fatal(err)
			}
		}
	}
	return out
}

func equal(t *testing.T, p *backend.Plan, want, got [][]uint32) {
	t.Helper()
	for id := range want {
		for i := range want[id] {
			if want[id][i] != got[id][i] {
				t.Fatalf("%s[%d] of %d is %s, expected %s", p.Bufs[id].Name, i, len(want[id]), both(got[id][i]), both(want[id][i]))
			}
		}
	}
}
