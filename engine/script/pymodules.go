package script

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"

	"synfire/engine/script/argument"
	"synfire/engine/script/array"
)

// Here stand Python's modules time, math, os and random, as far as scripts of
// models use them.

// fn is a function with arguments by name, for a module.
func fn(name, params string, f func(c argument.Call) (starlark.Value, error)) *starlark.Builtin {
	return starlark.NewBuiltin(name, func(_ *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
		c, err := argument.Match(name, args, kwargs, params, nil)
		if err != nil {
			return nil, err
		}
		return f(c)
	})
}

// timeModule is time: it tells how long something takes, and nothing of a model.
func timeModule() starlark.StringDict {
	begin := time.Now()
	d := starlark.StringDict{
		"time": fn("time", "", func(argument.Call) (starlark.Value, error) {
			return starlark.Float(float64(time.Now().UnixNano()) / 1e9), nil
		}),
	}
	for _, n := range []string{"perf_counter", "process_time", "monotonic", "clock"} {
		d[n] = fn(n, "", func(argument.Call) (starlark.Value, error) { return starlark.Float(time.Since(begin).Seconds()), nil })
	}
	d["ctime"] = fn("ctime", "", func(argument.Call) (starlark.Value, error) {
		return starlark.String(time.Now().Format(time.ANSIC)), nil
	})
	d["sleep"] = accepted(starlark.None, "sleep")
	return d
}

// sysModule is sys: what a script asks about how it was started, and its end.
func (x *script) sysModule() starlark.StringDict {
	out := &pymodule{name: "sys.stdout", members: starlark.StringDict{"flush": accepted(starlark.None, "flush"), "write": fn("write", "text", func(c argument.Call) (starlark.Value, error) {
		s, ok := starlark.AsString(c.Val["text"])
		if !ok {
			return nil, fmt.Errorf("write() takes a text, not %s", array.Describe(c.Val["text"]))
		}
		_, err := x.printValues(starlark.Tuple{starlark.String(s)}, []starlark.Tuple{{starlark.String("end"), starlark.String("")}})
		return starlark.MakeInt(utf8.RuneCountInString(s)), err
	})}}
	return starlark.StringDict{"argv": starlark.NewList([]starlark.Value{starlark.String(x.opt.File)}), "path": starlark.NewList([]starlark.Value{starlark.String(x.dir)}),
		"exit": x.exit("exit"), "stdout": out, "platform": starlark.String(runtime.GOOS), "maxsize": starlark.MakeInt64(math.MaxInt64), "version": starlark.String("3.12 (Synfire)"),
		"version_info": starlark.Tuple{starlark.MakeInt(3), starlark.MakeInt(12), starlark.MakeInt(0)}, "byteorder": starlark.String("little")}
}

// errExit ends a script at its own wish.
var errExit = errors.New("exit()")

// exit is exit(): the script's end, an error where it has something to say or another number than 0.
func (x *script) exit(name string) *starlark.Builtin {
	return fn(name, "/ status", func(c argument.Call) (starlark.Value, error) {
		switch v := c.Get("status").(type) {
		case nil:
		case starlark.String:
			return nil, errors.New(string(v))
		default:
			if n, err := array.ToInt(v); err != nil || n != 0 {
				return nil, fmt.Errorf("the script ends with status %s", array.Plain(v))
			}
		}
		return nil, errExit
	})
}

