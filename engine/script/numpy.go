package script

import (
	"fmt"
	"math"
	"slices"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"

	"synfire/engine/script/argument"
	"synfire/engine/script/array"
	"synfire/engine/script/memory"
)

// addNumPy adds NumPy's functions that are no functions of the language itself,
// under the names that Brian2's import gives them, too.
func (x *script) addNumPy(d starlark.StringDict) {
	for name, f := range array.Functions {
		if d[name] == nil {
			d[name] = fn(name, f.Params, f.Do)
		}
	}
	whole := d["float"]
	number := starlark.NewBuiltin("float", func(th *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
		if len(args) == 1 && len(kwargs) == 0 {
			switch args[0].(type) {
			case *array.Array, *starlark.List, starlark.Tuple:
				return array.Typed("float64", asArray(args[0]), starlark.String("float64"))
			}
		}
		v, err := starlark.Call(th, whole, args, kwargs)
		return v, inner(err)
	})
	d["around"], d["float64"], d["double"], d["float_"], d["int64"], d["int32"], d["bool_"] = d["round"], number, number, number, d["int"], d["int"], starlark.Universe["bool"]
	d["Quantity"] = fn("Quantity", "arr / dim=None dtype=None copy=False force_quantity=False", func(c argument.Call) (starlark.Value, error) {
		if c.Has("dim") {
			return nil, withHint("multiply: x*volt", "Quantity(dim=) is not available here")
		}
		v := c.Val["arr"]
		switch v.(type) {
		case array.Quantity:
			return v, nil
		case *array.Array: // itself, as in Brian2
			if own := c.Val["copy"]; (own == nil || !bool(own.Truth())) && !c.Has("dtype") {
				return v, nil
			}
		}
		return array.Make(starlark.Tuple{v})
	})
	d["nan"], d["inf"] = starlark.Float(math.NaN()), starlark.Float(math.Inf(1))
	d["empty"], d["newaxis"] = d["zeros"], starlark.None
	d["r_"], d["c_"] = &joined2{}, &joined2{columns: true}
	for name, op := range map[string]syntax.Token{"add": syntax.PLUS, "subtract": syntax.MINUS, "multiply": syntax.STAR, "divide": syntax.SLASH} {
		d[name] = fn(name, "x1 x2", func(c argument.Call) (starlark.Value, error) {
			return starlark.Binary(op, asArray(c.Val["x1"]), asArray(c.Val["x2"]))
		})
	}
	d["histogram"] = fn("histogram", "a / bins=10 range=None density=False weights=None", func(c argument.Call) (starlark.Value, error) {
		v, err := values(c.Val["a"])
		if err != nil {
			return nil, err
		}
		var w []float64
		if c.Has("weights") {
			o, err := values(c.Val["weights"])
			if err != nil {
				return nil, err
			}
			w = o.V
		}
		density := c.Has("density") && bool(c.Val["density"].Truth())
		counts, edges, err := histogram(v.V, c.Get("bins"), c.Get("range"), w, density)
		if err != nil {
			return nil, err
		}
		n := floats(counts)
		if !density && w == nil {
			n.Kind = array.Ints
		}
		return starlark.Tuple{n, &array.Array{V: edges, Dim: v.Dim, Kind: array.Floats}}, nil
	})
	for name, all := range map[string]bool{"any": false, "all": true} {
		d[name] = starlark.NewBuiltin(name, func(_ *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
			c, err := argument.Match(name, args, kwargs, "x / axis=None", nil)
			if err != nil {
				return nil, err
			}
			if !c.Has("axis") {
				if o, ok, err := array.OperandOf(c.Val["x"]); err == nil && ok {
					if all {
						return starlark.Bool(array.Every(o)), nil
					}
					return starlark.Bool(array.Some(o)), nil
				}
				if err := x.visits(args); err != nil {
					return nil, err
				}
				v, err := starlark.Call(x.thread, starlark.Universe[name], starlark.Tuple{each(c.Val["x"])}, nil)
				return v, inner(err)
			}
			of := "max" // of truth values: some
			if all {
				of = "min"
			}
			v, err := array.Compare(syntax.NEQ, asArray(c.Val["x"]), starlark.MakeInt(0))
			if err != nil {
				return nil, err
			}
			return array.Reduced(of, starlark.Tuple{v}, kwargs)
		})
	}
	clip := d["clip"]
	d["clip"] = starlark.NewBuiltin("clip", func(_ *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
		args, renamed := slices.Clone(args), make([]starlark.Tuple, len(kwargs))
		for k, kw := range kwargs { // NumPy's names
			name, _ := starlark.AsString(kw[0])
			if as := map[string]string{"a": "x", "a_min": "low", "a_max": "high"}[name]; as != "" {
				name = as
			}
			v := kw[1]
			if v == starlark.None {
				v = bound0(name)
			}
			renamed[k] = starlark.Tuple{starlark.String(name), v}
		}
		for k, a := range args {
			if a == starlark.None && k > 0 {
				args[k] = bound0([]string{"low", "high"}[min(k-1, 1)])
			}
		}
		v, err := starlark.Call(x.thread, clip, args, renamed)
		return v, inner(err)
	})
	d["hstack"] = fn("hstack", "arrays", func(c argument.Call) (starlark.Value, error) { return besides(c.Val["arrays"]) })
	d["concatenate"] = fn("concatenate", "arrays / axis=0", func(c argument.Call) (starlark.Value, error) {
		axis := 0
		if c.Has("axis") {
			var err error
			if axis, err = array.ToInt(c.Val["axis"]); err != nil || axis < -1 || axis > 1 {
				return nil, fmt.Errorf("axis= is 0, or 0 or 1 of tables")
			}
		}
		switch tables := anyTable(c.Val["arrays"]); {
		case tables && axis == 0:
			return array.Stack(c.Val["arrays"], true)
		case tables:
			return array.Stack(c.Val["arrays"], false)
		}
		return array.Concatenate(c.Val["arrays"])
	})
	d["tile"] = fn("tile", "x n", func(c argument.Call) (starlark.Value, error) {
		reps, err := array.ToInts(c.Val["n"])
		if one, e := array.ToInt(c.Val["n"]); e == nil {
			return array.Repeat("tile", c.Val["x"], one)
		}
		if err != nil || len(reps) != 2 || reps[0] < 1 || reps[0] > 1<<20 {
			return nil, fmt.Errorf("tile() takes how often, or how often down and across")
		}
		row, err := array.Repeat("tile", c.Val["x"], reps[1])
		if err != nil {
			return nil, err
		}
		n, _ := elements(row)
		if err := memory.Room(n*reps[0], 8); err != nil {
			return nil, err
		}
		return array.Stack(starlark.Tuple(slices.Repeat([]starlark.Value{row}, reps[0])), true)
	})
	load, loads := functions["load_array"]
	if loads {
		d["load"] = fn("load", "file / allow_pickle=False mmap_mode=None", func(c argument.Call) (starlark.Value, error) {
			return load.f(x, &call{Call: c})
		})
	}
}

