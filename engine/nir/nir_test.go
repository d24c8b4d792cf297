package nir_test

import (
	"context"
	"encoding/json"
	"math"
	"os"
	"reflect"
	"strings"
	"testing"

	"synfire/engine"
	"synfire/engine/nir"
	"synfire/kernels"
)

func must[T any](x T, err error) T {
	if err != nil {
		panic(err)
	}
	return x
}

// TestGraph: the spikes of graphs with every type of node are those that NumPy gives
// (python/tests/nir_check.py --write), and what is written back is what was read.
func TestGraph(t *testing.T) {
	for _, name := range []string{"net", "layers"} {
		text := must(os.ReadFile("testdata/" + name + ".json"))
		var want struct {
			Inputs map[string][][2]int
			Spikes map[string][][2]int
			Values map[string][]float64
		}
		if err := json.Unmarshal(must(os.ReadFile("testdata/"+name+"_expected.json")), &want); err != nil {
			t.Fatal(err)
		}
		net := engine.NewNetwork(engine.Options{})
		if err := net.SetDt(1e-3); err != nil {
			t.Fatal(err)
		}
		g := must(must(nir.Decode(text)).Build(net, nir.Options{}))
		for k, spikes := range want.Inputs {
			var who []int
			var at []float64
			for _, s := range spikes {
				who, at = append(who, s[1]), append(at, float64(s[0])*1e-3)
			}
			if err := g.Groups[k].SetSpikes(who, at, 0); err != nil {
				t.Fatal(err)
			}
		}
		monitors := map[string]*engine.SpikeMonitor{}
		for k := range want.Spikes {
			monitors[k] = must(net.SpikeMonitor(g.Groups[k], engine.SpikeMonitorOptions{}))
		}
		must(net.Run(context.Background(), 0.2, engine.RunOptions{Backend: kernels.New(2)}))
		for k, spikes := range want.Spikes {
			var got [][2]int
			times := monitors[k].T()
			for n, i := range monitors[k].I() {
				got = append(got, [2]int{int(math.Round(times[n] * 1000)), int(i)})
			}
			if len(got) == 0 || !reflect.DeepEqual(got, spikes) {
				t.Errorf("%s: %s: %v, expected %v", name, k, got, spikes)
			}
		}
		for k, values := range want.Values {
			v := must(must(g.Groups[k].Var("v")).Get(nil)).V
			for i, x := range values {
				if math.Abs(v[i]-x) > 1e-5*math.Abs(x)+1e-6 {
					t.Errorf("%s: %s.v[%d] is %g, expected %g", name, k, i, v[i], x)
				}
			}
		}
		var read any
		json.Unmarshal(text, &read)
		if back := must(again(g)); !reflect.DeepEqual(read, back) {
			t.Errorf("%s: what is written back is not what was read", name)
		}
		if name == "net" {
			changed(t, g)
		} else {
			shared(t, g)
		}
	}
}

// again is what a network writes, as JSON gives it.
func again(g *nir.Network) (back any, err error) {
	now, err := g.Graph()
	if err != nil {
		return nil, err
	}
	return back, json.Unmarshal(must(now.Encode()), &back)
}

// at is an element of what again gives.
func at(x any, path ...any) any {
	for _, p := range path {
		switch p := p.(type) {
		case string:
			x = x.(map[string]any)[p]
		case int:
			x = x.([]any)[p]
		}
	}
	return x
}

