package engine_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"synfire/engine"
	"synfire/engine/backend"
	"synfire/engine/host"
	"synfire/kernels/ref"
)

// counted is a backend that counts what travels.
type counted struct {
	backend.Backend
	loads, reads, writes int
	names                []string // of the buffers that travelled
}

func (c *counted) Load(w host.Work, p *backend.Plan) (backend.Program, error) {
	c.loads++
	prog, err := c.Backend.Load(w, p)
	return &countedProgram{prog, c, p}, err
}

type countedProgram struct {
	backend.Program
	c *counted
	p *backend.Plan
}

func (p *countedProgram) Read(b backend.BufID, dst []uint32) error {
	if k := p.p.Bufs[b].Kind; k == backend.State || k == backend.Constant {
		p.c.reads++
		p.c.names = append(p.c.names, "read "+p.p.Bufs[b].Name)
	}
	return p.Program.Read(b, dst)
}

func (p *countedProgram) Write(b backend.BufID, src []uint32) error {
	p.c.writes++
	p.c.names = append(p.c.names, "write "+p.p.Bufs[b].Name)
	return p.Program.Write(b, src)
}

// operating is a group of three variables, of which an operation touches some.
func operating(t *testing.T, warn func(string)) (*engine.Network, *engine.NeuronGroup) {
	t.Helper()
	n := engine.NewNetwork(engine.Options{Warn: warn})
	g, err := n.NeuronGroup(3, "dv/dt = (I - v)/(5*ms) : 1\ndu/dt = -u/ms : 1\nI : 1", engine.GroupOptions{Name: "G", Threshold: "v > 1", Reset: "v = 0", Method: "exact"})
	if err != nil {
		t.Fatal(err)
	}
	return n, g
}

// TestOperationTravel: an operation costs what it touches.
func TestOperationTravel(t *testing.T) {
	var warnings []string
	n, g := operating(t, func(s string) { warnings = append(warnings, s) })
	v, _ := g.Var("v")
	I, _ := g.Var("I")
	c := &counted{Backend: ref.New()}
	calls, after := 0, 0
	if _, err := n.NetworkOperation(func(at float64) error {
		calls++
		switch calls {
		case 1: // nothing
		case 2: // the parameter becomes state: one new plan
			return I.Set(nil, 1.5)
		case 3:
			after = len(c.names)
			a, err := v.Get(1)
			if err != nil {
				return err
			}
			if _, err := v.Get(nil); err != nil { // does not travel again
				return err
			}
			return I.Set(2, a.V[0]+1)
		}
		return nil
	}, engine.OperationOptions{Dt: 1e-3}); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		calls = 0
		if _, err := n.Run(context.Background(), 5e-3, engine.RunOptions{Backend: c}); err != nil {
			t.Fatal(err)
		}
	}
	if calls != 5 || c.loads != 3 {
		t.Errorf("%d calls, %d plans loaded; 5 and 3 were expected", calls, c.loads)
	}
	want := []string{"read G.v", "read G.I", "write G.I"}
	if got := c.names[after : after+3]; !slices.Equal(got, want) {
		t.Errorf("what travelled: %q, expected %q", got, want)
	}
	told := 0
	for _, w := range warnings {
		if strings.Contains(w, "network_operation runs on the host every 1. ms") || strings.Contains(w, "network_operation runs on the host every 1 ms") {
			told++
		}
	}
	if told != 1 {
		t.Errorf("the cost is told %d times: %q", told, warnings)
	}
}