// asArray makes an array of a list of numbers.
func asArray(v starlark.Value) starlark.Value {
	if o, ok, err := array.OperandOf(v); err == nil && ok {
		return o.Value()
	}
	return v
}

// joined2 is np.r_ and np.c_: what stands in the brackets, put together.
type joined2 struct {
	opaque
	columns bool
}

func (j *joined2) String() string { return "<r_>" }
func (j *joined2) Type() string   { return "r_" }

func (j *joined2) Get(ix starlark.Value) (starlark.Value, bool, error) {
	parts, ok := ix.(starlark.Tuple)
	if !ok {
		parts = starlark.Tuple{ix}
	}
	parts = slices.Clone(parts)
	for k, p := range parts {
		s, ok := p.(*array.Span)
		if !ok {
			if o, isNumbers, err := array.OperandOf(p); err == nil && isNumbers {
				if o.One {
					o.One = false
				}
				parts[k] = o.Value()
			}
			continue
		}
		args := starlark.Tuple{s.Lo, s.Hi}
		if s.Lo == starlark.None {
			args[0] = starlark.MakeInt(0)
		}
		if s.Step != starlark.None {
			args = append(args, s.Step)
		}
		v, err := array.Arange(args)
		if err != nil {
			return nil, false, err
		}
		parts[k] = v
	}
	if j.columns {
		v, err := array.Stack(parts, false)
		return v, err == nil, err
	}
	v, err := array.Concatenate(parts)
	return v, err == nil, err
}

// addDevices adds Brian2's words of devices and preferences, which are about how
// it compiles: they have no effect here, and a warning says so once.
func (x *script) addDevices(d starlark.StringDict) {
	told := map[string]bool{}
	none := func(name string) *starlark.Builtin {
		return starlark.NewBuiltin(name, func(*starlark.Thread, *starlark.Builtin, starlark.Tuple, []starlark.Tuple) (starlark.Value, error) {
			if !told[name] && x.opt.Warn != nil {
				x.opt.Warn(name + "() has no effect: nothing is compiled here; --backend chooses where a model runs")
			}
			told[name] = true
			return starlark.None, nil
		})
	}
	for _, n := range []string{"set_device", "reset_device", "reinit_devices", "clear_cache"} {
		d[n] = none(n)
	}
	device := &pymodule{name: "device", members: starlark.StringDict{"build": none("device.build"), "reinit": none("device.reinit"), "activate": none("device.activate"), "delete": none("device.delete"),
		"__class__": &pymodule{name: "device.__class__", members: starlark.StringDict{"__name__": starlark.String("RuntimeDevice")}}}}
	d["device"] = device
	d["get_device"] = fn("get_device", "", func(argument.Call) (starlark.Value, error) { return device, nil })
	d["prefs"] = &preferences{x: x, name: "prefs"}
	d["BrianLogger"] = &pymodule{name: "BrianLogger", members: starlark.StringDict{}}
	for _, n := range []string{"log_level_debug", "log_level_info", "log_level_warn", "log_level_error", "log_level_diagnostic", "suppress_name", "suppress_hierarchy", "initialize"} {
		d["BrianLogger"].(*pymodule).members[n] = accepted(starlark.None, n)
	}
	d["profiling_summary"] = starlark.NewBuiltin("profiling_summary", func(*starlark.Thread, *starlark.Builtin, starlark.Tuple, []starlark.Tuple) (starlark.Value, error) {
		return starlark.String("(the summary of the run shows where the time went)"), nil
	})
}