func changed(t *testing.T, g *nir.Network) {
	set := func(o interface {
		Var(string) (*engine.Var, error)
	}, name string, k int, x any) {
		t.Helper()
		if err := must(o.Var(name)).Set([]int{k}, x); err != nil {
			t.Fatal(err)
		}
	}
	set(g.Synapses["fc2"], "w", 4*3+2, 0.25) // from neuron 4 to neuron 2
	set(g.Groups["lif"], "bias", 1, 7.0)
	set(g.Groups["cuba"], "tau_mem", 0, engine.Q("30*ms"))
	for j := range 3 {
		set(g.Synapses["fc2"], "delay", 4*3+j, engine.Q("5*ms"))
	}
	back := must(again(g))
	for _, c := range []struct {
		path []any
		want float64
	}{
		{[]any{"nodes", "fc2", "weight", 2, 4}, 0.25}, {[]any{"nodes", "fc1", "bias", 1}, 7},
		{[]any{"nodes", "cuba", "tau_mem", 0}, 0.03}, {[]any{"nodes", "delay", "delay", 4}, 0.005}, {[]any{"nodes", "delay", "delay", 3}, 0.003},
	} {
		if x := at(back, c.path...).(float64); math.Abs(x-c.want) > 1e-6*c.want {
			t.Errorf("%v is written as %v, expected %v", c.path, x, c.want)
		}
	}
	set(g.Synapses["fc2"], "delay", 0, engine.Q("7*ms")) // the node has one delay for all synapses of a neuron
	if _, err := again(g); err == nil || !strings.Contains(err.Error(), `node "delay", Delay, has one of its delays for several synapses`) {
		t.Error(err)
	}
	set(g.Synapses["fc2"], "delay", 0, engine.Q("3*ms"))
	set(g.Synapses["fc1"], "delay", 0, engine.Q("7*ms"))
	if _, err := again(g); err == nil || !strings.Contains(err.Error(), `the delays from input to flat to fc1 to lif were changed, and there is not one node alone`) {
		t.Error(err)
	}
}

// shared changes weights that several synapses have.
func shared(t *testing.T, g *nir.Network) {
	w := must(g.Synapses["conv1"].Var("w"))
	now := must(w.Get(nil))
	for k := range now.V {
		now.V[k] *= 2
	}
	if err := w.Set(nil, now); err != nil {
		t.Fatal(err)
	}
	b := must(g.Groups["if1"].Var("bias"))
	if err := b.Set("i >= 12 and i < 24", 0.5); err != nil { // the second channel
		t.Fatal(err)
	}
	var before any
	json.Unmarshal(must(os.ReadFile("testdata/layers.json")), &before)
	back := must(again(g))
	for _, p := range [][]any{{0, 0, 0, 0}, {3, 1, 2, 2}, {2, 0, 1, 2}} {
		p = append([]any{"nodes", "conv1", "weight"}, p...)
		if x, old := at(back, p...).(float64), at(before, p...).(float64); math.Abs(x-2*old) > 1e-6 {
			t.Errorf("%v is written as %v, was %v", p, x, old)
		}
	}
	if x := at(back, "nodes", "conv1", "bias", 1); x != 0.5 {
		t.Errorf("the bias is written as %v", x)
	}
	if err := w.Set([]int{3}, 9.0); err != nil {
		t.Fatal(err)
	}
	if _, err := again(g); err == nil || !strings.Contains(err.Error(), `node "conv1", Conv2d, has one of its weights for several synapses`) {
		t.Error(err)
	}
}

// TestGroups: a convolution in groups is one for each.
func TestGroups(t *testing.T) {
	net := engine.NewNetwork(engine.Options{})
	g := must(must(nir.Decode([]byte(`{"nodes": {"a": {"type": "Input", "shape": [4, 3]}, "b": {"type": "Conv1d", "weight": [[[1, 2], [3, 4]], [[5, 6], [7, 8]]], "groups": 2, "bias": [0, 0]},
		"c": {"type": "IF", "r": [1], "v_threshold": [1]}}, "edges": [["a", "b"], ["b", "c"]]}`))).Build(net, nir.Options{}))
	s := g.Synapses["b"]
	i, j, w := must(must(s.Var("i")).Get(nil)).V, must(must(s.Var("j")).Get(nil)).V, must(must(s.Var("w")).Get(nil)).V
	got := map[[2]int]float64{}
	for k := range i {
		got[[2]int{int(i[k]), int(j[k])}] = w[k]
	}
	want := map[[2]int]float64{}
	for c := range 2 {
		for from := range 2 {
			for o := range 2 {
				for k := range 2 {
					want[[2]int{(2*c+from)*3 + o + k, 2*c + o}] = float64(1 + 4*c + 2*from + k)
				}
			}
		}
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%v, expected %v", got, want)
	}
}

