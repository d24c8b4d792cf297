package script

import (
	"errors"
	"fmt"
	"math"

	"go.starlark.net/starlark"

	"synfire/engine"
	"synfire/engine/eqn"
	"synfire/engine/script/argument"
	"synfire/engine/script/array"
)

// call is the arguments of one call. Its accessors return a default where an
// argument is absent or None, and keep the first error, which names the argument.
type call struct {
	argument.Call
	err error
	of  starlark.StringDict // what a dictionary of the library has beside arguments
}

func bind(fn string, args starlark.Tuple, kwargs []starlark.Tuple, params string) (*call, error) {
	a, err := argument.Match(fn, args, kwargs, params, absentArgs)
	return &call{Call: a}, err
}

// absentArgs are arguments that Brian2's objects have and ours do not, with advice.
var absentArgs = map[string]string{
	"NeuronGroup.codeobj_class":           codeHint,
	"NeuronGroup.method_options":          "",
	"NeuronGroup.dtype":                   typeHint,
	"PoissonGroup.codeobj_class":          codeHint,
	"SpikeGeneratorGroup.codeobj_class":   codeHint,
	"Synapses.dtype":                      typeHint,
	"Synapses.codeobj_class":              codeHint,
	"Synapses.method_options":             "",
	"Synapses.connect":                    "call S.connect(...) on the object",
	"SpikeMonitor.codeobj_class":          codeHint,
	"EventMonitor.codeobj_class":          codeHint,
	"StateMonitor.codeobj_class":          codeHint,
	"PopulationRateMonitor.codeobj_class": codeHint,
	"PopulationRateMonitor.dtype":         "rates are float64",
	"run_regularly.codeobj_class":         codeHint,
	"run_at.codeobj_class":                codeHint,
	"Network.name":                        "",
	"connect.level":                       levelHint,
	"run.level":                           levelHint,
}

const (
	codeHint  = "nothing is compiled here: choose with --backend on the command line"
	typeHint  = "state is float32 on every backend"
	levelHint = "texts see the names of the script, or those of namespace="
)

// blame gives an engine's error about an argument the place of that argument in
// the script.
func (c *call) blame(err error) error {
	var a *engine.ArgError
	if !errors.As(err, &a) {
		return err
	}
	index, given := c.Pos[a.Arg]
	if !given {
		return err
	}
	return &argument.Error{Name: a.Arg, Index: index, Err: err}
}

// only refuses an argument of Brian2's whose one value here is def.
func (c *call) only(name, def string) {
	if s := c.str(name, def); c.err == nil && s != def {
		c.fail(name, eqn.As(eqn.Unsupported, withHint("here it is '"+def+"'", "Brian2 has %s='%s' of %s(); Synfire does not yet", name, s, c.Fn)))
	}
}

// fail keeps an error about an argument.
func (c *call) fail(name string, err error) {
	if c.err == nil && err != nil {
		index, ok := c.Pos[name]
		if !ok {
			index = -1
		}
		c.err = &argument.Error{Name: name, Index: index, Err: err}
	}
}

// failf is fail with a text, whose class is that of an error in it.
func (c *call) failf(name, format string, a ...any) {
	err := fmt.Errorf(format, a...)
	for _, x := range a {
		if e, ok := x.(error); ok {
			err = eqn.As(eqn.ClassOf(e), err)
		}
	}
	c.fail(name, err)
}

func (c *call) str(name, def string) string {
	v := c.Get(name)
	if v == nil {
		return def
	}
	s, ok := starlark.AsString(v)
	if !ok {
		c.failf(name, "%s= must be a text, not %s", name, array.Describe(v))
	}
	return s
}

func (c *call) boolean(name string, def bool) bool {
	switch v := c.Get(name).(type) {
	case nil:
		return def
	case starlark.Bool:
		return bool(v)
	default:
		c.failf(name, "%s= must be True or False, not %s", name, array.Describe(v))
		return def
	}
}

func (c *call) integer(name string, def int) int {
	v := c.Get(name)
	if v == nil {
		return def
	}
	n, err := array.ToInt(v)
	if err != nil {
		c.failf(name, "%s= %v", name, err)
	}
	return n
}

// seconds is a time in SI units.
func (c *call) seconds(name string, def float64) float64 {
	v := c.Get(name)
	if v == nil {
		return def
	}
	x, err := array.ToMeasure(v, second)
	if err != nil {
		c.failf(name, "%s= %v", name, err)
	}
	return x
}

// value is what the engine takes as a value: a number, quantity, array or text.
func (c *call) value(name string) any {
	v := c.Get(name)
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
	v := c.Get(name)
	if v == nil {
		return nil
	}
	x, err := array.ToInts(v)
	if err != nil {
		c.failf(name, "%s= %v", name, err)
	}
	return x
}

// texts is a text or a list of them.
func (c *call) texts(name string) []string {
	v := c.Get(name)
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
				c.failf(name, "%s= must hold texts, not %s", name, array.Describe(e))
				return nil
			}
			r = append(r, s)
		}
		return r
	}
	c.failf(name, "%s= must be a text or a list of texts, not %s", name, array.Describe(v))
	return nil
}

var second = eqn.Dim{eqn.Second: array.UnitExponent}

// toIndices reads a list of whole numbers as connect takes them: as the file has
// them where they come from one.
func toIndices(v starlark.Value) (any, error) {
	if a, f := loaded(v); f != nil && f.I32 != nil && a.Packed.Unit == 1 && !a.Table && a.Dim.IsOne() {
		return f.I32, nil
	}
	return array.ToInts(v)
}

// toEngine turns a value into what the engine takes: a Quantity, float64, int,
// bool, engine.Array, string or *engine.TimedArray.
func toEngine(v starlark.Value) (any, error) {
	switch v := v.(type) {
	case starlark.String:
		return string(v), nil
	case *timedArray:
		return v.ta, nil
	case *binomial:
		return v.f, nil
	case *checked:
		if v.why != nil {
			return nil, v.why
		}
		return v.formula, nil
	}
	o, ok, err := array.OperandOf(v)
	switch {
	case err != nil:
		return nil, err
	case !ok:
		return nil, fmt.Errorf("must be a number, a quantity, a list of them or a text, not %s", array.Describe(v))
	case !o.One && o.Table:
		return nil, fmt.Errorf("must be one list, not a table of %d by %d", o.Rows(), o.Cols)
	case !o.One:
		return engine.Array{V: o.V, Dim: o.Dim}, nil
	case math.IsNaN(o.V[0]) || math.IsInf(o.V[0], 0) && o.Dim != second: // a time may lie before or after all others
		return nil, fmt.Errorf("must be finite, not %g", o.V[0])
	case !o.Dim.IsOne():
		return engine.Quantity{Value: o.V[0], Dim: o.Dim}, nil
	case o.Kind == array.Bools:
		return o.V[0] != 0, nil
	case o.Kind == array.Ints && math.Abs(o.V[0]) < 1<<53:
		return int(o.V[0]), nil
	}
	return o.V[0], nil
}

// fromEngine makes a value of what the engine gives.
func fromEngine(a engine.Array, k array.Kind) *array.Array {
	return &array.Array{V: a.V, Dim: a.Dim, Kind: k}
}
