package engine

import (
	"context"
	"strings"
	"testing"

	"synfire/engine/host"
	"synfire/engine/host/hosttest"
	"synfire/kernels/ref"
)

// Fault H4a: a run whose samples cannot fit into any memory is refused before its first step; with a run directory it is
// not.
func TestRecordsThatDoNotFitAreRefused(t *testing.T) {
	if host.Free() == 0 {
		t.Skip("this system does not tell what memory is free: then nothing is refused")
	}
	n := NewNetwork(Options{})
	g, err := n.NeuronGroup(1000000, "dv/dt = -v/(10*ms) : 1", GroupOptions{Method: "euler"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := n.StateMonitor(g, StateMonitorOptions{Name: "M", Variables: []string{"v"}, Record: true}); err != nil {
		t.Fatal(err)
	}
	_, err = n.Run(context.Background(), 1e5, RunOptions{Backend: ref.New()})
	if err == nil || !strings.Contains(err.Error(), "the records of this run take ") || !strings.Contains(err.Error(), "(M ") || !strings.Contains(err.Error(), "--out") {
		t.Errorf("%v", err)
	}
	if n.T() != 0 {
		t.Errorf("%g s have run", n.T())
	}
	_, err = n.keepRecords(RunOptions{Ranks: hosttest.New(2).Rank(1)}, 1e9)
	if err == nil || !strings.Contains(err.Error(), "are free; each rank keeps all of them; with a run directory (--out DIR)") {
		t.Errorf("%v", err)
	}
}

// What a monitor is asked to record is checked where it is made (M7).
func TestMonitorsCheckNames(t *testing.T) {
	n := NewNetwork(Options{})
	g, err := n.NeuronGroup(1, "dv/dt = -v/(10*ms) : 1", GroupOptions{Threshold: "v > 1", Reset: "v = 0", Method: "euler"})
	if err != nil {
		t.Fatal(err)
	}
	long := strings.Repeat("m", 101)
	for what, make := range map[string]func(name string, variables ...string) error{
		"SpikeMonitor": func(name string, v ...string) error {
			_, err := n.SpikeMonitor(g, SpikeMonitorOptions{Name: name, Variables: v})
			return err
		},
		"StateMonitor": func(name string, v ...string) error {
			_, err := n.StateMonitor(g, StateMonitorOptions{Name: name, Variables: v, Record: true})
			return err
		},
	} {
		if err := make("", "v", "v"); err == nil || !strings.Contains(err.Error(), "twice") {
			t.Errorf("%s of v and v: %v", what, err)
		}
		if err := make(long, "v"); err == nil || !strings.Contains(err.Error(), "100 bytes") {
			t.Errorf("%s of a long name: %v", what, err)
		}
	}
	if _, err := n.PopulationRateMonitor(g, RateMonitorOptions{Name: "a/b"}); err == nil {
		t.Error("a rate monitor named a/b: no error")
	}
}