// TestRefused: what is no graph that can be built is said by the node's name.
func TestRefused(t *testing.T) {
	lif := `{"type": "LIF", "tau": [0.01, 0.01], "r": [1, 1], "v_leak": [0, 0], "v_threshold": [1, 1]}`
	in := `{"type": "Input", "shape": [2]}`
	for _, c := range []struct{ nodes, edges, says string }{
		{`"a": {"type": "Conv3d"}`, ``, `node "a" is of type "Conv3d"; there are Affine, AvgPool2d, Conv1d,`},
		{`"a": {"type": "NIRGraph"}`, ``, `the graph "a" has no dictionary 'nodes'`},
		{`"a": {"type": "Linear"}`, ``, `node "a", Linear, has no weight`},
		{`"a": {"type": "Linear", "weight": [[1, 2], [3]]}`, ``, `weight has rows of different lengths`},
		{`"a": {"type": "Linear", "weight": "x"}`, ``, `weight is no array of numbers`},
		{`"a": 3`, ``, `node "a" is no dictionary`},
		{`"a": {"type": "Linear", "weight": []}`, ``, `weight is empty`},
		{`"a": ` + in + `, "f": {"type": "Flatten"}, "b": ` + lif, `["a", "f"], ["f", "f"], ["f", "b"]`, `a loop without neurons leads through "f"`},
		{`"a": ` + in, `["a", "b"]`, `an edge names "b", which is no node`},
		{`"a": ` + in, `["a"]`, `an edge is a pair of names`},
		{`"a": ` + in + `, "b": ` + lif, `["a", "b"], ["a", "b"]`, `stands twice`},
		{`"a": ` + in + `, "w": {"type": "Linear", "weight": [[1, 2, 3]]}, "b": ` + lif, `["a", "w"], ["w", "b"]`, `weight has the shape [1 3]; [1, 2] were expected`},
		{`"a": ` + in + `, "w": {"type": "Linear", "weight": [[1]]}, "x": {"type": "Linear", "weight": [[1]]}, "b": ` + lif, `["a", "w"], ["w", "x"], ["x", "b"]`, `node "w": weight has the shape [1 1]; [1, 2] were expected`},
		{`"a": {"type": "Input", "shape": [3]}, "b": ` + lif, `["a", "b"]`, `"a" gives 3 elements (a to b), "b" has 2`},
		{`"a": {"type": "Input", "shape": [0]}`, ``, `a shape of [0] elements`},
		{`"b": {"type": "LI", "tau": [0], "r": [1], "v_leak": [0]}`, ``, `a positive time was expected`},
		{`"b": {"type": "LI", "tau": [1, 1], "r": [1, 1, 1], "v_leak": [0]}`, ``, `elements, others`},
		{`"a": ` + in + `, "d": {"type": "Delay", "delay": [1, 2, 3]}, "b": ` + lif, `["a", "d"], ["d", "b"]`, `delay has 3 elements for 2`},
		{`"a": ` + in + `, "d": {"type": "Delay", "delay": [1]}`, `["a", "d"]`, `nothing follows "d"`},
		{`"a": {"type": "LI", "tau": [1, 1], "r": [1, 1], "v_leak": [0, 0]}, "d": {"type": "Delay", "delay": [1]}, "b": ` + lif, `["a", "d"], ["d", "b"]`, `node "d" delays values of "a", LI: only spikes`},
		{`"a": ` + in + `, "c": {"type": "Conv2d", "weight": [[[[1]]]]}, "b": ` + lif, `["a", "c"], ["c", "b"]`, `node "c", Conv2d, is given the shape [2]: channels and 2 dimensions`},
		{`"a": {"type": "Input", "shape": [2, 4, 4]}, "c": {"type": "Conv2d", "weight": [[[[1]]]]}, "b": ` + lif, `["a", "c"], ["c", "b"]`, `takes 1 channels, and is given the shape [2 4 4]`},
		{`"a": {"type": "Input", "shape": [1, 2, 2]}, "c": {"type": "Conv2d", "weight": [[[[1, 1, 1]]]]}, "b": ` + lif, `["a", "c"], ["c", "b"]`, `its kernel is larger than its input, [1 2 2]`},
		{`"a": {"type": "Input", "shape": [2.5]}`, ``, `a shape of [2.5] elements`},
		{`"a": {"type": "Input", "shape": [1, 4, 4]}, "c": {"type": "AvgPool2d", "kernel_size": 100000, "padding": 50000}, "b": ` + lif, `["a", "c"], ["c", "b"]`, `its kernel [100000 100000] or what it gives`},
		{`"a": {"type": "Input", "shape": [1, 4, 4]}, "c": {"type": "Conv2d", "weight": [[[[1]]]], "padding": 1000000}, "b": ` + lif, `["a", "c"], ["c", "b"]`, `node "c": its kernel [1 1] or what it gives, [1 2000004 2000004]`},
		{`"c": {"type": "Conv1d", "weight": [[[1]]], "padding": "most"}`, ``, `padding is "most": numbers, 'same' or 'valid'`},
		{`"c": {"type": "Conv1d", "weight": [[[1]]], "stride": 0.5}, "a": {"type": "Input", "shape": [1, 2]}, "b": ` + lif, `["a", "c"], ["c", "b"]`, `stride holds 0.5: a whole number of at least 1`},
		{`"c": {"type": "Conv1d", "weight": [[[1, 1]]], "padding": "same", "stride": 2}, "a": {"type": "Input", "shape": [1, 2]}, "b": ` + lif, `["a", "c"], ["c", "b"]`, `padding 'same' goes with a stride of 1`},
		{`"p": {"type": "SumPool2d", "kernel_size": [2, 2]}, "b": ` + lif + `, "n": {"type": "IF", "r": [1], "v_threshold": [1]}`, `["b", "p"], ["p", "n"]`, `node "p", SumPool2d, is given the shape [2]`},
		{`"g": {"type": "NIRGraph", "nodes": {"x": ` + in + `, "y": ` + in + `, "o": {"type": "Output", "shape": [2]}}, "edges": [["x", "o"]]}, "a": ` + in, `["a", "g"]`, `the graph "g", which has 2 inputs: one was expected`},
		{`"g": {"type": "NIRGraph", "nodes": {"x": ` + in + `}, "edges": []}, "g.x": ` + in, ``, `two nodes are called "g.x"`},
	} {
		net := engine.NewNetwork(engine.Options{})
		g, err := nir.Decode([]byte(`{"nodes": {` + c.nodes + `}, "edges": [` + c.edges + `]}`))
		if err == nil {
			_, err = g.Build(net, nir.Options{})
		}
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s %s: %v; expected %q", c.nodes, c.edges, err, c.says)
		}
	}
	for _, text := range []string{"", "[]", "{}", `{"nodes": {}}`, "\x89HDF"} {
		if _, err := nir.Decode([]byte(text)); err == nil {
			t.Errorf("%q was taken", text)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(`{"nodes": {"a": {"type": "Input", "shape": [2]}}, "edges": []}`)
	f.Add(string(must(os.ReadFile("testdata/net.json"))))
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 1<<14 {
			return
		}
		g, err := nir.Decode([]byte(text))
		if err != nil {
			return
		}
		if n, err := g.Build(engine.NewNetwork(engine.Options{}), nir.Options{}); err == nil {
			if _, err := n.Graph(); err != nil {
				t.Fatal(err)
			}
		}
	})
}
