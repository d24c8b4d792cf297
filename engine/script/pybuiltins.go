package script

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"

	"synfire/engine/script/argument"
	"synfire/engine/script/array"
	"synfire/engine/script/memory"
)

// Here stand the functions and methods of Python that Starlark lacks, or has
// otherwise.

// addPython adds Python's own functions.
func (x *script) addPython(add func(string, func(starlark.Tuple, []starlark.Tuple) (starlark.Value, error))) {
	add("print", x.printValues)
	for _, name := range []string{"exit", "quit"} {
		add(name, func(args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
			return starlark.Call(x.thread, x.exit(name), args, kwargs)
		})
	}
	plain := func(name string, n int, f func(a starlark.Tuple) (starlark.Value, error)) {
		add(name, func(args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
			if len(kwargs) > 0 || len(args) != n {
				return nil, fmt.Errorf("%s() takes %d arguments without a name", name, n)
			}
			return f(args)
		})
	}
	text := func(of func(starlark.Value) string) func(a starlark.Tuple) (starlark.Value, error) {
		return func(a starlark.Tuple) (starlark.Value, error) {
			if err := printables(x, a); err != nil {
				return nil, err
			}
			return starlark.String(of(a[0])), nil
		}
	}
	plain("repr", 1, text(array.Repr))
	add("str", func(args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
		if len(kwargs) > 0 || len(args) > 1 {
			return nil, fmt.Errorf("str() takes one argument")
		}
		if len(args) == 0 {
			return starlark.String(""), nil
		}
		return text(array.Plain)(args)
	})
	add("format", func(args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
		if len(kwargs) > 0 || len(args) < 1 || len(args) > 2 {
			return nil, fmt.Errorf("format() takes a value and a format")
		}
		spec := ""
		if len(args) > 1 {
			spec, _ = starlark.AsString(args[1])
		}
		s, err := array.Format(args[0], "", spec)
		return starlark.String(s), err
	})
	plain("divmod", 2, func(a starlark.Tuple) (starlark.Value, error) {
		q, err := starlark.Binary(syntax.SLASHSLASH, a[0], a[1])
		if err != nil {
			return nil, err
		}
		r, err := starlark.Binary(syntax.PERCENT, a[0], a[1])
		return starlark.Tuple{q, r}, err
	})
	plain("isinstance", 2, func(a starlark.Tuple) (starlark.Value, error) {
		r, err := isInstance(a[0], a[1])
		return starlark.Bool(r), err
	})
	plain("callable", 1, func(a starlark.Tuple) (starlark.Value, error) {
		_, ok := a[0].(starlark.Callable)
		return starlark.Bool(ok), nil
	})
	through := func(name string, keep bool) {
		add(name, func(args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
			if len(kwargs) > 0 || len(args) < 2 || keep && len(args) != 2 {
				return nil, fmt.Errorf("%s() takes a function and what it is called with", name)
			}
			rows, err := starlark.Call(x.thread, x.predeclared["zip"], args[1:], nil)
			if err != nil {
				return nil, inner(err)
			}
			var list []starlark.Value
			for row := range starlark.Elements(rows.(starlark.Iterable)) {
				t := row.(starlark.Tuple)
				v := starlark.Value(t[0])
				if args[0] != starlark.None {
					if v, err = starlark.Call(x.thread, args[0], t, nil); err != nil {
						return nil, err
					}
				}
				if !keep {
					list = append(list, v)
				} else if v.Truth() {
					list = append(list, t[0])
				}
			}
			return starlark.NewList(list), nil
		})
	}
	through("map", false)
	through("filter", true)
	for _, name := range []string{"Exception", "ValueError", "TypeError", "RuntimeError", "NotImplementedError", "KeyError", "IndexError", "AssertionError", "ArithmeticError", "Warning", "FutureWarning", "DeprecationWarning", "RuntimeWarning", "UserWarning"} {
		add(name, func(args starlark.Tuple, _ []starlark.Tuple) (starlark.Value, error) {
			if err := printables(x, args); err != nil {
				return nil, err
			}
			s := name
			for k, a := range args {
				s += []string{": ", ", "}[min(k, 1)] + array.Plain(a)
			}
			return starlark.String(s), nil
		})
	}
}

