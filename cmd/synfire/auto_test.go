package main

import (
	"context"
	"errors"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"synfire/engine/backend"
	"synfire/engine/host"
	"synfire/engine/script"
	"synfire/kernels"
	"synfire/shaders"
)

// planned is a backend that keeps the plan, and fails.
type planned struct{ plan *backend.Plan }

func (p *planned) Name() string       { return "planned" }
func (p *planned) Caps() backend.Caps { return backend.Caps{Device: "none"} }
func (p *planned) Close() error       { return nil }
func (p *planned) Load(_ host.Work, plan *backend.Plan) (backend.Program, error) {
	p.plan = plan
	return nil, errors.New("planned")
}

// TestAuto: small networks stay on the cpu, large ones and wide ones go to a GPU, and what one lane would work off does not.
func TestAuto(t *testing.T) {
	for _, c := range []struct {
		file string
		set  map[string]string
		gl   bool
	}{
		{"examples/cuba", nil, false},
		{"examples/coba", nil, false},
		{"examples/hodgkin_huxley", nil, false},
		{"examples/potjans_diesmann", map[string]string{"scale": "1"}, true},
		{"bench/workloads/lif", map[string]string{"n": "1000000"}, true},
		{"bench/workloads/update", map[string]string{"n": "100"}, false},
	} {
		p := &planned{}
		file := filepath.Join("..", "..", filepath.FromSlash(c.file)+".star")
		_, err := script.Run(context.Background(), script.Options{File: file, Set: c.set, Open: func() (backend.Backend, error) { return p, nil }})
		if p.plan == nil {
			t.Fatalf("%s: %v", c.file, err)
		}
		gl, why := faster(p.plan, 2)
		t.Logf("%s: %s", c.file, why)
		if gl != c.gl || !strings.Contains(why, "µs") {
			t.Errorf("%s %v: gl %t: %s", c.file, c.set, gl, why)
		}
		if cpu, gpu := kernels.Cost(p.plan, 2), shaders.Cost(p.plan); !(cpu > 0) || !(gpu > 0) || math.IsInf(gpu, 0) {
			t.Errorf("%s: %g and %g µs", c.file, cpu, gpu)
		}
		// The choice is made once, and told.
		var told []backend.Backend
		both := [2]*planned{{}, {}}
		b := &choosing{gpu: both[1], threads: 2, cpu: func() (backend.Backend, error) { return both[0], nil }, say: func(string) {}, chosen: func(b backend.Backend) { told = append(told, b) }}
		b.Load(host.Work{}, p.plan)
		b.Load(host.Work{}, p.plan)
		want := both[0]
		if c.gl {
			want = both[1]
		}
		if len(told) != 1 || told[0] != backend.Backend(want) || want.plan != p.plan {
			t.Errorf("%s: told %v", c.file, told)
		}
	}
}
