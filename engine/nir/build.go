package nir

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"synfire/engine"
)

// Options say what a file does not.
type Options struct {
	Method string                         // of integration; "": euler
	Inputs map[string]*engine.NeuronGroup // what fires in place of an input; others are a SpikeGeneratorGroup without spikes
	Unit   float64                        // of time in the file, in seconds; 0: 1
}

// Network is a graph as a part of a network.
type Network struct {
	Groups   map[string]*engine.NeuronGroup // of inputs and neurons, by node
	Synapses map[string]*engine.Synapses    // of Linear, Affine and Scale; of nodes connected without one "FROM to TO"
	Made     []any                          // all objects, in the order in which they were made
	graph    *Graph
	paths    []path
	unit     float64
}

// equations of the neurons: x is what arrives in a step.
var equations = map[string]string{
	"I":       "dv/dt = r*(x + bias)/second : 1",
	"IF":      "dv/dt = r*(x + bias)/second : 1",
	"LI":      "dv/dt = (v_leak - v + r*(x + bias))/tau : 1",
	"LIF":     "dv/dt = (v_leak - v + r*(x + bias))/tau : 1",
	"CubaLI":  "dv/dt = (v_leak - v + r*I)/tau_mem : 1\ndI/dt = (w_in*(x + bias) - I)/tau_syn : 1",
	"CubaLIF": "dv/dt = (v_leak - v + r*I)/tau_mem : 1\ndI/dt = (w_in*(x + bias) - I)/tau_syn : 1",
}

// defaults are those of parameters that may be absent.
var defaults = map[string]float64{"v_reset": 0, "w_in": 1}

// name is a node's name as an object may have it.
func name(s string) string {
	s = strings.Map(func(r rune) rune {
		if r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
			return r
		}
		return '_'
	}, s)
	if s == "" || s[0] >= '0' && s[0] <= '9' {
		return "node_" + s
	}
	return s
}

// Build makes the populations and synapses of a graph in a network.
func (g *Graph) Build(net *engine.Network, o Options) (*Network, error) {
	n := &Network{Groups: map[string]*engine.NeuronGroup{}, Synapses: map[string]*engine.Synapses{}, graph: g, unit: o.Unit}
	if n.unit == 0 {
		n.unit = 1
	}
	if o.Method == "" {
		o.Method = "euler"
	}
	var err error
	if n.paths, err = g.paths(); err != nil {
		return nil, err
	}
	for in := range o.Inputs {
		if x := g.nodes[in]; x == nil || x.kind != "Input" {
			return nil, fmt.Errorf("nir: %q is no input of the graph", in)
		}
	}
	for _, at := range g.names {
		x := g.nodes[at]
		if x.kind != "Input" && !x.neuron() {
			continue
		}
		size, err := x.size()
		switch {
		case err != nil:
		case x.kind == "Input":
			err = n.input(net, x, size, o.Inputs[at])
		default:
			err = n.neurons(net, x, size, o.Method)
		}
		if err != nil {
			return nil, err
		}
	}
	for k := range n.paths {
		if err := n.connect(net, &n.paths[k]); err != nil {
			return nil, err
		}
	}
	return n, nil
}

func (n *Network) input(net *engine.Network, x *node, size int, given *engine.NeuronGroup) error {
	if given != nil {
		if given.Size != size {
			return fmt.Errorf("nir: the input %q has %d elements, %s %d neurons", x.name, size, given.Name(), given.Size)
		}
		n.Groups[x.name] = given
		return nil
	}
	g, err := net.SpikeGeneratorGroup(size, nil, nil, engine.GeneratorOptions{Name: name(x.name)})
	if err != nil {
		return fmt.Errorf("nir: node %q: %w", x.name, err)
	}
	n.Groups[x.name], n.Made = g, append(n.Made, g)
	return nil
}

// all are the parameters of a type of neuron.
func (x *node) all() (names []string) {
	for p := range strings.FieldsSeq(parameters[x.kind]) {
		names = append(names, strings.TrimSuffix(p, "?"))
	}
	return names
}

