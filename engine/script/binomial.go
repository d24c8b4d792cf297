package script

import (
	"fmt"
	"math"

	"go.starlark.net/starlark"

	"synfire/engine/eqn"
)

// binomial is a BinomialFunction: texts of the model call it.
type binomial struct {
	opaque
	f *eqn.Binomial
}

func (b *binomial) String() string { return fmt.Sprintf("<BinomialFunction %d, %g>", b.f.N, b.f.P) }
func (b *binomial) Type() string   { return "BinomialFunction" }
func (b *binomial) Name() string   { return "BinomialFunction" }

// CallInternal implements starlark.Callable: the script itself has no neuron to draw for.
func (b *binomial) CallInternal(*starlark.Thread, starlark.Tuple, []starlark.Tuple) (starlark.Value, error) {
	return nil, withHint("write it into the text of an equation or a statement", "a BinomialFunction is for texts of the model")
}

// binomialFunction is BinomialFunction(n, p): approximate= has Brian2 take normal
// numbers for large n, which are not binomial; here they always are.
func binomialFunction(_ *script, c *call) (starlark.Value, error) {
	n, p := c.integer("n", 0), math.NaN()
	switch v := c.value("p").(type) {
	case float64:
		p = v
	case int:
		p = float64(v)
	}
	c.boolean("approximate", true)
	c.objectName()
	if c.err == nil && n < 0 {
		c.failf("n", "n= is a number of trials, not %d", n)
	}
	if c.err == nil && !(p >= 0 && p <= 1) {
		c.failf("p", "p= is a probability, not %g", p)
	}
	if c.err != nil {
		return nil, c.err
	}
	return &binomial{f: &eqn.Binomial{N: n, P: p}}, nil
}
