package script

import (
	"fmt"
	"regexp"
	"strings"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"

	"synfire/engine"
	"synfire/engine/eqn"
	"synfire/engine/script/argument"
	"synfire/engine/script/array"
)

// checked is a function under check_units: equations can call it if it is one
// expression, and calls from the script are held to its units.
type checked struct {
	opaque
	f       *starlark.Function
	units   []*eqn.Dim // of the parameters and then of the value; nil: any
	formula *engine.Formula
	why     error // why equations cannot call it
}

func (c *checked) String() string { return c.f.String() }
func (c *checked) Type() string   { return "function" }
func (c *checked) Name() string   { return c.f.Name() }

func (c *checked) CallInternal(th *starlark.Thread, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	hold := func(v starlark.Value, k int, what string) error {
		if k < 0 || c.units[k] == nil {
			return nil
		}
		o, ok, err := array.OperandOf(v)
		if err != nil || !ok {
			return err
		}
		if o.Dim != *c.units[k] && !o.Wild() {
			return eqn.As(eqn.Dimension, fmt.Errorf("%s of %s() is in %s, not %s", what, c.f.Name(), array.UnitName(*c.units[k]), o.Show()))
		}
		return nil
	}
	for k, a := range args {
		if k < c.f.NumParams() {
			name, _ := c.f.Param(k)
			if err := hold(a, k, name); err != nil {
				return nil, &argument.Error{Index: k, Err: err}
			}
		}
	}
	for _, kw := range kwargs {
		name, _ := starlark.AsString(kw[0])
		for k := range c.f.NumParams() {
			if p, _ := c.f.Param(k); p == name {
				if err := hold(kw[1], k, name); err != nil {
					return nil, &argument.Error{Name: name, Index: -1, Err: err}
				}
			}
		}
	}
	v, err := starlark.Call(th, c.f, args, kwargs)
	if err != nil {
		return nil, err
	}
	return v, hold(v, c.f.NumParams(), "the value")
}

// checkUnits is check_units(x=volt, result=1), which is called with the function.
func checkUnits(x *script, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	if len(args) > 0 {
		return nil, fmt.Errorf("check_units() takes the units by name: check_units(v=volt, result=1)")
	}
	units := map[string]*eqn.Dim{}
	for _, kw := range kwargs {
		name, _ := starlark.AsString(kw[0])
		o, ok, err := array.OperandOf(kw[1])
		switch {
		case err != nil:
			return nil, err
		case ok && o.Kind != array.Bools:
			units[name] = &o.Dim
		case kw[1] == starlark.None || ok:
			units[name] = nil
		default:
			return nil, &argument.Error{Name: name, Index: -1, Err: fmt.Errorf("%s= must be a unit, 1, bool or None, not %s", name, array.Describe(kw[1]))}
		}
	}
	return starlark.NewBuiltin("check_units(...)", func(_ *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, _ []starlark.Tuple) (starlark.Value, error) {
		if len(args) != 1 {
			return nil, fmt.Errorf("check_units(...)(f) takes the function")
		}
		f, ok := args[0].(*starlark.Function)
		if !ok {
			return nil, fmt.Errorf("check_units(...)(f) takes a function, not %s", array.Describe(args[0]))
		}
		c := &checked{f: f}
		var params []string
		for k := range f.NumParams() {
			p, _ := f.Param(k)
			params = append(params, p)
			c.units = append(c.units, units[p])
			delete(units, p)
		}
		c.units = append(c.units, units["result"])
		delete(units, "result")
		for n := range units {
			return nil, fmt.Errorf("%s() has no parameter %s; %s", f.Name(), n, eqn.Nearest(n, params))
		}
		c.formula, c.why = x.formulaOf(f, params, c.units)
		return c, nil
	}), nil
}

// decorated is implementation(...) and declare_types(...), which are called with the function: what they say of other
// languages has no use here, where the function itself is what equations call.
func decorated(name string) starlark.Value {
	return starlark.NewBuiltin(name+"(...)", func(_ *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
		if len(args) != 1 || len(kwargs) > 0 {
			return nil, fmt.Errorf("%s(...)(f) takes the function", name)
		}
		if _, ok := args[0].(starlark.Callable); !ok {
			return nil, fmt.Errorf("%s(...)(f) takes a function, not %s", name, array.Describe(args[0]))
		}
		return args[0], nil
	})
}

// function is Function(f, arg_units=[volt, 1], return_unit=volt): check_units() with the units in order.
func (x *script) function(args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	c, err := argument.Match("Function", args, kwargs, "pyfunc / arg_units arg_names return_unit arg_types return_type stateless=True auto_vectorise=False", nil)
	if err != nil {
		return nil, err
	}
	f, ok := c.Val["pyfunc"].(*starlark.Function)
	if !ok {
		return nil, &argument.Error{Name: "pyfunc", Index: 0, Err: fmt.Errorf("Function() takes a function of the script, not %s", array.Describe(c.Val["pyfunc"]))}
	}
	var units []starlark.Tuple
	if v := c.Get("arg_units"); v != nil {
		l, ok := v.(starlark.Sequence)
		if !ok || l.Len() != f.NumParams() {
			return nil, &argument.Error{Name: "arg_units", Index: -1, Err: fmt.Errorf("arg_units= is a list of %d units, one for each argument of %s(), not %s", f.NumParams(), f.Name(), array.Describe(v))}
		}
		for u := range starlark.Elements(l) {
			p, _ := f.Param(len(units))
			units = append(units, starlark.Tuple{starlark.String(p), u})
		}
	}
	if v := c.Get("return_unit"); v != nil {
		if _, follows := v.(starlark.Callable); !follows {
			units = append(units, starlark.Tuple{starlark.String("result"), v})
		}
	}
	check, err := checkUnits(x, nil, units)
	if err != nil {
		return nil, err
	}
	r, err := starlark.Call(x.thread, check, starlark.Tuple{f}, nil)
	return r, inner(err)
}

var modulePrefix = regexp.MustCompile(`\b(?:np|numpy|math)\.`)

// formulaOf reads a function that is one expression as equations do.
func (x *script) formulaOf(f *starlark.Function, params []string, units []*eqn.Dim) (*engine.Formula, error) {
	at := f.Position()
	s := x.sources[at.Filename()]
	var def *syntax.DefStmt
	if s != nil && s.tree != nil {
		syntax.Walk(s.tree, func(n syntax.Node) bool {
			if d, ok := n.(*syntax.DefStmt); ok && d.Name.Name == f.Name() && (placeOf(d.Def) == placeOf(at) || placeOf(d.Name.NamePos) == placeOf(at)) {
				def = d
			}
			return def == nil
		})
	}
	if def == nil || f.HasVarargs() || f.HasKwargs() {
		return nil, fmt.Errorf("is a function that equations cannot call: one of a fixed number of arguments was expected")
	}
	body := def.Body
	if e, ok := body[0].(*syntax.ExprStmt); ok && len(body) > 1 {
		if l, ok := e.X.(*syntax.Literal); ok && l.Token == syntax.STRING {
			body = body[1:]
		}
	}
	r, ok := body[0].(*syntax.ReturnStmt)
	if !ok || len(body) > 1 || r.Result == nil {
		return nil, fmt.Errorf("is a function of several statements, which equations cannot call: def %s(...): return one expression", f.Name())
	}
	text := s.returns[r]
	src := modulePrefix.ReplaceAllStringFunc(text.Text, func(m string) string { return strings.Repeat(" ", len(m)) })
	return engine.NewFormula(params, eqn.Source{File: s.name, Text: src, Line: text.Line, Col: text.Col}, units)
}
