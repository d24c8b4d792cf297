package script

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"go.starlark.net/starlark"
	"go.starlark.net/syntax"

	"synfire/engine/eqn"
	"synfire/engine/script/argument"
	"synfire/engine/script/array"
)

// equations is Equations(...): the text of a model, which can be added to
// another and whose names can be replaced.
type equations struct {
	opaque
	text string
}

// newEquations is Equations(text, name=..., ...): a name is replaced by another
// one (a text) or by a value.
func newEquations(x *script, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
	if len(args) != 1 {
		return nil, fmt.Errorf("Equations() takes one text, and replacements by name")
	}
	text, ok := modelText(args[0])
	if !ok {
		return nil, &argument.Error{Index: 0, Err: fmt.Errorf("the equations must be a text, not %s", array.Describe(args[0]))}
	}
	r, err := substitute(text, kwargs)
	if err != nil {
		return nil, err
	}
	if _, err := eqn.ParseEquations(x.source(r)); err != nil {
		return nil, err
	}
	return &equations{text: r}, nil
}

// source is a text of a model and where the script has it.
func (x *script) source(text string) *eqn.Source {
	s := x.locate(text)
	return &s
}

// modelText is the text of a model, given as such or as Equations.
func modelText(v starlark.Value) (string, bool) {
	if e, ok := v.(*equations); ok {
		return e.text, true
	}
	return starlark.AsString(v)
}

// model is an argument that holds equations.
func (c *call) model(name string) string {
	if e, ok := c.Get(name).(*equations); ok {
		return e.text
	}
	return c.str(name, "")
}

// parts are the pieces of a model's text that keep their own: comments, and
// units with flags, from the colon on; then names, within expressions.
var parts = regexp.MustCompile(`#[^\n]*|:[^\n#]*|\bd\w+/dt\b|[A-Za-z_]\w*|\d[\w.]*`)

// substitute replaces names of a model's text.
func substitute(text string, kwargs []starlark.Tuple) (string, error) {
	if len(kwargs) == 0 {
		return text, nil
	}
	by := map[string]string{}
	for _, kw := range kwargs {
		name := string(kw[0].(starlark.String))
		if s, ok := starlark.AsString(kw[1]); ok {
			by[name] = s
			continue
		}
		o, ok, err := array.OperandOf(kw[1])
		if err != nil || !ok || !o.One {
			return "", &argument.Error{Name: name, Index: -1, Err: fmt.Errorf("%s= must be a name or a number, not %s", name, array.Describe(kw[1]))}
		}
		by[name] = "(" + strconv.FormatFloat(o.V[0], 'g', -1, 64)
		if !o.Dim.IsOne() {
			by[name] += "*" + o.Dim.String()
		}
		by[name] += ")"
	}
	size := 0
	text = parts.ReplaceAllStringFunc(text, func(w string) (r string) {
		if size > eqn.MaxText {
			return ""
		}
		defer func() { size += len(r) }()
		if left, derivative := strings.CutSuffix(w, "/dt"); derivative {
			if r, ok := by[left[1:]]; ok {
				return "d" + r + "/dt"
			}
			return w
		}
		if r, ok := by[w]; ok {
			return r
		}
		return w
	})
	if size > eqn.MaxText {
		return "", fmt.Errorf("with what stands for its names the text has more than %d bytes", eqn.MaxText)
	}
	return text, nil
}

func (e *equations) String() string { return e.text }
func (e *equations) Type() string   { return "Equations" }

func (e *equations) Binary(op syntax.Token, y starlark.Value, side starlark.Side) (starlark.Value, error) {
	other, ok := modelText(y)
	if op != syntax.PLUS || !ok {
		return nil, nil
	}
	if n := len(e.text) + len(other); n > eqn.MaxText {
		return nil, fmt.Errorf("equations of %d bytes: the limit is %d", n, eqn.MaxText)
	}
	if side == starlark.Right {
		return &equations{text: other + "\n" + e.text}, nil
	}
	return &equations{text: e.text + "\n" + other}, nil
}

func (e *equations) Attr(name string) (starlark.Value, error) {
	switch name {
	case "substitute":
		return starlark.NewBuiltin(name, func(_ *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
			if len(args) > 0 {
				return nil, fmt.Errorf("substitute() takes replacements by name")
			}
			text, err := substitute(e.text, kwargs)
			return &equations{text: text}, err
		}).BindReceiver(e), nil
	}
	return nil, nil
}
func (e *equations) AttrNames() []string { return []string{"substitute"} }
