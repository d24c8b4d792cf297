package kernels_test

import (
	"fmt"
	"runtime"
	"slices"
	"testing"
	"time"

	"synfire/engine/backend"
	"synfire/engine/backend/backendtest"
	"synfire/engine/host"
	"synfire/kernels"
)

// TestBackend has what on_post does made up later, as in large networks; TestBackendInSpans at once.
func TestBackend(t *testing.T) {
	defer kernels.ForceLater()()
	for _, threads := range []int{1, 2, 3, 7} {
		t.Run(fmt.Sprintf("%d threads", threads), func(t *testing.T) {
			if testing.Short() && threads != 2 {
				t.Skip("with -short, 2 threads stand for any number")
			}
			backendtest.Run(t, func(testing.TB) backend.Backend { return kernels.New(threads) })
		})
	}
}

// TestBackendInSpans has small plans treated as large ones are: several steps
// on a block of lanes at a time.
func TestBackendInSpans(t *testing.T) {
	defer kernels.ForceSpans(1)()
	for _, threads := range []int{1, 3} {
		t.Run(fmt.Sprintf("%d threads", threads), func(t *testing.T) {
			if testing.Short() && threads != 3 {
				t.Skip("with -short, 3 threads stand for any number")
			}
			backendtest.Run(t, func(testing.TB) backend.Backend { return kernels.New(threads) })
		})
	}
}

// TestChangingThreads holds the backend to the suite while the number of threads
// changes after every few steps; in spans, what on_post does is done at once.
func TestChangingThreads(t *testing.T) {
	for _, spans := range []bool{false, true} {
		for _, parts := range []int{2, 3, 7} {
			t.Run(fmt.Sprintf("%d parts, spans %t", parts, spans), func(t *testing.T) {
				if testing.Short() && parts != 3 {
					t.Skip("with -short, 3 parts stand for any number")
				}
				defer kernels.ForceChanges(uint64(parts))()
				if spans {
					defer kernels.ForceSpans(parts)() // some rows are long then, and some short
				} else {
					defer kernels.ForceLater()()
				}
				backendtest.Run(t, func(testing.TB) backend.Backend { return kernels.New(parts) })
			})
		}
	}
}

// TestLookAhead: a look that was begun before a backend is opened is its look, once.
func TestLookAhead(t *testing.T) {
	if runtime.GOMAXPROCS(0) == 1 {
		t.Skip("one processor: nothing is looked at")
	}
	undo := kernels.ForceFree(1)
	kernels.Look()
	undo()
	defer kernels.ForceFree(runtime.GOMAXPROCS(0))()
	for _, want := range []int{1, runtime.GOMAXPROCS(0)} {
		if got := kernels.Looked(kernels.UpTo(0)); got != want {
			t.Errorf("%d processors free, want %d", got, want)
		}
	}
}

// TestTeam leaves a small network to one thread, and every network where nothing
// else is free, unless a number is insisted on.
func TestTeam(t *testing.T) {
	plan := func(n int) *backend.Plan {
		p := newSketch()
		p.lif(n, 1)
		return &p.Plan
	}
	all := runtime.GOMAXPROCS(0)
	for _, c := range []struct {
		open    func(threads int) backend.Backend
		threads int
		n, free int
		want    int
	}{{kernels.New, 0, 1000, 9, 1}, {kernels.New, 0, 10_000_000, 9, all}, {kernels.UpTo, 1 << 40, 10_000_000, 9, all}, {kernels.UpTo, 1, 10_000_000, 9, 1},
		{kernels.New, 0, 10_000_000, 1, 1}, {kernels.New, 3, 1000, 9, 3}, {kernels.New, 3, 1000, 1, 3}} {
		defer kernels.ForceFree(c.free)()
		b := c.open(c.threads)
		prog, err := b.Load(host.Work{}, plan(c.n))
		if err != nil {
			t.Fatal(err)
		}
		if got := b.Caps().Threads; got != c.want {
			t.Errorf("%d neurons, %d processors free: %d threads, expected %d", c.n, c.free, got, c.want)
		}
		prog.Close()
		b.Close()
	}
	undo := kernels.ForceFree(1)
	b := kernels.UpTo(0)
	undo()
	defer kernels.ForceFree(all)()
	for _, n := range []int{1000, 10_000_000} {
		prog, err := b.Load(host.Work{}, plan(n))
		if err != nil {
			t.Fatal(err)
		}
		prog.Close()
	}
	if got := b.Caps().Threads; got != all {
		t.Errorf("what was free when the backend was opened holds for its second plan: %d threads, expected %d", got, all)
	}
	b.Close()
}

// TestDivision loads a network where nothing is free and runs it on when all is: it
// must get more parts, and end with the words that one thread makes.
func TestDivision(t *testing.T) {
	all := runtime.GOMAXPROCS(0)
	if all < 2 {
		t.Skip("one processor")
	}
	const n, steps = 40_000, 400
	p := newSketch()
	e := p.lif(n, 1)
	p.record(e, n, 100*n)
	load := func(b backend.Backend) backend.Program {
		prog, err := b.Load(host.Work{}, &p.Plan)
		if err != nil {
			t.Fatal(err)
		}
		return prog
	}
	run := func(prog backend.Program) {
		if _, err := prog.Run(steps, nil); err != nil {
			t.Fatal(err)
		}
	}
	words := func(prog backend.Program) []uint32 {
		w := make([]uint32, n)
		if err := prog.Read(p.Stages[0].Bind[0].Buf, w); err != nil {
			t.Fatal(err)
		}
		return w
	}
	undo := kernels.ForceFree(1)
	b, one := kernels.UpTo(0), kernels.New(1)
	prog, want := load(b), load(one)
	defer prog.Close()
	defer want.Close()
	if b.Caps().Threads != 1 {
		t.Fatalf("%d parts where nothing is free", b.Caps().Threads)
	}
	undo()
	defer kernels.ForceFree(all)()
	runs := 0
	for start := time.Now(); b.Caps().Threads == 1 || runs%4 != 0; runs++ {
		if run(prog); time.Since(start) > time.Minute {
			t.Fatal("still one part after a minute")
		}
	}
	for range runs {
		run(want)
	}
	if !slices.Equal(words(prog), words(want)) {
		t.Error("other words than those of one thread")
	}
}
