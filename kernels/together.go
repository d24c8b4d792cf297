package kernels

import (
	"errors"
	"fmt"
	"slices"
	"sync"

	"synfire/engine/backend"
	"synfire/engine/host"
)

// allRanks is a backend that is a number of ranks, which must agree in all that is seen of them.
type allRanks []backend.Backend

// Together is ranks as one backend, with so many threads in each: all of them in this process, each with its own
// copy of everything. It is there to look for faults, not to compute with.
func Together(ranks []Ranks, threads int) backend.Backend {
	var all allRanks
	for _, r := range ranks {
		all = append(all, Over(r, threads))
	}
	return all
}

func (a allRanks) Name() string       { return "cpu" }
func (a allRanks) Caps() backend.Caps { return a[0].Caps() }

// each calls f for all ranks at once; the error is that of the first.
func each(n int, f func(k int) error) error {
	errs := make([]error, n)
	var all sync.WaitGroup
	for k := range n {
		all.Go(func() { errs[k] = f(k) })
	}
	all.Wait()
	for k, err := range errs {
		if (err == nil) != (errs[0] == nil) {
			return fmt.Errorf("rank 0: %v, rank %d: %v", errs[0], k, err)
		}
	}
	return errs[0]
}

func (a allRanks) Load(w host.Work, p *backend.Plan) (backend.Program, error) {
	progs := make(allPrograms, len(a))
	err := each(len(a), func(k int) (err error) {
		progs[k], err = a[k].Load(w, p)
		return err
	})
	if err != nil {
		return nil, err
	}
	return progs, nil
}

func (a allRanks) Close() error { return each(len(a), func(k int) error { return a[k].Close() }) }

type allPrograms []backend.Program

func (a allPrograms) Run(n int, host []uint32) (int, error) {
	done := make([]int, len(a))
	faults := make([]*backend.Fault, len(a))
	err := each(len(a), func(k int) (err error) {
		done[k], err = a[k].Run(n, host)
		errors.As(err, &faults[k])
		return err
	})
	for k := range a {
		if done[k] != done[0] || (faults[k] == nil) != (faults[0] == nil) || faults[k] != nil && *faults[k] != *faults[0] {
			return 0, fmt.Errorf("rank 0 made %d steps (%v), rank %d %d (%v)", done[0], faults[0], k, done[k], faults[k])
		}
	}
	return done[0], err
}

func (a allPrograms) Read(b backend.BufID, dst []uint32) error {
	got := make([][]uint32, len(a))
	err := each(len(a), func(k int) error {
		got[k] = make([]uint32, len(dst))
		return a[k].Read(b, got[k])
	})
	if err != nil {
		return err
	}
	for k := range got {
		if !slices.Equal(got[k], got[0]) {
			return fmt.Errorf("ranks 0 and %d read buffer %d differently", k, b)
		}
	}
	copy(dst, got[0])
	return nil
}

func (a allPrograms) Write(b backend.BufID, src []uint32) error {
	return each(len(a), func(k int) error { return a[k].Write(b, src) })
}

func (a allPrograms) Close() error {
	return each(len(a), func(k int) error { return a[k].Close() })
}
