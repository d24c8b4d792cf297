package engine_test

import (
	"strings"
	"testing"

	"synfire/engine"
)

// TestNilGroups: a group that is nil is an error, not a panic.
func TestNilGroups(t *testing.T) {
	n := engine.NewNetwork(engine.Options{})
	g, err := n.NeuronGroup(2, "v : 1", engine.GroupOptions{Threshold: "v > 1"})
	if err != nil {
		t.Fatal(err)
	}
	var none *engine.NeuronGroup
	for name, f := range map[string]func() error{
		"SpikeMonitor": func() error { _, err := n.SpikeMonitor(nil, engine.SpikeMonitorOptions{}); return err },
		"EventMonitor": func() error { _, err := n.EventMonitor(none, "spike", engine.SpikeMonitorOptions{}); return err },
		"StateMonitor": func() error {
			_, err := n.StateMonitor(none, engine.StateMonitorOptions{Variables: []string{"v"}, Record: true})
			return err
		},
		"PopulationRateMonitor": func() error { _, err := n.PopulationRateMonitor(nil, engine.RateMonitorOptions{}); return err },
		"PoissonInput": func() error {
			_, err := n.PoissonInput(none, "v", 1, engine.Q("1*Hz"), 1.0, engine.InputOptions{})
			return err
		},
		"Synapses": func() error { _, err := n.Synapses(g, nil, engine.SynapsesOptions{}); return err },
	} {
		if err := f(); err == nil || !strings.Contains(err.Error(), "got nil") && !strings.Contains(err.Error(), "neurons") {
			t.Errorf("%s of nil: %v", name, err)
		}
	}
}
