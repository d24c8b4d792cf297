// Package examples tests the example scripts: at test size every backend and
// number of threads must give the committed hash and spike counts; at full size,
// with SYNFIRE_LONG=1, the statistics must lie within the published gates.
package examples

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"synfire/engine"
	"synfire/engine/backend"
	"synfire/engine/script"
	"synfire/kernels"
	"synfire/kernels/ref"
)

var update = flag.Bool("update", false, "rewrite testdata")

// small are the examples at test size, by the name of the case.
var small = map[string]struct {
	file string
	set  map[string]string
}{
	"cuba":                {"cuba", map[string]string{"n": "1000", "duration": "50*ms"}},
	"coba":                {"coba", map[string]string{"n": "1000", "duration": "50*ms"}},
	"cobahh":              {"cobahh", map[string]string{"n": "500", "duration": "30*ms"}},
	"brunel2000_AI":       {"brunel2000", map[string]string{"regime": "AI", "scale": "0.1", "warmup": "20*ms", "duration": "50*ms"}},
	"brunel2000_SR":       {"brunel2000", map[string]string{"regime": "SR", "scale": "0.1", "warmup": "20*ms", "duration": "50*ms"}},
	"brunel2000_SIfast":   {"brunel2000", map[string]string{"regime": "SIfast", "scale": "0.1", "warmup": "20*ms", "duration": "50*ms"}},
	"brunel2000_SIslow":   {"brunel2000", map[string]string{"regime": "SIslow", "scale": "0.1", "warmup": "20*ms", "duration": "50*ms"}},
	"izhikevich2003":      {"izhikevich2003", map[string]string{"n": "200", "duration": "300*ms"}},
	"hodgkin_huxley":      {"hodgkin_huxley", map[string]string{"duration": "30*ms"}},
	"flywire":             {"flywire", map[string]string{"cells": "testdata/flywire/cells.csv", "edges": "testdata/flywire/edges.parquet", "duration": "100*ms"}},
	"lif_fi":              {"lif_fi", map[string]string{"duration": "200*ms"}},
	"potjans_diesmann":    {"potjans_diesmann", map[string]string{"scale": "0.02", "duration": "20*ms"}},
	"potjans_diesmann_dc": {"potjans_diesmann", map[string]string{"scale": "0.02", "duration": "20*ms", "drive": "dc"}},
	"mcculloch_pitts":     {"mcculloch_pitts", map[string]string{"numbers": "5"}},
	"perceptron":          {"perceptron", map[string]string{"points": "40", "epochs": "10"}},
	"hopfield":            {"hopfield", map[string]string{"n": "60", "loads": "[0.05, 0.2]", "cues": "2", "recall": "20"}},
	"tsodyks_markram":     {"tsodyks_markram", map[string]string{"sites": "50", "duration": "300*ms"}},
	"oja":                 {"oja", map[string]string{"n": "6", "duration": "1*second"}},
	"bcm":                 {"bcm", map[string]string{"duration": "1*second"}},
	"stdp":                {"stdp", map[string]string{"inputs": "100", "cells": "3", "duration": "300*ms"}},
	"stdp_window":         {"stdp_window", map[string]string{"duration": "1200*ms"}},
	"triplet":             {"triplet", map[string]string{"duration": "600*ms"}},
	"clopath":             {"clopath", map[string]string{"duration": "200*ms"}},
	"calcium":             {"calcium", map[string]string{"trials": "1", "duration": "200*ms"}},
	"vogels2011":          {"vogels2011", map[string]string{"n": "300", "duration": "100*ms"}},
	"reward":              {"reward", map[string]string{"n": "100", "duration": "3*second", "window": "1*second"}},
	"polychronization":    {"polychronization", map[string]string{"n": "100", "duration": "2200*ms"}},
	"diehl_cook":          {"diehl_cook", map[string]string{"images": "12", "cells": "20", "shown": "40", "pause": "20"}},
	"eprop":               {"eprop", map[string]string{"sequences": "2", "n": "20", "duration": "100*ms"}},
	"train_digits":        {"train_digits", map[string]string{"images": "120", "epochs": "4"}},
}

// rates are the examples whose units have rates and do not spike.
var rates = map[string]bool{"oja": true, "bcm": true}

// golden is what a case must give.
type golden struct {
	Spikes string // hash of all spikes
	State  string // hash of the final state
	Count  map[string]uint64
	Prints string
}

