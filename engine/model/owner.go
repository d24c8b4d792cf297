package model

import (
	"math"
	"slices"

	"synfire/engine/eqn"
)

// Owner is a set of lanes that have variables: the neurons of a group, or the
// synapses of a Synapses. What declares a variable, names it, reads, sets and
// indexes it is the same for both; where its values are kept is the Variable's.
type Owner struct {
	Object
	Eqs       *eqn.Equations       // as parsed
	Method    string               // "": Brian2's choice
	Substeps  int                  // of the method in a step; 0: as Longest says
	Longest   float64              // substep in seconds; 0: the step
	Slow      float64              // the part of itself that a variable with a second word loses in a step; 0: 2^-14
	Namespace map[string]any       // names for its texts
	Vars      []*Variable          // in the order of declaration
	ByName    map[string]*Variable // the same, by name
}

// Parts is the number of substeps in a step.
func (o *Owner) Parts() int {
	if o.Substeps == 0 && o.Longest > 0 {
		return max(1, int(math.Ceil(min(o.Dt()/o.Longest, 1e9)-1e-6)))
	}
	return max(1, o.Substeps)
}

// Declare adds a variable.
func (o *Owner) Declare(v *Variable, dim eqn.Dim, t eqn.Type) *Variable {
	v.Symbol = &eqn.Symbol{Name: v.Name, Kind: eqn.Variable, Dim: dim, Type: t, Ref: v}
	o.Vars = append(o.Vars, v)
	if o.ByName == nil {
		o.ByName = map[string]*Variable{}
	}
	o.ByName[v.Name] = v
	return v
}

// DeclareEquation adds v as the variable of an equation. Names that all owners of
// its kind have are reserved; flags that it cannot carry are refused with the
// reason that lacks gives, "" where it has it.
func (o *Owner) DeclareEquation(v *Variable, e *eqn.Equation, reserved []string, whose string, lacks func(flag string) string) error {
	if o.ByName[e.Name] != nil || slices.Contains(reserved, e.Name) {
		return ErrorAt(e.At, "%q is defined twice, or is a name that %s", e.Name, whose)
	}
	for _, f := range e.Flags {
		if why := lacks(f); why != "" {
			return eqn.At(e.At, why, "'%s': the flag (%s) is not available here", e.Name, f)
		}
	}
	if err := notAnEnd(e); err != nil {
		return err
	}
	o.Declare(v, e.Dim, e.Type)
	v.Equation = e
	v.Shared = e.Has("shared")
	v.Symbol.Shared = v.Shared
	v.Symbol.Constant = e.Has("constant") && e.Kind == eqn.Parameter
	if e.Kind == eqn.Sub {
		v.Symbol.ReadOnly = true
		if !e.Has("constant over dt") {
			v.Symbol.Kind, v.Symbol.Expr = eqn.Subexpression, e.X
		}
	}
	return nil
}

// declared lists the variables.
func (o *Owner) declared() []string {
	var out []string
	for _, v := range o.Vars {
		out = append(out, v.Name)
	}
	return out
}