func (n *Network) neurons(net *engine.Network, x *node, size int, method string) error {
	text := equations[x.kind] + "\nx : 1\nbias : 1"
	for _, p := range x.all() {
		unit := "1"
		if strings.HasPrefix(p, "tau") {
			unit = "second"
		}
		text += "\n" + p + " : " + unit
	}
	o := engine.GroupOptions{Name: name(x.name), Method: method}
	if x.fires() {
		o.Threshold, o.Reset = "v > v_threshold", "v = v_reset"
	}
	g, err := net.NeuronGroup(size, text, o)
	if err != nil {
		return fmt.Errorf("nir: node %q: %w", x.name, err)
	}
	n.Groups[x.name], n.Made = g, append(n.Made, g)
	for _, p := range x.all() {
		a, ok := x.arrays[p]
		if !ok {
			a = array{v: []float64{defaults[p]}}
		}
		values := engine.Array{V: append([]float64{}, a.v...)}
		if strings.HasPrefix(p, "tau") {
			values.Dim = engine.Q("second").Dim
			for k, tau := range values.V {
				if values.V[k] = tau * n.unit; !(tau > 0) {
					return fmt.Errorf("nir: node %q: %s holds %g: a positive time was expected", x.name, p, tau)
				}
			}
			if longest := slices.Max(values.V); longest > 1 && n.unit == 1 {
				net.Warn("nir: node %q: %s is %g s; if the file means ms, say so (time_unit=ms)", x.name, p, longest)
			}
		}
		if err := set(g, p, values); err != nil {
			return fmt.Errorf("nir: node %q: %w", x.name, err)
		}
	}
	r, err := g.RunRegularly("x = 0", engine.RegularOptions{Dt: g.Dt(), When: "after_groups"})
	n.Made = append(n.Made, r)
	return err
}

func set(o interface {
	Var(string) (*engine.Var, error)
}, name string, values engine.Array) error {
	v, err := o.Var(name)
	if err != nil {
		return err
	}
	if len(values.V) == 1 {
		return v.Set(nil, engine.Quantity{Value: values.V[0], Dim: values.Dim})
	}
	return v.Set(nil, values)
}

// connect makes the synapses of a path.
func (n *Network) connect(net *engine.Network, p *path) error {
	from, to := n.Groups[p.from.name], n.Groups[p.to.name]
	label := p.from.name + " to " + p.to.name
	if p.by != nil {
		label = p.by.name
	}
	if n.Synapses[label] != nil {
		return fmt.Errorf("nir: %q stands in two paths: give each its own", label)
	}
	s, err := net.Synapses(from, to, engine.SynapsesOptions{Name: name(label), Model: "w : 1", OnPre: []engine.Pathway{{Name: "pre", Code: "x_post += w"}}})
	if err != nil {
		return fmt.Errorf("nir: node %q: %w", label, err)
	}
	n.Synapses[label], n.Made = s, append(n.Made, s)
	weights, dense := []float64{1}, false
	switch {
	case p.by == nil:
	case p.by.kind == "Scale":
		weights = p.by.arrays["scale"].v
	default:
		w := p.by.arrays["weight"]
		if len(w.shape) != 2 || w.shape[0] != to.Size || w.shape[1] != from.Size {
			return fmt.Errorf("nir: node %q: weight has the shape %v; [%d, %d] were expected, from the %d of %q to the %d of %q",
				p.by.name, w.shape, to.Size, from.Size, from.Size, p.from.name, to.Size, p.to.name)
		}
		dense, weights = true, make([]float64, len(w.v))
		for k := range weights { // synapses are numbered by source
			weights[k] = w.v[k%to.Size*from.Size+k/to.Size]
		}
	}
	if !dense && (from.Size != to.Size || len(weights) > 1 && len(weights) != to.Size) {
		return fmt.Errorf("nir: %q has %d elements, %q %d, and nothing between them that brings one to the other", p.from.name, from.Size, p.to.name, to.Size)
	}
	c := engine.ConnectOptions{}
	if !dense {
		c.J = "i"
	}
	if err := s.Connect(c); err != nil {
		return err
	}
	if err := set(s, "w", engine.Array{V: append([]float64{}, weights...)}); err != nil {
		return err
	}
	if p.by != nil && p.by.kind == "Affine" {
		b := p.by.arrays["bias"].v
		if len(b) != 1 && len(b) != to.Size {
			return fmt.Errorf("nir: node %q: bias has %d elements for %d neurons", p.by.name, len(b), to.Size)
		}
		v, err := to.Var("bias")
		if err != nil {
			return err
		}
		now, err := v.Get(nil)
		if err != nil {
			return err
		}
		for k := range now.V {
			now.V[k] += b[min(k, len(b)-1)]
		}
		if err := v.Set(nil, now); err != nil {
			return err
		}
	}
	if p.delay == nil {
		return nil
	}
	d := p.delay.arrays["delay"].v
	side, at := from.Size, "i"
	if p.late {
		side, at = to.Size, "j"
	}
	if len(d) != 1 && len(d) != side {
		return fmt.Errorf("nir: node %q: delay has %d elements for %d", p.delay.name, len(d), side)
	}
	ends, err := s.Var(at)
	if err != nil {
		return err
	}
	which, err := ends.Get(nil)
	if err != nil {
		return err
	}
	delays := engine.Array{Dim: engine.Q("second").Dim}
	for _, k := range which.V {
		delays.V = append(delays.V, d[min(int(k), len(d)-1)]*n.unit)
	}
	v, err := s.Var("delay")
	if err != nil {
		return err
	}
	if err := v.Set(nil, delays); err != nil {
		return fmt.Errorf("nir: node %q: %w", p.delay.name, err)
	}
	return nil
}

