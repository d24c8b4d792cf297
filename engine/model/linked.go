package model

import (
	"fmt"

	"synfire/engine/eqn"
	"synfire/engine/ir"
)

// link is where the values of a (linked) variable are: another variable's, of the
// neuron itself, of one neuron, or of one of a list.
type link struct {
	to *Variable
	at []uint32 // the neuron of to for each neuron; nil: the same one
}

// Linked is a variable, of a group or a part of one, that another shall show.
type Linked struct {
	Var   *Var
	Index []int // for each neuron of the group that shows it; nil: the same neuron, or the only one
}

// Link makes a variable that was declared (linked) show another group's.
func (g *NeuronGroup) Link(name string, l Linked) error {
	v := g.ByName[name]
	switch {
	case v == nil:
		return unknown(name, "variable of "+g.Name(), g.VarNames())
	case v.Equation == nil || !v.Equation.Has("linked"):
		return fmt.Errorf("%s.%s is not declared (linked): write '%s : %v (linked)' in the model", g.Name(), name, name, v.Symbol.Dim)
	case l.Var == nil || l.Var.v.Group == nil:
		return fmt.Errorf("%s.%s: a variable of neurons was expected, for it to show", g.Name(), name)
	}
	if err := g.Net.still("a link"); err != nil {
		return err
	}
	to, lo, hi := l.Var.v, l.Var.lo, l.Var.hi
	if to.Shared {
		lo, hi = 0, 1
	}
	size, full := hi-lo, fmt.Sprintf("%s.%s", to.Group.Name(), to.Name)
	if to.Symbol.Dim != v.Symbol.Dim || to.Symbol.Type != v.Symbol.Type {
		return eqn.As(eqn.Dimension, fmt.Errorf("%s.%s is declared with the unit %v as %v, but %s has %v and is %v", g.Name(), name, v.Symbol.Dim, v.Symbol.Type, full, to.Symbol.Dim, to.Symbol.Type))
	}
	if to.Group == g && to.Name == name {
		return fmt.Errorf("%s.%s cannot show itself", g.Name(), name)
	}
	k := &link{to: to}
	switch {
	case l.Index != nil:
		if len(l.Index) != g.Size {
			return argErrorf("index", "%s.%s: index= has %d values for %d neurons", g.Name(), name, len(l.Index), g.Size)
		}
		k.at = make([]uint32, g.Size)
		for n, i := range l.Index {
			if i < 0 || i >= size {
				return eqn.As(eqn.BadIndex, argErrorf("index", "%s.%s: index= %d of neuron %d is out of range: %s has %d values", g.Name(), name, i, n, full, size))
			}
			k.at[n] = uint32(lo + i)
		}
	case size == 1 && !to.Shared:
		k.at = make([]uint32, g.Size)
		for n := range k.at {
			k.at[n] = uint32(lo)
		}
	case size != g.Size && size != 1:
		return fmt.Errorf("%s.%s: %s has %d values for %d neurons: give index=, which of them each neuron shows", g.Name(), name, full, size, g.Size)
	case lo > 0:
		k.at = make([]uint32, g.Size)
		for n := range k.at {
			k.at[n] = uint32(lo + n)
		}
	}
	if to.Shared {
		k.at = nil
	}
	if far := to.link; far != nil { // it shows another one itself
		k = far.through(k.at, g.Size)
	} else if to.Equation != nil && to.Equation.Has("linked") {
		return fmt.Errorf("%s.%s: %s is (linked) itself, and shows nothing yet: link it first", g.Name(), name, full)
	}
	v.link = k
	v.show()
	return nil
}

// through is a link by way of another one.
func (k *link) through(at []uint32, n int) *link {
	if at == nil || k.to.Shared {
		return k
	}
	out := &link{to: k.to, at: make([]uint32, n)}
	for q := range out.at {
		if out.at[q] = at[q]; k.at != nil {
			out.at[q] = k.at[at[q]]
		}
	}
	return out
}

// show makes the symbol of a linked variable like that of what it shows. A
// subexpression is worked out for the neuron that is shown.
func (v *Variable) show() {
	to, y := v.link.to.Symbol, v.Symbol
	y.Steps = to.Steps
	if to.Kind == eqn.Subexpression {
		y.Kind, y.Expr, y.Scope = eqn.Subexpression, to.Expr, &linkedScope{group: v.Group, link: v.link, sc: v.link.to.Group.Scope(v.Group.Net.Externals())}
	}
}

// linkedScope resolves the names of a subexpression of another group: its variables
// are those of the neuron that is shown.
type linkedScope struct {
	group *NeuronGroup // that shows them
	link  *link
	sc    *Scope
	seen  map[string]*eqn.Symbol
}

