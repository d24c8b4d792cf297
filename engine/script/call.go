package script

import (
	"errors"
	"fmt"
	"math"
	"strings"

	"go.starlark.net/starlark"

	"synfire/engine"
	"synfire/engine/eqn"
)

// call is the arguments of one call of a built-in function, by name. Its
// accessors return a default where an argument is absent or None, and keep the
// first error, which names the argument.
type call struct {
	fn  string
	val map[string]starlark.Value
	pos map[string]int
	err error
}

// bind matches arguments with parameters. Those after "/" may be left out;
// those after "*" are given by name only.
func bind(fn string, args starlark.Tuple, kwargs []starlark.Tuple, params string) (*call, error) {
	c := &call{fn: fn, val: map[string]starlark.Value{}, pos: map[string]int{}}
	var names []string
	required, positional := -1, -1
	for _, p := range strings.Fields(params) {
		switch p {
		case "/":
			required = len(names)
		case "*":
			positional = len(names)
		default:
			names = append(names, p)
		}
	}
	if positional < 0 {
		positional = len(names)
	}
	if required < 0 {
		required = min(len(names), positional)
	}
	if len(args) > positional {
		return nil, &argError{index: positional, err: fmt.Errorf("%s() takes at most %d arguments without a name, got %d", fn, positional, len(args))}
	}
	for k, a := range args {
		c.val[names[k]], c.pos[names[k]] = a, k
	}
	for _, kw := range kwargs {
		name := string(kw[0].(starlark.String))
		known := false
		for _, n := range names {
			known = known || n == name
		}
		if !known {
			return nil, noArgument(fn, name, names)
		}
		if _, twice := c.val[name]; twice {
			return nil, &argError{name: name, index: -1, err: fmt.Errorf("%s() was given %s twice", fn, name)}
		}
		c.val[name], c.pos[name] = kw[1], -1
	}
	for _, n := range names[:required] {
		if _, ok := c.val[n]; !ok {
			return nil, fmt.Errorf("%s() needs the argument %s", fn, n)
		}
	}
	return c, nil
}

// absentArgs are arguments that Brian2's objects have and ours do not, with advice.
var absentArgs = map[string]string{
	"NeuronGroup.codeobj_class":           codeHint,
	"NeuronGroup.method_options":          "",
	"NeuronGroup.dtype":                   typeHint,
	"NeuronGroup.clock":                   clockHint,
	"PoissonGroup.clock":                  clockHint,
	"PoissonGroup.codeobj_class":          codeHint,
	"SpikeGeneratorGroup.clock":           clockHint,
	"SpikeGeneratorGroup.codeobj_class":   codeHint,
	"Synapses.dtype":                      typeHint,
	"Synapses.codeobj_class":              codeHint,
	"Synapses.method_options":             "",
	"Synapses.clock":                      clockHint,
	"Synapses.connect":                    "call S.connect(...) on the object",
	"SpikeMonitor.codeobj_class":          codeHint,
	"EventMonitor.codeobj_class":          codeHint,
	"StateMonitor.clock":                  "use dt=",
	"StateMonitor.codeobj_class":          codeHint,
	"PopulationRateMonitor.codeobj_class": codeHint,
	"PopulationRateMonitor.dtype":         "rates are float64",
	"run_regularly.clock":                 "use dt=",
	"run_regularly.codeobj_class":         codeHint,
	"Network.name":                        "",
	"connect.level":                       levelHint,
	"run.level":                           levelHint,
}

const (
	clockHint = "use defaultclock.dt"
	codeHint  = "nothing is compiled here: choose with --backend on the command line"
	typeHint  = "state is float32 on every backend"
	levelHint = "texts see the names of the script, or those of namespace="
)

// noArgument is the error for an argument that a function does not have.
func noArgument(fn, name string, names []string) error {
	msg, hint := fmt.Sprintf("%s() has no argument %s", fn, name), eqn.Nearest(name, names)
	if h, ok := absentArgs[fn+"."+name]; ok {
		msg, hint = fmt.Sprintf("Brian2 has %s= of %s(); Synfire does not yet", name, fn), h
	}
	return &argError{name: name, index: -1, err: withHint(hint, "%s", msg)}
}

