package script

import (
	"fmt"
	"slices"
	"strings"

	"go.starlark.net/starlark"

	"synfire/engine/script/array"
	"synfire/engine/script/memory"
)

// Starlark's own functions and methods make lists and texts of any size in one
// step, and follow values however deep they are. Here stands what each is asked
// before it is called.

// guards check the arguments of Starlark's own functions.
var guards = map[string]func(x *script, args starlark.Tuple) error{
	"list": (*script).collects, "tuple": (*script).collects, "set": (*script).collects, "dict": (*script).collects, "sorted": (*script).collects,
	"reversed": (*script).collects, "enumerate": (*script).collects, "zip": (*script).collects, "bytes": (*script).collects,
	"fail": printables,
}

// ofLetters are those that take a text for its letters, as Python does.
var ofLetters = map[string]bool{"list": true, "tuple": true, "set": true, "sorted": true, "reversed": true, "enumerate": true, "zip": true}

// visits counts the elements of the arguments as steps of the script, as a loop
// over them would be, though at less each.
func (x *script) visits(args starlark.Tuple) error {
	for _, a := range args {
		n, _ := elements(a)
		if x.thread.Steps += uint64(n) / 64; x.thread.Steps >= x.opt.maxOps() {
			return fmt.Errorf("too many steps")
		}
	}
	return nil
}

// collects asks for room for all elements of the arguments.
func (x *script) collects(args starlark.Tuple) error {
	for _, a := range args {
		if n, each := elements(a); n > 0 {
			if err := memory.Room(n, max(each, 48)); err != nil {
				return err
			}
		}
	}
	return x.visits(args)
}

// guarded are Starlark's own functions behind their guards.
func (x *script) guarded(add func(string, *starlark.Builtin)) {
	for name, guard := range guards {
		of := starlark.Universe[name]
		add(name, starlark.NewBuiltin(name, func(th *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
			if err := guard(x, args); err != nil {
				return nil, err
			}
			if ofLetters[name] {
				args = slices.Clone(args)
				for k, a := range args {
					args[k] = each(a)
				}
			}
			v, err := starlark.Call(th, of, args, kwargs)
			return v, inner(err)
		}))
	}
	add("setattr", starlark.NewBuiltin("setattr", func(_ *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
		if len(kwargs) > 0 || len(args) != 3 {
			return nil, fmt.Errorf("setattr() takes an object, a name and a value")
		}
		name, ok := starlark.AsString(args[1])
		of, has := args[0].(starlark.HasSetField)
		switch {
		case !ok:
			return nil, fmt.Errorf("setattr() takes the name as a text, not %s", array.Describe(args[1]))
		case !has:
			return nil, fmt.Errorf("a %s takes no .%s", args[0].Type(), name)
		}
		return starlark.None, of.SetField(name, args[2])
	}))
	add("getattr", starlark.NewBuiltin("getattr", func(th *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
		if len(args) > 1 {
			if name, ok := starlark.AsString(args[1]); ok && ours(name) {
				if m := x.guardedMethod(args[0], name); m != nil {
					return m, nil
				}
			}
		}
		v, err := starlark.Call(th, starlark.Universe["getattr"], args, kwargs)
		return v, inner(err)
	}))
}

// inner is the error of a function that a guard has called, without the call.
func inner(err error) error {
	if e, ok := err.(*starlark.EvalError); ok {
		if c := e.Unwrap(); c != nil {
			return c
		}
	}
	return err
}

// each is what a loop goes through: of a text its letters.
func each(v starlark.Value) starlark.Value {
	s, ok := v.(starlark.String)
	if !ok {
		return v
	}
	letters := make(starlark.Tuple, 0, len(s))
	for _, r := range string(s) {
		letters = append(letters, starlark.String(string(r)))
	}
	return letters
}

// growing are the methods of texts, lists, dictionaries and sets whose result may be large: what each needs.
var growing = map[string]func(x *script, of starlark.Value, args starlark.Tuple) error{
	"upper": copied, "lower": copied, "title": copied, "capitalize": copied, "union": added, "update": added, "extend": added,
	"symmetric_difference": added, "difference": added, "intersection": added, "issubset": added, "issuperset": added,
	"items": listed, "keys": listed, "values": listed,
	"split": parted, "rsplit": parted, "splitlines": parted, "join": joined, "replace": replaced,
}

