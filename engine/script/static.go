package script

import (
	"maps"
	"slices"
	"strings"

	"go.starlark.net/starlark"

	"synfire/engine"
	"synfire/engine/script/array"
)

// receiver is how a neuron of the library takes the spikes of static synapses, as
// 'receives' of its dictionary says: the unit of their weight, and for each
// receptor what a spike does, where {w} stands for the weight. A receptor has one
// text, or two: for weights above 0 and for those below.
type receiver struct {
	unit      string
	receptors [][]string
}

// receives reads 'receives' of a dictionary of the library.
func (c *call) receives() *receiver {
	d, ok := c.of["receives"].(*starlark.Dict)
	if !ok {
		return nil
	}
	r := &receiver{}
	for _, it := range d.Items() {
		switch name, _ := starlark.AsString(it[0]); name {
		case "unit":
			r.unit, ok = starlark.AsString(it[1])
		case "receptors":
			for e := range starlark.Elements(it[1].(starlark.Iterable)) {
				var texts []string
				for t := range starlark.Elements(e.(starlark.Iterable)) {
					s, isText := starlark.AsString(t)
					texts, ok = append(texts, s), ok && isText
				}
				r.receptors = append(r.receptors, texts)
			}
		}
	}
	if !ok || r.unit == "" || len(r.receptors) == 0 {
		c.failf("model", "'receives' of the model's dictionary must have a 'unit' and 'receptors', lists of texts")
	}
	return r
}

// begin gives a group the values that its model begins with.
func (g *group) begin(c *call) error {
	d, ok := c.of["initial"].(*starlark.Dict)
	if !ok {
		return nil
	}
	for _, it := range d.Items() {
		name, _ := starlark.AsString(it[0])
		if err := g.SetField(name, it[1]); err != nil {
			return err
		}
	}
	return nil
}

// static makes the arguments of Synapses() those of NEST's static_synapse where
// the target is a neuron of the library and nothing else says what a spike does. It
// returns what is set when synapses have been connected.
func (c *call) static(x *script, tgt cells, o *engine.SynapsesOptions) (later starlark.StringDict) {
	asked := ""
	for _, name := range []string{"receptor_type", "weight"} {
		if c.Has(name) {
			asked = name
		}
	}
	for _, name := range []string{"model", "on_pre", "pre", "on_post", "post", "on_event"} {
		if c.Has(name) && asked != "" {
			c.failf(asked, "%s= is that of a static synapse, which has no %s=: name the weight in model= and on_pre=", asked, name)
		}
		if c.Has(name) {
			return nil
		}
	}
	var r *receiver
	if tgt != nil {
		r = x.receivers[tgt.Group()]
	}
	if r == nil {
		if asked != "" {
			c.failf(asked, "%s= is for targets that say what a weight means, the neurons of the library such as iaf_psc_exp(); for others give model= and on_pre=", asked)
		}
		return nil
	}
	k := c.integer("receptor_type", 1)
	if k < 1 || k > len(r.receptors) {
		c.failf("receptor_type", "receptor_type=%d: %s has receptors 1 to %d", k, tgt.Name(), len(r.receptors))
		return nil
	}
	later = starlark.StringDict{}
	names := maps.Clone(tgt.Group().Namespace) // the texts are the neuron's
	if names == nil {
		names = map[string]any{}
	}
	maps.Copy(names, o.Namespace)
	o.Namespace = names
	texts := r.receptors[k-1]
	one := func(text, weight string) string { return strings.ReplaceAll(text, "{w}", weight) }
	var code string
	switch w := c.Get("weight").(type) {
	case nil, starlark.String, *array.Array:
		if w != nil {
			later["weight"] = w
		}
		o.Model = "weight : " + r.unit + " (constant)"
		code = one(texts[0], "weight")
		if len(texts) > 1 {
			code = one(texts[0], "weight*int(weight > 0*"+r.unit+")") + "\n" + one(texts[1], "weight*int(weight < 0*"+r.unit+")")
		}
	default:
		q, ok, err := array.OperandOf(w)
		if err != nil || !ok || !q.One {
			c.failf("weight", "weight= must be a number with a unit, a text, or values in the order of the synapses, not %s", array.Describe(w))
			return nil
		}
		if want := engine.Q("1*" + r.unit).Dim; q.Dim != want {
			c.failf("weight", "weight= must be in %s for %s, not %s", array.UnitName(want), tgt.Name(), q.Show())
			return nil
		}
		o.Namespace["weight"] = engine.Quantity{Value: q.V[0], Dim: q.Dim}
		code = one(texts[0], "weight")
		if len(texts) > 1 && q.V[0] < 0 {
			code = one(texts[1], "weight")
		}
	}
	o.OnPre = []engine.Pathway{{Name: "pre", Code: code}}
	switch d := c.Get("delay").(type) {
	case nil:
		o.Delay = engine.Quantity{Value: 1e-3, Dim: second} // NEST's default
	case starlark.String, *array.Array:
		later["delay"] = d
		delete(c.Val, "delay")
	}
	return later
}

// settleStatic sets what a static synapse was given, once synapses are there.
func (s *synapses) settleStatic() error {
	for _, name := range slices.Sorted(maps.Keys(s.later)) {
		if err := s.SetField(name, s.later[name]); err != nil {
			return err
		}
	}
	return nil
}
