package shaders

import (
	"fmt"
	"testing"

	"synfire/engine/backend"
	"synfire/engine/ir"
)

// TestMemoryOfInjectedSpikes: groups whose spikes the host gives share the memory of a Run's masks, however many they are.
func TestMemoryOfInjectedSpikes(t *testing.T) {
	for _, groups := range []int{1, 12, 40} {
		p := &backend.Plan{Dt: 1e-4, Batch: 8192, Step: 0, Due: 1}
		p.Bufs = []backend.Buf{{Name: "step", Kind: backend.State, Type: ir.U32, Len: 1}, {Name: "due", Kind: backend.State, Type: ir.U32, Len: 2}}
		for g := range groups {
			e := backend.Event{Name: fmt.Sprint("spikes ", g), N: 65000, History: 1, Masks: backend.BufID(len(p.Bufs)), Spike: true}
			p.Bufs = append(p.Bufs, backend.Buf{Name: e.Name, Kind: backend.State, Type: ir.U32, Len: e.Words()})
			p.Events = append(p.Events, e)
		}
		l, words := arrange(p, cut(p, nil, 1, false), 1<<28, nil), 0
		for i := range p.Events {
			words += l.events[i].rows * p.Events[i].Words()
		}
		if words > 2*mostInjected || l.batch < 100 {
			t.Errorf("%d groups: %d words of masks for Runs of %d steps, expected %d words at most", groups, words, l.batch, 2*mostInjected)
		}
	}
}
