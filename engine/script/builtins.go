package script

import (
	"fmt"
	"math"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"

	"synfire/engine/eqn"
	"synfire/engine/script/argument"
	"synfire/engine/script/array"
	"synfire/engine/script/python"
)

// method makes a method of an object; its parameters are in methodParams.
func (x *script) method(recv starlark.Value, name string, f func(*call) (starlark.Value, error)) starlark.Value {
	return starlark.NewBuiltin(name, func(_ *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
		c, err := bind(name, args, kwargs, methodParams[name])
		if err != nil {
			return nil, err
		}
		x.aliases()
		if reads[name] {
			return f(c)
		}
		v, err := x.engine(func() (starlark.Value, error) { return f(c) })
		return v, c.blame(err)
	}).BindReceiver(recv)
}

// reads are the methods that only look at what is recorded.
var reads = map[string]bool{"smooth_rate": true, "values": true, "all_values": true, "spike_trains": true, "event_trains": true}

// methodParams are the parameters of the objects' methods, for bind.
var methodParams = map[string]string{
	"connect":       connectParams,
	"run_regularly": "code / dt clock when='start' order=0 name codeobj_class",
	"run_at":        "code times / when='start' order=0 name codeobj_class",
	"run_on_event":  "event code / when='after_resets' order", "set_event_schedule": "event / when='after_thresholds' order",
	"smooth_rate": "/ window='gaussian' width",
	"set_spikes":  "indices times / period=0*second sorted=False",
	"values":      "var", "all_values": "",
	"spike_trains": "", "event_trains": "",
	"store": storeParams, "restore": restoreParams, "stop": "",
	"json": "",
	"add":  "", "remove": "", "collect": "", "run": runParams,
}

// function is a built-in function: its parameters and what it does.
type function struct {
	params string
	f      func(*script, *call) (starlark.Value, error)
}

// functions are the built-in functions with arguments by name, those of Brian2 in
// its order.
var functions = map[string]function{
	"NeuronGroup":           {"N model / method method_options threshold reset refractory=False events namespace dtype dt clock order=0 name codeobj_class", neuronGroup},
	"PoissonGroup":          {"N rates / dt clock when='thresholds' order=0 namespace name codeobj_class", poissonGroup},
	"PoissonInput":          {"target target_var N rate weight / when='synapses' order=0 name", poissonInput},
	"SpikeGeneratorGroup":   {"N indices times / dt clock period=0*second when='thresholds' order=0 sorted=False name codeobj_class", spikeGenerator},
	"BinomialFunction":      {"n p / approximate=True name", binomialFunction},
	"TimedArray":            {"values dt / name", newTimedArray},
	"Synapses":              {"source / target model on_pre pre on_post post connect delay on_event='spike' multisynaptic_index namespace dtype codeobj_class dt clock order=0 method method_options name weight receptor_type", newSynapses},
	"SpikeMonitor":          {"source / variables record=True when order name codeobj_class", spikeMonitor},
	"EventMonitor":          {"source event / variables record=True when order name codeobj_class", spikeMonitor},
	"StateMonitor":          {"source variables / record dt clock when='start' order=0 name codeobj_class", stateMonitor},
	"PopulationRateMonitor": {"source / name codeobj_class dtype", rateMonitor},
	"NetworkOperation":      {"function / dt clock when='start' order=0 name", networkOperation},
	"network_operation":     {"/ function dt clock when='start' order=0 name", networkOperation},
	"Clock":                 {"dt / name", newClock},
	"EventClock":            {"times / name", newClock},
	"run":                   {runParams, runBuiltin},
	"stop":                  {"", stopBuiltin},
	"store":                 {storeParams, storeBuiltin},
	"restore":               {restoreParams, restoreBuiltin},
	"linked_var":            {"group_or_variable / name index", linkedVar},
	"seed":                  {"/ seed", seedBuiltin},
	"param":                 {"name default", paramBuiltin},
	"load_array":            {"file / unit", loadArray},
	"load_table":            {"file / columns", loadTable},
	"load_nir":              {"graph / inputs method='euler' time_unit=1*second", loadNIR},
	"export_nir":            {"", exportNIR},
	"save_array":            {"name values", saveArray},
	"start_scope":           {"", startScope},
	"linspace":              {"start stop / num=50", linspaceBuiltin},
	"full":                  {"shape value", fullBuiltin},
	"clip":                  {"x low high", clipBuiltin},
	"where":                 {"condition / x y", whereBuiltin},
	"repeat":                {"x n", repeatBuiltin},
	"tile":                  {"x n", repeatBuiltin},
	"concatenate":           {"arrays", concatenateBuiltin},
	"hstack":                {"arrays", concatenateBuiltin},
	"round":                 {"x / ndigits=0", roundBuiltin},
}

