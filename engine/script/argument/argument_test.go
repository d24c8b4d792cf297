package argument_test

import (
	"errors"
	"strings"
	"testing"

	"go.starlark.net/starlark"

	"synfire/engine/script/argument"
)

// TestMatch gives arguments by place and by name, and those that do not match.
func TestMatch(t *testing.T) {
	one, two := starlark.MakeInt(1), starlark.MakeInt(2)
	named := func(name string, v starlark.Value) starlark.Tuple { return starlark.Tuple{starlark.String(name), v} }
	for _, c := range []struct {
		args   starlark.Tuple
		kwargs []starlark.Tuple
		err    string
		name   string // of the argument that the error is about
		index  int
	}{
		{args: starlark.Tuple{one, two}},
		{args: starlark.Tuple{one}, kwargs: []starlark.Tuple{named("dt", two)}},
		{err: "f() needs the argument size"},
		{args: starlark.Tuple{one, two, one}, err: "at most 2 arguments without a name, got 3", index: 2},
		{args: starlark.Tuple{one}, kwargs: []starlark.Tuple{named("size", two)}, err: "given size twice", name: "size", index: -1},
		{args: starlark.Tuple{one}, kwargs: []starlark.Tuple{named("oder", two)}, err: "f() has no argument oder\n  did you mean 'order'?", name: "oder", index: -1},
		{args: starlark.Tuple{one}, kwargs: []starlark.Tuple{named("clock", two)}, err: "Brian2 has clock= of f(); Synfire does not yet\n  use dt=", name: "clock", index: -1},
	} {
		got, err := argument.Match("f", c.args, c.kwargs, "size / order * dt", map[string]string{"f.clock": "use dt="})
		if c.err == "" {
			if err != nil || got.Val["size"] != one || got.Pos["size"] != 0 || got.Has("dt") && (got.Get("dt") != two || got.Pos["dt"] != -1) {
				t.Errorf("%v %v: %v, %v", c.args, c.kwargs, got, err)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), c.err) {
			t.Errorf("%v %v: the error is %v, expected %s", c.args, c.kwargs, err, c.err)
		}
		var e *argument.Error
		if errors.As(err, &e) && (e.Name != c.name || e.Index != c.index) {
			t.Errorf("%v %v: the error is about %q (%d), expected %q (%d)", c.args, c.kwargs, e.Name, e.Index, c.name, c.index)
		}
	}
}