// TestOperationRefusals: what cannot be done while the network runs is refused
// inside an operation, and changes nothing.
func TestOperationRefusals(t *testing.T) {
	for name, c := range map[string]struct {
		do   func(n *engine.Network, g *engine.NeuronGroup, s *engine.Synapses) error
		want string
	}{
		"run": {func(n *engine.Network, g *engine.NeuronGroup, s *engine.Synapses) error {
			_, err := n.Run(context.Background(), 1e-3, engine.RunOptions{Backend: ref.New()})
			return err
		}, "cannot run the network"},
		"object": {func(n *engine.Network, g *engine.NeuronGroup, s *engine.Synapses) error {
			_, err := n.SpikeMonitor(g, engine.SpikeMonitorOptions{})
			return err
		}, "the network is running"},
		"connect": {func(n *engine.Network, g *engine.NeuronGroup, s *engine.Synapses) error {
			return s.Connect(engine.ConnectOptions{})
		}, "the network is running"},
		"delay": {func(n *engine.Network, g *engine.NeuronGroup, s *engine.Synapses) error {
			d, err := s.Delay("")
			if err != nil {
				return err
			}
			return d.Set(nil, engine.Q("1*ms"))
		}, "the network is running"},
		"event": {func(n *engine.Network, g *engine.NeuronGroup, s *engine.Synapses) error {
			return g.RunOnEvent("spike", "u = 1", engine.Schedule{})
		}, "the network is running"},
		"regular": {func(n *engine.Network, g *engine.NeuronGroup, s *engine.Synapses) error {
			_, err := g.RunRegularly("u = 1", engine.RegularOptions{})
			return err
		}, "the network is running"},
		"own": {func(n *engine.Network, g *engine.NeuronGroup, s *engine.Synapses) error { return errors.New("no more") }, "no more"},
		"value": {func(n *engine.Network, g *engine.NeuronGroup, s *engine.Synapses) error {
			v, _ := g.Var("v")
			return v.Set(7, 1.0)
		}, "out of range"},
	} {
		t.Run(name, func(t *testing.T) {
			n, g := operating(t, nil)
			s, err := n.Synapses(g, g, engine.SynapsesOptions{OnPre: []engine.Pathway{{Name: "pre", Code: "u_post += 1"}}})
			if err != nil {
				t.Fatal(err)
			}
			if err := s.Connect(engine.ConnectOptions{}); err != nil {
				t.Fatal(err)
			}
			objects := len(n.Objects)
			op, err := n.NetworkOperation(func(float64) error { return c.do(n, g, s) }, engine.OperationOptions{Name: "op"})
			if err != nil {
				t.Fatal(err)
			}
			_, err = n.Run(context.Background(), 1e-3, engine.RunOptions{Backend: ref.New()})
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "op: ") {
				t.Fatalf("got %v, expected %q", err, c.want)
			}
			if len(n.Objects) != objects+1 || n.Step != 0 {
				t.Errorf("%d objects, step %d", len(n.Objects), n.Step)
			}
			op.Inactive = true // and the network goes on without it
			if _, err := n.Run(context.Background(), 1e-3, engine.RunOptions{Backend: ref.New()}); err != nil || n.Step != 10 {
				t.Errorf("after it: step %d, %v", n.Step, err)
			}
		})
	}
}

// TestOperationPlaces: what stands before an operation at the start, or behind one
// at the end, is told.
func TestOperationPlaces(t *testing.T) {
	nothing := func(float64) error { return nil }
	n, g := operating(t, nil)
	for _, when := range []string{"groups", "thresholds", "after_groups", "before_synapses", "resets", "nowhere"} {
		if _, err := n.NetworkOperation(nothing, engine.OperationOptions{When: when}); err == nil || !strings.Contains(err.Error(), when) {
			t.Errorf("when=%q: %v", when, err)
		}
	}
	if _, err := g.RunRegularly("u += 1", engine.RegularOptions{Order: -1}); err != nil {
		t.Fatal(err)
	}
	op, err := n.NetworkOperation(nothing, engine.OperationOptions{Name: "op"})
	if err != nil {
		t.Fatal(err)
	}
	run := func() error {
		_, err := n.Run(context.Background(), 1e-3, engine.RunOptions{Backend: ref.New()})
		return err
	}
	if err := run(); err == nil || !strings.Contains(err.Error(), "op: a network_operation at the start of the step must come before all else, but G_run_regularly comes before it") {
		t.Errorf("got %v", err)
	}
	op.When = "before_start"
	if err := run(); err != nil {
		t.Error(err)
	}
	op.When = "end"
	if _, err := n.StateMonitor(g, engine.StateMonitorOptions{Variables: []string{"u"}, Record: true, When: "end"}); err != nil {
		t.Fatal(err)
	}
	if err := run(); err == nil || !strings.Contains(err.Error(), "but statemonitor comes after it") {
		t.Errorf("got %v", err)
	}
	op.When = "after_end"
	if err := run(); err != nil {
		t.Error(err)
	}
}
