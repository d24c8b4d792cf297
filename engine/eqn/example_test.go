package eqn_test

import (
	"fmt"

	"synfire/engine/eqn"
)

// A leaky integrate-and-fire neuron is linear: Brian2's choice is the exact
// method, whose coefficients are worked out in float64.
func ExampleIntegrate() {
	eqs, err := eqn.ParseEquations(&eqn.Source{Text: "dv/dt = (El - v)/(20*ms) : volt"})
	if err != nil {
		fmt.Println(err)
		return
	}
	v := eqs.Find("v")
	scope := eqn.MapScope{Symbols: map[string]*eqn.Symbol{
		"v":  {Name: "v", Kind: eqn.Variable, Dim: v.Dim},
		"El": {Name: "El", Kind: eqn.Constant, Dim: v.Dim, Value: -0.07},
	}}
	scheme, err := eqn.Integrate(eqs, scope, eqn.Options{Dt: 1e-4})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(scheme.Method)
	for _, s := range scheme.Stmts {
		fmt.Println(s)
	}
	// Output:
	// exact
	// v = 0.9950124791926823*v + (-349.12645651223817 uvolt)
}