// blame gives an engine's error about an argument the place of that argument in
// the script.
func (c *call) blame(err error) error {
	var a *engine.ArgError
	if !errors.As(err, &a) {
		return err
	}
	index, given := c.pos[a.Arg]
	if !given {
		return err
	}
	return &argError{name: a.Arg, index: index, err: err}
}

// step is dt= of an object: a positive time, 0 where it is not given.
func (c *call) step() float64 {
	s := c.seconds("dt", 0)
	if c.err == nil && c.has("dt") && s <= 0 {
		c.failf("dt", "dt= must be a positive time, not %s", describe(c.get("dt")))
	}
	return s
}

// only refuses an argument of Brian2's whose one value here is def.
func (c *call) only(name, def string) {
	if s := c.str(name, def); c.err == nil && s != def {
		c.fail(name, withHint("here it is '"+def+"'", "Brian2 has %s='%s' of %s(); Synfire does not yet", name, s, c.fn))
	}
}

// fail keeps an error about an argument.
func (c *call) fail(name string, err error) {
	if c.err == nil && err != nil {
		index, ok := c.pos[name]
		if !ok {
			index = -1
		}
		c.err = &argError{name: name, index: index, err: err}
	}
}

func (c *call) failf(name, format string, a ...any) { c.fail(name, fmt.Errorf(format, a...)) }

// get is an argument, nil where it is absent or None.
func (c *call) get(name string) starlark.Value {
	v := c.val[name]
	if v == starlark.None {
		return nil
	}
	return v
}

func (c *call) has(name string) bool { return c.get(name) != nil }

func (c *call) str(name, def string) string {
	v := c.get(name)
	if v == nil {
		return def
	}
	s, ok := starlark.AsString(v)
	if !ok {
		c.failf(name, "%s= must be a text, not %s", name, describe(v))
	}
	return s
}

func (c *call) boolean(name string, def bool) bool {
	switch v := c.get(name).(type) {
	case nil:
		return def
	case starlark.Bool:
		return bool(v)
	default:
		c.failf(name, "%s= must be True or False, not %s", name, describe(v))
		return def
	}
}

func (c *call) integer(name string, def int) int {
	v := c.get(name)
	if v == nil {
		return def
	}
	n, err := toInt(v)
	if err != nil {
		c.failf(name, "%s= %v", name, err)
	}
	return n
}

// seconds is a time in SI units.
func (c *call) seconds(name string, def float64) float64 {
	v := c.get(name)
	if v == nil {
		return def
	}
	x, err := toMeasure(v, second)
	if err != nil {
		c.failf(name, "%s= %v", name, err)
	}
	return x
}

// value is what the engine takes as a value: a number, quantity, array or text.
func (c *call) value(name string) any {
	v := c.get(name)
	if v == nil {
		return nil
	}
	x, err := toEngine(v)
	if err != nil {
		c.failf(name, "%s= %v", name, err)
	}
	return x
}

// indices is a list of whole numbers.
func (c *call) indices(name string) []int {
	v := c.get(name)
	if v == nil {
		return nil
	}
	x, err := toInts(v)
	if err != nil {
		c.failf(name, "%s= %v", name, err)
	}
	return x
}

// texts is a text or a list of them.
func (c *call) texts(name string) []string {
	v := c.get(name)
	if v == nil {
		return nil
	}
	if s, ok := starlark.AsString(v); ok {
		return []string{s}
	}
	var r []string
	if seq, ok := v.(starlark.Iterable); ok {
		it := seq.Iterate()
		defer it.Done()
		var e starlark.Value
		for it.Next(&e) {
			s, ok := starlark.AsString(e)
			if !ok {
				c.failf(name, "%s= must hold texts, not %s", name, describe(e))
				return nil
			}
			r = append(r, s)
		}
		return r
	}
	c.failf(name, "%s= must be a text or a list of texts, not %s", name, describe(v))
	return nil
}

var second = eqn.Dim{eqn.Second: unitExponent}