// calculates are those of functions that are the script's own work: they make
// no part of a network.
var calculates = map[string]bool{"param": true, "load_array": true, "load_table": true, "save_array": true, "linspace": true, "full": true, "clip": true, "where": true,
	"repeat": true, "tile": true, "concatenate": true, "hstack": true, "round": true}

// typed are the functions of arrays that take dtype=.
var typed = map[string]bool{"arange": true, "zeros": true, "ones": true, "zeros_like": true, "ones_like": true, "array": true, "asarray": true}

// variadic are the built-in functions that look at their arguments themselves.
var variadic = map[string]func(x *script, args starlark.Tuple) (starlark.Value, error){
	"Network":    newNetwork,
	"collect":    collect,
	"arange":     func(_ *script, a starlark.Tuple) (starlark.Value, error) { return array.Arange(a) },
	"zeros":      func(_ *script, a starlark.Tuple) (starlark.Value, error) { return array.Filled("zeros", a, 0) },
	"ones":       func(_ *script, a starlark.Tuple) (starlark.Value, error) { return array.Filled("ones", a, 1) },
	"zeros_like": one("zeros_like", func(v starlark.Value) (starlark.Value, error) { return array.Like("zeros_like", v, 0) }),
	"ones_like":  one("ones_like", func(v starlark.Value) (starlark.Value, error) { return array.Like("ones_like", v, 1) }),
	"rand":       random("rand"),
	"randn":      random("randn"),
	"array":      makeArray,
	"asarray": func(x *script, args starlark.Tuple) (starlark.Value, error) {
		if len(args) == 1 {
			if a, ok := args[0].(*array.Array); ok && a.Dim.IsOne() {
				return a, nil
			}
		}
		return makeArray(x, args)
	},
	"pow":     two("pow", array.Power),
	"power":   two("power", array.Power),
	"minimum": two("minimum", func(a, b starlark.Value) (starlark.Value, error) { return array.Choose(a, b, math.Min) }),
	"maximum": two("maximum", func(a, b starlark.Value) (starlark.Value, error) { return array.Choose(a, b, math.Max) }),
	"in_unit": two("in_unit", array.InUnit),
	"len":     length,
	"sqrt":    one("sqrt", array.Sqrt),
	"nonzero": one("nonzero", array.Nonzero),
	"int_":    one("int_", array.Truncate),
	"sign":    one("sign", array.Sign),
	"min":     extreme("min"),
	"max":     extreme("max"),
	"float":   one("float", toFloat),
	"int":     one("int", toInteger),
	"in_best_unit": one("in_best_unit", func(v starlark.Value) (starlark.Value, error) {
		o, ok, err := array.OperandOf(v)
		if err != nil || !ok {
			return nil, fmt.Errorf("in_best_unit() takes a quantity, not %s", array.Describe(v))
		}
		return starlark.String(o.Value().String()), nil
	}),
	"get_dimensions": one("get_dimensions", func(v starlark.Value) (starlark.Value, error) {
		o, _, err := array.OperandOf(v)
		return starlark.String(o.Dim.String()), err
	}),
	"is_dimensionless": one("is_dimensionless", func(v starlark.Value) (starlark.Value, error) {
		o, _, err := array.OperandOf(v)
		return starlark.Bool(o.Dim.IsOne()), err
	}),
	"have_same_dimensions": two("have_same_dimensions", func(a, b starlark.Value) (starlark.Value, error) {
		o, p, _, err := array.PairOf(a, b)
		return starlark.Bool(o.Dim == p.Dim), err
	}),
}

