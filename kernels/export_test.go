package kernels

import (
	"math"
	"math/rand/v2"

	"synfire/engine/backend"
)

// ForceChanges changes the number of threads at random all the time, of backends of
// a fixed number too; the result undoes it.
func ForceChanges(seed uint64) (undo func()) {
	r := rand.New(rand.NewPCG(seed, 0))
	shuffle = r.IntN
	return func() { shuffle = nil }
}

// Entries is the number of synapses in the tables that a backend holds.
func Entries(b backend.Backend) (n int) {
	for _, t := range b.(*cpu).built {
		for _, tile := range t.all {
			n += tile.Entries()
		}
	}
	return n
}

// ForceRoom has records of spikes come to so many entries; the result undoes it.
func ForceRoom(n int) (undo func()) {
	old, windows := elastic, elasticWindows
	elastic, elasticWindows = n, 0
	return func() { elastic, elasticWindows = old, windows }
}

// ForceFree has so many processors free; the result undoes it.
func ForceFree(n int) (undo func()) {
	free = func() int { return n }
	freeNow = free
	return func() { free, freeNow = freeProcessors, freeProcessorsNow }
}

// Looked is how many processors were free when b was opened.
func Looked(b backend.Backend) int { return <-b.(*cpu).looked }

// ForceSpans makes small plans run several steps on a block of lanes at a time, as
// large ones do, and rows of so many synapses by themselves; the result undoes it.
func ForceSpans(row int) (undo func()) {
	old, lanes := nearBytes, rowLanes
	nearBytes, rowLanes = 0, row
	return func() { nearBytes, rowLanes = old, lanes }
}

// ForceLater has on_post made up later in small plans, as in large ones; the result undoes it.
func ForceLater() (undo func()) {
	old := nearWords
	nearWords = -1
	return func() { nearWords = old }
}

// ForceAtOnce has on_post done at once in large plans, as in small ones; the result undoes it.
func ForceAtOnce() (undo func()) {
	old := nearWords
	nearWords = math.MaxInt
	return func() { nearWords = old }
}

// RanksOf are the backends of the ranks of Together.
func RanksOf(b backend.Backend) []backend.Backend { return b.(allRanks) }

// Each does something for all ranks at once.
func Each(n int, f func(k int) error) error { return each(n, f) }

// RankWarnings are those of one of the ranks of a program of Together.
func RankWarnings(p backend.Program, rank int) []string {
	return p.(allPrograms)[rank].(backend.Warner).Warnings()
}

// HeldBy is what one of the ranks of a program of Together holds.
func HeldBy(p backend.Program, rank int) []backend.Held {
	return p.(allPrograms)[rank].(backend.Holder).Holds()
}
