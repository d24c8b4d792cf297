package model

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"

	"synfire/engine/eqn"
)

var namePattern = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// isName says whether texts of the model can name a thing so.
func isName(s string) bool { return namePattern.MatchString(s) }

// MostSubsteps bounds the length of programs, in which every substep is written out.
const MostSubsteps = 100

// checkMethod refuses an integrator that nobody knows, and warns where there is
// nothing that it could integrate.
func (n *Network) checkMethod(what, method string, substeps int, eqs *eqn.Equations) error {
	if divided := []string{"rk2", "rk4"}; substeps != 0 && !slices.Contains(divided, strings.ToLower(method)) {
		return argErrorf("method_options", "%s: method_options=: substeps are those of method='rk2' and method='rk4', not of %q", what, method)
	}
	if substeps < 0 || substeps > MostSubsteps {
		return argErrorf("method_options", "%s: method_options=: a step has 1 to %d substeps, not %d", what, MostSubsteps, substeps)
	}
	if method == "" {
		return nil
	}
	known := append([]string{"linear"}, eqn.Methods...) // linear: Brian2's old name of exact
	if !slices.Contains(known, strings.ToLower(method)) {
		err := unknown(method, "method of integration", eqn.Methods)
		return argErrorf("method", "%s: method=: %w (there is %s)", what, err, strings.Join(eqn.Methods, ", "))
	}
	for _, e := range eqs.List {
		if e.Kind == eqn.Differential {
			return nil
		}
	}
	n.Warn("%s: method=%q has no effect: there is no differential equation", what, method)
	return nil
}

// lacks tells how a group comes to have an event.
func (g *NeuronGroup) lacks(event string) string {
	var have []string
	for _, e := range g.Events {
		have = append(have, e.Name)
	}
	if near := eqn.Nearest(event, have); near != "" && event != "spike" {
		return near
	}
	if event == "spike" {
		return "give it a threshold"
	}
	return "name it in events="
}

// Check refuses objects that do not agree with one another, or with the clock,
// as they are now: both may have changed since the objects were made.
func (n *Network) Check() error {
	if !(n.StepSize > 0) || math.IsInf(n.StepSize, 0) {
		return fmt.Errorf("Options.Dt = %g s: a positive time was expected", n.StepSize)
	}
	for _, ob := range n.Objects {
		if x, ok := ob.(interface{ check() error }); ok {
			if err := x.check(); err != nil {
				return fmt.Errorf("%s: %w", ob.Base().Name(), err)
			}
		}
	}
	return nil
}

// afterEvent refuses a monitor whose place in the step lies before that of its
// event's condition. name is the monitor's, by which equals are ordered.
func (m *SpikeMonitor) afterEvent(name string) error {
	if m.When == "" {
		return nil
	}
	g := m.Src.Group
	e := g.Event(m.On)
	when, order, first := e.When, e.Order, g.AutoName+"_"+e.Name+"_thresholder"
	if g.Generator != nil {
		when, order, first = "thresholds", g.InSlot, g.AutoName
	}
	a, _ := SlotRank(when)
	b, err := SlotRank(m.When)
	switch {
	case err != nil:
		return &ArgError{"when", err}
	case b < a, b == a && m.InSlot < order, b == a && m.InSlot == order && name < first:
		return argErrorf("when", "when=%q, order=%d lies before the events of %s in the step (%s, order %d): it would record those of the step before; choose a later slot", m.When, m.InSlot, g.Name(), when, order)
	}
	return nil
}
