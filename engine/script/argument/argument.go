// Package argument matches the arguments of a call with the parameters of a
// built-in function, and says of which argument an error is, so that the caret of
// a message stands there. Bring a function's parameters to Match; what the
// arguments mean is the function's to say.
package argument

import (
	"fmt"
	"strings"

	"go.starlark.net/starlark"

	"synfire/engine/eqn"
)

// Call is the arguments of one call of a built-in function, by name.
type Call struct {
	Fn  string // the function
	Val map[string]starlark.Value
	Pos map[string]int // from 0; -1 where it was given by name
}

// Param is a parameter of a built-in function.
type Param struct {
	Name     string
	Default  string // in the script language; "" where there is none, or none that can be written down
	Required bool
	Named    bool // it is given by name only
}

// Params reads a list of parameters, such as "N model / method=None * dt". Those after "/" may be left out; those
// after "*" are given by name only. A default is for the reference: the function itself knows what is meant when
// an argument is not there (a test gives each of them as an argument, see TestReference of package script).
func Params(list string) []Param {
	var all []Param
	slash, named := false, false
	for _, p := range strings.Fields(list) {
		switch p {
		case "/":
			slash = true
		case "*":
			named = true
		default:
			name, def, _ := strings.Cut(p, "=")
			all = append(all, Param{Name: name, Default: def, Required: !slash && !named, Named: named})
		}
	}
	return all
}

// Names are those of a list of parameters.
func Names(list string) []string {
	var names []string
	for _, p := range Params(list) {
		names = append(names, p.Name)
	}
	return names
}

// Trace, if set, sees every call before its arguments are matched; it may put values in, which arguments then replace,
// and end the call by an error. A test sets it: to read the parameters of all functions, and to give defaults as arguments.
var Trace func(params []Param, c *Call) error

// Match matches arguments with parameters (see Params). absent are "function.argument"s that Brian2 has and Synfire
// has not, with advice.
func Match(fn string, args starlark.Tuple, kwargs []starlark.Tuple, params string, absent map[string]string) (c Call, err error) {
	c = Call{Fn: fn, Val: map[string]starlark.Value{}, Pos: map[string]int{}}
	all := Params(params)
	var names []string
	required, positional := 0, 0
	for _, p := range all {
		names = append(names, p.Name)
		if p.Required {
			required++
		}
		if !p.Named {
			positional++
		}
	}
	if Trace != nil {
		if err := Trace(all, &c); err != nil {
			return c, err
		}
	}
	if len(args) > positional {
		return c, &Error{Index: positional, Err: fmt.Errorf("%s() takes at most %d arguments without a name, got %d", fn, positional, len(args))}
	}
	for k, a := range args {
		c.Val[names[k]], c.Pos[names[k]] = a, k
	}
	for _, kw := range kwargs {
		name := string(kw[0].(starlark.String))
		known := false
		for _, n := range names {
			known = known || n == name
		}
		if !known {
			return c, Unknown(fn, name, names, absent)
		}
		if _, twice := c.Pos[name]; twice {
			return c, &Error{Name: name, Index: -1, Err: fmt.Errorf("%s() was given %s twice", fn, name)}
		}
		c.Val[name], c.Pos[name] = kw[1], -1
	}
	for _, n := range names[:required] {
		if _, ok := c.Val[n]; !ok {
			return c, fmt.Errorf("%s() needs the argument %s", fn, n)
		}
	}
	return c, nil
}

// Unknown is the error for an argument that a function does not have, whose
// own are names.
func Unknown(fn, name string, names []string, absent map[string]string) error {
	e := &eqn.Error{Msg: fmt.Sprintf("%s() has no argument %s", fn, name), Hint: eqn.Nearest(name, names)}
	if h, ok := absent[fn+"."+name]; ok {
		e.Msg, e.Hint, e.Class = fmt.Sprintf("Brian2 has %s= of %s(); Synfire does not yet", name, fn), h, eqn.Unsupported
	}
	return &Error{Name: name, Index: -1, Err: e}
}

// Get is an argument, nil where it is absent or None.
func (c Call) Get(name string) starlark.Value {
	v := c.Val[name]
	if v == starlark.None {
		return nil
	}
	return v
}

// Has says that an argument is there and not None.
func (c Call) Has(name string) bool { return c.Get(name) != nil }

// Error is an error about one argument of a call: the caret stands there.
type Error struct {
	Name  string // its keyword
	Index int    // its position, from 0, if it was not given by keyword
	Err   error
}

func (e *Error) Error() string { return e.Err.Error() }
func (e *Error) Unwrap() error { return e.Err }
