package script

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"go.starlark.net/starlark"

	"synfire/engine"
	"synfire/engine/eqn"
	"synfire/engine/script/argument"
	"synfire/engine/script/array"
	"synfire/engine/script/memory"
)

func stateMonitor(x *script, c *call) (starlark.Value, error) {
	c.refuse("codeobj_class")
	o := engine.StateMonitorOptions{Name: c.objectName(), When: c.str("when", ""), Order: c.integer("order", 0)}
	o.Dt, o.Times = c.clock()
	var src any
	var known []string
	switch v := c.Get("source").(type) {
	case *group:
		src, known = v.c, v.c.Group().VarNames()
	case *synapses:
		src, known = v.s, v.s.VarNames()
	default:
		c.failf("source", "source= must be a group of neurons, not %s", array.Describe(c.Val["source"]))
	}
	if v := c.Get("variables"); v == starlark.True {
		o.Variables = known
	} else {
		o.Variables = c.texts("variables")
		if o.Variables == nil && c.Has("variables") {
			o.Variables = []string{}
		}
	}
	switch v := c.Get("record").(type) {
	case nil:
		c.failf("record", "StateMonitor needs record=True, or the indices to record")
	case starlark.Bool:
		o.Record = bool(v)
	case starlark.Int:
		o.Record = []int{c.integer("record", 0)}
	case *group: // a part of the source
		of, ok := c.Get("source").(*group)
		if !ok || of.c.Group() != v.c.Group() {
			c.failf("record", "record=%s is no part of the source", v.c.Name())
			break
		}
		var list []int
		for i := v.c.Span().Lo; i < v.c.Span().Hi; i++ {
			list = append(list, i-of.c.Span().Lo)
		}
		o.Record = list
	case *array.Array:
		if v.Kind == array.Bools {
			pick, err := array.Selection(v, v.Size())
			c.fail("record", err)
			o.Record = pick
			break
		}
		o.Record = c.indices("record")
	default:
		o.Record = c.indices("record")
	}
	if c.err != nil {
		return nil, c.err
	}
	m, err := x.net.StateMonitor(src, o)
	if err != nil {
		return nil, err
	}
	x.add(m)
	return &monitor{x: x, m: m, class: c.Fn, kind: states{m}}, nil
}

// timestep is Brian2's timestep(t, dt): the number of steps to a time, which takes no less than one ten-thousandth of a step for none.
var timestep = fn("timestep", "t dt", func(c argument.Call) (starlark.Value, error) {
	t, ok, err := array.OperandOf(c.Val["t"])
	dt, ok2, err2 := array.OperandOf(c.Val["dt"])
	switch {
	case err != nil:
		return nil, err
	case err2 != nil:
		return nil, err2
	case !ok || !ok2 || t.Dim != second || dt.Dim != second || !dt.One || !(dt.V[0] > 0):
		return nil, fmt.Errorf("timestep() takes times and a step, not %s and %s", array.Describe(c.Val["t"]), array.Describe(c.Val["dt"]))
	}
	n := array.Operand{One: t.One, Table: t.Table, Cols: t.Cols, Kind: array.Ints}
	for _, v := range t.V {
		n.V = append(n.V, math.Trunc((v+float64(1e-3*dt.V[0]))/dt.V[0]))
	}
	return n.Value(), nil
})

// states are what a StateMonitor has.
type states struct{ *engine.StateMonitor }

func (e states) names() []string { return append([]string{"record"}, e.Variables()...) }

func (e states) attr(_ *monitor, name string) (starlark.Value, error) {
	switch name {
	case "N":
		return starlark.MakeInt(e.Len()), nil
	case "record":
		return whole(e.Recorded()), nil
	case "record_variables":
		var l []starlark.Value
		for _, v := range e.Variables() {
			l = append(l, starlark.String(v))
		}
		return starlark.NewList(l), nil
	}
	if slices.Contains(e.Variables(), name) { // of no neuron
		return &array.Array{V: []float64{}, Kind: array.Singles, Table: true, Cols: e.Len()}, nil
	}
	return nil, nil
}

// record is one neuron of a StateMonitor, or several: what M[1] and M[[1, 2]] give.
type record struct {
	opaque
	m       *monitor
	rows    []int
	several bool
}

func (r *record) String() string { return fmt.Sprintf("<record %v of %s>", r.rows, r.m.m.Name()) }
func (r *record) Type() string   { return "record" }
func (r *record) Attr(name string) (starlark.Value, error) {
	for _, c := range r.m.m.Columns() {
		plain := strings.TrimSuffix(name, "_")
		if c.Name != plain && c.Name != name || c.Rows == 0 {
			continue
		}
		if err := memory.Room(c.Len()*len(r.rows), 8); err != nil {
			return nil, err
		}
		a := &array.Array{V: []float64{}, Dim: c.Unit, Kind: kindOfColumn(c)}
		if r.several {
			a.Table, a.Cols, a.Hollow = true, c.Len(), len(r.rows)
		}
		for _, row := range r.rows {
			if c.Rows == 1 { // a shared variable has one row
				row = 0
			}
			v, err := c.Row(row)
			if err != nil {
				return nil, err
			}
			a.V = append(a.V, v...)
		}
		if c.Name != name {
			a.Dim = eqn.Dim{}
		}
		return a, nil
	}
	return r.m.Attr(name)
}
func (r *record) AttrNames() []string { return r.m.AttrNames() }
