package kernels

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"synfire/engine/backend"
	"synfire/engine/backend/backendtest"
	"synfire/engine/host"
	"synfire/kernels/ref"
)

// TestAnyEffect: whatever an effect does, it does as on the reference.
func TestAnyEffect(t *testing.T) {
	seen, faults, seeds := map[string]int{}, 0, uint64(2000)
	if testing.Short() {
		seeds = 1000
	}
	for seed := range seeds {
		p := backendtest.Haphazard(rand.New(rand.NewPCG(seed, 0)))
		if p.Check() != nil { // as ir.Verify has it
			seen["refused"]++
			continue
		}
		kind := ""
		for k := range p.Stages[1:] {
			by, inOrder := p.Sharing(&p.Stages[1+k])
			kind = fmt.Sprintf("by %d, in order: %v", by, inOrder)
			seen[kind]++
		}
		run := func(b backend.Backend) (state [][]uint32, f backend.Fault) {
			prog, err := b.Load(host.Work{}, p)
			if err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			defer prog.Close()
			var fault *backend.Fault
			if _, err := prog.Run(p.Batch, nil); errors.As(err, &fault) {
				return nil, *fault
			} else if err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			for k := range p.Bufs {
				w := make([]uint32, p.Bufs[k].Len)
				if err := prog.Read(backend.BufID(k), w); err != nil {
					t.Fatal(err)
				}
				state = append(state, w)
			}
			return state, backend.Fault{Item: math.MaxInt}
		}
		want, fault := run(ref.New())
		if want == nil {
			faults++
		}
		got, mine := run(New(1 + int(seed%3)))
		if mine != fault {
			t.Fatalf("seed %d (%s): %+v, expected %+v\n%v", seed, kind, mine, fault, p.Stages[1].Prog)
		}
		for k := range want {
			if !slices.Equal(want[k], got[k]) {
				t.Fatalf("seed %d (%s): %s differs\n%v", seed, kind, p.Bufs[k].Name, p.Stages[1].Prog)
			}
		}
	}
	t.Logf("%v; %d faults", seen, faults)
	for _, kind := range []string{"by 0, in order: false", "by 1, in order: false", "by 2, in order: false", "by 3, in order: false", "by 3, in order: true"} {
		if seen[kind] < int(seeds/200) {
			t.Errorf("%s: %d cases", kind, seen[kind])
		}
	}
}

// TestRowsOfAnyLength: short rows that wait for a full block and long ones, which are
// run by themselves, come to the words of the reference.
func TestRowsOfAnyLength(t *testing.T) {
	defer func(old int) { rowLanes = old }(rowLanes)
	p := backendtest.Pairs() // 27 sources of a target, 39 targets of a source, as a mean
	run := func(b backend.Backend) (state [][]uint32) {
		defer b.Close()
		prog, err := b.Load(host.Work{}, p)
		if err != nil {
			t.Fatal(err)
		}
		defer prog.Close()
		for range 5 {
			if _, err := prog.Run(p.Batch, make([]uint32, p.Batch*p.Host)); err != nil {
				t.Fatal(err)
			}
		}
		for k := range p.Bufs {
			w := make([]uint32, p.Bufs[k].Len)
			if err := prog.Read(backend.BufID(k), w); err != nil {
				t.Fatal(err)
			}
			state = append(state, w)
		}
		return state
	}
	want := run(ref.New())
	for _, rowLanes = range []int{13, 27, 39} {
		for _, threads := range []int{1, 2, 3, 7} {
			for k, w := range run(New(threads)) {
				if !slices.Equal(w, want[k]) {
					t.Errorf("rows of %d synapses are long, %d threads: %s differs", rowLanes, threads, p.Bufs[k].Name)
				}
			}
		}
	}
}
