package engine_test

import (
	"context"
	"errors"
	"io"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"synfire/engine"
	"synfire/engine/eqn"
	"synfire/kernels"
)

// counting is a context that ends after it was asked so many times.
type counting struct {
	context.Context
	asked, after int64
}

func (c *counting) Err() error {
	if atomic.AddInt64(&c.asked, 1) > c.after {
		return context.Canceled
	}
	return nil
}

// unit is the dimension of a unit.
func unit(name string) eqn.Dim {
	q, ok := eqn.LookupUnit(name)
	if !ok {
		panic(name)
	}
	return q.Dim
}

// pairs is a network of n neurons and Synapses without a synapse.
func pairs(t *testing.T, n int, o engine.SynapsesOptions) (*engine.Network, *engine.NeuronGroup, *engine.Synapses) {
	net := engine.NewNetwork(engine.Options{})
	g, err := net.NeuronGroup(n, "v : 1", engine.GroupOptions{Threshold: "v > 1"})
	if err != nil {
		t.Fatal(err)
	}
	if o.Model == "" {
		o.Model = "w : 1"
	}
	o.OnPre = []engine.Pathway{{Name: "pre", Code: "v += w"}}
	s, err := net.Synapses(g, g, o)
	if err != nil {
		t.Fatal(err)
	}
	return net, g, s
}

// hostWork is what a script can ask for that takes long or much, on 1,000 neurons.
var hostWork = map[string]func(t *testing.T, w engine.Work) error{
	"generator": func(t *testing.T, w engine.Work) error {
		_, _, s := pairs(t, 1000, engine.SynapsesOptions{})
		return s.Connect(engine.ConnectOptions{J: "k for k in range(0, 1000)", Work: w})
	},
	"generator that skips": func(t *testing.T, w engine.Work) error {
		_, _, s := pairs(t, 1000, engine.SynapsesOptions{})
		return s.Connect(engine.ConnectOptions{J: "k for k in sample(0, 2000, p=0.7) if (i*k) % 3 != 1", SkipIfInvalid: true, Work: w})
	},
	"n= by pair": func(t *testing.T, w engine.Work) error {
		_, _, s := pairs(t, 1000, engine.SynapsesOptions{})
		return s.Connect(engine.ConnectOptions{P: 0.5, N: "1 + i % 3", Work: w})
	},
	"i= alone": func(t *testing.T, w engine.Work) error {
		_, _, s := pairs(t, 1000, engine.SynapsesOptions{})
		list := make([]int, 1000)
		return s.Connect(engine.ConnectOptions{I: list, Work: w})
	},
	"multisynaptic_index": func(t *testing.T, w engine.Work) error {
		_, _, s := pairs(t, 1000, engine.SynapsesOptions{Multisynaptic: "m"})
		return s.Connect(engine.ConnectOptions{N: 2, Work: w})
	},
	"values of synapses": func(t *testing.T, w engine.Work) error {
		_, v := drawn(t)
		_, err := v.In(w).Get(nil)
		return err
	},
	"chosen values of synapses": func(t *testing.T, w engine.Work) error {
		_, v := drawn(t)
		_, err := v.In(w).Get("w > 0.5")
		return err
	},
	"values for chosen synapses": func(t *testing.T, w engine.Work) error {
		_, v := drawn(t)
		return v.In(w).Set("i < 3", 0.5)
	},
	"a pair's synapses": func(t *testing.T, w engine.Work) error {
		_, v := drawn(t)
		_, err := v.In(w).Get([2]any{engine.Slice{Lo: 0, Hi: 1000}, nil})
		return err
	},
	"info": func(t *testing.T, w engine.Work) error {
		net, _ := drawn(t)
		return net.Info(w, io.Discard)
	},
}

// drawn is a network with a million synapses of drawn weights.
func drawn(t *testing.T) (*engine.Network, *engine.Var) {
	net, _, s := pairs(t, 1000, engine.SynapsesOptions{})
	if err := s.Connect(engine.ConnectOptions{}); err != nil {
		t.Fatal(err)
	}
	v, err := s.Var("w")
	if err == nil {
		err = v.Set(nil, "rand()")
	}
	if err != nil {
		t.Fatal(err)
	}
	return net, v
}

