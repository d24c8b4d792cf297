package script

import (
	"fmt"

	"go.starlark.net/starlark"

	"synfire/engine"
	"synfire/engine/script/array"
)

// actor is an object that takes part in runs, or not.
type actor interface {
	Name() string
	SetActive(on bool) error
}

// setActive is object.active = v.
func setActive(o actor, v starlark.Value) error {
	on, err := truthOf(o.Name(), v)
	if err != nil {
		return err
	}
	return o.SetActive(on)
}

func truthOf(name string, v starlark.Value) (bool, error) {
	on, ok := v.(starlark.Bool)
	if !ok {
		return false, fmt.Errorf("%s.active is True or False, not %s", name, array.Describe(v))
	}
	return bool(on), nil
}

// onlyActive assigns an attribute of an object of which active alone can be assigned.
func onlyActive(o actor, name string, v starlark.Value) error {
	if name != "active" {
		return fmt.Errorf("%s.%s cannot be assigned", o.Name(), name)
	}
	return setActive(o, v)
}

// regular is what run_regularly and run_at return. It belongs to its group or Synapses.
type regular struct {
	opaque
	r *engine.Regular
}

// regularly is the code and the options of run_regularly and run_at.
func (c *call) regularly() (code string, o engine.RegularOptions) {
	c.refuse("codeobj_class")
	o = engine.RegularOptions{When: c.str("when", ""), Order: c.integer("order", 0), Name: c.objectName()}
	if c.Fn == "run_at" {
		o.Times = c.moments()
	} else {
		o.Dt, o.Times = c.clock()
	}
	return c.str("code", ""), o
}

func (r *regular) String() string { return "<" + r.Type() + " " + r.r.Name() + ">" }
func (r *regular) Type() string {
	if r.r.Regularly() {
		return "run_regularly"
	}
	return "run_at"
}

func (r *regular) Attr(name string) (starlark.Value, error) {
	switch name {
	case "name":
		return starlark.String(r.r.Name()), nil
	case "active":
		return starlark.Bool(r.r.Active()), nil
	case "when":
		return starlark.String(r.r.When), nil
	case "order":
		return starlark.MakeInt(r.r.InSlot), nil
	}
	return nil, nil
}

func (r *regular) AttrNames() []string { return []string{"active", "name", "order", "when"} }

func (r *regular) SetField(name string, v starlark.Value) error { return onlyActive(r.r, name, v) }
