package bench

import (
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"synfire/engine/analysis"
)

// network is a run of 200 cells whose intervals have a mean and, in twenty stages, an irregularity; a share of the spikes is common to all.
func network(t *testing.T, seed uint64, rate float64, stages int, common float64) []*analysis.Spikes {
	t.Helper()
	draw := rand.New(rand.NewPCG(seed, 1))
	var i []int32
	var at []float64
	for j := range int32(200) {
		for now := draw.Float64() / rate; now < 5; {
			i, at = append(i, j), append(at, now)
			for range stages {
				now += draw.ExpFloat64() / (rate * float64(stages))
			}
		}
	}
	for now := 0.0; common > 0 && now < 5; now += draw.ExpFloat64() / (common * rate) {
		for j := range int32(200) {
			if draw.Float64() < 0.5 {
				i, at = append(i, j), append(at, min(now, 4.99))
			}
		}
	}
	s, err := analysis.NewSpikes(i, at, 200, 0, 5)
	if err != nil {
		t.Fatal(err)
	}
	return []*analysis.Spikes{s}
}

// TestDistances: equal networks agree, and each measure finds what was changed in it.
func TestDistances(t *testing.T) {
	several := func(first uint64, rate float64, stages int, common float64) (runs [][]*analysis.Spikes) {
		for k := range uint64(5) {
			runs = append(runs, network(t, first+k, rate, stages, common))
		}
		return runs
	}
	c := truthCase{workload: "cuba", size: 200, duration: 5, parts: []part{{name: "E"}}}
	peer := several(1, 8, 1, 0)
	for _, x := range []struct {
		name  string
		ours  [][]*analysis.Spikes
		want  []string // measures that must differ
		never []string
	}{
		{"equal", several(100, 8, 1, 0), nil, measures},
		{"rate + 8 %", several(100, 8.64, 1, 0), []string{"rate"}, []string{"CV"}},
		{"more regular", several(100, 8, 2, 0), []string{"CV"}, nil},
		{"correlated", several(100, 7.2, 1, 0.2), []string{"correlation"}, []string{"CV"}},
	} {
		var w strings.Builder
		found := strings.Join(writeDistances(&w, c, "nest", x.ours, peer), "\n")
		for _, m := range x.want {
			if !strings.Contains(found, m+" of E") {
				t.Errorf("%s: %s is not found to differ:\n%s", x.name, m, w.String())
			}
		}
		for _, m := range x.never {
			if strings.Contains(found, m+" of E") {
				t.Errorf("%s: %s is found to differ:\n%s", x.name, m, w.String())
			}
		}
		if n := strings.Count(w.String(), "**DIFFERS**"); (n > 0) != (found != "") {
			t.Errorf("%s: the table says\n%s", x.name, w.String())
		}
	}
	dead := [][]*analysis.Spikes{{{N: 200, Stop: 5}}}
	for _, x := range []struct {
		ours, theirs [][]*analysis.Spikes
		found        int
		says         string
	}{
		{dead, peer, 1, "**DIFFERS**"},
		{peer, dead, 1, "**DIFFERS**"},
		{dead, dead, 0, "too few are alive"},
		{peer, slices.Concat(peer[:1], dead), 0, "too few are alive"},
	} {
		var w strings.Builder
		if found := writeDistances(&w, c, "nest", x.ours, x.theirs); len(found) != x.found || strings.Count(w.String(), x.says) != len(measures) {
			t.Errorf("of those that died out: %v\n%s", found, w.String())
		}
	}
	c.known = map[string]string{"nest": "another method"}
	var w strings.Builder
	if writeDistances(&w, c, "nest", several(100, 9, 1, 0), peer); !strings.Contains(w.String(), "differs: another method") {
		t.Errorf("a known reason is not told:\n%s", w.String())
	}
}