// Graph is the graph with the present values of what it describes. Values that are as they were read keep
// all their digits, where the network has single precision.
func (n *Network) Graph() (*Graph, error) {
	raw := maps.Clone(n.graph.raw)
	nodes := map[string]any{}
	for k, x := range n.graph.nodes {
		nodes[k] = maps.Clone(x.raw)
	}
	raw["nodes"] = nodes
	put := func(x *node, p string, v []float64, unit float64) {
		old, had := x.arrays[p]
		if !had {
			old = array{shape: []int{len(v)}, v: make([]float64, len(v))}
			for k := range old.v {
				old.v[k] = defaults[p]
			}
		}
		a := array{shape: old.shape, v: v}
		if len(old.v) != len(v) { // one value for all has become one for each
			a.shape = []int{len(v)}
		}
		changed := false
		for k, y := range v {
			was := old.v[min(k, len(old.v)-1)]
			if a.v[k] = y / unit; float32(y) == float32(was*unit) || near(y, was*unit) {
				a.v[k] = was
				continue
			}
			changed = true
		}
		if changed {
			nodes[x.name].(map[string]any)[p] = a.nested()
		}
	}
	for _, at := range n.graph.names {
		x := n.graph.nodes[at]
		if !x.neuron() {
			continue
		}
		for _, p := range x.all() {
			v, err := n.Groups[at].Var(p)
			if err != nil {
				return nil, err
			}
			now, err := v.Get(nil)
			if err != nil {
				return nil, err
			}
			unit := 1.0
			if strings.HasPrefix(p, "tau") {
				unit = n.unit
			}
			put(x, p, now.V, unit)
		}
	}
	affine := map[string]int{} // affine nodes that feed a population, and their bias as read
	read := map[string][]float64{}
	for _, p := range n.paths {
		if p.by != nil && p.by.kind == "Affine" {
			affine[p.to.name]++
			b, size := p.by.arrays["bias"].v, n.Groups[p.to.name].Size
			if read[p.to.name] == nil {
				read[p.to.name] = make([]float64, size)
			}
			for k := range size {
				read[p.to.name][k] += b[min(k, len(b)-1)]
			}
		}
	}
	for _, p := range n.paths {
		if p.by == nil {
			continue
		}
		v, err := n.Synapses[p.by.name].Var("w")
		if err != nil {
			return nil, err
		}
		now, err := v.Get(nil)
		if err != nil {
			return nil, err
		}
		if p.by.kind == "Scale" {
			put(p.by, "scale", now.V, 1)
			continue
		}
		rows, cols := n.Groups[p.to.name].Size, n.Groups[p.from.name].Size
		w := make([]float64, len(now.V))
		for k, y := range now.V {
			w[k%rows*cols+k/rows] = y
		}
		put(p.by, "weight", w, 1)
	}
	for at, size := range sizes(n) {
		v, err := n.Groups[at].Var("bias")
		if err != nil {
			return nil, err
		}
		now, err := v.Get(nil)
		if err != nil {
			return nil, err
		}
		was := read[at]
		if was == nil {
			was = make([]float64, size)
		}
		same := true
		for k, y := range now.V {
			same = same && near(y, was[k])
		}
		if same {
			continue
		}
		if affine[at] != 1 {
			return nil, fmt.Errorf("nir: the bias of %q was changed, and %d Affine nodes lead there: it has no place in the graph", at, affine[at])
		}
		for _, p := range n.paths {
			if p.to.name == at && p.by != nil && p.by.kind == "Affine" {
				put(p.by, "bias", now.V, 1)
			}
		}
	}
	return New(raw)
}

// near says that a value is one as single precision keeps it.
func near(y, was float64) bool {
	return y == was || y-was < 1e-7*max(y, -y) && was-y < 1e-7*max(y, -y)
}

func sizes(n *Network) map[string]int {
	m := map[string]int{}
	for at, g := range n.Groups {
		if n.graph.nodes[at].neuron() {
			m[at] = g.Size
		}
	}
	return m
}

// Encode writes the graph as JSON.
func (g *Graph) Encode() ([]byte, error) { return json.Marshal(g.raw) }