// copyModule is copy, of lists, tuples, dictionaries and arrays.
func copyModule(x *script) starlark.StringDict {
	shallow := func(v starlark.Value) (starlark.Value, error) {
		if !isArray(v) && !copies(v) {
			return v, nil
		}
		m, err := x.methodOf(v, "copy")
		if err != nil {
			return nil, err
		}
		return starlark.Call(x.thread, m, nil, nil)
	}
	var deep func(v starlark.Value, down int) (starlark.Value, error)
	deep = func(v starlark.Value, down int) (starlark.Value, error) {
		if down > maxDepth {
			return nil, fmt.Errorf("deepcopy(): lists in lists, more than %d deep", maxDepth)
		}
		c, err := shallow(v)
		switch c := c.(type) {
		case starlark.Tuple:
			own := slices.Clone(c)
			for k := 0; k < len(own) && err == nil; k++ {
				own[k], err = deep(c[k], down+1)
			}
			return own, err
		case *starlark.List:
			for k := 0; k < c.Len() && err == nil; k++ {
				var e starlark.Value
				if e, err = deep(c.Index(k), down+1); err == nil {
					err = c.SetIndex(k, e)
				}
			}
		case *starlark.Dict:
			for _, it := range c.Items() {
				var e starlark.Value
				if e, err = deep(it[1], down+1); err != nil {
					break
				}
				err = c.SetKey(it[0], e)
			}
		}
		return c, err
	}
	return starlark.StringDict{
		"copy":     fn("copy", "x", func(c argument.Call) (starlark.Value, error) { return shallow(c.Val["x"]) }),
		"deepcopy": fn("deepcopy", "x", func(c argument.Call) (starlark.Value, error) { return deep(c.Val["x"], 0) }),
	}
}

// mathModule is math: the functions of numbers that the language has, under
// Python's names.
func mathModule(d starlark.StringDict) starlark.StringDict {
	r := starlark.StringDict{"pi": d["pi"], "e": d["e"], "inf": d["inf"], "nan": d["nan"], "tau": starlark.Float(2 * math.Pi),
		"asin": d["arcsin"], "acos": d["arccos"], "atan": d["arctan"], "pow": d["pow"], "fabs": d["abs"], "sqrt": d["sqrt"]}
	for n := range array.Pure {
		r[n] = d[n]
	}
	for name, f := range map[string]func(float64) float64{"floor": math.Floor, "ceil": math.Ceil, "trunc": math.Trunc} {
		r[name] = fn(name, "x", func(c argument.Call) (starlark.Value, error) {
			x, err := number(c, "x")
			if err != nil {
				return nil, err
			}
			return starlark.NumberToInt(starlark.Float(f(x)))
		})
	}
	for name, f := range map[string]func(float64) bool{"isnan": math.IsNaN, "isinf": func(x float64) bool { return math.IsInf(x, 0) }} {
		r[name] = fn(name, "x", func(c argument.Call) (starlark.Value, error) {
			o, ok, err := array.OperandOf(c.Val["x"])
			if err != nil || !ok || !o.One {
				return nil, fmt.Errorf("%s() takes one number, not %s", name, array.Describe(c.Val["x"]))
			}
			return starlark.Bool(f(o.V[0])), nil
		})
	}
	return r
}

// number is an argument that is one pure number.
func number(c argument.Call, name string) (float64, error) {
	o, ok, err := array.OperandOf(c.Val[name])
	if err == nil && (!ok || !o.One || !o.Dim.IsOne()) {
		err = fmt.Errorf("%s= must be one pure number, not %s", name, array.Describe(c.Val[name]))
	}
	if err != nil {
		index, given := c.Pos[name]
		if !given {
			index = -1
		}
		return 0, &argument.Error{Name: name, Index: index, Err: err}
	}
	return o.V[0], nil
}