// preferences is prefs: whatever is assigned in it has no effect.
type preferences struct {
	opaque
	x    *script
	name string
}

func (p *preferences) String() string      { return "<" + p.name + ">" }
func (p *preferences) Type() string        { return "preferences" }
func (p *preferences) AttrNames() []string { return nil }
func (p *preferences) Attr(name string) (starlark.Value, error) {
	return &preferences{x: p.x, name: p.name + "." + name}, nil
}
func (p *preferences) SetField(name string, _ starlark.Value) error {
	if p.x.opt.Warn != nil {
		p.x.opt.Warn(p.name + "." + name + " has no effect: nothing is compiled here, and state is float32")
	}
	return nil
}
func (p *preferences) Binary(syntax.Token, starlark.Value, starlark.Side) (starlark.Value, error) { // prefs.a.b += [...]
	return p, nil
}
func (p *preferences) Get(ix starlark.Value) (starlark.Value, bool, error) {
	return nil, false, fmt.Errorf("preferences have no values here")
}
func (p *preferences) SetKey(ix, v starlark.Value) error {
	s, _ := starlark.AsString(ix)
	return p.SetField(s, v)
}

// reduce is functools.reduce.
func (x *script) reduce() *starlark.Builtin {
	return fn("reduce", "function iterable / initial", func(c argument.Call) (starlark.Value, error) {
		l, err := x.collected(each(c.Val["iterable"]))
		if err != nil {
			return nil, err
		}
		all := elementsOf(l)
		v := c.Val["initial"]
		if v == nil {
			if len(all) == 0 {
				return nil, fmt.Errorf("reduce() of nothing")
			}
			v, all = all[0], all[1:]
		}
		for _, e := range all {
			if v, err = starlark.Call(x.thread, c.Val["function"], starlark.Tuple{v, e}, nil); err != nil {
				return nil, err
			}
		}
		return v, nil
	})
}

// iterTools is itertools, as lists.
func iterTools() starlark.StringDict {
	lists := func(name string, f func(l [][]starlark.Value) ([]starlark.Value, error)) *starlark.Builtin {
		return starlark.NewBuiltin(name, func(_ *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
			if len(kwargs) > 0 {
				return nil, fmt.Errorf("%s() takes no argument by name here", name)
			}
			var l [][]starlark.Value
			for _, a := range args {
				it, ok := each(a).(starlark.Iterable)
				if !ok {
					return nil, fmt.Errorf("%s() takes lists, not %s", name, array.Describe(a))
				}
				l = append(l, slices.Collect(starlark.Elements(it)))
			}
			v, err := f(l)
			return starlark.NewList(v), err
		})
	}
	return starlark.StringDict{
		"chain": lists("chain", func(l [][]starlark.Value) ([]starlark.Value, error) { return slices.Concat(l...), nil }),
		"product": lists("product", func(l [][]starlark.Value) ([]starlark.Value, error) {
			rows := []starlark.Value{starlark.Tuple{}}
			for _, part := range l {
				if len(rows)*len(part) > 1<<20 {
					return nil, fmt.Errorf("product() of more than %d rows", 1<<20)
				}
				var next []starlark.Value
				for _, r := range rows {
					for _, e := range part {
						next = append(next, append(slices.Clone(r.(starlark.Tuple)), e))
					}
				}
				rows = next
			}
			return rows, nil
		}),
	}
}

// bound0 is the end of a clip() that is left open.
func bound0(name string) starlark.Value {
	if name == "low" {
		return starlark.Float(math.Inf(-1))
	}
	return starlark.Float(math.Inf(1))
}

// anyTable says whether a list or tuple holds a table; other sequences may be endless.
func anyTable(arrays starlark.Value) bool {
	switch arrays.(type) {
	case *starlark.List, starlark.Tuple:
	default:
		return false
	}
	for e := range starlark.Elements(arrays.(starlark.Iterable)) {
		if o, ok, err := array.OperandOf(e); ok && err == nil && o.Table {
			return true
		}
	}
	return false
}

// besides is hstack: lists end to end, tables beside each other.
func besides(arrays starlark.Value) (starlark.Value, error) {
	if anyTable(arrays) {
		return array.Stack(arrays, false)
	}
	return array.Concatenate(arrays)
}
