package compile

import (
	"slices"

	"synfire/engine/eqn"
	"synfire/engine/model"
)

// shared plans the assignments to shared variables as a stage of one lane, which
// comes first as in Brian2, and returns the statements that are left.
func (c *compiler) shared(g *model.NeuronGroup, code []eqn.Stmt, sc *model.Scope, what string, flag int) ([]eqn.Stmt, error) {
	var rest []eqn.Stmt
	for _, s := range code {
		if !toShared(s, sc) {
			rest = append(rest, s)
		}
	}
	if len(rest) == len(code) {
		return code, nil
	}
	alone := sharedOnly(code, sc)
	for _, s := range code {
		if toShared(s, sc) && !slices.ContainsFunc(alone, func(t eqn.Stmt) bool { return t.Target == s.Target }) {
			return nil, sc.Explain(eqn.At(s.Target.At, "use shared variables, constants and t only", "the shared variable '%s' cannot take a value that differs between neurons", s.Target.ID))
		}
	}
	l := c.lanes(g, what+" shared")
	l.Single = true
	if err := eqn.Lower(l.B, alone, sc, l); err != nil {
		return nil, sc.Explain(err)
	}
	return rest, c.stage(l, 1, flag, nil)
}

func toShared(s eqn.Stmt, sc *model.Scope) bool {
	y := s.Target.Sym
	if y == nil {
		y = sc.Resolve(s.Target.ID)
	}
	return y != nil && y.Kind == eqn.Variable && y.Shared
}

// noShared refuses code that runs for some neurons or synapses only and assigns
// to a shared variable, as Brian2 does.
func noShared(code []eqn.Stmt, sc *model.Scope, what string) error {
	for _, s := range code {
		if toShared(s, sc) {
			return sc.Explain(eqn.At(s.Target.At, "count in a variable of each neuron, or assign it in run_regularly", "%s cannot assign to the shared variable '%s': one value stands for all neurons", what, s.Target.ID).Of(eqn.Unsupported))
		}
	}
	return nil
}

// sharedOnly leaves out the assignments to variables of single neurons, and
// what needs them.
func sharedOnly(stmts []eqn.Stmt, sc eqn.Scope) (out []eqn.Stmt) {
	lane := map[string]bool{}
	for _, s := range stmts {
		y := s.Target.Sym
		if y == nil {
			y = sc.Resolve(s.Target.ID)
		}
		vector := y != nil && !y.Shared
		for _, id := range eqn.Identifiers(s.X) {
			z := sc.Resolve(id)
			vector = vector || lane[id] || z != nil && z.Kind == eqn.Variable && !z.Shared
		}
		if vector {
			lane[s.Target.ID] = true
			continue
		}
		out = append(out, s)
	}
	return out
}