func one(name string, f func(starlark.Value) (starlark.Value, error)) func(*script, starlark.Tuple) (starlark.Value, error) {
	return func(_ *script, args starlark.Tuple) (starlark.Value, error) {
		if len(args) != 1 {
			return nil, fmt.Errorf("%s() takes one argument, got %d", name, len(args))
		}
		return f(args[0])
	}
}

func two(name string, f func(a, b starlark.Value) (starlark.Value, error)) func(*script, starlark.Tuple) (starlark.Value, error) {
	return func(_ *script, args starlark.Tuple) (starlark.Value, error) {
		if len(args) != 2 {
			return nil, fmt.Errorf("%s() takes two arguments, got %d", name, len(args))
		}
		return f(args[0], args[1])
	}
}

// length is len(x); groups and synapses have one too.
func length(x *script, args starlark.Tuple) (starlark.Value, error) {
	if len(args) == 1 {
		if s, ok := args[0].(*synapses); ok {
			n, err := s.s.N(x.work())
			return starlark.MakeInt(n), err
		}
		if v, ok := args[0].(interface{ Len() int }); ok {
			return starlark.MakeInt(v.Len()), nil
		}
	}
	return starlark.Call(x.thread, starlark.Universe["len"], args, nil)
}

// extreme is min or max: of several values, or of the elements of one.
func extreme(name string) func(*script, starlark.Tuple) (starlark.Value, error) {
	return func(x *script, args starlark.Tuple) (starlark.Value, error) {
		if len(args) == 1 {
			if _, ok, err := array.OperandOf(args[0]); err == nil && ok {
				return array.Reductions[name](args[0])
			} else if err == array.ErrListed {
				return nil, err
			}
		} else if len(args) > 1 {
			if _, ok, err := array.OperandOf(args); err != nil {
				return nil, err
			} else if ok {
				return array.Reductions[name](args)
			}
		}
		if err := x.visits(args); err != nil {
			return nil, err
		}
		v, err := starlark.Call(x.thread, starlark.Universe[name], args, nil) // texts, lists
		return v, inner(err)
	}
}

