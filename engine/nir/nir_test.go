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

// TestGraph: the spikes of a graph with every type of node are those that NumPy gives
// (python/tests/nir_check.py --write), and what is written back is what was read.
func TestGraph(t *testing.T) {
	text := must(os.ReadFile("testdata/net.json"))
	var want struct {
		Input  [][2]int
		Spikes map[string][][2]int
		Values map[string][]float64
	}
	if err := json.Unmarshal(must(os.ReadFile("testdata/expected.json")), &want); err != nil {
		t.Fatal(err)
	}
	net := engine.NewNetwork(engine.Options{})
	if err := net.SetDt(1e-3); err != nil {
		t.Fatal(err)
	}
	var who []int
	var at []float64
	for _, s := range want.Input {
		who, at = append(who, s[1]), append(at, float64(s[0])*1e-3)
	}
	in := must(net.SpikeGeneratorGroup(4, who, at, engine.GeneratorOptions{}))
	g := must(must(nir.Decode(text)).Build(net, nir.Options{Inputs: map[string]*engine.NeuronGroup{"input": in}}))
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
			t.Errorf("%s: %v, expected %v", k, got, spikes)
		}
	}
	for k, values := range want.Values {
		v := must(must(g.Groups[k].Var("v")).Get(nil)).V
		for i, x := range values {
			if math.Abs(v[i]-x) > 1e-5*math.Abs(x)+1e-6 {
				t.Errorf("%s.v[%d] is %g, expected %g", k, i, v[i], x)
			}
		}
	}
	var read, back any
	json.Unmarshal(text, &read)
	json.Unmarshal(must(must(g.Graph()).Encode()), &back)
	if !reflect.DeepEqual(read, back) {
		t.Error("what is written back is not what was read")
	}
	w := must(g.Synapses["fc2"].Var("w")) // from neuron 4 to neuron 2
	if err := w.Set([]int{4*3 + 2}, 0.25); err != nil {
		t.Fatal(err)
	}
	if err := must(g.Groups["lif"].Var("bias")).Set([]int{1}, 7.0); err != nil {
		t.Fatal(err)
	}
	json.Unmarshal(must(must(g.Graph()).Encode()), &back)
	nodes := back.(map[string]any)["nodes"].(map[string]any)
	if x := nodes["fc2"].(map[string]any)["weight"].([]any)[2].([]any)[4]; x != 0.25 {
		t.Errorf("the weight that was changed is written as %v", x)
	}
	if x := nodes["fc1"].(map[string]any)["bias"].([]any)[1]; x != 7.0 {
		t.Errorf("the bias that was changed is written as %v", x)
	}
}

// TestRefused: what is no graph that can be built is said by the node's name.
func TestRefused(t *testing.T) {
	lif := `{"type": "LIF", "tau": [0.01, 0.01], "r": [1, 1], "v_leak": [0, 0], "v_threshold": [1, 1]}`
	in := `{"type": "Input", "shape": [2]}`
	for _, c := range []struct{ nodes, edges, says string }{
		{`"a": {"type": "Conv2d"}`, ``, `node "a" is of type "Conv2d"; there are Affine, CubaLI,`},
		{`"a": {"type": "NIRGraph"}`, ``, `node "a" is a graph within the graph`},
		{`"a": {"type": "Linear"}`, ``, `node "a", Linear, has no weight`},
		{`"a": {"type": "Linear", "weight": [[1, 2], [3]]}`, ``, `weight has rows of different lengths`},
		{`"a": {"type": "Linear", "weight": "x"}`, ``, `weight is no array of numbers`},
		{`"a": 3`, ``, `node "a" is no dictionary`},
		{`"a": {"type": "Linear", "weight": []}`, ``, `weight is empty`},
		{`"a": ` + in + `, "f": {"type": "Flatten"}, "b": ` + lif, `["a", "f"], ["f", "f"], ["f", "b"]`, `"f" is a second Flatten`},
		{`"a": ` + in, `["a", "b"]`, `an edge names "b", which is no node`},
		{`"a": ` + in, `["a"]`, `an edge is a pair of names`},
		{`"a": ` + in + `, "b": ` + lif, `["a", "b"], ["a", "b"]`, `stands twice`},
		{`"a": ` + in + `, "w": {"type": "Linear", "weight": [[1, 2, 3]]}, "b": ` + lif, `["a", "w"], ["w", "b"]`, `weight has the shape [1 3]; [2, 2] were expected`},
		{`"a": ` + in + `, "w": {"type": "Linear", "weight": [[1]]}, "x": {"type": "Linear", "weight": [[1]]}, "b": ` + lif, `["a", "w"], ["w", "x"], ["x", "b"]`, `"w" and "x" follow each other`},
		{`"a": {"type": "Input", "shape": [3]}, "b": ` + lif, `["a", "b"]`, `"a" has 3 elements, "b" 2`},
		{`"a": {"type": "Input", "shape": [0]}`, ``, `a shape of 0 elements`},
		{`"a": {"type": "LI", "tau": [1, 1], "r": [1, 1], "v_leak": [0, 0]}, "b": ` + lif, `["a", "b"]`, `"a", LI, sends no spikes`},
		{`"b": {"type": "LI", "tau": [0], "r": [1], "v_leak": [0]}`, ``, `a positive time was expected`},
		{`"b": {"type": "LI", "tau": [1, 1], "r": [1, 1, 1], "v_leak": [0]}`, ``, `elements, others`},
		{`"a": ` + in + `, "d": {"type": "Delay", "delay": [1, 2, 3]}, "b": ` + lif, `["a", "d"], ["d", "b"]`, `delay has 3 elements for 2`},
		{`"a": ` + in + `, "d": {"type": "Delay", "delay": [1]}`, `["a", "d"]`, `nothing follows "d"`},
		{`"a": ` + in + `, "s": {"type": "Scale", "scale": [1]}, "o": {"type": "Output", "shape": [2]}`, `["a", "s"], ["s", "o"]`, `the output "o" is fed by "s"`},
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
