// Package nir brings networks of the Neuromorphic Intermediate Representation (NIR,
// Pedersen et al. 2024) into a network and back. Files of NIR are HDF5; python/src/synfire/nir.py
// turns them into the JSON that Decode takes (the dictionary that nir's to_dict gives, arrays
// as nested lists) and back.
//
// What NIR leaves open is settled so: a spike is an input of 1 for one step of the clock, as in the frameworks that
// write such files; equations advance by Euler's method unless Options say otherwise;
// a spike of one layer reaches the next in the following step; times are in seconds.
package nir

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
)

// Graph is a network as a file describes it. Graphs within it are taken apart: their nodes are called "outer.inner".
type Graph struct {
	raw   map[string]any
	nodes map[string]*node
	names []string    // in alphabetical order
	edges [][2]string // from, to
}

// node is one of its nodes.
type node struct {
	name, kind string
	raw        map[string]any
	arrays     map[string]array
	padding    string // "same" or "valid", where it is no number
	in, out    []int  // shapes
}

// array is numbers with their shape.
type array struct {
	shape []int
	v     []float64
}

// parameters are those of each type of node, optional ones with a question mark.
var parameters = map[string]string{
	"Input": "shape", "Output": "shape", "Linear": "weight", "Affine": "weight bias", "Scale": "scale", "Delay": "delay",
	"Flatten": "start_dim? end_dim? input_type?", "Threshold": "threshold",
	"Conv1d": "weight bias? stride? padding? dilation? groups? input_shape?", "Conv2d": "weight bias? stride? padding? dilation? groups? input_shape?",
	"SumPool2d": "kernel_size stride? padding?", "AvgPool2d": "kernel_size stride? padding?",
	"I": "r", "IF": "r v_threshold v_reset?", "LI": "tau r v_leak", "LIF": "tau r v_leak v_threshold v_reset?",
	"CubaLI": "tau_syn tau_mem r v_leak w_in?", "CubaLIF": "tau_syn tau_mem r v_leak v_threshold v_reset? w_in?",
}

// joint is what stands for an Input or an Output of a graph within the graph: it passes on what it is given.
const joint = "joint"

// Decode reads a graph.
func Decode(text []byte) (*Graph, error) {
	var raw any
	d := json.NewDecoder(strings.NewReader(string(text)))
	if err := d.Decode(&raw); err != nil {
		return nil, fmt.Errorf("nir: this is no JSON: %w (python -m synfire.nir FILE.nir FILE.json makes it of a NIR file)", err)
	}
	return New(raw)
}

// New takes a graph as JSON gives it: maps, lists, texts and numbers.
func New(raw any) (*Graph, error) {
	m, ok := raw.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("nir: a graph is a dictionary with 'nodes' and 'edges', not %T", raw)
	}
	if inner, ok := m["node"].(map[string]any); ok { // as in a file, beside the version
		m = inner
	}
	g := &Graph{raw: m, nodes: map[string]*node{}}
	if _, err := g.add("", m, 0); err != nil {
		return nil, err
	}
	g.names = slices.Sorted(maps.Keys(g.nodes))
	return g, g.shapes()
}

// ends are the inputs and outputs of a graph within the graph.
type ends struct{ in, out []string }

// add takes the nodes and edges of a graph, and says what its ends are.
func (g *Graph) add(within string, m map[string]any, depth int) (ends, error) {
	var own ends
	at := map[bool]string{true: "the graph", false: fmt.Sprintf("the graph %q", strings.TrimSuffix(within, "."))}[within == ""]
	if depth > 100 {
		return own, fmt.Errorf("nir: %s lies too deep within others", at)
	}
	nodes, ok := m["nodes"].(map[string]any)
	if !ok {
		return own, fmt.Errorf("nir: %s has no dictionary 'nodes'", at)
	}
	inner := map[string]ends{}
	for _, name := range slices.Sorted(maps.Keys(nodes)) {
		n := &node{name: within + name, arrays: map[string]array{}}
		if n.raw, ok = nodes[name].(map[string]any); !ok {
			return own, fmt.Errorf("nir: node %q is no dictionary", n.name)
		}
		n.kind, _ = n.raw["type"].(string)
		if n.kind == "NIRGraph" {
			var err error
			if inner[name], err = g.add(n.name+".", n.raw, depth+1); err != nil {
				return own, err
			}
			continue
		}
		if err := n.read(); err != nil {
			return own, err
		}
		switch n.kind {
		case "Input":
			own.in = append(own.in, n.name)
		case "Output":
			own.out = append(own.out, n.name)
		}
		if within != "" && (n.kind == "Input" || n.kind == "Output") {
			n.kind = joint
		}
		if g.nodes[n.name] != nil {
			return own, fmt.Errorf("nir: two nodes are called %q", n.name)
		}
		g.nodes[n.name] = n
	}
	edges, ok := m["edges"].([]any)
	if !ok {
		return own, fmt.Errorf("nir: %s has no list 'edges'", at)
	}
	for _, e := range edges {
		pair, _ := e.([]any)
		if len(pair) != 2 {
			return own, fmt.Errorf("nir: an edge is a pair of names, not %v", e)
		}
		var edge [2]string
		for k, x := range pair {
			name, _ := x.(string)
			edge[k] = within + name
			if whole, ok := inner[name]; ok {
				side, what := whole.out, "outputs"
				if k == 1 {
					side, what = whole.in, "inputs"
				}
				if len(side) != 1 {
					return own, fmt.Errorf("nir: an edge names the graph %q, which has %d %s: one was expected", edge[k], len(side), what)
				}
				edge[k] = side[0]
			} else if g.nodes[edge[k]] == nil {
				return own, fmt.Errorf("nir: an edge names %q, which is no node", x)
			}
		}
		if slices.Contains(g.edges, edge) {
			return own, fmt.Errorf("nir: the edge from %q to %q stands twice", edge[0], edge[1])
		}
		g.edges = append(g.edges, edge)
	}
	return own, nil
}

