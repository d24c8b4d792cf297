package nir

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"

	"synfire/engine"
)

// Options say what a file does not.
type Options struct {
	Method string                         // of integration; "": euler
	Inputs map[string]*engine.NeuronGroup // what fires in place of an input, or has values v; others are a SpikeGeneratorGroup without spikes
	Unit   float64                        // of time in the file, in seconds; 0: 1
}

// Network is a graph as a part of a network.
type Network struct {
	Groups   map[string]*engine.NeuronGroup // of inputs and neurons, by node; of outputs that are more than neurons' own
	Synapses map[string]*engine.Synapses    // by the node whose weights they have; "FROM to TO" where there is none
	Made     []any                          // all objects, in the order in which they were made
	graph    *Graph
	ways     []*way
	unit     float64
}

// way is a path and its synapses.
type way struct {
	path
	label string
	list  []entry
	bias  []float64
	value string // the variable of the target that takes values; "": spikes are passed
}

// equations of the neurons: x is what arrives in a step.
var equations = map[string]string{
	"I":         "dv/dt = r*(x + bias)/second : 1",
	"IF":        "dv/dt = r*(x + bias)/second : 1",
	"LI":        "dv/dt = (v_leak - v + r*(x + bias))/tau : 1",
	"LIF":       "dv/dt = (v_leak - v + r*(x + bias))/tau : 1",
	"CubaLI":    "dv/dt = (v_leak - v + r*I)/tau_mem : 1\ndI/dt = (w_in*(x + bias) - I)/tau_syn : 1",
	"CubaLIF":   "dv/dt = (v_leak - v + r*I)/tau_mem : 1\ndI/dt = (w_in*(x + bias) - I)/tau_syn : 1",
	"Threshold": "v = x + bias : 1",
	"Output":    "v = x + bias : 1",
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
	paths, err := g.paths()
	if err != nil {
		return nil, err
	}
	for in := range o.Inputs {
		if x := g.nodes[in]; x == nil || x.kind != "Input" {
			return nil, fmt.Errorf("nir: %q is no input of the graph", in)
		}
	}
	more := map[*node]bool{} // outputs that are fed by more than neurons
	for _, p := range paths {
		if p.to.kind == "Output" && slices.ContainsFunc(p.by, func(x *node) bool { return x.linear() || x.kind == "Delay" }) {
			more[p.to] = true
		}
	}
	values := map[*node]int{} // variables of a population that take values
	for _, p := range paths {
		if p.to.kind == "Output" && !more[p.to] {
			continue
		}
		w := &way{path: p}
		if fires := p.from.fires() || p.from.kind == "Input" && (o.Inputs[p.from.name] == nil || o.Inputs[p.from.name].Event("spike") != nil); !fires {
			w.value = fmt.Sprintf("value%d", values[p.to])
			values[p.to]++
		}
		n.ways = append(n.ways, w)
	}
	for _, at := range g.names {
		x := g.nodes[at]
		size := product(x.out)
		switch {
		case x.kind == "Input":
			err = n.input(net, x, size, o.Inputs[at])
		case x.population() || more[x]:
			err = n.neurons(net, x, size, o.Method, values[x])
		}
		if err != nil {
			return nil, err
		}
	}
	n.name()
	told := map[string]bool{}
	for _, w := range n.ways {
		if err := n.connect(net, w, told); err != nil {
			return nil, err
		}
	}
	return n, nil
}

