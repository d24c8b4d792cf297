// Package hosttest has ranks that are goroutines, in place of processes, for tests and to look for faults.
package hosttest

import (
	"fmt"
	"slices"
	"sync"

	"synfire/engine/host"
)

// World is a number of ranks.
type World struct {
	size  int
	mu    sync.Mutex
	moved sync.Cond
	round int
	given [][]uint32
	all   [][]uint32
	mail  [][][]uint32
	in    int
	words int64
	what  host.Meeting
	told  map[host.Meeting]int64
	begun []*begun
	looks int64
}

// begun is what ranks have begun to tell each other.
type begun struct {
	all     [][]uint32
	in, out int // ranks that have begun and ended it
}

// New is a world of so many ranks.
func New(size int) *World {
	w := &World{size: size, given: make([][]uint32, size), mail: make([][][]uint32, size), told: map[host.Meeting]int64{}}
	w.moved.L = &w.mu
	return w
}

// Size is the number of ranks.
func (w *World) Size() int { return w.size }

// Words is how many words ranks have told each other.
func (w *World) Words() int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.words
}

// Told is how many of the words were told for something, but for Swap.
func (w *World) Told(what host.Meeting) int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.told[what]
}

// Looks is how often ranks have let go on what they had begun.
func (w *World) Looks() int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.looks
}

// Rank is one of the ranks.
func (w *World) Rank(k int) host.Ranks { return &rank{World: w, rank: k} }

// Each calls f for all ranks at once, and returns what each answers.
func (w *World) Each(f func(r host.Ranks) error) []error {
	errs := make([]error, w.size)
	var all sync.WaitGroup
	for k := range w.size {
		all.Go(func() { errs[k] = f(w.Rank(k)) })
	}
	all.Wait()
	return errs
}

// gather is one meeting of all ranks.
func (w *World) gather(rank int, what host.Meeting, words []uint32) [][]uint32 {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.in > 0 && what != w.what {
		panic(fmt.Sprintf("ranks have come apart: rank %d %v, another %v", rank, what, w.what))
	}
	w.what = what
	w.given[rank] = slices.Clone(words)
	w.words += int64(len(words))
	w.told[what] += int64(len(words))
	w.in++
	if w.in < w.size {
		for round := w.round; w.round == round; {
			w.moved.Wait()
		}
		return w.all
	}
	w.all, w.in = slices.Clone(w.given), 0
	w.round++
	w.moved.Broadcast()
	return w.all
}

type rank struct {
	*World
	rank  int
	what  host.Meeting
	times int // that it has ended what it had begun
}

func (r *rank) Rank() int { return r.rank }

func (r *rank) For(what host.Meeting) host.Ranks {
	r.what = what
	return r
}

func (r *rank) Gather(words []uint32) [][]uint32 {
	return slices.Clone(r.gather(r.rank, r.what, words))
}

func (r *rank) Or(words []uint32) { r.fold(words, func(to *uint32, w uint32) { *to |= w }) }

func (r *rank) Sum(words []uint32) {
	own := slices.Clone(words)
	r.fold(words, func(to *uint32, w uint32) { *to += w })
	for k, w := range own {
		words[k] -= w
	}
}

// fold folds all ranks' words into words, which are among them.
func (r *rank) fold(words []uint32, f func(to *uint32, w uint32)) {
	for q, of := range r.gather(r.rank, r.what, words) {
		if len(of) != len(words) {
			panic(fmt.Sprintf("ranks %d and %d have parted: %d and %d words", r.rank, q, len(words), len(of)))
		}
		for k, w := range of {
			f(&words[k], w)
		}
	}
}

func (r *rank) Swap(words []uint32, of []int) [][]uint32 {
	r.mu.Lock()
	r.mail[r.rank] = nil
	r.words += int64(len(words))
	for _, n := range of {
		r.mail[r.rank] = append(r.mail[r.rank], words[:n])
		words = words[n:]
	}
	r.mu.Unlock()
	r.gather(r.rank, r.what, nil)
	var in [][]uint32
	for _, of := range r.mail {
		in = append(in, slices.Clone(of[r.rank]))
	}
	r.gather(r.rank, r.what, nil) // nobody's words change before all have taken theirs
	return in
}

func (r *rank) Begin(words []uint32) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.times == len(r.begun) {
		r.World.begun = append(r.World.begun, &begun{all: make([][]uint32, r.size)})
	}
	b := r.begun[r.times]
	b.all[r.rank] = slices.Clone(words)
	b.in++
	r.words += int64(len(words))
	r.told[r.what] += int64(len(words))
	r.moved.Broadcast()
}

func (r *rank) Look() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.looks++
}

func (r *rank) End() [][]uint32 {
	r.mu.Lock()
	defer r.mu.Unlock()
	b := r.begun[r.times]
	for b.in < r.size {
		r.moved.Wait()
	}
	if b.out++; b.out == r.size {
		r.begun[r.times] = nil
	}
	r.times++
	return b.all
}
