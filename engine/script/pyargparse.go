package script

import (
	"fmt"
	"slices"
	"strings"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"

	"synfire/engine/script/argument"
	"synfire/engine/script/array"
)

// argumentParser is argparse.ArgumentParser(): a script has no command line, but each argument is a parameter, which --set NAME=VALUE gives.
type argumentParser struct {
	opaque
	x         *script
	arguments []parsed
	defaults  []starlark.Tuple // of set_defaults
}

// parsed is one argument: its name, how it is written, and what add_argument was given.
type parsed struct {
	name, flag string
	def        starlark.Value // nil: there is none
	of         starlark.Value // type=
	choices    starlark.Value
	constant   starlark.Value // const=
	action     string
	optional   bool
	several    bool // a list of values
}

func (x *script) argparse() starlark.StringDict {
	d := starlark.StringDict{"ArgumentParser": starlark.NewBuiltin("ArgumentParser", func(*starlark.Thread, *starlark.Builtin, starlark.Tuple, []starlark.Tuple) (starlark.Value, error) {
		return &argumentParser{x: x}, nil // all that it takes is about help
	})}
	for _, n := range strings.Fields("ArgumentDefaultsHelpFormatter RawDescriptionHelpFormatter RawTextHelpFormatter HelpFormatter") {
		d[n] = starlark.String(n)
	}
	d["FileType"] = fn("FileType", "/ mode", func(argument.Call) (starlark.Value, error) {
		return nil, withHint("load_array('x.npy') reads numbers of a file of the script's folder", "argparse.FileType() is not available here")
	})
	return d
}

func (p *argumentParser) String() string { return "<ArgumentParser>" }
func (p *argumentParser) Type() string   { return "ArgumentParser" }
func (p *argumentParser) AttrNames() []string {
	return []string{"add_argument", "add_argument_group", "add_mutually_exclusive_group", "parse_args", "parse_known_args", "set_defaults"}
}

func (p *argumentParser) Attr(name string) (starlark.Value, error) {
	switch name {
	case "add_argument":
		return starlark.NewBuiltin(name, func(_ *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
			return starlark.None, p.add(args, kwargs)
		}), nil
	case "add_argument_group", "add_mutually_exclusive_group":
		return starlark.NewBuiltin(name, func(*starlark.Thread, *starlark.Builtin, starlark.Tuple, []starlark.Tuple) (starlark.Value, error) {
			return p, nil
		}), nil
	case "set_defaults":
		return starlark.NewBuiltin(name, func(_ *starlark.Thread, _ *starlark.Builtin, _ starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
			p.defaults = append(p.defaults, kwargs...)
			return starlark.None, nil
		}), nil
	case "parse_args", "parse_known_args":
		return fn(name, "/ args namespace", func(c argument.Call) (starlark.Value, error) {
			if l, ok := c.Get("args").(starlark.Sequence); ok && l.Len() > 0 {
				return nil, withHint("--set NAME=VALUE gives an argument its value", "%s() takes no list of arguments here", name)
			}
			ns, err := p.parse()
			if err != nil || name == "parse_args" {
				return ns, err
			}
			return starlark.Tuple{ns, starlark.NewList(nil)}, nil
		}), nil
	}
	return nil, nil
}

func (p *argumentParser) add(args starlark.Tuple, kwargs []starlark.Tuple) error {
	a := parsed{action: "store", constant: starlark.None}
	for _, v := range args {
		s, ok := starlark.AsString(v)
		if !ok {
			return fmt.Errorf("add_argument() takes names of arguments, not %s", array.Describe(v))
		}
		if a.name == "" || strings.HasPrefix(s, "--") && !strings.HasPrefix(a.flag, "--") {
			a.name, a.flag = strings.ReplaceAll(strings.TrimLeft(s, "-"), "-", "_"), s
		}
	}
	if a.name == "" {
		return fmt.Errorf("add_argument() takes the name of an argument, such as '--duration'")
	}
	a.optional = strings.HasPrefix(a.flag, "-")
	required := !a.optional
	for _, kw := range kwargs {
		switch n, v := string(kw[0].(starlark.String)), kw[1]; n {
		case "default":
			a.def = v
		case "type":
			a.of = v
		case "choices":
			a.choices = v
		case "action":
			a.action, _ = starlark.AsString(v)
		case "dest":
			a.name, _ = starlark.AsString(v)
		case "required":
			required = bool(v.Truth())
		case "nargs":
			required = required && v != starlark.String("?") && v != starlark.String("*")
			a.several = v != starlark.String("?")
		case "const":
			a.constant = v
		case "help", "metavar":
		default:
			return fmt.Errorf("add_argument() has no argument %s here", n)
		}
	}
	plain := map[string]starlark.Value{"store": starlark.None, "store_true": starlark.False, "store_false": starlark.True, "append": starlark.None, "count": starlark.None, "store_const": starlark.None}
	def, known := plain[a.action]
	if !known {
		return fmt.Errorf("add_argument(action='%s') is not available here", a.action)
	}
	a.several = a.several || a.action == "append"
	if a.def == nil && !required {
		a.def = def
	} else if a.def != nil { // it comes behind what set_defaults said before
		p.defaults = slices.DeleteFunc(p.defaults, func(kw starlark.Tuple) bool { return kw[0] == starlark.String(a.name) })
	}
	p.arguments = append(p.arguments, a)
	return nil
}

