package script

import (
	"fmt"
	"runtime"

	"go.starlark.net/starlark"

	"synfire/engine/script/argument"
	"synfire/engine/script/array"
)

// Here stand Python's ways to call a function in several processes, multiprocessing and joblib. The calls are made one after another: a run itself
// uses all processors.

// pool is multiprocessing.Pool().
type pool struct {
	opaque
	x *script
}

func (p *pool) String() string { return "<Pool>" }
func (p *pool) Type() string   { return "Pool" }
func (p *pool) AttrNames() []string {
	return []string{"apply", "close", "imap", "imap_unordered", "join", "map", "starmap", "terminate"}
}

func (p *pool) Attr(name string) (starlark.Value, error) {
	switch name {
	case "map", "imap", "imap_unordered", "starmap":
		return fn(name, "func iterable / chunksize", func(c argument.Call) (starlark.Value, error) {
			return p.x.calls(c.Val["func"], c.Val["iterable"], name == "starmap", nil)
		}), nil
	case "apply":
		return fn(name, "func / args kwds", func(c argument.Call) (starlark.Value, error) {
			var named []starlark.Tuple
			if d, ok := c.Get("kwds").(*starlark.Dict); ok {
				named = d.Items()
			} else if c.Has("kwds") {
				return nil, fmt.Errorf("apply(kwds=) takes a dictionary, not %s", array.Describe(c.Val["kwds"]))
			}
			for _, item := range named {
				if _, ok := item[0].(starlark.String); !ok {
					return nil, fmt.Errorf("apply(kwds=) takes names of arguments, not %s", array.Describe(item[0]))
				}
			}
			l, err := p.x.calls(c.Val["func"], starlark.Tuple{orEmpty(c.Get("args"))}, true, named)
			if err != nil {
				return nil, err
			}
			return l.Index(0), nil
		}), nil
	case "close", "join", "terminate":
		return accepted(p, name), nil
	}
	return nil, nil
}

func orEmpty(v starlark.Value) starlark.Value {
	if v == nil {
		return starlark.Tuple{}
	}
	return v
}

// calls calls f with each element, or with the elements of each, and what is named, and lists what it returns.
func (x *script) calls(f, of starlark.Value, spread bool, named []starlark.Tuple) (*starlark.List, error) {
	l, err := x.collected(each(of))
	if err != nil {
		return nil, err
	}
	r := make([]starlark.Value, 0, l.Len())
	for _, e := range elementsOf(l) {
		args := starlark.Tuple{e}
		if spread {
			parts, err := x.collected(e)
			if err != nil {
				return nil, err
			}
			args = elementsOf(parts)
		}
		v, err := starlark.Call(x.thread, f, args, named)
		if err != nil {
			return nil, err
		}
		r = append(r, v)
	}
	return starlark.NewList(r), nil
}

func (x *script) multiprocessing() starlark.StringDict {
	return starlark.StringDict{
		"Pool": fn("Pool", "/ processes initializer initargs maxtasksperchild", func(c argument.Call) (starlark.Value, error) {
			if c.Has("initializer") {
				return nil, withHint("call it in the function itself", "Pool(initializer=) is not available here")
			}
			return &pool{x: x}, nil
		}),
		"cpu_count":        fn("cpu_count", "", func(argument.Call) (starlark.Value, error) { return starlark.MakeInt(runtime.NumCPU()), nil }),
		"set_start_method": accepted(starlark.None, "set_start_method"),
		"freeze_support":   accepted(starlark.None, "freeze_support"),
	}
}

// task is joblib's delayed(f)(x, ...): a call that is not made yet.
type task struct {
	opaque
	f      starlark.Value
	args   starlark.Tuple
	kwargs []starlark.Tuple
}

func (t *task) String() string { return "<delayed call>" }
func (t *task) Type() string   { return "delayed" }

func (x *script) joblib() starlark.StringDict {
	return starlark.StringDict{
		"cpu_count": fn("cpu_count", "", func(argument.Call) (starlark.Value, error) { return starlark.MakeInt(runtime.NumCPU()), nil }),
		"delayed": fn("delayed", "function", func(c argument.Call) (starlark.Value, error) {
			f := c.Val["function"]
			return starlark.NewBuiltin("delayed", func(_ *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
				return &task{f: f, args: args, kwargs: kwargs}, nil
			}), nil
		}),
		"Parallel": starlark.NewBuiltin("Parallel", func(*starlark.Thread, *starlark.Builtin, starlark.Tuple, []starlark.Tuple) (starlark.Value, error) {
			return fn("Parallel", "iterable", func(c argument.Call) (starlark.Value, error) {
				l, err := x.collected(c.Val["iterable"])
				if err != nil {
					return nil, err
				}
				var r []starlark.Value
				for _, e := range elementsOf(l) {
					t, ok := e.(*task)
					if !ok {
						return nil, withHint("Parallel(n_jobs=4)([delayed(f)(x) for x in values])", "Parallel() takes calls of delayed(f), not %s", array.Describe(e))
					}
					v, err := starlark.Call(x.thread, t.f, t.args, t.kwargs)
					if err != nil {
						return nil, err
					}
					r = append(r, v)
				}
				return starlark.NewList(r), nil
			}), nil
		}),
	}
}

// entered is what stands behind with: something that needs nothing done at the end of its block.
func (x *script) entered(v starlark.Value) (starlark.Value, error) {
	switch v := v.(type) {
	case *pool, starlark.NoneType: // None: of what is accepted, such as warnings.catch_warnings()
		return v, nil
	}
	return nil, withHint("call it, and write what stands inside behind it", "with takes a Pool here, not %s", array.Describe(v))
}

// operatorModule is Python's operator: signs as functions.
func operatorModule() starlark.StringDict {
	r := starlark.StringDict{}
	for name, op := range map[string]string{"add": "+", "sub": "-", "mul": "*", "truediv": "/", "floordiv": "//", "mod": "%", "and_": "&", "or_": "|", "xor": "^"} {
		r[name] = fn(name, "a b", func(c argument.Call) (starlark.Value, error) {
			return starlark.Binary(signs[op], c.Val["a"], c.Val["b"])
		})
	}
	for name, op := range map[string]string{"lt": "<", "le": "<=", "gt": ">", "ge": ">=", "eq": "==", "ne": "!="} {
		r[name] = fn(name, "a b", func(c argument.Call) (starlark.Value, error) {
			return array.Compare(operators[op], c.Val["a"], c.Val["b"])
		})
	}
	r["pow"] = fn("pow", "a b", func(c argument.Call) (starlark.Value, error) { return array.Power(c.Val["a"], c.Val["b"]) })
	r["neg"] = fn("neg", "a", func(c argument.Call) (starlark.Value, error) { return starlark.Unary(signs["-"], c.Val["a"]) })
	r["itemgetter"] = fn("itemgetter", "item", func(c argument.Call) (starlark.Value, error) {
		return fn("itemgetter", "of", func(of argument.Call) (starlark.Value, error) {
			return element(of.Val["of"], c.Val["item"])
		}), nil
	})
	return r
}
