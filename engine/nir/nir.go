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
	"math"
	"slices"
	"strings"
)

// Graph is a network as a file describes it.
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
}

// array is numbers with their shape.
type array struct {
	shape []int
	v     []float64
}

// parameters are those of each type of node, optional ones with a question mark.
var parameters = map[string]string{
	"Input": "shape", "Output": "shape", "Linear": "weight", "Affine": "weight bias", "Scale": "scale", "Delay": "delay", "Flatten": "",
	"I": "r", "IF": "r v_threshold v_reset?", "LI": "tau r v_leak", "LIF": "tau r v_leak v_threshold v_reset?",
	"CubaLI": "tau_syn tau_mem r v_leak w_in?", "CubaLIF": "tau_syn tau_mem r v_leak v_threshold v_reset? w_in?",
}

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
	nodes, ok := m["nodes"].(map[string]any)
	if !ok {
		return nil, fmt.Errorf("nir: the graph has no dictionary 'nodes'")
	}
	g := &Graph{raw: m, nodes: map[string]*node{}}
	for name, x := range nodes {
		n := &node{name: name, arrays: map[string]array{}}
		if n.raw, ok = x.(map[string]any); !ok {
			return nil, fmt.Errorf("nir: node %q is no dictionary", name)
		}
		n.kind, _ = n.raw["type"].(string)
		wanted, known := parameters[n.kind]
		switch {
		case n.kind == "NIRGraph":
			return nil, fmt.Errorf("nir: node %q is a graph within the graph: flatten it first", name)
		case !known:
			return nil, fmt.Errorf("nir: node %q is of type %q; there are %s here", name, n.kind, strings.Join(kinds(), ", "))
		}
		for p := range strings.FieldsSeq(wanted) {
			p, optional := strings.CutSuffix(p, "?")
			v, there := n.raw[p]
			if !there || v == nil {
				if !optional {
					return nil, fmt.Errorf("nir: node %q, %s, has no %s", name, n.kind, p)
				}
				continue
			}
			a, err := numbers(v)
			if err == nil && len(a.v) == 0 {
				err = fmt.Errorf("is empty")
			}
			if err != nil {
				return nil, fmt.Errorf("nir: node %q: %s %w", name, p, err)
			}
			n.arrays[p] = a
		}
		g.nodes[name] = n
		g.names = append(g.names, name)
	}
	slices.Sort(g.names)
	edges, ok := m["edges"].([]any)
	if !ok {
		return nil, fmt.Errorf("nir: the graph has no list 'edges'")
	}
	for _, e := range edges {
		pair, _ := e.([]any)
		if len(pair) != 2 {
			return nil, fmt.Errorf("nir: an edge is a pair of names, not %v", e)
		}
		var edge [2]string
		for k, x := range pair {
			edge[k], _ = x.(string)
			if g.nodes[edge[k]] == nil {
				return nil, fmt.Errorf("nir: an edge names %q, which is no node", x)
			}
		}
		if slices.Contains(g.edges, edge) {
			return nil, fmt.Errorf("nir: the edge from %q to %q stands twice", edge[0], edge[1])
		}
		g.edges = append(g.edges, edge)
	}
	return g, nil
}

func kinds() (all []string) {
	for k := range parameters {
		all = append(all, k)
	}
	slices.Sort(all)
	return all
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

// size is the number of elements that a node gives.
func (n *node) size() (int, error) {
	switch n.kind {
	case "Input", "Output":
		total := 1
		for _, x := range n.arrays["shape"].v {
			total *= int(x)
		}
		if total < 1 || total > 1<<30 {
			return 0, fmt.Errorf("nir: node %q has a shape of %d elements", n.name, total)
		}
		return total, nil
	}
	size := 0
	for p, a := range n.arrays {
		if len(a.v) > 1 && size > 1 && len(a.v) != size {
			return 0, fmt.Errorf("nir: node %q: %s has %d elements, others %d", n.name, p, len(a.v), size)
		}
		size = max(size, len(a.v))
	}
	return size, nil
}

// neuron says that a node has a state over time.
func (n *node) neuron() bool { return n.arrays["r"].v != nil }

// fires says that it sends spikes.
func (n *node) fires() bool { return n.arrays["v_threshold"].v != nil }

// path is what lies between two populations.
type path struct {
	from, to *node
	by       *node // Linear, Affine or Scale; nil: one to one
	delay    *node
	late     bool // the delay stands behind by
	flat     bool // a Flatten has come
}

// paths finds what lies between populations, and what feeds outputs.
func (g *Graph) paths() (out []path, err error) {
	next := map[string][]*node{}
	for _, e := range g.edges {
		next[e[0]] = append(next[e[0]], g.nodes[e[1]])
	}
	var follow func(p path, at *node) error
	follow = func(p path, at *node) error {
		switch {
		case at.kind == "Output":
			if p.by != nil || p.delay != nil {
				return fmt.Errorf("nir: the output %q is fed by %q, which is no population of neurons", at.name, p.last())
			}
			return nil
		case at.kind == "Input":
			return fmt.Errorf("nir: an edge leads to the input %q", at.name)
		case at.neuron():
			if p.from.kind != "Input" && !p.from.fires() {
				return fmt.Errorf("nir: %q, %s, sends no spikes, and something follows it: only spikes are passed on here", p.from.name, p.from.kind)
			}
			p.to = at
			out = append(out, p)
			return nil
		case at.kind == "Delay":
			if p.delay != nil {
				return fmt.Errorf("nir: two delays, %q and %q, follow each other", p.delay.name, at.name)
			}
			p.delay, p.late = at, p.by != nil
		case at.kind == "Flatten":
			if p.flat {
				return fmt.Errorf("nir: %q is a second Flatten without neurons between", at.name)
			}
			p.flat = true
		default:
			if p.by != nil {
				return fmt.Errorf("nir: %q and %q follow each other without neurons between: multiply them into one", p.by.name, at.name)
			}
			p.by = at
		}
		if len(next[at.name]) == 0 {
			return fmt.Errorf("nir: nothing follows %q", at.name)
		}
		for _, x := range next[at.name] {
			if err := follow(p, x); err != nil {
				return err
			}
		}
		return nil
	}
	for _, name := range g.names {
		if n := g.nodes[name]; n.kind == "Input" || n.neuron() {
			for _, x := range next[name] {
				if err := follow(path{from: n}, x); err != nil {
					return nil, err
				}
			}
		}
	}
	return out, nil
}

func (p *path) last() string {
	if p.late || p.by == nil {
		return p.delay.name
	}
	return p.by.name
}