// ranks are the processes that play together, nil but in `make mpi-test`.
var ranks *script.Ranks

// play runs an example.
func play(t testing.TB, file string, set map[string]string, be backend.Backend, seed *uint64) (golden, *script.Result) {
	t.Helper()
	var out strings.Builder
	g := golden{Count: map[string]uint64{}}
	// The hash is taken while the backend is open, that is after each run.
	res, err := script.Run(context.Background(), script.Options{File: file + ".star", Set: set, Seed: seed, Stdout: &out, Ranks: ranks, Warn: func(s string) { t.Log(s) },
		Open: func() (backend.Backend, error) { return be, nil },
		AfterRun: func(r *script.Result) (err error) {
			g.Spikes, g.State, err = r.Net.Hash()
			return err
		}})
	if err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	g.Prints = out.String()
	for _, r := range res.Runs {
		for p, n := range r.Spikes {
			g.Count[p] += n
		}
	}
	return g, res
}

func same(a, b golden) error {
	x, _ := json.Marshal(a)
	y, _ := json.Marshal(b)
	if string(x) != string(y) {
		return fmt.Errorf("got  %s\nwant %s", x, y)
	}
	return nil
}

const goldenFile = "testdata/golden.json"

// goldens are what the examples must give.
func goldens(t *testing.T) map[string]golden {
	t.Helper()
	b, err := os.ReadFile(goldenFile)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]golden{}
	if err := json.Unmarshal(b, &want); err != nil {
		t.Fatal(err)
	}
	return want
}

// TestGolden: the same bits from the reference and from the cpu backend with 1,
// 2, 3 and 7 threads, and those that are committed.
func TestGolden(t *testing.T) {
	want := goldens(t)
	got := map[string]golden{}
	for name, c := range small {
		t.Run(name, func(t *testing.T) {
			first, _ := play(t, c.file, c.set, kernels.New(1), nil)
			got[name] = first
			if !*update {
				if err := same(first, want[name]); err != nil {
					t.Errorf("cpu, 1 thread, differs from %s:\n%v", goldenFile, err)
				}
			}
			for _, n := range []int{2, 3, 7} {
				g, _ := play(t, c.file, c.set, kernels.New(n), nil)
				if err := same(g, first); err != nil {
					t.Errorf("cpu, %d threads, differs from one:\n%v", n, err)
				}
			}
			if testing.Short() {
				return // the reference takes seconds
			}
			g, _ := play(t, c.file, c.set, ref.New(), nil)
			if err := same(g, first); err != nil {
				t.Errorf("ref differs from cpu:\n%v", err)
			}
			total := uint64(0)
			for _, n := range g.Count {
				total += n
			}
			if total == 0 && !rates[c.file] {
				t.Error("not one spike: the case shows nothing")
			}
		})
	}
	if *update {
		for name := range small { // with -run, the others stay
			if _, played := got[name]; !played {
				got[name] = want[name]
			}
		}
		b, err := json.MarshalIndent(got, "", " ")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(goldenFile, append(b, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// TestEveryScriptIsTested: an example without a case would rot.
func TestEveryScriptIsTested(t *testing.T) {
	library := map[string]bool{"stats": true, "receptors": true, "isomura2023/protocol": true, "isomura2023/pipeline": true, // loaded by others
		"isomura2023/published": true} // reads what is not here (TestPublished)
	have := maps.Clone(library)
	for _, c := range small {
		have[c.file] = true
	}
	files, _ := filepath.Glob("*.star")
	inner, _ := filepath.Glob("*/*.star")
	for _, f := range append(files, inner...) {
		src, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		name := strings.TrimSuffix(f, ".star")
		if !have[name] {
			t.Errorf("%s has no case in this test", f)
		}
		if !strings.HasPrefix(string(src), "# "+filepath.Base(f)+":") {
			t.Errorf("%s: the header must begin with %q", f, "# "+filepath.Base(f)+":")
		}
		if !library[name] && !strings.Contains(string(src), "param('duration'") {
			t.Errorf("%s has no param('duration', ...)", f)
		}
	}
}

// spikesOf finds a SpikeMonitor of a result by name.
func spikesOf(t *testing.T, res *script.Result, name string) *engine.SpikeMonitor {
	t.Helper()
	for _, m := range res.Net.Monitors() {
		if s, ok := m.(*engine.SpikeMonitor); ok && s.Name() == name {
			return s
		}
	}
	t.Fatalf("no monitor %s", name)
	return nil
}