// builtins are the names that a script finds: Starlark's own, units, constants,
// functions and objects.
func (x *script) builtins() starlark.StringDict {
	d := starlark.StringDict{}
	add := func(name string, f func(args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error)) {
		d[name] = starlark.NewBuiltin(name, func(_ *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
			return f(args, kwargs)
		})
	}
	for _, n := range eqn.UnitNames() {
		q, _ := eqn.LookupUnit(n)
		d[n] = array.Unit(n, q.Value, q.Dim)
	}
	for _, n := range eqn.BuiltinNames() {
		if q, ok := eqn.LookupConstant(n); ok {
			d[n] = array.Scalar(q.Value, q.Dim, array.Floats)
		}
	}
	for name, fn := range functions {
		add(name, func(args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
			c, err := bind(name, args, kwargs, fn.params)
			if err != nil {
				return nil, err
			}
			if c.unfold(fn.params); c.err != nil {
				return nil, c.err
			}
			x.aliases()
			f := func() (starlark.Value, error) { return fn.f(x, c) }
			if !calculates[name] {
				of := f
				f = func() (starlark.Value, error) { return x.engine(of) }
			}
			v, err := f()
			if c.err != nil {
				return nil, c.err
			}
			return v, c.blame(err)
		})
	}
	plain := func(name string, f func(*script, starlark.Tuple) (starlark.Value, error)) {
		add(name, func(args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
			if len(kwargs) > 0 {
				key, _ := starlark.AsString(kwargs[0][0])
				if key == "axis" && array.Reductions[name] != nil {
					return array.Reduced(name, args, kwargs)
				}
				if (name == "min" || name == "max") && key == "key" {
					return starlark.Call(x.thread, starlark.Universe[name], args, kwargs)
				}
				if key != "dtype" || !typed[name] || len(kwargs) > 1 {
					key, _ = starlark.AsString(kwargs[len(kwargs)-1][0])
					return nil, argument.Unknown(name, key, nil, absentArgs)
				}
				v, err := f(x, args)
				if err != nil {
					return nil, err
				}
				return array.Typed(name, v, kwargs[0][1])
			}
			if (name == "zeros" || name == "ones") && len(args) == 2 { // its type
				v, err := f(x, args[:1])
				if err != nil {
					return nil, err
				}
				return array.Typed(name, v, args[1])
			}
			return f(x, args)
		})
	}
	for name, f := range variadic {
		plain(name, f)
	}
	add("check_units", func(args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
		return checkUnits(x, args, kwargs)
	})
	add("Function", func(args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
		return x.function(args, kwargs)
	})
	for _, n := range []string{"implementation", "declare_types"} {
		add(n, func(starlark.Tuple, []starlark.Tuple) (starlark.Value, error) { return decorated(n), nil })
	}
	for _, n := range []string{"exact", "linear", "exponential_euler", "euler", "rk2", "rk4", "heun", "milstein"} { // method=euler is method='euler'
		d[n] = starlark.String(n)
	}
	add("Equations", func(args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
		return newEquations(x, args, kwargs)
	})
	for name := range array.Pure {
		plain(name, one(name, func(v starlark.Value) (starlark.Value, error) { return array.ApplyPure(name, v) }))
	}
	plain("abs", one("abs", func(v starlark.Value) (starlark.Value, error) {
		if _, ok := v.(starlark.Int); ok {
			return starlark.Call(x.thread, starlark.Universe["abs"], starlark.Tuple{v}, nil)
		}
		return array.Abs(v)
	}))
	for name := range array.Reductions {
		if d[name] == nil {
			add(name, func(args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
				return array.Reduced(name, args, kwargs)
			})
		}
	}
	for name := range array.Transforms {
		plain(name, one(name, func(v starlark.Value) (starlark.Value, error) { return array.Transform(name, v) }))
	}
	for name := range library {
		d[name] = x.libraryModel(name)
	}
	d["surrogate"] = x.surrogateModule()
	d["defaultclock"] = &clock{x: x}
	d["__name__"] = starlark.String("__main__")
	d["__file__"] = starlark.String(x.opt.File)
	x.guarded(func(name string, f *starlark.Builtin) { d[name] = f })
	x.addPython(add)
	x.addHidden(d)
	x.addModules(d)
	x.values = starlark.StringDict{}
	for n, v := range d {
		_, makes := functions[n]
		if !makes && library[n] == "" || calculates[n] && n != "param" && n != "save_array" {
			x.values[n] = v
		}
	}
	for _, n := range []string{"Network", "collect", "print", "fail", "defaultclock"} {
		delete(x.values, n)
	}
	return d
}

// clock is defaultclock.
type clock struct {
	opaque
	x *script
}