// osModule is os: names of files, and whether there are any in the script's folder.
func (x *script) osModule() (os_, path_ starlark.StringDict) {
	texts := func(name string, n int, f func(s []string) (starlark.Value, error)) *starlark.Builtin {
		return starlark.NewBuiltin(name, func(_ *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
			if len(kwargs) > 0 || n >= 0 && len(args) != n || len(args) == 0 && n != 0 {
				return nil, fmt.Errorf("%s() takes %d texts", name, max(n, 1))
			}
			s := make([]string, len(args))
			for k, a := range args {
				var ok bool
				if s[k], ok = starlark.AsString(a); !ok {
					return nil, &argument.Error{Index: k, Err: fmt.Errorf("%s() takes texts, not %s", name, array.Describe(a))}
				}
			}
			return f(s)
		})
	}
	text := func(name string, f func(string) string) *starlark.Builtin {
		return texts(name, 1, func(s []string) (starlark.Value, error) { return starlark.String(f(s[0])), nil })
	}
	is := func(name string, f func(os.FileInfo) bool) *starlark.Builtin {
		return texts(name, 1, func(s []string) (starlark.Value, error) {
			root, err := os.OpenRoot(x.dir)
			if err != nil {
				return starlark.False, nil
			}
			defer root.Close()
			if rel, err := filepath.Rel(x.dir, s[0]); err == nil && filepath.IsAbs(s[0]) == filepath.IsAbs(x.dir) && filepath.IsAbs(s[0]) {
				s[0] = rel
			}
			st, err := root.Stat(s[0])
			return starlark.Bool(err == nil && f(st)), nil
		})
	}
	path_ = starlark.StringDict{
		"join": texts("join", -1, func(s []string) (starlark.Value, error) {
			r := s[0]
			for _, p := range s[1:] {
				switch {
				case strings.HasPrefix(p, "/") || r == "":
					r = p
				case strings.HasSuffix(r, "/"):
					r += p
				default:
					r += "/" + p
				}
			}
			return starlark.String(r), nil
		}),
		"basename": text("basename", func(s string) string { return s[strings.LastIndexByte(s, '/')+1:] }),
		"dirname": text("dirname", func(s string) string {
			if k := strings.LastIndexByte(s, '/'); k > 0 {
				return s[:k]
			} else if k == 0 {
				return "/"
			}
			return ""
		}),
		"normpath": text("normpath", path.Clean),
		"expanduser": text("expanduser", func(s string) string {
			if home, err := os.UserHomeDir(); err == nil && (s == "~" || strings.HasPrefix(s, "~/")) {
				return home + s[1:]
			}
			return s
		}),
		"abspath": text("abspath", func(s string) string {
			if abs, err := filepath.Abs(s); err == nil {
				return abs
			}
			return s
		}),
		"splitext": texts("splitext", 1, func(s []string) (starlark.Value, error) {
			e := path.Ext(s[0])
			return starlark.Tuple{starlark.String(strings.TrimSuffix(s[0], e)), starlark.String(e)}, nil
		}),
		"exists": is("exists", func(os.FileInfo) bool { return true }),
		"isfile": is("isfile", func(st os.FileInfo) bool { return st.Mode().IsRegular() }),
		"isdir":  is("isdir", func(st os.FileInfo) bool { return st.IsDir() }),
		"sep":    starlark.String("/"),
	}
	path_["realpath"] = path_["abspath"]
	return starlark.StringDict{"sep": starlark.String("/"), "getpid": texts("getpid", 0, func([]string) (starlark.Value, error) { return starlark.MakeInt(os.Getpid()), nil }),
		"cpu_count": texts("cpu_count", 0, func([]string) (starlark.Value, error) { return starlark.MakeInt(runtime.NumCPU()), nil }), "linesep": starlark.String("\n"), "makedirs": accepted(starlark.None, "makedirs"), "mkdir": accepted(starlark.None, "mkdir"), "getcwd": texts("getcwd", 0, func([]string) (starlark.Value, error) {
			dir, err := os.Getwd()
			return starlark.String(dir), err
		})}, path_
}

