package shaders

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// spikes makes a record of so many steps, in which each of n neurons fires with probability p, in any order.
func spikes(rng *rand.Rand, lo, n, steps, width int, p float64) []uint32 {
	var entries [][]uint32
	for s := range steps {
		for i := range n {
			if rng.Float64() < p*float64(s%3) {
				e := []uint32{uint32(s), uint32(lo + i)}
				for range width - 2 {
					e = append(e, rng.Uint32())
				}
				entries = append(entries, e)
			}
		}
	}
	rng.Shuffle(len(entries), func(i, j int) { entries[i], entries[j] = entries[j], entries[i] })
	return slices.Concat(entries...)
}

// TestSpikesInOrder compares with a sort, for steps with few, many and no spikes.
func TestSpikesInOrder(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for _, n := range []int{1, 31, 64, 65, 5000} {
		for _, p := range []float64{0, 0.001, 0.05, 0.5} {
			for _, width := range []int{2, 4} {
				const lo, steps, done = 7, 9, 8
				raw := spikes(rng, lo, n, steps, width, p)
				count, index, entry := spikesInOrder(raw, width, lo, lo+n, done)
				var want [][]uint32
				for e := range slices.Chunk(raw, width) {
					if e[0] < done {
						want = append(want, e)
					}
				}
				slices.SortFunc(want, func(a, b []uint32) int { return cmp.Or(cmp.Compare(a[0], b[0]), cmp.Compare(a[1], b[1])) })
				at := 0
				for s, k := range count {
					for range k {
						if e := raw[int(entry[at])*width:][:width]; !slices.Equal(e, want[at]) || index[at] != e[1] || e[0] != uint32(s) {
							t.Fatalf("%d neurons, p %g: entry %d of step %d is %v, expected %v", n, p, at, s, e, want[at])
						}
						at++
					}
				}
				if at != len(want) || len(index) != at || len(entry) != at {
					t.Fatalf("%d neurons, p %g: %d entries, expected %d", n, p, at, len(want))
				}
			}
		}
	}
}

// BenchmarkSpikesInOrder is a step of 10^6 neurons at 30 Hz, and of 77,169 at 3 Hz.
func BenchmarkSpikesInOrder(b *testing.B) {
	for _, c := range []struct{ n, spikes int }{{1000000, 3000}, {77169, 25}} {
		b.Run(fmt.Sprintf("%d of %d", c.spikes, c.n), func(b *testing.B) {
			const steps = 100
			rng := rand.New(rand.NewPCG(1, 1))
			raw := spikes(rng, 0, c.n, steps, 2, float64(c.spikes)/float64(c.n))
			for b.Loop() {
				spikesInOrder(raw, 2, 0, c.n, steps)
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/steps, "µs/step")
		})
		b.Run(fmt.Sprintf("%d of %d, sorted", c.spikes, c.n), func(b *testing.B) { // for comparison
			const steps = 100
			rng := rand.New(rand.NewPCG(1, 1))
			raw := spikes(rng, 0, c.n, steps, 2, float64(c.spikes)/float64(c.n))
			for b.Loop() {
				keys := make([]uint64, 0, len(raw)/2)
				for e := range slices.Chunk(raw, 2) {
					keys = append(keys, uint64(e[0])<<32|uint64(e[1]))
				}
				slices.Sort(keys)
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/steps, "µs/step")
		})
	}
}
