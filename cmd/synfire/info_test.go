package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"os"
	"strings"
	"testing"

	"synfire/engine"
	"synfire/engine/backend"
	"synfire/engine/connect"
	"synfire/engine/script"
	"synfire/kernels"
)

// inDegree is how many synapses each neuron has in the table of docs/cluster.md.
const inDegree = 10_000

// large is what is foreseen of ranks with a network of n neurons of two variables, by the formulas of kernels.Foresee: the network
// itself may be beyond what tables and threads can be made for. Words has 16 steps of
// spikes, a bit each, beside the variables; update is the time of a neuron.
func large(n, ranks, threads int64, update float64) kernels.Foreseen {
	own := (n + ranks*threads - 1) / (ranks * threads)
	tiles := threads * ((own + connect.MaxTile - 1) / connect.MaxTile)
	return kernels.Foreseen{Shared: true, Synapses: inDegree * n, Entries: 4 * inDegree * n / ranks, Index: 4 * n * tiles, Words: 10 * n, Copies: 8 * n,
		Window: 15, Told: 5 + 15*threads, Update: float64(n) * update / float64(ranks)}
}

// TestTableOfLargeNetworks: the table of docs/cluster.md is what `synfire info --ranks` tells, of networks that it can be asked about,
// and by the same formulas of larger ones.
func TestTableOfLargeNetworks(t *testing.T) {
	update := 0.0
	const n = 200_000
	for _, ranks := range []int{2, 32} {
		const threads = 64
		_, err := script.Run(context.Background(), script.Options{File: "large.star", Info: io.Discard, Src: fmt.Appendf(nil, `
P = NeuronGroup(%d, """
    dv/dt = (I - v)/(20*ms) : 1
    dI/dt = -I/(5*ms) : 1
""", threshold='v > 1', reset='v = 0', method='exact')
S = Synapses(P, P, 'w : 1', on_pre='I += w')
S.connect(rule='fixed_indegree', indegree=%d)
S.delay = 1.5*ms
S.w = '0.02*rand()'
run(1*ms)
`, n, inDegree), Plan: func(w engine.Work, p *backend.Plan) error {
			got := kernels.Foresee(w, p, ranks, threads)
			update = got.Update / n * float64(ranks)
			want := large(n, int64(ranks), threads, update)
			near := func(what string, got, want int64) {
				if r := float64(got) / float64(want); !(math.Abs(r-1) <= 0.01) {
					t.Errorf("%d ranks: %s: %d are foreseen, %d in the table", ranks, what, got, want)
				}
			}
			near("synapses", got.Synapses, want.Synapses)
			near("entries", got.Entries, want.Entries)
			near("index", got.Index, want.Index)
			near("words", got.Words, want.Words)
			near("copies", got.Copies, want.Copies)
			if got.Window != want.Window || got.Told != want.Told || got.InStep != 0 || !got.Shared {
				t.Errorf("%d ranks: %+v, in the table %+v", ranks, got, want)
			}
			return nil
		}})
		if err != nil {
			t.Fatal(err)
		}
	}
	var table strings.Builder
	for e := 6; e <= 8; e++ {
		n := int64(math.Pow10(e))
		for nodes := 1; nodes <= 4096; nodes *= 16 {
			c := infoCmd{Ranks: 2 * nodes, Threads: 64, Rate: 5, Latency: 2, Bandwidth: 12, EventNs: 0.5, VisitNs: 12}
			f := large(n, int64(c.Ranks), int64(c.Threads), update)
			x := c.estimate(f, int(n), 1e-4)
			fmt.Fprintf(&table, "| 10^%d | %d | %.3g GB | %.3g | %.3g | %.3g | %.3g | %.2g |\n", e, nodes, float64(2*(f.Entries+f.Index+f.Words+f.Copies))/1e9,
				x.update*1e6, x.deliver*1e6, x.exchange*1e6, x.step()*1e6, x.step()/1e-4)
		}
	}
	page, err := os.ReadFile("../../docs/cluster.md")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(page), table.String()) {
		t.Errorf("docs/cluster.md has another table than\n%s", table.String())
	}
}