// TestHostWorkHearsInterruption: everything that works through pairs, synapses or
// values asks again and again whether to go on, and ends at the first no.
func TestHostWorkHearsInterruption(t *testing.T) {
	for name, f := range hostWork {
		all := &counting{Context: context.Background(), after: 1 << 60}
		if err := f(t, engine.Work{Ctx: all, Threads: 2}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if all.asked < 10 {
			t.Errorf("%s asked %d times only", name, all.asked)
		}
		for _, after := range []int64{0, all.asked / 2} {
			c := &counting{Context: context.Background(), after: after}
			if err := f(t, engine.Work{Ctx: c, Threads: 2}); !errors.Is(err, engine.ErrInterrupted) {
				t.Errorf("%s, interrupted after %d of %d: %v", name, after, all.asked, err)
			}
			if c.asked > after+8 {
				t.Errorf("%s asked %d times more after the interruption", name, c.asked-after)
			}
		}
	}
}

// TestRunHearsInterruptionWhileItBuilds: a run whose context has ended builds nothing.
func TestRunHearsInterruptionWhileItBuilds(t *testing.T) {
	net, _ := drawn(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := net.Run(ctx, 1e-3, engine.RunOptions{Backend: kernels.New(1)}); !errors.Is(err, engine.ErrInterrupted) {
		t.Error(err)
	}
	if p, _ := net.Program(); p != nil {
		t.Error("something was loaded")
	}
}

// TestHostWorkAsksForMemory: what does not fit is told before it is taken, in words
// that say how much; the heap has not grown by it.
func TestHostWorkAsksForMemory(t *testing.T) {
	for name, f := range hostWork {
		if name == "info" { // measures, and takes nothing by the synapse
			continue
		}
		var before, after runtime.MemStats
		if strings.Contains(name, "values") || name == "a pair's synapses" {
			continue // below
		}
		runtime.ReadMemStats(&before)
		err := f(t, engine.Work{Memory: 2 << 20})
		runtime.ReadMemStats(&after)
		if err == nil || !strings.Contains(err.Error(), "MB of memory would be needed, 2.1 MB are free") {
			t.Errorf("%s: %v", name, err)
		}
		most := uint64(8 << 20)
		if strings.HasPrefix(name, "generator") { // works block by block: nearly all of it is garbage
			most = 64 << 20
		}
		if grown := after.TotalAlloc - before.TotalAlloc; grown > most {
			t.Errorf("%s took %d MB before it was refused", name, grown>>20)
		}
	}
	_, v := drawn(t)
	tight := v.In(engine.Work{Memory: 2 << 20})
	for name, f := range map[string]func() error{
		"all":    func() error { _, err := tight.Get(nil); return err },
		"slice":  func() error { _, err := tight.Get(engine.Slice{Lo: 1, Hi: 1000000}); return err },
		"chosen": func() error { _, err := tight.Get("i >= 0"); return err },
		"set":    func() error { return tight.Set("i < 3", 0.5) },
	} {
		if err := f(); err == nil || !strings.Contains(err.Error(), "of memory would be needed") {
			t.Errorf("%s: %v", name, err)
		}
	}
	// Few of many take little.
	if a, err := tight.Get("i == 2 and j < 5"); err != nil || len(a.V) != 5 {
		t.Error(a, err)
	}
	if a, err := tight.Get([]int{999999, 3, 3}); err != nil || len(a.V) != 3 || a.V[1] != a.V[2] {
		t.Error(a, err)
	}
}

// TestLongDelaysAreTold: the masks of a long delay are reckoned before they are made.
func TestLongDelaysAreTold(t *testing.T) {
	net, _, s := pairs(t, 1000, engine.SynapsesOptions{Delay: engine.Quantity{Value: 6.5, Dim: unit("second")}})
	if err := s.Connect(engine.ConnectOptions{Rule: "one_to_one"}); err != nil {
		t.Fatal(err)
	}
	err := net.Info(engine.Work{Memory: 10 << 20}, io.Discard) // 2 x 8.3 MB of masks
	if err == nil || !strings.Contains(err.Error(), "steps of the longest delay") {
		t.Error(err)
	}
	if err := net.Info(engine.Work{Memory: 40 << 20}, io.Discard); err != nil {
		t.Error(err)
	}
}

// TestGroupsAreTold: neurons beyond any memory are refused before they are made.
func TestGroupsAreTold(t *testing.T) {
	net := engine.NewNetwork(engine.Options{})
	model := ""
	for k := range 2000 { // 2^31 neurons of 16 kB each
		model += "v" + string(rune('a'+k%26)) + strings.Repeat("x", k/26) + " : 1\n"
	}
	if _, err := net.NeuronGroup(1<<31-65, model, engine.GroupOptions{}); err == nil || !strings.Contains(err.Error(), "TB of memory would be needed") {
		t.Error(err)
	}
}

// TestPoissonInputIsTold: more events in a step than a program can draw are
// refused where they are written, before any table is made.
func TestPoissonInputIsTold(t *testing.T) {
	net, g, _ := pairs(t, 3, engine.SynapsesOptions{})
	hertz := unit("hertz")
	_, err := net.PoissonInput(g, "v", 1000000000, engine.Quantity{Value: 5000, Dim: hertz}, 1.0, engine.InputOptions{})
	if err == nil || !strings.Contains(err.Error(), "events in every step") {
		t.Error(err)
	}
	if _, err := net.PoissonInput(g, "v", 200000, engine.Quantity{Value: 5000, Dim: hertz}, 1.0, engine.InputOptions{}); err != nil {
		t.Error(err)
	}
}