// read takes what a node of its type has.
func (n *node) read() error {
	wanted, known := parameters[n.kind]
	if !known {
		return fmt.Errorf("nir: node %q is of type %q; there are %s here", n.name, n.kind, strings.Join(kinds(), ", "))
	}
	for p := range strings.FieldsSeq(wanted) {
		p, optional := strings.CutSuffix(p, "?")
		v, there := n.raw[p]
		if !there || v == nil {
			if !optional {
				return fmt.Errorf("nir: node %q, %s, has no %s", n.name, n.kind, p)
			}
			continue
		}
		if text, ok := v.(string); ok && p == "padding" {
			if n.padding = text; text != "same" && text != "valid" {
				return fmt.Errorf("nir: node %q: padding is %q: numbers, 'same' or 'valid' were expected", n.name, text)
			}
			continue
		}
		a, err := numbers(v)
		if err == nil && len(a.v) == 0 {
			if p == "shape" || p == "input_type" { // of one number
				continue
			}
			err = fmt.Errorf("is empty")
		}
		if err != nil {
			return fmt.Errorf("nir: node %q: %s %w", n.name, p, err)
		}
		n.arrays[p] = a
	}
	return nil
}

func kinds() (all []string) {
	return append(slices.Sorted(maps.Keys(parameters)), "NIRGraph")
}

// numbers reads nested lists.
func numbers(x any) (array, error) {
	switch x := x.(type) {
	case float64:
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return array{}, fmt.Errorf("holds %g", x)
		}
		return array{v: []float64{x}}, nil
	case []any:
		a := array{shape: []int{len(x)}}
		for k, e := range x {
			b, err := numbers(e)
			if err != nil {
				return a, err
			}
			if k == 0 {
				a.shape = append(a.shape, b.shape...)
			}
			if !slices.Equal(a.shape[1:], b.shape) {
				return a, fmt.Errorf("has rows of different lengths")
			}
			a.v = append(a.v, b.v...)
		}
		return a, nil
	}
	return array{}, fmt.Errorf("is no array of numbers")
}

// nested is numbers as lists again.
func (a array) nested() any {
	if len(a.shape) == 0 {
		return a.v[0]
	}
	out, each := make([]any, a.shape[0]), len(a.v)/max(1, a.shape[0])
	for k := range out {
		out[k] = array{a.shape[1:], a.v[k*each : (k+1)*each]}.nested()
	}
	return out
}

// neuron says that a node has a state over time.
func (n *node) neuron() bool { return n.arrays["r"].v != nil }

// population says that a node becomes one: Threshold, too, and an Output that is fed by more than neurons (see paths).
func (n *node) population() bool { return n.neuron() || n.kind == "Threshold" }

// fires says that it sends spikes.
func (n *node) fires() bool { return n.arrays["v_threshold"].v != nil || n.kind == "Threshold" }

// all are the parameters of a type of neuron.
func (n *node) all() (names []string) {
	if n.kind != "Output" {
		for p := range strings.FieldsSeq(parameters[n.kind]) {
			names = append(names, strings.TrimSuffix(p, "?"))
		}
	}
	return names
}

// path is what lies between two populations.
type path struct {
	from, to *node
	by       []*node
}

// paths finds what lies between populations, and what feeds outputs.
func (g *Graph) paths() (out []path, err error) {
	next := map[string][]*node{}
	for _, e := range g.edges {
		next[e[0]] = append(next[e[0]], g.nodes[e[1]])
	}
	led := map[*node]bool{}
	var follow func(p path, at *node) error
	follow = func(p path, at *node) error {
		led[at] = true
		switch {
		case at.kind == "Input":
			return fmt.Errorf("nir: an edge leads to the input %q", at.name)
		case at.population() || at.kind == "Output":
			if p.to = at; len(out) == 1<<16 {
				return fmt.Errorf("nir: there are more than %d ways between the populations", len(out))
			}
			out = append(out, p)
			return nil
		case slices.Contains(p.by, at):
			return fmt.Errorf("nir: a loop without neurons leads through %q", at.name)
		case len(next[at.name]) == 0:
			return fmt.Errorf("nir: nothing follows %q", at.name)
		}
		p.by = append(slices.Clone(p.by), at)
		for _, x := range next[at.name] {
			if err := follow(p, x); err != nil {
				return err
			}
		}
		return nil
	}
	for _, name := range g.names {
		if n := g.nodes[name]; n.kind == "Input" || n.population() {
			for _, x := range next[name] {
				if err := follow(path{from: n}, x); err != nil {
					return nil, err
				}
			}
		}
	}
	for _, name := range g.names {
		if n := g.nodes[name]; !led[n] && !n.population() && n.kind != "Input" && n.kind != "Output" {
			return nil, fmt.Errorf("nir: nothing leads to %q", name)
		}
	}
	return out, nil
}