// printValues is print(values, sep=, end=).
func (x *script) printValues(args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	c, err := argument.Match("print", nil, kwargs, "/ sep end file=None flush=False", nil)
	if err != nil {
		return nil, err
	}
	part := func(name, def string) string {
		v := c.Get(name)
		if v == nil {
			return def
		}
		s, ok := starlark.AsString(v)
		if !ok && err == nil {
			err = &argument.Error{Name: name, Index: -1, Err: fmt.Errorf("%s= must be a text, not %s", name, array.Describe(v))}
		}
		return s
	}
	sep, end := part("sep", " "), part("end", "\n")
	if c.Has("file") {
		return nil, &argument.Error{Name: "file", Index: -1, Err: fmt.Errorf("print() writes to the script's output only")}
	}
	if err == nil {
		err = printables(x, args)
	}
	if err == nil {
		err = memory.RoomFor(float64(len(args)) * float64(len(sep)))
	}
	if err != nil {
		return nil, err
	}
	var b strings.Builder
	for k, a := range args {
		if k > 0 {
			b.WriteString(sep)
		}
		b.WriteString(array.Plain(a))
	}
	b.WriteString(end)
	if x.opt.Stdout != nil {
		if _, err := fmt.Fprint(x.opt.Stdout, b.String()); err != nil {
			return nil, fmt.Errorf("print: the output cannot be written: %w", err)
		}
	}
	return starlark.None, nil
}

// isInstance is isinstance(v, kind): a kind is a function that makes such values,
// or a tuple of them.
func isInstance(v, kind starlark.Value) (bool, error) {
	if t, ok := kind.(starlark.Tuple); ok {
		for _, k := range t {
			if is, err := isInstance(v, k); is || err != nil {
				return is, err
			}
		}
		return false, nil
	}
	f, ok := kind.(*starlark.Builtin)
	if !ok {
		return false, fmt.Errorf("isinstance() takes a type or a tuple of types, not %s", array.Describe(kind))
	}
	of := map[string]string{"string": "str", "NoneType": "None", "Quantity": "Quantity"}[v.Type()]
	if of == "" {
		of = v.Type()
	}
	return of == f.Name() || of == "bool" && f.Name() == "int" || of == "array" && f.Name() == "ndarray", nil
}

// method is a method's work.
type method = func(args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error)

// pythonMethods are the methods of texts, lists and dictionaries that Starlark has
// not, or otherwise; nil for values that have no such method here.
var pythonMethods = map[string]func(x *script, of starlark.Value) method{}

