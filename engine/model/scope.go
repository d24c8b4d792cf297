package model

import (
	"errors"
	"fmt"
	"strings"

	"synfire/engine/eqn"
)

// Externals resolves the names that a text takes from outside its object, each
// once for one compilation: the values of the moment.
type Externals struct {
	n    *Network
	seen map[string]*eqn.Symbol
	told map[string]bool
}

// Externals begins a resolution of names from outside the objects.
func (n *Network) Externals() *Externals {
	return &Externals{n: n, seen: map[string]*eqn.Symbol{}, told: map[string]bool{}}
}

// symbol makes a Symbol of a value of namespace= or of the script.
func symbol(name string, x any) (*eqn.Symbol, error) {
	s := &eqn.Symbol{Name: name, Kind: eqn.Constant, ReadOnly: true}
	switch x := x.(type) {
	case Quantity:
		s.Value, s.Dim = x.Value, x.Dim
	case float64:
		s.Value = x
	case int:
		s.Value, s.Type = float64(x), eqn.Integer
	case bool:
		s.Type = eqn.Boolean
		if x {
			s.Value = 1
		}
	case *eqn.Binomial:
		return x.Symbol(), nil
	case *TimedArray:
		s.Kind, s.Array, s.Dim = eqn.Timed, x, x.Dim
	case *Formula:
		f := *x
		s.Kind, s.Formula = eqn.Function, &f
	case error: // the script has it, but as nothing that can be used
		return nil, fmt.Errorf("'%s' of the script %w", name, x)
	default:
		what := map[bool]string{true: "a text", false: "a list of values"}[isText(x)]
		return nil, fmt.Errorf("'%s' is %s outside the equations, which cannot use it: a number, a quantity or a TimedArray was expected; values that differ between neurons are a parameter of the model, '%s : unit'", name, what, name)
	}
	return s, nil
}

// Scope is what names mean in one object's texts: its variables, then the
// language's own names, then namespace=, then the script (design section 1).
type Scope struct {
	ext       *Externals
	object    string
	Own       func(string) *eqn.Symbol // the object's own names; nil: none of them
	ownNames  func() []string
	namespace map[string]any
	locals    map[string]bool // of the code whose names these are: they hide what is outside of the object
	bad       error           // why the first external that cannot be used cannot
	badName   string          // its name
}

// Resolve implements eqn.Scope.
func (s *Scope) Resolve(name string) *eqn.Symbol {
	own := s.Own(name)
	builtin := eqn.Builtin(name)
	if own != nil {
		if builtin != nil && builtin.Kind == eqn.Constant {
			s.shadow(name, "a variable of "+s.object, "the unit or constant")
		}
		return own
	}
	if builtin != nil {
		if _, ok := s.namespace[name]; ok {
			s.shadow(name, "the unit, constant or function", "namespace=")
		}
		return builtin
	}
	if s.locals[name] {
		return nil
	}
	if x, ok := s.namespace[name]; ok {
		return s.external(s.object+"\x00"+name, name, x)
	}
	if y := s.ext.seen[name]; y != nil { // also where the function that had the name has returned
		return y
	}
	if s.ext.n.opt.Lookup != nil {
		if x, ok := s.ext.n.opt.Lookup(name); ok {
			return s.external(name, name, x)
		}
	}
	return nil
}

func (s *Scope) external(key, name string, x any) *eqn.Symbol {
	if y := s.ext.seen[key]; y != nil {
		return y
	}
	y, err := symbol(name, x)
	if err == nil && y.Formula != nil { // whose names are the script's, whatever the object calls its own
		y.Formula.Names = &Scope{ext: s.ext, object: s.object, namespace: s.namespace, Own: func(string) *eqn.Symbol { return nil }, ownNames: func() []string { return nil }}
	}
	if err != nil {
		if s.bad == nil {
			s.bad, s.badName = err, name
		}
		return nil
	}
	s.ext.seen[key] = y
	return y
}

func (s *Scope) shadow(name, wins, loses string) {
	key := s.object + "\x00" + name
	if !s.ext.told[key] {
		s.ext.told[key] = true
		s.ext.n.Warn("%s: %q means %s, which hides %s of that name", s.object, name, wins, loses)
	}
}

// Within is the scope of code: what it assigns and is no variable of the object is
// local to it, whatever namespace= or the script have under that name.
func (s *Scope) Within(code []eqn.Stmt) *Scope {
	inner := *s
	inner.locals = map[string]bool{}
	for _, st := range code {
		if st.Op == "=" {
			inner.locals[st.Target.ID] = true
		}
	}
	return &inner
}

// Names implements eqn.Scope.
func (s *Scope) Names() []string {
	out := append(s.ownNames(), eqn.BuiltinNames()...)
	out = append(out, sortedKeys(s.namespace)...)
	if s.ext.n.opt.Names != nil {
		out = append(out, s.ext.n.opt.Names()...)
	}
	return out
}

// Explain adds the reason where a name was known but could not be used.
func (s *Scope) Explain(err error) error {
	var q *eqn.Error
	if err != nil && s.bad != nil && errors.As(err, &q) && strings.Contains(q.Msg, "'"+s.badName+"'") {
		c := *q
		c.Hint = s.bad.Error()
		return &c
	}
	return err
}

// Scope is the names of a group's texts.
func (g *NeuronGroup) Scope(ext *Externals) *Scope {
	dt := &eqn.Symbol{Name: "dt", Kind: eqn.Constant, Dim: Second, Value: g.Dt(), Step: g.Net.StepSize, ReadOnly: true}
	size := &eqn.Symbol{Name: "N", Kind: eqn.Constant, Type: eqn.Integer, Value: float64(g.Size), ReadOnly: true}
	return &Scope{
		ext: ext, object: g.Name(), namespace: g.Namespace,
		Own: func(name string) *eqn.Symbol {
			switch name {
			case "dt":
				return dt
			case "N":
				return size
			}
			if v := g.ByName[name]; v != nil {
				return v.Symbol
			}
			return nil
		},
		ownNames: func() []string { return append(g.VarNames(), "dt", "N", "t") },
	}
}

// Sized is the scope of texts of a subgroup, whose N is its own.
func (s *Scope) Sized(sp Span) *Scope {
	if sp.Hi-sp.Lo == sp.Group.Size {
		return s
	}
	size := &eqn.Symbol{Name: "N", Kind: eqn.Constant, Type: eqn.Integer, Value: float64(sp.Hi - sp.Lo), ReadOnly: true}
	inner := *s
	inner.Own = func(name string) *eqn.Symbol {
		if name == "N" {
			return size
		}
		return s.Own(name)
	}
	return &inner
}