// name gives the synapses of each way a name: of the node whose weights they have, if no others have them.
func (n *Network) name() {
	of := map[string]int{}
	for _, w := range n.ways {
		w.label = w.from.name + " to " + w.to.name
		if x := w.trained(); x != nil {
			w.label = x.name
		}
		of[w.label]++
	}
	for _, w := range n.ways {
		if of[w.label] > 1 {
			w.label = w.path.String()
		}
	}
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

func (n *Network) neurons(net *engine.Network, x *node, size int, method string, values int) error {
	text := equations[x.kind] + "\nx : 1\nbias : 1"
	for k := range values {
		text = strings.Replace(text, "bias", fmt.Sprintf("bias + value%d", k), 1) + fmt.Sprintf("\nvalue%d : 1", k)
	}
	for _, p := range x.all() {
		unit := "1"
		if strings.HasPrefix(p, "tau") {
			unit = "second"
		}
		text += "\n" + p + " : " + unit
	}
	o := engine.GroupOptions{Name: name(x.name)}
	if x.neuron() {
		o.Method = method
	}
	late := "after_groups" // x has been used
	switch {
	case x.kind == "Threshold":
		o.Threshold, late = "v > threshold", "after_thresholds"
	case x.fires():
		o.Threshold, o.Reset = "v > v_threshold", "v = v_reset"
	}
	if len(x.out) == 0 || size == 0 {
		return fmt.Errorf("nir: node %q has the shape %v", x.name, x.out)
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
	r, err := g.RunRegularly("x = 0", engine.RegularOptions{Dt: g.Dt(), When: late})
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

// connect makes the synapses of a way.
func (n *Network) connect(net *engine.Network, w *way, told map[string]bool) error {
	from, to := n.Groups[w.from.name], n.Groups[w.to.name]
	var err error
	if w.list, w.bias, err = w.synapses(from.Size, to.Size, told); err != nil {
		return err
	}
	o := engine.SynapsesOptions{Name: name(w.label), Model: "w : 1", OnPre: []engine.Pathway{{Name: "pre", Code: "x_post += w"}}}
	if w.value != "" {
		for _, x := range w.by {
			if x.kind == "Delay" {
				return fmt.Errorf("nir: node %q delays values of %q, %s: only spikes can be delayed here", x.name, w.from.name, w.from.kind)
			}
		}
		if _, err := from.Var("v"); err != nil {
			return fmt.Errorf("nir: the input %q gets %s, which neither fires nor has a variable v", w.from.name, from.Name())
		}
		o.Model, o.OnPre = "w : 1\n"+w.value+"_post = w*v_pre : 1 (summed)", nil
	}
	s, err := net.Synapses(from, to, o)
	if err != nil {
		return fmt.Errorf("nir: node %q: %w", w.label, err)
	}
	n.Synapses[w.label], n.Made = s, append(n.Made, s)
	if len(w.list) > 0 {
		if err := s.Connect(pairs(w.list, from.Size, to.Size)); err != nil {
			return fmt.Errorf("nir: node %q: %w", w.label, err)
		}
		weights, equal := make([]float64, len(w.list)), true
		for k, e := range w.list {
			weights[k] = e.w
			equal = equal && e.w == w.list[0].w
		}
		if equal {
			weights = weights[:1]
		}
		if err := set(s, "w", engine.Array{V: weights}); err != nil {
			return fmt.Errorf("nir: node %q: %w", w.label, err)
		}
	}
	if w.bias != nil {
		v, err := to.Var("bias")
		if err != nil {
			return err
		}
		now, err := v.Get(nil)
		if err != nil {
			return err
		}
		for k := range now.V {
			now.V[k] += w.bias[k]
		}
		if err := v.Set(nil, now); err != nil {
			return err
		}
	}
	if !slices.ContainsFunc(w.list, func(e entry) bool { return e.delay != 0 }) {
		return nil
	}
	delays := engine.Array{Dim: engine.Q("second").Dim}
	for _, e := range w.list {
		delays.V = append(delays.V, e.delay*n.unit)
	}
	if err := set(s, "delay", delays); err != nil {
		return fmt.Errorf("nir: from %s: %w", w, err)
	}
	return nil
}

// pairs says which neurons a list connects, by a rule where there is one.
func pairs(list []entry, from, to int) engine.ConnectOptions {
	all, same := len(list) == from*to, from == to && len(list) == from
	for k, e := range list {
		all = all && e.i == k/to && e.j == k%to
		same = same && e.i == k && e.j == k
	}
	if same {
		return engine.ConnectOptions{J: "i"}
	}
	if all {
		return engine.ConnectOptions{}
	}
	i, j := make([]int, len(list)), make([]int, len(list))
	for k, e := range list {
		i[k], j[k] = e.i, e.j
	}
	return engine.ConnectOptions{I: i, J: j}
}

// Graph is the graph with the present values of what it describes. Values that are as they were read keep
// all their digits, where the network has single precision.
func (n *Network) Graph() (*Graph, error) {
	raw := clone(n.graph.raw).(map[string]any)
	again, err := New(raw)
	if err != nil {
		return nil, err
	}
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
			again.nodes[x.name].raw[p] = a.nested()
		}
	}
	for _, at := range n.graph.names {
		x := n.graph.nodes[at]
		if !x.population() {
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
	weights, delays := map[*node][]float64{}, map[*node][]float64{} // that were changed
	for _, w := range n.ways {
		if len(w.list) == 0 {
			continue
		}
		now, err := values(n.Synapses[w.label], "w")
		if err != nil {
			return nil, err
		}
		err = w.back(weights, w.trained(), "weights", now, func(e entry) (int, float64, float64, float64) { return e.p, e.w, e.c, 0 })
		if err != nil {
			return nil, err
		}
		if w.value != "" {
			continue
		}
		if now, err = values(n.Synapses[w.label], "delay"); err != nil {
			return nil, err
		}
		for k := range now {
			now[k] /= n.unit
		}
		late := w.late()
		err = w.back(delays, late, "delays", now, func(e entry) (int, float64, float64, float64) {
			d := 0.0
			if e.q >= 0 {
				d = late.arrays["delay"].v[e.q]
			}
			return e.q, e.delay, 1, e.delay - d
		})
		if err != nil {
			return nil, err
		}
	}
	for _, list := range []map[*node][]float64{weights, delays} {
		for x, v := range list {
			p, _, _ := strings.Cut(parameters[x.kind], " ")
			for k, old := range x.arrays[p].v {
				if math.IsNaN(v[k]) {
					v[k] = old
				}
			}
			put(x, p, v, 1)
		}
	}
	for _, at := range n.graph.names {
		x := n.graph.nodes[at]
		if n.Groups[at] == nil || x.kind == "Input" {
			continue
		}
		now, err := values(n.Groups[at], "bias")
		if err != nil {
			return nil, err
		}
		if err := n.biases(x, now, put); err != nil {
			return nil, err
		}
	}
	return New(raw)
}

// clone copies what JSON gives.
func clone(x any) any {
	switch x := x.(type) {
	case map[string]any:
		m := make(map[string]any, len(x))
		for k, v := range x {
			m[k] = clone(v)
		}
		return m
	case []any:
		l := make([]any, len(x))
		for k, v := range x {
			l[k] = clone(v)
		}
		return l
	}
	return x
}

func values(o interface {
	Var(string) (*engine.Var, error)
}, name string) ([]float64, error) {
	v, err := o.Var(name)
	if err != nil {
		return nil, err
	}
	now, err := v.Get(nil)
	return now.V, err
}

// back finds the parameters of a node from what its synapses have now: of gives each synapse's parameter, its value as
// read, and what that is of the parameter: a factor and a rest.
func (w *way) back(to map[*node][]float64, x *node, what string, now []float64, of func(entry) (k int, was, factor, rest float64)) error {
	changed := false
	for k, e := range w.list {
		_, was, _, _ := of(e)
		changed = changed || !near(now[k], was)
	}
	if !changed {
		return nil
	}
	if x == nil {
		return fmt.Errorf("nir: the %s from %s were changed, and there is not one node alone that they are of: they have no place in the graph", what, &w.path)
	}
	if to[x] == nil {
		p, _, _ := strings.Cut(parameters[x.kind], " ")
		to[x] = make([]float64, len(x.arrays[p].v))
		for k := range to[x] {
			to[x][k] = math.NaN()
		}
	}
	for n, e := range w.list {
		k, was, factor, rest := of(e)
		if k < 0 || factor == 0 {
			if near(now[n], was) {
				continue
			}
			return fmt.Errorf("nir: of the %s from %s, that of neurons %d and %d was changed, which is not one of %q alone: it has no place in the graph", what, &w.path, e.i, e.j, x.name)
		}
		v := (now[n] - rest) / factor
		if old := to[x][k]; !math.IsNaN(old) && float32(old) != float32(v) && !near(v, old) {
			return fmt.Errorf("nir: node %q, %s, has one of its %s for several synapses, which now have %g and %g (the latter from neuron %d to neuron %d, %s): it has no place for both",
				x.name, x.kind, what, old, v, e.i, e.j, &w.path)
		}
		to[x][k] = v
	}
	return nil
}

// biases finds the biases that lead to a population.
func (n *Network) biases(x *node, now []float64, put func(*node, string, []float64, float64)) error {
	was, of, last := make([]float64, len(now)), []*way{}, 0
	for _, w := range n.ways {
		if w.to == x && w.bias != nil {
			of = append(of, w)
			for k := range was {
				was[k] += w.bias[k]
			}
		}
	}
	same := true
	for k, y := range now {
		same = same && near(y, was[k])
	}
	if same {
		return nil
	}
	nowhere := fmt.Errorf("nir: the bias of %q was changed, and %d nodes with a bias lead there: it has no place in the graph", x.name, len(of))
	if len(of) != 1 {
		return nowhere
	}
	by := of[0].by
	for k, b := range by {
		if b.linear() {
			last = k
		}
	}
	for k, b := range by {
		if (b.arrays["bias"].v != nil) != (k == last) {
			return nowhere
		}
	}
	b := by[last]
	v := make([]float64, len(now))
	copy(v, now)
	if b.kind != "Affine" {
		v = make([]float64, b.arrays["weight"].shape[0])
		each := len(now) / len(v)
		for k, y := range now {
			if k%each == 0 {
				v[k/each] = y
			} else if !near(y, v[k/each]) {
				return fmt.Errorf("nir: node %q, %s, has one bias for neurons %d and %d of %q, which now have %g and %g", b.name, b.kind, k/each*each, k, x.name, v[k/each], y)
			}
		}
	}
	put(b, "bias", v, 1)
	return nil
}

// near says that a value is one as single precision keeps it.
func near(y, was float64) bool {
	return y == was || y-was < 1e-7*max(y, -y) && was-y < 1e-7*max(y, -y)
}

// Encode writes the graph as JSON.
func (g *Graph) Encode() ([]byte, error) { return json.Marshal(g.raw) }
