package script

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"go.starlark.net/starlark"

	"synfire/engine/eqn"
	"synfire/engine/models"
	"synfire/engine/script/argument"
	"synfire/engine/script/array"
)

// library are the names of the models that every script may use, and their files.
var library = func() map[string]string {
	files, err := fs.Glob(models.FS, "*.star")
	if err != nil {
		panic(err) // a pattern that is wrong
	}
	r := map[string]string{}
	for _, f := range files {
		r[strings.TrimSuffix(f, ".star")] = f
	}
	return r
}()

// libraryFolder stands before the file's name where a message tells a place.
const libraryFolder = "models"

// libraryModel is the function of a model of the library. Its file is read when
// it is called first.
func (x *script) libraryModel(name string) *starlark.Builtin {
	return starlark.NewBuiltin(name, func(th *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
		f, err := x.loadModel(name)
		if err != nil {
			return nil, err
		}
		if err := checkModelCall(f, args, kwargs); err != nil {
			return nil, err
		}
		return starlark.Call(th, f, args, kwargs)
	})
}

func (x *script) loadModel(name string) (*starlark.Function, error) {
	file := path.Join(libraryFolder, library[name])
	m := x.modules["/"+file] // no file that load() takes begins so
	if m == nil {
		src, err := models.FS.ReadFile(library[name])
		if err != nil {
			return nil, err
		}
		m = &module{}
		m.globals, m.err = x.exec(file, src, false)
		x.modules["/"+file] = m
	}
	if m.err != nil {
		return nil, m.err
	}
	f, ok := m.globals[name].(*starlark.Function)
	if !ok {
		return nil, fmt.Errorf("%s defines no function %s", file, name)
	}
	return f, nil
}

// checkModelCall says at the argument what is wrong with it: a name that the
// model does not have, or a value of another unit or sort than the default's.
func checkModelCall(f *starlark.Function, args starlark.Tuple, kwargs []starlark.Tuple) error {
	var params []string
	optional := false
	defaults := map[string]starlark.Value{}
	for k := range f.NumParams() {
		name, _ := f.Param(k)
		if d := f.ParamDefault(k); d != nil {
			if !optional {
				params = append(params, "/")
			}
			optional, defaults[name] = true, d
		}
		params = append(params, name)
	}
	c, err := argument.Match(f.Name(), args, kwargs, strings.Join(params, " "), nil)
	if err != nil {
		return err
	}
	for name, v := range c.Val {
		if err := sameKind(name, v, defaults[name]); err != nil {
			return &argument.Error{Name: name, Index: c.Pos[name], Err: err}
		}
	}
	return nil
}

// sameKind checks an argument against its default.
func sameKind(name string, v, def starlark.Value) error {
	if def == nil || def == starlark.None {
		return nil
	}
	want, number, err := array.OperandOf(def)
	if err != nil || !number {
		if _, text := def.(starlark.String); text && v.Type() != def.Type() {
			return fmt.Errorf("%s= must be a text, not %s", name, array.Describe(v))
		}
		return nil
	}
	got, ok, err := array.OperandOf(v)
	switch {
	case err != nil:
		return fmt.Errorf("%s= %v", name, err)
	case !ok || !got.One:
		return fmt.Errorf("%s= must be a number such as %s, which is its default, not %s", name, array.ValueText(def), array.Describe(v))
	case got.Dim != want.Dim && !got.Wild():
		return eqn.As(eqn.Dimension, fmt.Errorf("%s= must be in %s, not %s; its default is %s", name, array.UnitName(want.Dim), got.Show(), array.ValueText(def)))
	}
	return nil
}

// unfold lets model= be a dictionary of arguments, as functions of the library
// give them. What the call has itself counts; two dictionaries are joined.
func (c *call) unfold(params string) {
	d, ok := c.Get("model").(*starlark.Dict)
	if !ok {
		return
	}
	_, after, _ := strings.Cut(params, "/")
	names := slices.DeleteFunc(append([]string{"model"}, argument.Names(after)...), func(n string) bool { return n == "target" })
	at := c.Pos["model"]
	delete(c.Val, "model")
	for _, it := range d.Items() {
		name, ok := starlark.AsString(it[0])
		if !ok {
			c.failf("model", "model= as a dictionary must have names of arguments as keys, not %s", array.Describe(it[0]))
			return
		}
		if c.Fn == "NeuronGroup" && (name == "initial" || name == "receives" || name == "update") {
			if c.of == nil {
				c.of = starlark.StringDict{}
			}
			c.of[name] = it[1]
			continue
		}
		if !slices.Contains(names, name) {
			c.fail("model", argument.Unknown(c.Fn, name, names, absentArgs))
			return
		}
		own, given := c.Val[name]
		model, ok := it[1].(*starlark.Dict)
		switch {
		case !given:
			c.Val[name], c.Pos[name] = it[1], at
		case ok:
			c.Val[name] = c.join(name, model, own)
		}
	}
}

// join is a model's dictionary with what the call has under the same name; a
// delay= that is one time is that of the pathway pre, as in Synapses().
func (c *call) join(name string, model *starlark.Dict, own starlark.Value) starlark.Value {
	d, ok := own.(*starlark.Dict)
	if !ok && name == "delay" && own != starlark.None {
		d, ok = starlark.NewDict(1), true
		c.fail(name, d.SetKey(starlark.String("pre"), own))
	}
	if !ok {
		return own
	}
	joined := starlark.NewDict(d.Len() + model.Len())
	for _, e := range append(model.Items(), d.Items()...) {
		c.fail(name, joined.SetKey(e[0], e[1]))
	}
	return joined
}
