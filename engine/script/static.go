package script

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"go.starlark.net/starlark"

	"synfire/engine"
	"synfire/engine/eqn"
	"synfire/engine/script/array"
)

// receiver is how a neuron of the library takes the spikes of static synapses, as
// 'receives' of its dictionary says: the unit of their weight, and for each
// receptor what a spike does, where {w} stands for the weight. A receptor has one
// text, or two: for weights above 0 and for those below.
type receiver struct {
	unit      string
	dim       eqn.Dim
	when      string // the slot of the step in which it does so, "": synapses
	receptors [][]string
}

// ofModel is what a model's dictionary has beside arguments, nil if it has none of
// that name.
func (c *call) ofModel(name string) *starlark.Dict {
	v := c.of[name]
	d, ok := v.(*starlark.Dict)
	if v != nil && !ok {
		c.failf("model", "'%s' of a model's dictionary must be a dictionary, not %s", name, array.Describe(v))
	}
	return d
}

// receives reads 'receives' of a dictionary of the library.
func (c *call) receives() *receiver {
	d := c.ofModel("receives")
	if d == nil {
		return nil
	}
	r := &receiver{}
	unit, _, _ := d.Get(starlark.String("unit"))
	r.unit, _ = starlark.AsString(unit)
	if q, err := engine.ParseQuantity("1*" + r.unit); err == nil && r.unit != "" {
		r.dim = q.Dim
	} else {
		c.failf("model", "'receives' of a model's dictionary must have a 'unit', such as 'siemens'")
	}
	list, _, _ := d.Get(starlark.String("receptors"))
	receptors, ok := list.(starlark.Iterable)
	if ok {
		for e := range starlark.Elements(receptors) {
			one, is := e.(starlark.Iterable)
			var texts []string
			if is {
				for t := range starlark.Elements(one) {
					s, isText := starlark.AsString(t)
					texts, ok = append(texts, s), ok && isText
				}
			}
			ok = ok && (len(texts) == 1 || len(texts) == 2)
			r.receptors = append(r.receptors, texts)
		}
	}
	known := 2
	if when, has, _ := d.Get(starlark.String("when")); has {
		known = 3
		var is bool
		if r.when, is = starlark.AsString(when); !is || r.when != "before_groups" && r.when != "before_thresholds" {
			c.failf("model", "'when' of 'receives' is 'before_groups' or 'before_thresholds', not %s; without it spikes arrive in the slot synapses", when)
		}
	}
	if !ok || len(r.receptors) == 0 || d.Len() != known {
		c.failf("model", "'receives' of a model's dictionary must have 'unit' and 'receptors' (and may have 'when'), and these are lists of one text or two, such as [['g_ex_post += {w}', 'g_in_post -= {w}']]")
	}
	return r
}

// begin gives a group the code that makes a step of what has no equations, and
// the values that its model begins with.
func (g *group) begin(c *call) error {
	if v, has := c.of["update"]; has {
		code, ok := starlark.AsString(v)
		if !ok {
			c.failf("model", "'update' of a model's dictionary must be a text, not %s", array.Describe(v))
			return c.err
		}
		if _, err := g.c.Group().RunRegularly(code, engine.RegularOptions{When: "after_groups"}); err != nil {
			return fmt.Errorf("'update' of a model's dictionary: %w", err)
		}
	}
	d := c.ofModel("initial")
	if d == nil {
		return c.err
	}
	for _, it := range d.Items() {
		name, _ := starlark.AsString(it[0])
		if err := g.SetField(name, it[1]); err != nil {
			return fmt.Errorf("'initial' of a model's dictionary: %w", err)
		}
	}
	return nil
}

// static makes the arguments of Synapses() those of NEST's static_synapse where
// the target is a neuron of the library and nothing else says what a spike does. It
// returns what is set when synapses have been connected, and what its texts see
// beside namespace=: the weight, and what the neuron's texts see.
func (c *call) static(x *script, tgt cells, o *engine.SynapsesOptions) (later starlark.StringDict, more []map[string]any) {
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
			return nil, nil
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
		return nil, nil
	}
	k := c.integer("receptor_type", 1)
	if k < 1 || k > len(r.receptors) {
		c.failf("receptor_type", "receptor_type=%d: %s has receptors 1 to %d", k, tgt.Name(), len(r.receptors))
		return nil, nil
	}
	later = starlark.StringDict{}
	texts := r.receptors[k-1]
	one := func(text, weight string) string { return strings.ReplaceAll(text, "{w}", weight) }
	var code string
	fixed := map[string]any{}
	switch w := c.Get("weight").(type) {
	case nil, starlark.String, *array.Array, *starlark.List, starlark.Tuple:
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
			return nil, nil
		}
		if q.Dim != r.dim {
			c.failf("weight", "weight= must be in %s for %s, not %s", array.UnitName(r.dim), tgt.Name(), q.Show())
			return nil, nil
		}
		fixed["weight"] = engine.Quantity{Value: q.V[0], Dim: q.Dim}
		code = one(texts[0], "weight")
		if len(texts) > 1 && q.V[0] < 0 {
			code = one(texts[1], "weight")
		}
	}
	o.OnPre, o.When = []engine.Pathway{{Name: "pre", Code: code}}, r.when
	switch d := c.Get("delay").(type) {
	case nil:
		o.Delay = engine.Quantity{Value: 1e-3, Dim: second} // NEST's default
	case starlark.String, *array.Array, *starlark.List, starlark.Tuple:
		later["delay"] = d
		delete(c.Val, "delay")
	}
	if o.Namespace == nil {
		o.Namespace = map[string]any{}
	}
	more = []map[string]any{fixed, tgt.Group().Namespace} // the texts are the neuron's
	seen := namespace{more: more, seen: map[string]any{}}
	c.fail("namespace", seen.read())
	for name, v := range seen.seen {
		if _, is := o.Namespace[name]; !is {
			o.Namespace[name] = v
		}
	}
	return later, more
}

// settleStatic sets what a static synapse was given, once synapses are there.
func (s *synapses) settleStatic() error {
	for _, name := range slices.Sorted(maps.Keys(s.later)) {
		if err := s.SetField(name, s.later[name]); err != nil {
			return err
		}
	}
	s.settled = len(s.later) > 0
	return nil
}