// TestTrains: a step is allowed, two and a spike too many are not, unless the peer in single precision is off, too.
func TestTrains(t *testing.T) {
	spikes := func(i []int32, steps ...float64) *analysis.Spikes {
		at := make([]float64, len(steps))
		for k, x := range steps {
			at[k] = x * truthStep
		}
		s, err := analysis.NewSpikes(i, at, 2, 0, 1)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	ours := spikes([]int32{0, 1, 0, 1}, 10, 11, 20, 21)
	one := []int32{0, 1, 0, 1}
	for _, x := range []struct {
		theirs, single *analysis.Spikes
		want           trains
		agrees         bool
	}{
		{ours, ours, trains{4, 0, 4, 4, 0}, true},
		{spikes(one, 10, 11, 20, 22), spikes(one, 10, 11, 20, 22), trains{4, 0, 4, 3, 1}, true},
		{spikes(one, 10, 11, 22, 21), spikes(one, 10, 11, 22, 21), trains{4, 1, 4, 3, 2}, false},
		{spikes(one, 10, 11, 22, 21), spikes(one, 10, 11, 29, 21), trains{4, 1, 4, 3, 2}, true}, // the peer in single precision is off as well
		{spikes(one[:3], 10, 11, 20), spikes(one[:3], 10, 11, 20), trains{4, 1, 3, 3, 0}, false},
		{spikes(nil), spikes(nil), trains{4, 2, 0, 0, 0}, false},
	} {
		var w strings.Builder
		if got := trainsOf(ours, x.theirs); got != x.want {
			t.Errorf("%+v, want %+v", got, x.want)
		}
		found := writeTrains(&w, truthCase{workload: "hh", parts: []part{{name: "cells"}}}, "brian2", []*analysis.Spikes{ours}, []*analysis.Spikes{x.theirs}, []*analysis.Spikes{x.single})
		if (len(found) == 0) != x.agrees || strings.Contains(w.String(), "**DIFFERS**") == x.agrees {
			t.Errorf("%v\n%s", found, w.String())
		}
	}
	var w strings.Builder
	silent := []*analysis.Spikes{spikes(nil)}
	if len(writeTrains(&w, truthCase{workload: "hh", parts: []part{{name: "cells"}}}, "brian2", silent, silent, silent)) == 0 {
		t.Errorf("no spikes at all agree:\n%s", w.String())
	}
}

// TestCorrelations: cells that fire together correlate, others do not, silent ones have none.
func TestCorrelations(t *testing.T) {
	s, err := analysis.NewSpikes([]int32{0, 1, 0, 1, 3}, []float64{.1, .1, .3, .3, .2}, 4, 0, 1)
	if err != nil {
		t.Fatal(err)
	}
	r := correlations(s)
	if len(r) != 3 || math.Abs(r[0]-1) > 1e-9 || r[1] > 0 || r[2] > 0 {
		t.Error(r)
	}
}

// TestTruth runs it with stand-ins for synfire and for the interpreter that has the peers.
func TestTruth(t *testing.T) {
	dir := t.TempDir()
	program := func(name, text string) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte("#!/bin/sh\n"+text), 0o755); err != nil {
			t.Fatal(err)
		}
		return file
	}
	fails := program("fails", "echo 'models.star:3:1: no such thing' >&2; exit 1\n")
	lacks := program("lacks", "exit 1\n")
	breaks := program("breaks", "[ \"$1\" = -c ] || { echo 'ImportError: libnest.so' >&2; exit 1; }\n")
	for _, c := range []struct {
		truth Truth
		want  string
	}{
		{Truth{Exe: fails, Python: breaks, Workloads: []string{"update"}, Seeds: 2}, "--repeats 2: expected 5 seeds at least"},
		{Truth{Exe: fails, Python: breaks, Workloads: []string{"build"}, Seeds: 5}, `no peer's spikes are at hand for "build"`},
		{Truth{Exe: fails, Python: breaks, Peers: []string{"arbor"}, Seeds: 5}, `not with "arbor"`},
		{Truth{Exe: fails, Python: breaks, Workloads: []string{"update"}, Peers: []string{"nest"}, Seeds: 5}, "none of these is written for nest"},
		{Truth{Exe: fails, Python: lacks, Workloads: []string{"update"}, Peers: []string{"brian2"}, Seeds: 5}, "brian2 is not installed (" + lacks + " has no brian2"},
		{Truth{Exe: fails, Python: filepath.Join(dir, "nowhere"), Workloads: []string{"update"}, Peers: []string{"brian2"}, Seeds: 5}, "nowhere is not there"},
		{Truth{Exe: fails, Python: breaks, Workloads: []string{"update"}, Seeds: 5}, "update: synfire: seed 1: exit status 1: models.star:3:1: no such thing"},
	} {
		c.truth.Python, _ = filepath.Abs(c.truth.Python)
		t.Setenv("SYNFIRE_PEERS", "")
		var out strings.Builder
		if err := c.truth.Run(t.Context(), &out); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v; expected %q", err, c.want)
		}
	}
}