func init() {
	ofText := func(name, params string, f func(s string, c argument.Call) (starlark.Value, error)) {
		pythonMethods[name] = func(_ *script, of starlark.Value) method {
			s, ok := of.(starlark.String)
			if !ok {
				return nil
			}
			return func(args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
				c, err := argument.Match(name, args, kwargs, params, nil)
				if err != nil {
					return nil, err
				}
				return f(string(s), c)
			}
		}
	}
	pad := func(name string, f func(s, fill string, n int) string) {
		ofText(name, "width / fillchar", func(s string, c argument.Call) (starlark.Value, error) {
			n, err := array.ToInt(c.Val["width"])
			if err != nil {
				return nil, fmt.Errorf("width= %w", err)
			}
			if n = max(0, n-utf8.RuneCountInString(s)); n > 1<<20 {
				return nil, fmt.Errorf("width= is too large")
			}
			fill := " "
			if v := c.Get("fillchar"); v != nil {
				if fill, _ = starlark.AsString(v); utf8.RuneCountInString(fill) != 1 {
					return nil, fmt.Errorf("fillchar= is one letter, not %s", array.Describe(v))
				}
			}
			return starlark.String(f(s, fill, n)), nil
		})
	}
	pad("rjust", func(s, fill string, n int) string { return strings.Repeat(fill, n) + s })
	pad("ljust", func(s, fill string, n int) string { return s + strings.Repeat(fill, n) })
	pad("center", func(s, fill string, n int) string { return strings.Repeat(fill, n/2) + s + strings.Repeat(fill, n-n/2) })
	pad("zfill", func(s, _ string, n int) string {
		sign := ""
		if s != "" && (s[0] == '-' || s[0] == '+') {
			sign, s = s[:1], s[1:]
		}
		return sign + strings.Repeat("0", n) + s
	})
	ofText("isnumeric", "", func(s string, _ argument.Call) (starlark.Value, error) {
		return starlark.Bool(s != "" && strings.IndexFunc(s, func(r rune) bool { return !unicode.IsNumber(r) }) < 0), nil
	})
	pythonMethods["format"] = func(x *script, of starlark.Value) method {
		s, ok := of.(starlark.String)
		if !ok {
			return nil
		}
		return func(args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
			r, err := array.Braces(string(s), args, kwargs)
			return starlark.String(r), err
		}
	}
	ofList := func(name, params string, f func(x *script, l *starlark.List, c argument.Call) (starlark.Value, error)) {
		pythonMethods[name] = func(x *script, of starlark.Value) method {
			l, ok := of.(*starlark.List)
			if !ok {
				return nil
			}
			return func(args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
				c, err := argument.Match(name, args, kwargs, params, nil)
				if err != nil {
					return nil, err
				}
				return f(x, l, c)
			}
		}
	}
	refill := func(l *starlark.List, v []starlark.Value) error {
		for k, e := range v {
			if err := l.SetIndex(k, e); err != nil {
				return err
			}
		}
		return nil
	}
	ofList("sort", "/ * key=None reverse=False", func(x *script, l *starlark.List, c argument.Call) (starlark.Value, error) {
		var kwargs []starlark.Tuple
		for _, n := range []string{"key", "reverse"} {
			if v := c.Get(n); v != nil {
				kwargs = append(kwargs, starlark.Tuple{starlark.String(n), v})
			}
		}
		r, err := starlark.Call(x.thread, x.predeclared["sorted"], starlark.Tuple{l}, kwargs)
		if err != nil {
			return nil, inner(err)
		}
		return starlark.None, refill(l, slices.Collect(starlark.Elements(r.(starlark.Iterable))))
	})
	ofList("reverse", "", func(_ *script, l *starlark.List, _ argument.Call) (starlark.Value, error) {
		v := slices.Collect(starlark.Elements(l))
		slices.Reverse(v)
		return starlark.None, refill(l, v)
	})
	ofList("count", "value", func(_ *script, l *starlark.List, c argument.Call) (starlark.Value, error) {
		n := 0
		for e := range starlark.Elements(l) {
			eq, err := array.Compare(syntax.EQL, e, c.Val["value"])
			if err != nil {
				return nil, err
			}
			if eq.Truth() {
				n++
			}
		}
		return starlark.MakeInt(n), nil
	})
	pythonMethods["copy"] = func(x *script, of starlark.Value) method {
		return map[bool]method{true: func(args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
			if len(args)+len(kwargs) > 0 {
				return nil, fmt.Errorf("copy() takes no argument")
			}
			if err := x.collects(starlark.Tuple{of}); err != nil {
				return nil, err
			}
			switch of := of.(type) {
			case *starlark.List:
				return starlark.NewList(slices.Collect(starlark.Elements(of))), nil
			case *starlark.Set:
				s := new(starlark.Set)
				for e := range starlark.Elements(of) {
					if err := s.Insert(e); err != nil {
						return nil, err
					}
				}
				return s, nil
			}
			d := starlark.NewDict(0)
			for _, it := range of.(*starlark.Dict).Items() {
				if err := d.SetKey(it[0], it[1]); err != nil {
					return nil, err
				}
			}
			return d, nil
		}}[copies(of)]
	}
}

func copies(v starlark.Value) bool {
	switch v.(type) {
	case *starlark.List, *starlark.Set, *starlark.Dict:
		return true
	}
	return false
}