func (c *clock) String() string {
	return "<defaultclock, dt " + array.Quantity{Value: c.x.net.Dt(), Dim: second}.String() + ">"
}
func (c *clock) Type() string { return "Clock" }
func (c *clock) Attr(name string) (starlark.Value, error) {
	switch name {
	case "dt":
		return array.Quantity{Value: c.x.net.Dt(), Dim: second}, nil
	case "t":
		return array.Quantity{Value: c.x.net.Clock(), Dim: second}, nil
	case "name":
		return starlark.String("defaultclock"), nil
	}
	return nil, nil
}
func (c *clock) AttrNames() []string { return []string{"dt", "t"} }
func (c *clock) SetField(name string, v starlark.Value) error {
	if name != "dt" {
		return fmt.Errorf("defaultclock has dt, and %s cannot be assigned", name)
	}
	s, err := array.ToMeasure(v, second)
	if err != nil {
		return fmt.Errorf("defaultclock.dt %w", err)
	}
	return c.x.setDt(s)
}

func seedBuiltin(x *script, c *call) (starlark.Value, error) {
	if !c.Has("seed") {
		return nil, withHint("give a number: runs without --seed repeat anyway", "seed() without a number would be different every time")
	}
	n := c.integer("seed", 0)
	if c.err == nil && n < 0 {
		c.failf("seed", "a seed is not negative, got %d", n)
	}
	if c.err != nil {
		return nil, c.err
	}
	s := uint64(n)
	if x.firstSeed == nil {
		first := s
		x.firstSeed = &first
	}
	x.net.Seeds(x.seeds(s, *x.firstSeed))
	clear(x.draws)
	return starlark.None, c.err
}

func paramBuiltin(x *script, c *call) (starlark.Value, error) {
	name := c.str("name", "")
	if c.err != nil {
		return nil, c.err
	}
	def := c.Val["default"]
	p := Param{Name: name, Default: array.ValueText(def), Value: array.ValueText(def)}
	text, set := x.opt.Set[name]
	v := def
	if set {
		x.taken[name] = true
		v = x.evaluate(text)
		if _, isText := def.(starlark.String); isText {
			if _, ok := v.(starlark.String); !ok {
				v = starlark.String(text)
			}
		}
		if err := sameSort(name, text, v, def); err != nil {
			return nil, err
		}
		p.Value, p.Set = array.ValueText(v), true
		x.res.Set[name] = p.Value
	}
	for _, q := range x.res.Params {
		if q.Name == name {
			return v, nil
		}
	}
	x.res.Params = append(x.res.Params, p)
	return v, nil
}

// evaluate reads a value of --set: an expression of the script language, which
// makes nothing and runs nothing, else the text itself.
func (x *script) evaluate(text string) starlark.Value {
	s := &source{calls: map[place]*syntax.CallExpr{}}
	f, err := python.ParseExpr("--set", []byte(text))
	if err != nil {
		return starlark.String(text)
	}
	if f = s.expr(f); s.deep != nil {
		return starlark.String(text)
	}
	th := &starlark.Thread{Name: "set"}
	th.SetMaxExecutionSteps(1e6)
	v, err := starlark.EvalExprOptions(dialect, th, f, x.values)
	if err != nil {
		return starlark.String(text)
	}
	return v
}

// sameSort checks a set parameter against its default: a number for a number, of
// the same unit.
func sameSort(name, text string, v, def starlark.Value) error {
	if def == starlark.None {
		return nil
	}
	a, ok, err := array.OperandOf(v)
	b, ok2, err2 := array.OperandOf(def)
	_, isText := v.(starlark.String)
	switch {
	case err != nil:
		return err
	case err2 != nil:
		return err2
	case ok2 && !ok && isText:
		return fmt.Errorf("--set %s=%s is not a value that the script language knows; the default is %s", name, text, array.ValueText(def))
	case ok != ok2:
		return fmt.Errorf("--set %s=%s is a %s; the default is a %s", name, text, v.Type(), def.Type())
	case ok && a.Dim != b.Dim:
		return fmt.Errorf("--set %s=%s is in %s; the default, %s, is in %s", name, text, array.UnitName(a.Dim), array.ValueText(def), array.UnitName(b.Dim))
	case ok && a.One != b.One:
		return fmt.Errorf("--set %s=%s: the default is %s", name, text, array.Describe(def))
	}
	return nil
}
