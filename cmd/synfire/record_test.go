package main

import (
	"context"
	"testing"

	"synfire/engine/backend"
	"synfire/engine/script"
	"synfire/kernels/ref"
)

// TestTrains: spikes are drawn whichever monitor has recorded them; other events,
// and spikes that were only counted, are not.
func TestTrains(t *testing.T) {
	const src = `
G = NeuronGroup(3, 'v : 1', threshold='v < 1', reset='v = 2', events={'up': 'v > 1'})
S = SpikeMonitor(G)
E = EventMonitor(G[:2], 'spike')
U = EventMonitor(G, 'up')
C = EventMonitor(G, 'spike', record=False)
run(1*ms)
`
	res, err := script.Run(context.Background(), script.Options{File: "test.star", Src: []byte(src), Open: func() (backend.Backend, error) { return ref.New(), nil }})
	if err != nil {
		t.Fatal(err)
	}
	drawn := trains(res, 1000)
	if len(drawn) != 2 || drawn[0].Name != "G" || len(drawn[0].T) != 3 || drawn[1].Name != "G[0:2]" || len(drawn[1].I) != 2 {
		t.Errorf("drawn: %+v", drawn)
	}
}