// ours says that a method of that name may be one of ours in place of Starlark's.
func ours(name string) bool { return growing[name] != nil || pythonMethods[name] != nil }

// methodOf is v.name for such a name.
func (x *script) methodOf(v starlark.Value, name string) (starlark.Value, error) {
	if m := x.guardedMethod(v, name); m != nil {
		return m, nil
	}
	if h, ok := v.(starlark.HasAttrs); ok {
		if m, err := h.Attr(name); m != nil || err != nil {
			return m, err
		}
	}
	return nil, fmt.Errorf("%s has no .%s field or method", v.Type(), name)
}

// guardedMethod is a method of Starlark's own values behind its guard; nil for others.
func (x *script) guardedMethod(v starlark.Value, name string) starlark.Value {
	switch v.(type) {
	case starlark.String, starlark.Bytes, *starlark.List, *starlark.Dict, *starlark.Set:
	default:
		return nil
	}
	if m := pythonMethods[name]; m != nil {
		if f := m(x, v); f != nil {
			return starlark.NewBuiltin(name, func(_ *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
				return f(args, kwargs)
			}).BindReceiver(v)
		}
	}
	if growing[name] == nil {
		return nil
	}
	of, err := v.(starlark.HasAttrs).Attr(name)
	if of == nil || err != nil {
		return nil
	}
	return starlark.NewBuiltin(name, func(th *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
		for _, kw := range kwargs { // format(name=...)
			args = append(args[:len(args):len(args)], kw[1])
		}
		if err := growing[name](x, v, args); err != nil {
			return nil, err
		}
		r, err := starlark.Call(th, of, args[:len(args)-len(kwargs)], kwargs)
		return r, inner(err)
	}).BindReceiver(v)
}

func copied(_ *script, of starlark.Value, _ starlark.Tuple) error {
	n, _ := elements(of)
	return memory.Room(n, 3) // a letter may become longer
}

func listed(_ *script, of starlark.Value, _ starlark.Tuple) error {
	n, _ := elements(of)
	return memory.Room(n, 72)
}

func added(x *script, of starlark.Value, args starlark.Tuple) error {
	if _, list := of.(*starlark.List); !list {
		args = append(starlark.Tuple{of}, args...) // sets are copied
	}
	return x.collects(args)
}

// parted is text.split(separator): at most one part at each separator.
func parted(_ *script, of starlark.Value, args starlark.Tuple) error {
	text, _ := starlark.AsString(of)
	n := 0
	if sep := ""; len(args) > 0 {
		if sep, _ = starlark.AsString(args[0]); sep != "" {
			n = strings.Count(text, sep)
		}
	}
	if n == 0 {
		n = strings.Count(text, " ") + strings.Count(text, "\n") + strings.Count(text, "\t") + strings.Count(text, "\r")
	}
	return memory.Room(n+1, 48)
}

// joined is separator.join(texts).
func joined(_ *script, of starlark.Value, args starlark.Tuple) error {
	sep, _ := starlark.AsString(of)
	if len(args) != 1 {
		return nil
	}
	seq, ok := args[0].(starlark.Iterable)
	if !ok {
		return nil
	}
	it := seq.Iterate()
	defer it.Done()
	var e starlark.Value
	n := 0.0
	for it.Next(&e) {
		s, ok := starlark.AsString(e)
		if !ok {
			return nil // Starlark tells
		}
		n += float64(len(sep) + len(s))
	}
	return memory.RoomFor(n)
}

// replaced is text.replace(old, new).
func replaced(_ *script, of starlark.Value, args starlark.Tuple) error {
	text, _ := starlark.AsString(of)
	if len(args) < 2 {
		return nil
	}
	old, _ := starlark.AsString(args[0])
	by, _ := starlark.AsString(args[1])
	return memory.RoomFor(float64(len(text)) + float64(strings.Count(text, old))*float64(len(by)))
}

// printables fails if the text of an argument is too large.
func printables(_ *script, args starlark.Tuple) error {
	n := 0
	for _, a := range args {
		k, err := array.TextSize(a)
		if err != nil {
			return err
		}
		n += k
	}
	return memory.Room(n, 2)
}
