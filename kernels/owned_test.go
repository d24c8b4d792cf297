package kernels

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"synfire/engine/backend"
	"synfire/engine/backend/backendtest"
	"synfire/engine/host"
	"synfire/engine/host/hosttest"
)

// parted has the words of a plan's synapses made as they are asked for, by what of gives for a
// buffer and where each lot of synapses begins.
func parted(plan *backend.Plan, parts int, of func(b backend.BufID, lo int, init []uint32) backend.Part) *backend.Plan {
	q := *plan
	q.Bufs = slices.Clone(plan.Bufs)
	lay := newLayout(host.Work{Threads: 1}, plan, parts)
	own := findOwned(plan, lay)
	for b := range own.bufs {
		var some []segment
		for i := range own.stages {
			all, _ := lay.atSynapses(plan, i)
			for _, w := range all {
				if w.buf == b && !slices.ContainsFunc(some, func(s segment) bool { return s.lo == w.lo }) {
					some = append(some, segment{lo: w.lo, n: w.hi - w.lo})
				}
			}
		}
		init := make([]uint32, plan.Bufs[b].Len)
		copy(init, plan.Bufs[b].Init)
		q.Bufs[b].Init, q.Bufs[b].Parts = nil, nil
		for _, s := range tiled(some, len(init)) {
			p := of(b, s.lo, init[s.lo:s.lo+s.n])
			p.Lo, p.N = s.lo, s.n
			q.Bufs[b].Parts = append(q.Bufs[b].Parts, p)
		}
	}
	return &q
}

// given is words that come some at a time.
func given(words []uint32) backend.Words {
	return func(take func(int, []uint32) error) error {
		for k := 0; k < len(words); k += 7 {
			if err := take(k, words[k:min(k+7, len(words))]); err != nil {
				return err
			}
		}
		return nil
	}
}

// TestRanksOwn: of words of synapses each rank has its own alone, with the bits of one process, however they are given:
// at first, and by a program of before.
func TestRanksOwn(t *testing.T) {
	for name, plan := range map[string]*backend.Plan{"two connect calls": backendtest.Plastic(), "part of a population": backendtest.Pairs()} {
		for _, later := range []bool{false, true} {
			for _, c := range []struct{ ranks, threads int }{{2, 1}, {3, 2}} {
				t.Run(fmt.Sprintf("%s, later %t, %d ranks of %d threads", name, later, c.ranks, c.threads), func(t *testing.T) {
					if later {
						defer ForceLater()()
					}
					ranksOwn(t, plan, c.ranks, c.threads)
				})
			}
		}
	}
}

func ranksOwn(t *testing.T, plan *backend.Plan, ranks, threads int) {
	const steps = 24
	flags := slices.Repeat([]uint32{1}, steps*plan.Host)
	run := func(c backend.Backend, plan *backend.Plan) backend.Program {
		p, err := c.Load(host.Work{}, plan)
		if err == nil {
			for k := 0; k < 3 && err == nil; k++ {
				_, err = p.Run(steps, flags)
			}
		}
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	words := func(p backend.Program, plan *backend.Plan) (all [][]uint32) {
		for b := range plan.Bufs {
			all = append(all, nil)
			if k := plan.Bufs[b].Kind; k == backend.State || k == backend.Constant {
				all[b] = make([]uint32, plan.Bufs[b].Len)
				if err := p.Read(backend.BufID(b), all[b]); err != nil {
					t.Fatal(err)
				}
			}
		}
		return all
	}
	one := New(1)
	defer one.Close()
	w := hosttest.New(ranks)
	var all allRanks
	for k := range ranks {
		all = append(all, Over(w.Rank(k), threads))
	}
	first := run(one, plan)
	begun := words(first, plan)
	divided := run(all, parted(plan, ranks*threads, func(_ backend.BufID, _ int, init []uint32) backend.Part {
		if len(init) > 0 && !slices.ContainsFunc(init, func(w uint32) bool { return w != init[0] }) {
			return backend.Part{Value: init[0]}
		}
		return backend.Part{Each: given(init)}
	})).(allPrograms)
	same := func(what string, got [][]uint32, want [][]uint32) {
		t.Helper()
		for b := range got {
			if !slices.Equal(got[b], want[b]) {
				t.Errorf("%s: %s differs from that of one process", what, plan.Bufs[b].Name)
			}
		}
	}
	same("first", words(divided, plan), begun)
	owned := divided[0].(*ranked).owned.bufs
	if len(owned) == 0 {
		t.Fatal("ranks own no words of synapses")
	}
	for b := range owned {
		sum, n, common := 0, plan.Bufs[b].Len, 0 // common: of no synapse that is listed
		for _, s := range divided[0].(*ranked).segments[b] {
			if s.list == nil {
				common += s.n
			}
		}
		for k := range divided {
			sum += len(divided[k].(*ranked).bufs[b]) - common
			if divided[k].(*ranked).over.base[b] != nil {
				t.Errorf("rank %d has a second copy of %s", k, plan.Bufs[b].Name)
			}
		}
		if sum != n-common {
			t.Errorf("%d ranks have %d words of %s, expected %d", ranks, sum, plan.Bufs[b].Name, n-common)
		}
		least, most := math.Inf(1), math.Inf(-1)
		for _, w := range begun[b] {
			least, most = min(least, float64(math.Float32frombits(w))), max(most, float64(math.Float32frombits(w)))
		}
		err := each(ranks, func(k int) error {
			x, y := math.Inf(1), math.Inf(-1)
			for _, s := range divided[k].(*ranked).segments[b] {
				lo, hi, err := divided[k].(*ranked).Range(b, s.lo, s.n)
				if err != nil {
					return err
				}
				x, y = min(x, lo), max(y, hi)
			}
			if x != least || y != most {
				return fmt.Errorf("rank %d: %s goes from %g to %g, expected %g to %g", k, plan.Bufs[b].Name, x, y, least, most)
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
		err = each(ranks, func(k int) error {
			got := make([]uint32, n)
			err := divided[k].(*ranked).Each(b, 0, n, func(k0 int, words []uint32) error {
				copy(got[k0:], words)
				return nil
			})
			if err == nil && !slices.Equal(got, begun[b]) {
				err = fmt.Errorf("rank %d: the words of %s, some at a time, are not those that are read", k, plan.Bufs[b].Name)
			}
			return err
		})
		if err != nil {
			t.Error(err)
		}
	}

	// The next plan of one process has the words; that of a rank says where they lie.
	next := *plan
	next.Bufs = slices.Clone(plan.Bufs)
	for b := range next.Bufs {
		next.Bufs[b].Init = begun[b]
	}
	want := words(run(one, &next), &next)
	for _, copied := range []bool{true, false} {
		after := make(allPrograms, ranks)
		err := each(ranks, func(k int) (err error) {
			before := divided[k].(*ranked)
			after[k], err = all[k].Load(host.Work{}, parted(&next, ranks*threads, func(b backend.BufID, lo int, init []uint32) backend.Part {
				p := backend.Part{Each: func(take func(int, []uint32) error) error { return before.Each(b, lo, len(init), take) }}
				if copied {
					p.Lies = &backend.Lying{In: before, Buf: b, Lo: lo}
				}
				return p
			}))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		for range 3 {
			if _, err := after.Run(steps, flags); err != nil {
				t.Fatal(err)
			}
		}
		same(fmt.Sprintf("next, copied %t", copied), words(after, &next), want)
		after.Close()
	}
}
