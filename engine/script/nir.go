package script

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.starlark.net/starlark"

	"synfire/engine"
	"synfire/engine/nir"
	"synfire/engine/script/array"
)

// nirNetwork is a graph of NIR as a part of the network: G['lif'] is a population, G['fc'] its synapses.
type nirNetwork struct {
	opaque
	x *script
	n *nir.Network
}

func (g *nirNetwork) String() string { return fmt.Sprintf("<nir %s>", strings.Join(g.names(), ", ")) }
func (g *nirNetwork) Type() string   { return "nir" }

func (g *nirNetwork) names() []string {
	return append(slices.Sorted(maps.Keys(g.n.Groups)), slices.Sorted(maps.Keys(g.n.Synapses))...)
}

// Get implements starlark.Mapping.
func (g *nirNetwork) Get(k starlark.Value) (starlark.Value, bool, error) {
	name, _ := starlark.AsString(k)
	if c := g.n.Groups[name]; c != nil {
		class := "NeuronGroup"
		if c.Generator != nil {
			class = "SpikeGeneratorGroup"
		}
		return &group{x: g.x, c: c, class: class}, true, nil
	}
	if s := g.n.Synapses[name]; s != nil {
		return &synapses{x: g.x, s: s}, true, nil
	}
	return nil, false, fmt.Errorf("the graph has no population and no synapses %s: it has %s", array.Describe(k), strings.Join(g.names(), ", "))
}

func (g *nirNetwork) AttrNames() []string { return []string{"json", "names"} }
func (g *nirNetwork) Attr(name string) (starlark.Value, error) {
	switch name {
	case "names":
		var all []starlark.Value
		for _, n := range g.names() {
			all = append(all, starlark.String(n))
		}
		return starlark.NewList(all), nil
	case "json":
		return g.x.method(g, name, func(*call) (starlark.Value, error) {
			now, err := g.n.Graph()
			if err != nil {
				return nil, err
			}
			text, err := now.Encode()
			return starlark.String(text), err
		}), nil
	}
	return nil, nil
}

// loadNIR is load_nir(file or dictionary, inputs=, method=, time_unit=).
func loadNIR(x *script, c *call) (starlark.Value, error) {
	o := nir.Options{Method: c.str("method", "euler"), Inputs: map[string]*engine.NeuronGroup{}}
	o.Unit = c.seconds("time_unit", 1)
	if c.err == nil && !(o.Unit > 0) {
		c.failf("time_unit", "time_unit= must be a positive time, not %s", array.Describe(c.Get("time_unit")))
	}
	var graph *nir.Graph
	var err error
	switch v := c.Get("graph").(type) {
	case starlark.String:
		text := []byte(v)
		if !strings.HasPrefix(strings.TrimSpace(string(v)), "{") {
			text, err = x.readFile(string(v))
		}
		if err == nil {
			graph, err = nir.Decode(text)
		}
	case *starlark.Dict:
		var raw any
		if raw, err = asJSON(v); err == nil {
			graph, err = nir.New(raw)
		}
	default:
		err = fmt.Errorf("graph= is a file of JSON, its text, or a dictionary with 'nodes' and 'edges', not %s", array.Describe(v))
	}
	c.fail("graph", err)
	switch v := c.Get("inputs").(type) {
	case nil:
	case *starlark.Dict:
		for _, item := range v.Items() {
			name, _ := starlark.AsString(item[0])
			g, ok := item[1].(*group)
			var whole *engine.NeuronGroup
			if ok {
				whole, ok = g.c.(*engine.NeuronGroup)
			}
			if !ok {
				c.failf("inputs", "inputs= gives input %q a whole group, not %s", name, array.Describe(item[1]))
				break
			}
			o.Inputs[name] = whole
		}
	default:
		c.failf("inputs", "inputs= must be a dictionary of groups by the names of inputs, not %s", array.Describe(v))
	}
	if c.err != nil {
		return nil, c.err
	}
	n, err := graph.Build(x.net, o)
	if err != nil {
		return nil, err
	}
	for _, made := range n.Made {
		x.add(made.(object))
	}
	return &nirNetwork{x: x, n: n}, nil
}

// exportNIR is export_nir(): the objects made so far as a graph.
func exportNIR(x *script, _ *call) (starlark.Value, error) {
	x.setAliases()
	if err := x.followed(); err != nil {
		return nil, err
	}
	var all []any
	for _, o := range x.objects {
		if gone, ok := o.(interface{ Gone() bool }); !ok || !gone.Gone() {
			all = append(all, o)
		}
	}
	g, err := nir.From(all)
	if err != nil {
		return nil, x.explain(err)
	}
	text, err := g.Encode()
	return starlark.String(text), err
}

// asJSON is a value as JSON has it.
func asJSON(v starlark.Value) (any, error) { return asJSONWithin(v, 0) }

func asJSONWithin(v starlark.Value, depth int) (any, error) {
	if depth > 250 {
		return nil, fmt.Errorf("lists and dictionaries lie too deep within each other, or within themselves")
	}
	switch v := v.(type) {
	case *starlark.Dict:
		m := map[string]any{}
		for _, item := range v.Items() {
			name, ok := starlark.AsString(item[0])
			if !ok {
				return nil, fmt.Errorf("a name is a text, not %s", array.Describe(item[0]))
			}
			x, err := asJSONWithin(item[1], depth+1)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			m[name] = x
		}
		return m, nil
	case starlark.String:
		return string(v), nil
	}
	if o, ok, err := array.OperandOf(v); err == nil && ok && o.Dim.IsOne() {
		if o.One {
			return o.V[0], nil
		}
		cols := 1
		if o.Table {
			cols = o.Cols
		}
		rows := []any{}
		for k := 0; k < len(o.V); k += cols {
			if !o.Table {
				rows = append(rows, o.V[k])
				continue
			}
			row := []any{}
			for _, x := range o.V[k : k+cols] {
				row = append(row, x)
			}
			rows = append(rows, row)
		}
		return rows, nil
	}
	seq, ok := v.(starlark.Iterable)
	if !ok {
		text, _ := json.Marshal(array.Describe(v))
		return nil, fmt.Errorf("a number without unit, a list or a text was expected, not %s", text)
	}
	it := seq.Iterate()
	defer it.Done()
	list := []any{}
	var e starlark.Value
	for it.Next(&e) {
		x, err := asJSONWithin(e, depth+1)
		if err != nil {
			return nil, err
		}
		list = append(list, x)
	}
	return list, nil
}
