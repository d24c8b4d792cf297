package kernels

import (
	"math/rand/v2"
	"slices"
	"testing"

	"synfire/engine/backend"
	"synfire/engine/backend/backendtest"
	"synfire/engine/host"
)

// TestLater: networks as a compiler makes them of pair STDP run on all threads, and
// what on_post does is made up later.
func TestLater(t *testing.T) {
	if l := newLayout(host.Work{Threads: 1}, backendtest.Pairs(), 1); len(l.lags) > 0 {
		t.Error("a small network has something made up later")
	}
	defer ForceLater()()
	for name, c := range map[string]struct {
		plan *backend.Plan
		lags int
	}{"two connect calls": {backendtest.Plastic(), 2}, "part of a population": {backendtest.Pairs(), 1}} {
		for _, parts := range []int{1, 2, 3} {
			l := newLayout(host.Work{Threads: 1}, c.plan, parts)
			if l.plain || len(l.lags) != c.lags {
				t.Errorf("%s, %d parts: one thread alone %t, %d stages are made up later, expected %d", name, parts, l.plain, len(l.lags), c.lags)
			}
		}
	}
}

// TestListingsAreKept: a plan that names a Spec again has its synapses listed already,
// where they are numbered in the order of the listing.
func TestListingsAreKept(t *testing.T) {
	defer ForceLater()()
	c := New(2).(*cpu)
	defer c.Close()
	plan := backendtest.Pairs()
	load := func(plan *backend.Plan) *program {
		p, err := c.Load(host.Work{}, plan)
		if err != nil {
			t.Fatal(err)
		}
		return p.(*divided).program
	}
	lists := func(p *program) (all []*listing) {
		for _, e := range p.effects {
			if e != nil {
				all = append(all, e.list)
			}
		}
		return all
	}
	first := load(plan)
	before := lists(first)
	first.Close()
	if again := lists(load(plan)); len(c.lists) == 0 || !slices.Equal(again, before) {
		t.Errorf("%d listings are kept, those of a plan loaded again are its own", len(c.lists))
	}
	load(backendtest.Plastic())
	if spec := plan.Tables[0].Spec; slices.ContainsFunc(c.lists, func(l *listing) bool { return l.spec == spec }) {
		t.Error("a listing is kept that the last plan does without")
	}
}

// TestOwe finds those that are owed events as the plain text does, whole vectors at a time.
func TestOwe(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 0))
	fresh := func() *level {
		return &level{n: 5, k: aligned(levelRoom), step: aligned(levelRoom), source: aligned(levelRoom)}
	}
	for _, n := range []int{0, 1, 15, 16, 17, 100, 1000, blockLanes} {
		far, since := make([]uint16, n), make([]uint32, 1<<16)
		for k := range far {
			far[k] = uint16(rng.Uint32())
		}
		const u = 3 // steps before 0 are in the past
		for j := range since {
			since[j] = rng.Uint32N(8) - 2
		}
		a, b := fresh(), fresh()
		aj, bj := make([]uint32, blockLanes+16), make([]uint32, blockLanes+16)
		an, bn := a.first(far, since, u, 70, 9, aj), b.firstPlain(far, since, u, 70, 9, bj, 0)
		same := func(what string) {
			for k, x := range [][2][]uint32{{a.k, b.k}, {a.step, b.step}, {a.source, b.source}} {
				if an != bn || !slices.Equal(x[0][5:5+an], x[1][5:5+bn]) {
					t.Fatalf("%s of %d: %d found, expected %d; column %d differs", what, n, an, bn, k)
				}
			}
			if !slices.Equal(aj[:an], bj[:bn]) {
				t.Fatalf("%s of %d: targets differ", what, n)
			}
		}
		same("first")
		for j := range since {
			since[j] = rng.Uint32N(8) - 2
		}
		ka, kb := a.k[5:], b.k[5:]
		a, b = fresh(), fresh()
		an, bn = a.more(ka, since, u, 9, aj, an), b.morePlain(kb, since, u, 9, bj, bn)
		same("more")
	}
}
