package script

import (
	"fmt"
	"slices"
	"strings"

	"go.starlark.net/starlark"

	"synfire/engine/figure"
	"synfire/engine/script/argument"
	"synfire/engine/script/array"
)

// cycle is matplotlib's cycler('color', [...]): properties that lines take one after another. Colours are taken; other properties change how lines look
// in ways that are left out here.
type cycle struct {
	opaque
	names []string
	items [][]starlark.Value // by position, in the order of names
}

func (c *cycle) String() string { return fmt.Sprintf("cycler(%s)", strings.Join(c.names, ", ")) }
func (c *cycle) Type() string   { return "cycler" }
func (c *cycle) Len() int       { return len(c.items) }
func (c *cycle) Index(i int) starlark.Value {
	d := starlark.NewDict(len(c.names))
	for k, n := range c.names {
		d.SetKey(starlark.String(n), c.items[i][k])
	}
	return d
}

// Slice is cycle[a:b].
func (c *cycle) Slice(start, end, step int) starlark.Value {
	r := &cycle{names: c.names}
	for i := start; step > 0 && i < end || step < 0 && i > end; i += step {
		r.items = append(r.items, c.items[i])
	}
	return r
}

// Iterate goes through the positions, each a dictionary.
func (c *cycle) Iterate() starlark.Iterator {
	l := make([]starlark.Value, len(c.items))
	for k := range l {
		l[k] = c.Index(k)
	}
	return starlark.NewList(l).Iterate()
}

func (c *cycle) AttrNames() []string { return []string{"by_key", "concat"} }
func (c *cycle) Attr(name string) (starlark.Value, error) {
	switch name {
	case "concat":
		return fn(name, "other", func(a argument.Call) (starlark.Value, error) {
			o, ok := a.Val["other"].(*cycle)
			if !ok || !slices.Equal(o.names, c.names) {
				return nil, fmt.Errorf("concat() takes a cycler of %s, not %s", strings.Join(c.names, ", "), array.Describe(a.Val["other"]))
			}
			return &cycle{names: c.names, items: slices.Concat(c.items, o.items)}, nil
		}), nil
	case "by_key":
		return fn(name, "", func(argument.Call) (starlark.Value, error) {
			d := starlark.NewDict(len(c.names))
			for k, n := range c.names {
				var l []starlark.Value
				for _, i := range c.items {
					l = append(l, i[k])
				}
				d.SetKey(starlark.String(n), starlark.NewList(l))
			}
			return d, nil
		}), nil
	}
	return nil, nil
}

// cycler is cycler('color', 'rgb'), cycler(color=[...], ls=[...]).
var cycler = starlark.NewBuiltin("cycler", func(_ *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	if len(args) == 1 && len(kwargs) == 0 {
		if c, ok := args[0].(*cycle); ok {
			return c, nil
		}
	}
	if len(args) == 2 && len(kwargs) == 0 {
		kwargs = []starlark.Tuple{{args[0], args[1]}}
	} else if len(args) > 0 || len(kwargs) == 0 {
		return nil, fmt.Errorf("cycler() takes a property and its values, such as color=['k', 'r']")
	}
	c := &cycle{}
	for _, kw := range kwargs {
		name, ok := starlark.AsString(kw[0])
		l, is := each(kw[1]).(starlark.Iterable)
		if !ok || !is {
			return nil, fmt.Errorf("cycler() takes a property and a list of its values")
		}
		v := slices.Collect(starlark.Elements(l))
		if c.names != nil && len(v) != len(c.items) {
			return nil, fmt.Errorf("cycler(): %s has %d values, %s has %d", name, len(v), c.names[0], len(c.items))
		}
		if c.items == nil {
			c.items = make([][]starlark.Value, len(v))
		}
		c.names = append(c.names, name)
		for k, e := range v {
			c.items[k] = append(c.items[k], e)
		}
	}
	return c, nil
})

// propCycle is the cycle that axes have by themselves.
func propCycle() *cycle {
	c := &cycle{names: []string{"color"}}
	for k := range figure.Cycle {
		c.items = append(c.items, []starlark.Value{starlark.String(fmt.Sprintf("C%d", k))})
	}
	return c
}

// still is matplotlib's FuncAnimation(): the figure stays as it is, and a warning says so.
func (x *script) still(name string) *starlark.Builtin {
	return starlark.NewBuiltin(name, func(*starlark.Thread, *starlark.Builtin, starlark.Tuple, []starlark.Tuple) (starlark.Value, error) {
		if x.opt.Warn != nil {
			x.opt.Warn(name + "(): pictures do not move here: the figure shows how the animation begins")
		}
		m := &pymodule{name: name, members: starlark.StringDict{}}
		for _, n := range []string{"save", "pause", "resume"} {
			m.members[n] = accepted(m, n)
		}
		return m, nil
	})
}

// setPropCycle is ax.set_prop_cycle(cycler), of which colours are taken.
func setPropCycle(_ *pylab, a *figure.Axes, args starlark.Tuple, o *opts) (starlark.Value, error) {
	var c *cycle
	switch {
	case len(args) == 1 && args[0] == starlark.None:
		a.Cycle = nil
		return starlark.None, o.end()
	case len(args) == 1:
		c, _ = args[0].(*cycle)
	case len(args) == 0 || len(args) == 2:
		var kwargs []starlark.Tuple
		if v := o.take("color"); v != nil {
			kwargs = []starlark.Tuple{{starlark.String("color"), v}}
		}
		v, err := starlark.Call(&starlark.Thread{}, cycler, args, kwargs)
		if err != nil {
			return nil, inner(err)
		}
		c = v.(*cycle)
	}
	if c == nil {
		return nil, fmt.Errorf("set_prop_cycle() takes a cycler, such as cycler(color=['k', 'r'])")
	}
	a.Cycle, a.Colors = nil, 0
	for k, n := range c.names {
		if n != "color" && n != "c" {
			continue
		}
		for _, i := range c.items {
			rgba, err := color(i[k])
			if err != nil {
				return nil, err
			}
			a.Cycle = append(a.Cycle, rgba)
		}
	}
	return starlark.None, o.end()
}
