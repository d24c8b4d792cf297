package engine

import "fmt"

// Network is the network that an object is part of.
func (o *Object) Network() *Network { return o.net }

// Ran says whether an object has taken part in a run.
func (o *Object) Ran() bool { return o.ran }

// Split moves objects that have not run yet into a network of their own, whose
// time begins at 0. in is asked of each object that the caller made.
func (n *Network) Split(in func(any) bool) (*Network, error) {
	m := newNetwork(n.opt)
	m.dt = n.dt
	m.names, m.random, m.clock = n.names, n.random, n.clock // of all networks of a script
	return m, m.Take(n, in)
}

// Take moves objects of another network that have not run yet into n, with what
// belongs to them; it changes nothing where one of them needs an object that
// would be left behind.
func (n *Network) Take(from *Network, in func(any) bool) error {
	var mine, left []object
	for _, ob := range from.objects {
		asked := ob
		if r, ok := ob.(*regular); ok {
			asked = r.src.g
		}
		if !in(asked) {
			left = append(left, ob)
			continue
		}
		if ob.base().ran {
			return fmt.Errorf("%s has run in another network", ob.base().Name())
		}
		mine = append(mine, ob)
	}
	for _, ob := range mine {
		for _, g := range groupsOf(ob) {
			if !in(g) || g.net != from && g.net != n {
				return fmt.Errorf("%s needs %s, which is not part of the network", ob.base().Name(), g.Name())
			}
		}
	}
	from.objects, n.objects = left, append(n.objects, mine...)
	for _, ob := range mine {
		ob.base().net = n
	}
	return nil
}

// groupsOf are the groups that an object works on.
func groupsOf(ob object) []*NeuronGroup {
	switch x := ob.(type) {
	case *Synapses:
		return []*NeuronGroup{x.src.g, x.tgt.g}
	case *regular:
		return []*NeuronGroup{x.src.g}
	case *PoissonInput:
		return []*NeuronGroup{x.target.g}
	case Monitor:
		return []*NeuronGroup{x.span().g}
	}
	return nil
}

// Fresh says that neither an object nor a group that it works on has run.
func Fresh(a any) bool {
	ob, ok := a.(object)
	if !ok || ob.base().ran {
		return false
	}
	for _, g := range groupsOf(ob) {
		if g.ran {
			return false
		}
	}
	return true
}

// complete refuses a run of objects whose groups are elsewhere.
func (n *Network) complete() error {
	for _, ob := range n.objects {
		for _, g := range groupsOf(ob) {
			if g.net != n {
				return fmt.Errorf("%s needs %s, which runs in another network", ob.base().Name(), g.Name())
			}
		}
	}
	return nil
}
