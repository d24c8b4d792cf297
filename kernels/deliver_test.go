package kernels

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"synfire/engine/connect"
	"synfire/engine/host"
)

// BenchmarkAdd adds groups of synapses taken at random from a table larger than
// the caches: ns per synaptic event, the median over batches of 2,000 groups,
// which other work on the machine disturbs little. With a sweep, so many words of
// other memory are gone through between batches, as updates do, and a batch is
// what one step of Potjans and Diesmann's network brings.
func BenchmarkAdd(b *testing.B) {
	for _, c := range []struct{ rows, groups, length, tile, width, together, sweep int }{
		{40_000, 60, 28, 38_500, 16, 1, 0}, {40_000, 60, 28, 38_500, 16, 2, 0}, {40_000, 60, 28, 38_500, 16, 4, 0}, {40_000, 60, 28, 38_500, 16, 8, 0},
		{40_000, 60, 28, 38_500, 0, 1, 0}, {40_000, 60, 28, 38_500, 32, 1, 0}, {40_000, 60, 28, 38_500, 32, 4, 0},
		{100_000, 1, 40, 50_000, 0, 1, 0}, {100_000, 15, 33, 50_000, 16, 1, 0}, {100_000, 1, 500, 50_000, 16, 1, 0}, {100_000, 60, 8, 50_000, 16, 1, 0}, {100_000, 60, 8, 50_000, 16, 4, 0},
		{40_000, 60, 28, 38_500, 16, 4, 1 << 17}, {40_000, 60, 28, 38_500, 16, 4, 1 << 18},
	} {
		b.Run(fmt.Sprintf("groups of %d, %d together, width %d, tile %d, sweep %d", c.length, c.together, c.width, c.tile, c.sweep), func(b *testing.B) {
			t := randomTable(c.rows, c.groups, c.length, c.tile, c.width)
			defer t.Close()
			rng := rand.New(rand.NewPCG(1, 2))
			batch := 2000
			if c.sweep > 0 {
				batch = 380
			}
			visits, state := make([]visit, batch+ahead), make([]uint32, c.sweep)
			acc := make([]uint32, c.together*c.tile+connect.MaxTile)
			for _, how := range []struct {
				name string
				add  func(*connect.Table, []visit, ring) uint64
			}{{"ns/event", addGroups}, {"plain-ns/event", func(t *connect.Table, v []visit, r ring) uint64 {
				return addPlain(t, v[:len(v)-ahead], r)
			}}} {
				var times []float64
				for range max(b.N, 100) {
					for i := range visits[:batch] {
						visits[i] = visit{group: uint32(rng.IntN(c.rows*c.groups/c.together) * c.together), n: uint16(c.together)}
					}
					for i := range state {
						state[i] += 3
					}
					start := time.Now()
					n := how.add(t, visits, ring{acc, c.tile, c.together})
					times = append(times, float64(time.Since(start).Nanoseconds())/float64(n))
				}
				slices.Sort(times)
				b.ReportMetric(times[len(times)/2], how.name)
				b.ReportMetric(times[0], "least-"+how.name)
			}
			b.ReportMetric(0, "ns/op")
		})
	}
}

// randomTable is a table of groups of some length each.
func randomTable(rows, groups, length, tile, width int) *connect.Table {
	n := rows * groups * length
	proj := &connect.Proj{Name: "random", Rule: connect.FixedTotal, N: n, NPre: rows * groups, NPost: tile, Seed: [2]uint32{1, 0},
		Weight: connect.Column{Const: 1, Lo: 1, Hi: 1}, Delay: connect.Column{Const: 1}}
	spec := &connect.Spec{Name: "random", NSrc: rows * groups, NTgt: tile, Projs: []*connect.Proj{proj}, Scale: 1, Width: width, Uniform: 1}
	all, err := connect.Build(spec, [][]connect.Range{{{Lo: 0, Hi: tile}}}, host.Work{Threads: 2})
	if err != nil {
		panic(err)
	}
	return all[0]
}

// TestAddGroups compares the assembly with the plain loops.
func TestAddGroups(t *testing.T) {
	for _, width := range []int{0, 16, 32} {
		for _, length := range []int{1, 3, 40} {
			tab := randomTable(300, 2, length, 1000, width)
			visits := make([]visit, 0, 1000)
			for i := range uint32(600) {
				visits = append(visits, visit{group: i * 7 % 598, n: uint16(1 + i%3), row: uint16(i % 3)})
			}
			a, b := make([]uint32, 3*1000+connect.MaxTile), make([]uint32, 3*1000+connect.MaxTile)
			na := addGroups(tab, append(visits, spare[:]...), ring{a, 1000, 3})
			nb := addPlain(tab, visits, ring{b, 1000, 3})
			if na != nb || !slices.Equal(a, b) {
				t.Errorf("width %d, groups of %d: %d events, expected %d, or different sums", width, length, na, nb)
			}
			tab.Close()
		}
	}
}