// describe names a value for a message.
func describe(v starlark.Value) string {
	switch v := v.(type) {
	case quantity, starlark.Int, starlark.Float, starlark.Bool:
		return valueText(v)
	case starlark.String:
		if len(v) < 40 {
			return fmt.Sprintf("the text %q", string(v))
		}
		return "a text"
	case *array:
		return fmt.Sprintf("an array of %d", v.size())
	case starlark.NoneType:
		return "None"
	}
	return "a " + v.Type()
}

// toInt reads a whole number; a float that is whole will do.
func toInt(v starlark.Value) (int, error) {
	o, ok, err := operandOf(v)
	if err != nil {
		return 0, err
	}
	if !ok || !o.one || !o.dim.IsOne() || o.v[0] != math.Floor(o.v[0]) || math.Abs(o.v[0]) > 1<<53 {
		return 0, fmt.Errorf("must be a whole number, not %s", describe(v))
	}
	return int(o.v[0]), nil
}

// toMeasure reads one number of a dimension, in SI units.
func toMeasure(v starlark.Value, d eqn.Dim) (float64, error) {
	want := "a pure number"
	if !d.IsOne() {
		want = "a quantity in " + unitName(d)
	}
	o, ok, err := operandOf(v)
	switch {
	case err != nil:
		return 0, err
	case !ok || !o.one:
		return 0, fmt.Errorf("must be %s, not %s", want, describe(v))
	case o.dim != d && !(o.v[0] == 0 && o.wild()):
		if o.dim.IsOne() {
			return 0, fmt.Errorf("needs a unit: it must be %s, not %s", want, describe(v))
		}
		return 0, fmt.Errorf("must be %s, not %s", want, describe(v))
	case math.IsNaN(o.v[0]) || math.IsInf(o.v[0], 0):
		return 0, fmt.Errorf("must be finite, not %s", describe(v))
	}
	return o.v[0], nil
}

// toInts reads a list of whole numbers.
func toInts(v starlark.Value) ([]int, error) {
	o, ok, err := operandOf(v)
	if err != nil {
		return nil, err
	}
	if !ok || o.table || !o.dim.IsOne() {
		return nil, fmt.Errorf("must be a list of whole numbers, not %s", describe(v))
	}
	r := make([]int, len(o.v))
	for k, x := range o.v {
		if x != math.Floor(x) || math.Abs(x) > 1<<53 {
			return nil, fmt.Errorf("must be whole numbers: element %d is %g", k, x)
		}
		r[k] = int(x)
	}
	return r, nil
}

// toIndices reads a list of whole numbers as connect takes them: as the file has
// them where they come from one.
func toIndices(v starlark.Value) (any, error) {
	if a, ok := v.(*array); ok && a.packed != nil && a.packed.I32 != nil && a.packed.unit == 1 && !a.table && a.dim.IsOne() {
		return a.packed.I32, nil
	}
	return toInts(v)
}

// toEngine turns a value into what the engine takes: a Quantity, float64, int,
// bool, engine.Array, string or *engine.TimedArray.
func toEngine(v starlark.Value) (any, error) {
	switch v := v.(type) {
	case starlark.String:
		return string(v), nil
	case *timedArray:
		return v.ta, nil
	}
	o, ok, err := operandOf(v)
	switch {
	case err != nil:
		return nil, err
	case !ok:
		return nil, fmt.Errorf("must be a number, a quantity, a list of them or a text, not %s", describe(v))
	case !o.one && o.table:
		return nil, fmt.Errorf("must be one list, not a table of %d by %d", o.rows(), o.cols)
	case !o.one:
		return engine.Array{V: o.v, Dim: o.dim}, nil
	case math.IsNaN(o.v[0]) || math.IsInf(o.v[0], 0) && o.dim != second: // a time may lie before or after all others
		return nil, fmt.Errorf("must be finite, not %g", o.v[0])
	case !o.dim.IsOne():
		return engine.Quantity{Value: o.v[0], Dim: o.dim}, nil
	case o.kind == bools:
		return o.v[0] != 0, nil
	case o.kind == ints && math.Abs(o.v[0]) < 1<<53:
		return int(o.v[0]), nil
	}
	return o.v[0], nil
}
