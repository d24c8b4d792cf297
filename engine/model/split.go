package model

import (
	"fmt"
	"slices"
)

// Network is the network that an object is part of.
func (o *Object) Network() *Network { return o.Net }

// Began is the time of the network, in seconds, at which the first run of an object began; 0 before that.
func (o *Object) Began() float64 { return o.Since }

// Ran says whether an object has taken part in a run.
func (o *Object) Ran() bool { return o.HasRun }

// Split moves objects that have not run yet into a network of their own, whose
// time begins at 0. in is asked of each object that the caller made.
func (n *Network) Split(in func(any) bool) (*Network, error) {
	m := New(n.opt)
	m.StepSize, m.dt = n.dt, n.dt
	m.names, m.Random, m.Default = n.names, n.Random, n.Default // of all networks of a script
	return m, m.Take(n, in)
}

// Take moves objects of another network that have not run yet into n, with what
// belongs to them; it changes nothing where one of them needs an object that
// would be left behind.
func (n *Network) Take(from *Network, in func(any) bool) error {
	var mine, left []object
	for _, ob := range from.Objects {
		asked := ob
		if r, ok := ob.(*Regular); ok {
			asked = r.owner()
		}
		if !in(asked) {
			left = append(left, ob)
			continue
		}
		if ob.Base().HasRun {
			return fmt.Errorf("%s has run in another network", ob.Base().Name())
		}
		mine = append(mine, ob)
	}
	for _, ob := range mine {
		for _, g := range groupsOf(ob) {
			if !in(g) || g.Net != from && g.Net != n {
				return fmt.Errorf("%s needs %s, which is not part of the network", ob.Base().Name(), g.Name())
			}
		}
	}
	all := append(slices.Clone(n.Objects), mine...)
	if _, err := n.commonStep(all); err != nil {
		return err
	}
	from.Objects = left
	for _, ob := range mine {
		ob.Base().Net = n
		countIn(ob, from.StepSize, n.StepSize)
	}
	n.Objects = all
	if err := from.align(); err != nil {
		return err
	}
	return n.align()
}

// groupsOf are the groups that an object works on.
func groupsOf(ob object) []*NeuronGroup {
	if x, ok := ob.(interface{ groups() []*NeuronGroup }); ok {
		return x.groups()
	}
	return nil
}

func (s *Synapses) groups() []*NeuronGroup {
	var out []*NeuronGroup
	for _, g := range []*NeuronGroup{s.Src.Group, s.Tgt.Group} {
		if g.Mirror != nil {
			out = append(out, g.Mirror.groups()...)
		} else {
			out = append(out, g)
		}
	}
	return out
}
func (r *Regular) groups() []*NeuronGroup {
	if r.Syn != nil {
		return r.Syn.groups()
	}
	return []*NeuronGroup{r.Src.Group}
}
func (p *PoissonInput) groups() []*NeuronGroup { return []*NeuronGroup{p.Target.Group} }

// Fresh says that neither an object nor a group that it works on has run.
func Fresh(a any) bool {
	ob, ok := a.(object)
	if !ok || ob.Base().HasRun {
		return false
	}
	for _, g := range groupsOf(ob) {
		if g.HasRun {
			return false
		}
	}
	return true
}

// Complete refuses a run of objects that need one which is elsewhere, or was removed.
func (n *Network) Complete() error {
	for _, ob := range n.Objects {
		if ob.Base().Removed {
			continue
		}
		needs := []object{}
		for _, g := range groupsOf(ob) {
			needs = append(needs, g)
		}
		switch x := ob.(type) {
		case *Regular:
			needs = append(needs, x.owner())
		case *StateMonitor:
			if x.Syn != nil {
				needs = append(needs, x.Syn)
			}
		}
		for _, x := range needs {
			switch o := x.Base(); {
			case o.Net != n:
				return fmt.Errorf("%s needs %s, which runs in another network", ob.Base().Name(), o.Name())
			case o.Removed:
				return fmt.Errorf("%s needs %s, which was removed from the network: remove it as well", ob.Base().Name(), o.Name())
			}
		}
	}
	return nil
}