// Resolve implements eqn.Scope.
func (x *linkedScope) Resolve(name string) *eqn.Symbol {
	to := x.link.to.Group.ByName[name]
	if to == nil {
		return x.sc.Resolve(name)
	}
	if y := x.seen[name]; y != nil {
		return y
	}
	k := &link{to: to, at: x.link.at}
	if to.link != nil {
		k = to.link.through(x.link.at, x.group.Size)
	}
	y := *to.Symbol
	v := &Variable{Group: x.group, Name: to.FullName(), Count: x.group.Size, Symbol: &y, link: k}
	y.Ref, y.ReadOnly, y.Constant = v, true, false
	if y.Kind == eqn.Subexpression {
		y.Scope = &linkedScope{group: x.group, link: k, sc: x.sc}
	}
	if x.seen == nil {
		x.seen = map[string]*eqn.Symbol{}
	}
	x.seen[name] = &y
	return &y
}

// linkedEnd is a linkedScope seen from synapses: the variables are those of the
// neuron at one end.
type linkedEnd struct {
	*linkedScope
	post bool
}

// Resolve implements eqn.Scope.
func (x linkedEnd) Resolve(name string) *eqn.Symbol {
	y := x.linkedScope.Resolve(name)
	if y == nil {
		return nil
	}
	z := *y
	if v, ok := y.Ref.(*Variable); ok {
		z.Ref = EndRef{v, x.post}
	}
	if far, ok := y.Scope.(*linkedScope); ok {
		z.Scope = linkedEnd{far, x.post}
	}
	return &z
}

// Names implements eqn.Scope.
func (x *linkedScope) Names() []string { return x.sc.Names() }

// Shown is what a linked variable shows, of which neurons (nil: the same ones);
// nil where it is no linked one.
func (v *Variable) Shown() (to *Variable, at []uint32) {
	if v.link == nil {
		return nil, nil
	}
	return v.link.to, v.link.at
}

// Assigned is the variable that code of the group assigns where it assigns v, which
// is linked: that of the same neuron of a group of the same size. Nil: it cannot.
func (v *Variable) Assigned() *Variable {
	if v.link == nil {
		return nil
	}
	to, size := v.link.to, v.Group.Size
	for k, i := range v.link.at {
		if int(i) != k {
			return nil
		}
	}
	if to.Words == nil || to.Shared || to.Builtin || to.Equation == nil || to.Equation.Kind == eqn.Sub || to.UnlessRef || to.Count != size || to.Symbol.Dim == Second {
		return nil
	}
	return to
}

// shown loads what a linked variable shows.
func (l *Lanes) shown(v *Variable) ir.Value {
	to, at := v.link.to, l.B.Lane()
	if v.link.at != nil {
		key := fmt.Sprintf("%s.%s shows", v.Group.AutoName, v.Name)
		at = l.B.Load(l.Slot(key, ir.Array, ir.U32, Memory{Data: v.link.at, Key: key, Lanes: true}))
	}
	switch {
	case to.Builtin:
		return at
	case to.Name == "not_refractory" && to.Group.RefKind == RefConst:
		last := l.B.Gather(l.other(to.Group.ByName["lastspike"]), at, ir.Range{})
		return l.B.NotB(l.B.LtI(l.Holds(to.Group), last))
	case to.Shared:
		return l.B.Uniform(l.other(to), ir.Range{})
	}
	return l.B.Gather(l.other(to), at, ir.Range{})
}

// other is the slot of all words of a variable.
func (l *Lanes) other(v *Variable) uint32 {
	return l.Slot("all of "+v.Group.AutoName+"."+v.Name, ir.Table, IrType(l.image(v).Sym), Memory{V: v, Whole: true})
}

// check refuses a run with a linked variable that shows nothing.
func (g *NeuronGroup) check() error {
	for _, v := range g.Vars {
		if v.link != nil {
			v.show() // whether it is a time in steps may have been decided since
		}
		if v.Equation != nil && v.Equation.Has("linked") && v.link == nil {
			return eqn.At(v.Equation.At, fmt.Sprintf("%s.%s = linked_var(group, 'name')", g.Name(), v.Name), "'%s' is (linked), but nothing says to which variable", v.Name)
		}
	}
	return nil
}

func (g *NeuronGroup) groups() (out []*NeuronGroup) {
	for _, v := range g.Vars {
		if v.link != nil && v.link.to.Group != g {
			out = append(out, v.link.to.Group)
		}
	}
	return out
}
