package script

import (
	"fmt"
	"hash/fnv"
	"strings"

	"go.starlark.net/starlark"

	"synfire/engine/eqn"
	"synfire/engine/num"
	"synfire/engine/philox"
	"synfire/engine/script/array"
)

// Here stand the functions of arrays as scripts call them: package array works
// out the values.

func linspaceBuiltin(_ *script, c *call) (starlark.Value, error) {
	n := c.integer("num", 50)
	if n < 0 || n > array.MaxElements {
		c.failf("num", "num= must be between 0 and %d", array.MaxElements)
	}
	if c.err != nil {
		return nil, c.err
	}
	return array.Linspace(c.Val["start"], c.Val["stop"], n)
}

func fullBuiltin(_ *script, c *call) (starlark.Value, error) {
	return array.Full(c.Val["shape"], c.Val["value"])
}

func clipBuiltin(_ *script, c *call) (starlark.Value, error) {
	return array.Clip(c.Val["x"], c.Val["low"], c.Val["high"])
}

func whereBuiltin(_ *script, c *call) (starlark.Value, error) {
	return array.Where(c.Val["condition"], c.Get("x"), c.Get("y"))
}

func repeatBuiltin(_ *script, c *call) (starlark.Value, error) {
	n := c.integer("n", 1)
	if c.err != nil {
		return nil, c.err
	}
	return array.Repeat(c.Fn, c.Val["x"], n)
}

func concatenateBuiltin(_ *script, c *call) (starlark.Value, error) {
	return array.Concatenate(c.Val["arrays"])
}

func roundBuiltin(_ *script, c *call) (starlark.Value, error) {
	digits := c.integer("ndigits", 0)
	if c.err != nil {
		return nil, c.err
	}
	return array.Round(c.Val["x"], digits, !c.Has("ndigits"))
}

// makeArray is array() and asarray(), which take units away: NumPy's arrays have none.
func makeArray(_ *script, args starlark.Tuple) (starlark.Value, error) {
	v, err := array.Make(args)
	if a, ok := v.(*array.Array); ok {
		a.Dim = eqn.Dim{}
	}
	return v, err
}

// random is rand or randn.
func random(name string) func(*script, starlark.Tuple) (starlark.Value, error) {
	return func(x *script, args starlark.Tuple) (starlark.Value, error) {
		return array.Drawn(name, args, func(v []float64) { x.draw(name, v) })
	}
}

// draw fills an array from the named stream of the place where the script
// calls (design section 3, rule 7).
func (x *script) draw(name string, v []float64) {
	pos := x.here()
	key := name + "\x00" + strings.TrimSpace(x.lineAt(pos))
	visit := x.draws[key]
	x.draws[key]++
	h := fnv.New32a()
	fmt.Fprintf(h, "script\x00%s\x00%d", key, visit)
	s := x.net.Random.Network
	if x.operating > 0 { // while it runs
		s = x.net.SeedValue()
	}
	seed := [2]uint32{uint32(s), uint32(s >> 32)}
	for k := range v {
		u := (float64(philox.Word(uint32(k), 0, 0, h.Sum32(), seed)) + 0.5) / (1 << 32)
		if name == "randn" {
			u = num.NormInv(u)
		}
		v[k] = u
	}
}

// toFloat is float(x): texts as Starlark reads them, pure numbers, one element.
func toFloat(v starlark.Value) (starlark.Value, error) {
	if _, text := v.(starlark.String); !text {
		o, ok, err := array.OperandOf(v)
		if err != nil {
			return nil, err
		}
		if ok && len(o.V) == 1 {
			return starlark.Float(o.V[0]), nil // Brian2: the value in SI units
		}
		return nil, fmt.Errorf("float() takes one number, not %s", array.Describe(v))
	}
	r, err := starlark.Call(new(starlark.Thread), starlark.Universe["float"], starlark.Tuple{v}, nil)
	return r, inner(err)
}

func toInteger(v starlark.Value) (starlark.Value, error) {
	switch v := v.(type) {
	case starlark.Int, starlark.Float, starlark.Bool, starlark.String:
		if s, _ := starlark.AsString(v); len(s) > maxBits/4 { // a digit has less than four bits
			return nil, fmt.Errorf("int() of a text of %d letters: whole numbers have at most %d bits", len(s), maxBits)
		}
		r, err := starlark.Call(new(starlark.Thread), starlark.Universe["int"], starlark.Tuple{v}, nil)
		return r, inner(err)
	}
	o, ok, err := array.OperandOf(v)
	if err != nil {
		return nil, err
	}
	if !ok || len(o.V) != 1 || !o.Dim.IsOne() || !array.Finite(o.V) {
		return nil, fmt.Errorf("int() takes one pure number, not %s", strings.TrimSpace(array.Describe(v)))
	}
	return starlark.NumberToInt(starlark.Float(o.V[0]))
}