// parse gives each argument the value that --set says, or else its default.
func (p *argumentParser) parse() (starlark.Value, error) {
	ns := &pymodule{name: "Namespace", members: starlark.StringDict{}}
	for _, kw := range p.defaults {
		ns.members[string(kw[0].(starlark.String))] = kw[1]
	}
	for _, a := range p.arguments {
		if v := ns.members[a.name]; v != nil {
			a.def = v
		}
		text, set := p.x.opt.Set[a.name]
		v := a.def
		switch {
		case set && a.several: // x=[1, 2], or x=1 for a list of one
			l := []starlark.Value{p.x.evaluate(text)}
			if given, ok := l[0].(starlark.Sequence); ok {
				l = slices.Collect(starlark.Elements(given))
			}
			for k := 0; a.of != nil && k < len(l); k++ {
				var err error
				if l[k], err = starlark.Call(p.x.thread, a.of, starlark.Tuple{l[k]}, nil); err != nil {
					return nil, fmt.Errorf("--set %s=%s: %w", a.name, text, inner(err))
				}
			}
			v = starlark.NewList(l)
		case set && a.of != nil:
			var err error
			if v, err = starlark.Call(p.x.thread, a.of, starlark.Tuple{starlark.String(text)}, nil); err != nil {
				return nil, fmt.Errorf("--set %s=%s: %w", a.name, text, inner(err))
			}
		case set:
			if v = p.x.evaluate(text); a.action == "store" && a.def != nil {
				if _, is := a.def.(starlark.String); is || a.def == starlark.None { // as a command line gives texts
					v = starlark.String(text)
				}
			}
		case v == nil:
			return nil, withHint(fmt.Sprintf("synfire run SCRIPT --set %s=VALUE gives it one", a.name), "the argument %s has no default", a.flag)
		}
		if s, ok := v.(starlark.String); ok && !set && a.of != nil {
			var err error
			if v, err = starlark.Call(p.x.thread, a.of, starlark.Tuple{s}, nil); err != nil {
				return nil, err
			}
		}
		if set {
			if strings.HasPrefix(a.action, "store_") {
				if _, is := v.(starlark.Bool); !is {
					return nil, fmt.Errorf("--set %s=%s: the argument %s is True or False", a.name, text, a.flag)
				}
				if a.action == "store_const" {
					if v == starlark.True {
						v = a.constant
					} else {
						v = a.def
					}
				}
			}
			chosen := []starlark.Value{v}
			if l, ok := v.(*starlark.List); ok && a.several {
				chosen = elementsOf(l)
			}
			if l, ok := a.choices.(starlark.Iterable); ok && slices.ContainsFunc(chosen, func(v starlark.Value) bool {
				return !slices.ContainsFunc(slices.Collect(starlark.Elements(l)), func(c starlark.Value) bool {
					eq, err := array.Compare(syntax.EQL, c, v)
					return err == nil && bool(eq.Truth())
				})
			}) {
				return nil, fmt.Errorf("--set %s=%s: the argument %s is one of %s", a.name, text, a.flag, array.Plain(a.choices))
			}
			p.x.taken[a.name] = true
			p.x.res.Set[a.name] = array.ValueText(v)
		}
		q := Param{Name: a.name, Value: array.ValueText(v), Set: set}
		if a.def != nil {
			q.Default = array.ValueText(a.def)
		}
		if !slices.ContainsFunc(p.x.res.Params, func(o Param) bool { return o.Name == a.name }) {
			p.x.res.Params = append(p.x.res.Params, q)
		}
		ns.members[a.name] = v
	}
	return ns, nil
}
