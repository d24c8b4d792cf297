// Package backendtest is the conformance suite of backends. A backend's test
// calls it in two lines:
//
//	func TestBackend(t *testing.T) {
//		backendtest.Run(t, func(testing.TB) backend.Backend { return kernels.New(2) })
//	}
//
// Every case builds small plans by hand and compares every word of state and
// of records with the reference backend by ==, and where an answer is plain,
// with that. What a backend does not have it names in Caps.Lacks, each with its
// reason, for example "effect: no learning yet"; cases that need it are skipped
// with that reason.
package backendtest

import (
	"strings"
	"testing"

	"synfire/engine/backend"
)

// Open opens the backend under test.
type Open func(testing.TB) backend.Backend

// A testCase is a named part of the suite. needs are the words with which
// Caps.Lacks excuses a backend from it.
type testCase struct {
	name  string
	needs []string
	run   func(*testing.T, Open)
}

var cases = []testCase{
	{"Operations", nil, testOperations},
	{"Random programs", nil, testPrograms},
	{"Expressions", nil, testExpressions},
	{"Functions", nil, testFunctions},
	{"Map", nil, testMap},
	{"Map across lanes", []string{"gather"}, testAcross},
	{"Scatter", []string{"scatter"}, testScatter},
	{"Shared and subgroups", []string{"gather"}, testSubgroups},
	{"Flags", nil, testFlags},
	{"Inject", []string{"inject"}, testInject},
	{"Deliver", []string{"deliver"}, testDeliver},
	{"Deliver, delays", []string{"deliver"}, testDelays},
	{"Deliver, hand-worked", []string{"deliver"}, testDeliverByHand},
	{"Deliver, several tables", []string{"deliver"}, testTables},
	{"Deliver, old and new tables", []string{"deliver"}, testServes},
	{"Effect", []string{"effect"}, testEffect},
	{"Effect, learning", []string{"effect"}, testLearning},
	{"Effect, at both ends", []string{"effect"}, testEnds},
	{"Effect, sums dropped", []string{"effect"}, testDropped},
	{"Effect, faults", []string{"effect"}, testEffectFaults},
	{"Effect, pair STDP", []string{"effect"}, testPlastic},
	{"Effect, anything", []string{"effect"}, testAnyEffect},
	{"Effect, pairs of spikes", []string{"effect"}, testSTDP},
	{"Sample", []string{"sample"}, testSample},
	{"Spikes", []string{"spikes"}, testSpikes},
	{"Full records", []string{"sample", "spikes"}, testFull},
	{"Faults", nil, testFaults},
	{"Refusals", nil, testRefusals},
	{"Step by step", []string{"deliver"}, testSplit},
	{"Save and restore", []string{"deliver"}, testRestore},
	{"Load again", []string{"deliver"}, testReload},
	{"Random networks", []string{"deliver", "sample", "spikes"}, testRandom},
}

// Run runs the suite against the backend that open returns; every case opens
// and closes its own.
func Run(t *testing.T, open func(testing.TB) backend.Backend) {
	b := open(t)
	caps := b.Caps()
	if err := b.Close(); err != nil {
		t.Fatalf("Close: %v", err)
	}
	if b.Name() == "" || caps.Device == "" {
		t.Errorf("backend %q on device %q: names are missing", b.Name(), caps.Device)
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			for _, need := range c.needs {
				for _, lack := range caps.Lacks {
					if what, why, _ := strings.Cut(lack, ":"); what == need {
						if why == "" {
							t.Fatalf("Caps.Lacks: %q gives no reason", lack)
						}
						t.Skipf("%s lacks %s", b.Name(), lack)
					}
				}
			}
			c.run(t, open)
		})
	}
}
