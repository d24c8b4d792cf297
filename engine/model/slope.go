package model

import (
	"fmt"
	"slices"
	"strings"

	"synfire/engine/eqn"
)

// Slopes works out the right-hand sides of a group's differential equations, without noise, at n points of its two variables x and y, whose values
// they are given (SI units). All else, parameters as well as time, is what it is for the neuron now. A model with a further differential equation
// that these depend on has no such plane; the error says so.
func (g *NeuronGroup) Slopes(neuron int, x, y string, xs, ys []float64) (dx, dy []float64, err error) {
	sc := g.Scope(g.Net.Externals())
	own := sc.Own
	perRoot, _ := Second.Pow(-0.5)
	sc.Own = func(name string) *eqn.Symbol {
		if name == "xi" || strings.HasPrefix(name, "xi_") {
			return &eqn.Symbol{Name: name, Kind: eqn.Constant, Dim: perRoot}
		}
		return own(name)
	}
	of := func(name string) ([]float64, error) {
		v := g.ByName[name]
		if v == nil || v.Equation == nil || v.Equation.Kind != eqn.Differential {
			return nil, fmt.Errorf("%s has no differential equation of '%s'", g.Name(), name)
		}
		l, err := eqn.NewLanes64(v.Equation.X, sc, g.Ticks(g.now()), g.Dt())
		if err != nil {
			return nil, sc.Explain(err)
		}
		leaves := make([][]float64, len(l.Leaves))
		for k, leaf := range l.Leaves {
			name, isName := leaf.(*eqn.Name)
			if !isName {
				return nil, eqn.At(leaf.Pos(), "", "d%s/dt draws random numbers", v.Name)
			}
			switch name.Sym.Name {
			case x:
				leaves[k] = xs
				continue
			case y:
				leaves[k] = ys
				continue
			}
			if o := g.ByName[name.Sym.Name]; o != nil && o.Equation != nil && o.Equation.Kind == eqn.Differential {
				return nil, eqn.At(leaf.Pos(), "", "d%s/dt depends on '%s', too, which is neither '%s' nor '%s': there is no plane of two variables", v.Name, o.Name, x, y)
			}
			value, err := g.Var(name.Sym.Name)
			if err != nil {
				return nil, err
			}
			a, err := value.Get(neuron)
			if err != nil {
				return nil, err
			}
			leaves[k] = slices.Repeat(a.V[:1], len(xs))
		}
		return l.Eval(len(xs), leaves)
	}
	if dx, err = of(x); err == nil {
		dy, err = of(y)
	}
	return dx, dy, err
}