// randomModule is Python's random: numbers of the script's streams, one by one.
func (x *script) randomModule(d starlark.StringDict) starlark.StringDict {
	one := func(name string) float64 {
		v := []float64{0}
		x.draw(name, v)
		return v[0]
	}
	binary := func(op syntax.Token, a, b starlark.Value) starlark.Value {
		r, err := starlark.Binary(op, a, b)
		if err != nil {
			return nil
		}
		return r
	}
	below := func(name string, n int) int { return min(n-1, int(one(name)*float64(n))) }
	between := func(name string, lo, hi int) (starlark.Value, error) { // hi included
		if hi < lo {
			return nil, fmt.Errorf("%s(): there is no number from %d to %d", name, lo, hi)
		}
		return starlark.MakeInt(lo + below(name, hi-lo+1)), nil
	}
	list := func(name string, v starlark.Value) ([]starlark.Value, error) {
		l, err := x.collected(each(v))
		if err != nil {
			return nil, err
		}
		if l.Len() == 0 {
			return nil, fmt.Errorf("%s() of nothing", name)
		}
		return elementsOf(l), nil
	}
	mix := func(name string, v []starlark.Value) {
		for k := len(v) - 1; k > 0; k-- {
			j := below(name, k+1)
			v[k], v[j] = v[j], v[k]
		}
	}
	whole := func(c argument.Call, name string) (int, error) { return array.ToInt(c.Val[name]) }
	return starlark.StringDict{
		"seed":   d["seed"],
		"random": fn("random", "", func(argument.Call) (starlark.Value, error) { return starlark.Float(one("random")), nil }),
		"uniform": fn("uniform", "a b", func(c argument.Call) (starlark.Value, error) {
			u := starlark.Float(one("uniform"))
			r := binary(syntax.MINUS, c.Val["b"], c.Val["a"])
			if r != nil {
				r = binary(syntax.STAR, r, u)
			}
			if r != nil {
				r = binary(syntax.PLUS, c.Val["a"], r)
			}
			if r == nil {
				return nil, fmt.Errorf("uniform() takes two numbers of one unit, not %s and %s", array.Describe(c.Val["a"]), array.Describe(c.Val["b"]))
			}
			return r, nil
		}),
		"gauss": fn("gauss", "/ mu=0 sigma=1", func(c argument.Call) (starlark.Value, error) {
			mu, sigma := 0.0, 1.0
			var err error
			if c.Has("mu") {
				mu, err = number(c, "mu")
			}
			if c.Has("sigma") && err == nil {
				sigma, err = number(c, "sigma")
			}
			return starlark.Float(mu + float64(sigma*one("randn"))), err
		}),
		"randint": fn("randint", "a b", func(c argument.Call) (starlark.Value, error) {
			a, err := whole(c, "a")
			if err != nil {
				return nil, err
			}
			b, err := whole(c, "b")
			if err != nil {
				return nil, err
			}
			return between("randint", a, b)
		}),
		"randrange": fn("randrange", "start / stop", func(c argument.Call) (starlark.Value, error) {
			a, err := whole(c, "start")
			if err != nil {
				return nil, err
			}
			if !c.Has("stop") {
				return between("randrange", 0, a-1)
			}
			b, err := whole(c, "stop")
			if err != nil {
				return nil, err
			}
			return between("randrange", a, b-1)
		}),
		"choice": fn("choice", "seq", func(c argument.Call) (starlark.Value, error) {
			v, err := list("choice", c.Val["seq"])
			if err != nil {
				return nil, err
			}
			return v[below("choice", len(v))], nil
		}),
		"shuffle": fn("shuffle", "x", func(c argument.Call) (starlark.Value, error) {
			l, ok := c.Val["x"].(*starlark.List)
			if !ok {
				return nil, fmt.Errorf("shuffle() takes a list, not %s", array.Describe(c.Val["x"]))
			}
			v := elementsOf(l)
			mix("shuffle", v)
			for k, e := range v {
				if err := l.SetIndex(k, e); err != nil {
					return nil, err
				}
			}
			return starlark.None, nil
		}),
		"sample": fn("sample", "population k", func(c argument.Call) (starlark.Value, error) {
			v, err := list("sample", c.Val["population"])
			if err != nil {
				return nil, err
			}
			n, err := whole(c, "k")
			if err == nil && (n < 0 || n > len(v)) {
				err = fmt.Errorf("a sample of %d from %d", n, len(v))
			}
			if err != nil {
				return nil, err
			}
			mix("sample", v)
			return starlark.NewList(v[:n]), nil
		}),
	}
}

func elementsOf(l *starlark.List) []starlark.Value {
	v := make([]starlark.Value, l.Len())
	for k := range v {
		v[k] = l.Index(k)
	}
	return v
}
