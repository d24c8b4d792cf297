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

// Match matches arguments with parameters, such as "N model / method * dt". Those
// after "/" may be left out; those after "*" are given by name only. absent are
// "function.argument"s that Brian2 has and Synfire has not, with advice.
func Match(fn string, args starlark.Tuple, kwargs []starlark.Tuple, params string, absent map[string]string) (c Call, err error) {
	c = Call{Fn: fn, Val: map[string]starlark.Value{}, Pos: map[string]int{}}
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
		if _, twice := c.Val[name]; twice {
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
