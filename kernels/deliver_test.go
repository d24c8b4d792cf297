package kernels

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"synfire/engine/connect"
)

// BenchmarkAdd adds groups of synapses taken at random from a table larger than
// the caches: ns per synaptic event, the median over batches of 2,000 groups,
// which other work on the machine disturbs little.
func BenchmarkAdd(b *testing.B) {
	for _, c := range []struct{ rows, groups, length, tile, width int }{
		{40_000, 60, 28, 38_500, 16}, {40_000, 60, 28, 38_500, 0}, {40_000, 60, 28, 38_500, 32}, {100_000, 15, 33, 50_000, 16}, {100_000, 1, 500, 50_000, 16}, {100_000, 60, 8, 50_000, 16},
	} {
		b.Run(fmt.Sprintf("groups of %d, width %d, tile %d", c.length, c.width, c.tile), func(b *testing.B) {
			t := randomTable(c.rows, c.groups, c.length, c.tile, c.width)
			defer t.Close()
			rng := rand.New(rand.NewPCG(1, 2))
			visits := make([]uint32, 2000+ahead)
			acc := new([connect.MaxTile]uint32)
			for _, how := range []struct {
				name string
				add  func(*connect.Table, []uint32, *[connect.MaxTile]uint32) uint64
			}{{"ns/event", addGroups}, {"plain-ns/event", func(t *connect.Table, v []uint32, a *[connect.MaxTile]uint32) uint64 {
				return addPlain(t, v[:len(v)-ahead], a)
			}}} {
				var times []float64
				for range max(b.N, 100) {
					for i := range visits[:2000] {
						visits[i] = uint32(rng.IntN(c.rows * c.groups))
					}
					start := time.Now()
					n := how.add(t, visits, acc)
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
	all, err := connect.Build(spec, [][]connect.Range{{{Lo: 0, Hi: tile}}}, 2)
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
			visits := make([]uint32, 0, 1000)
			for i := range uint32(600) {
				visits = append(visits, i*7%600)
			}
			a, b := new([connect.MaxTile]uint32), new([connect.MaxTile]uint32)
			na := addGroups(tab, append(visits, spare[:]...), a)
			nb := addPlain(tab, visits, b)
			if na != nb || *a != *b {
				t.Errorf("width %d, groups of %d: %d events, expected %d, or different sums", width, length, na, nb)
			}
			tab.Close()
		}
	}
}
