package script

import (
	"fmt"

	"go.starlark.net/starlark"

	"synfire/engine"
	"synfire/engine/eqn"
	"synfire/engine/script/array"
)

// operated is a NetworkOperation.
type operated struct {
	opaque
	x *script
	p *engine.Operation
	f starlark.Callable
}

// networkOperation is NetworkOperation(f, ...), and network_operation(f) or
// network_operation(...)(f), which is what a decorator is.
func networkOperation(x *script, c *call) (starlark.Value, error) {
	o := engine.OperationOptions{Name: c.objectName(), When: c.str("when", ""), Order: c.integer("order", 0)}
	o.Dt, o.Times = c.clock()
	if c.err != nil {
		return nil, c.err
	}
	if c.Fn == "network_operation" && c.Has("function") && len(c.Pos) > 1 {
		return nil, fmt.Errorf("network_operation takes the function alone, or the other arguments alone: write NetworkOperation(f, ...), or network_operation(...)(f)")
	}
	if !c.Has("function") && c.Fn == "network_operation" {
		return starlark.NewBuiltin("network_operation(...)", func(_ *starlark.Thread, _ *starlark.Builtin, args starlark.Tuple, kwargs []starlark.Tuple) (starlark.Value, error) {
			if len(args) != 1 || len(kwargs) > 0 {
				return nil, fmt.Errorf("network_operation(...)(f) takes the function, and nothing else")
			}
			return x.newOperation(c, args[0], o)
		}), nil
	}
	return x.newOperation(c, c.Get("function"), o)
}

func (x *script) newOperation(c *call, function starlark.Value, o engine.OperationOptions) (starlark.Value, error) {
	op := &operated{x: x}
	var ok bool
	if function == nil {
		function = starlark.None
	}
	if op.f, ok = function.(starlark.Callable); !ok {
		return nil, fmt.Errorf("%s takes a function, not %s", c.Fn, array.Describe(function))
	}
	_, takesTime := function.(*hostFunction)
	if f, ok := function.(*starlark.Function); ok {
		switch n := f.NumParams(); {
		case f.HasVarargs() || f.HasKwargs() || n > 1:
			return nil, fmt.Errorf("the function %s of a %s takes no argument, or the time alone; it has %d parameters", f.Name(), c.Fn, n)
		case n == 1:
			takesTime = true
		}
	}
	var err error
	op.p, err = x.net.NetworkOperation(func(t float64) error {
		var args starlark.Tuple
		if takesTime {
			args = starlark.Tuple{array.Quantity{Value: t, Dim: second}}
		}
		at := x.inside.Swap(0) // the script runs again, not the engine
		x.operating++
		_, err := starlark.Call(x.thread, op.f, args, nil)
		x.operating--
		x.inside.Store(at)
		return err
	}, o)
	if err != nil {
		return nil, c.blame(err)
	}
	x.add(op.p)
	return op, nil
}

func (op *operated) String() string { return "<NetworkOperation " + op.p.Name() + ">" }
func (op *operated) Type() string   { return "NetworkOperation" }
func (op *operated) object() object { return op.p }

func (op *operated) Attr(name string) (starlark.Value, error) {
	switch name {
	case "name":
		return starlark.String(op.p.Name()), nil
	case "active":
		return starlark.Bool(op.p.Active()), nil
	case "when":
		return starlark.String(op.p.When), nil
	case "order":
		return starlark.MakeInt(op.p.InSlot), nil
	case "function":
		return op.f, nil
	case "clock":
		return nil, eqn.As(eqn.Unsupported, withHint("dt= of the call is its interval", "Brian2 has .clock of a NetworkOperation; Synfire does not yet"))
	}
	return nil, nil
}

func (op *operated) AttrNames() []string {
	return []string{"active", "function", "name", "order", "when"}
}

func (op *operated) SetField(name string, v starlark.Value) error {
	return onlyActive(op.p, name, v)
}

// stop ends the run in progress when its step is done.
func stopBuiltin(x *script, _ *call) (starlark.Value, error) {
	x.res.Net.Stop()
	return starlark.None, nil
}
