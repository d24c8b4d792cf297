package script

import (
	"fmt"

	"go.starlark.net/starlark"

	"synfire/engine"
)

// Objects are made in the network x.net. It is what run() runs, until objects
// leave it: for a Network of a part of them, or since start_scope() or new
// objects under the old names begin another one, whose time is 0.

// startScope leaves what was made so far to the past.
func startScope(x *script, _ *call) (starlark.Value, error) {
	if len(x.objects) == 0 {
		return starlark.None, nil
	}
	return starlark.None, x.renew(func(object) bool { return false })
}

// renew begins a network with some objects that have not run.
func (x *script) renew(with func(object) bool) error {
	fresh, err := x.net.Split(chosen(with))
	if err != nil {
		return err
	}
	x.net = fresh
	x.leave(func(o object) bool { return !with(o) })
	return nil
}

// setDt sets the step of the default clock: of the present network, if the time that
// it has reached is a multiple of it, else of those to come.
func (x *script) setDt(seconds float64) error {
	err := x.net.SetDt(seconds)
	if err == nil || x.net.T() == 0 || x.operating > 0 || !(seconds > 0) {
		return err
	}
	for _, o := range x.objects {
		if o.Ran() {
			x.ended = append(x.ended, o)
		}
	}
	if err := x.renew(func(o object) bool { return engine.Fresh(o) }); err != nil {
		return err
	}
	return x.net.SetDt(seconds)
}

// sameDt refuses to continue what has run and could not take another step.
func (x *script) sameDt() error {
	held := x.held()
	for _, o := range x.ended {
		if n := o.Network(); o.Ran() && n.Dt() != x.net.Dt() && held[o] {
			return fmt.Errorf("defaultclock.dt cannot change from %g s to %g s: %s has run to %g s, which is not a multiple of that", n.Dt(), x.net.Dt(), o.Name(), n.T())
		}
	}
	return nil
}

// chosen is a choice among the script's objects as the engine asks for it.
func chosen(in func(object) bool) func(any) bool {
	return func(a any) bool {
		o, ok := a.(object)
		return ok && in(o)
	}
}

// leave drops objects from those that run() takes.
func (x *script) leave(out func(object) bool) {
	x.setAliases()
	var stay []object
	for _, o := range x.objects {
		if !out(o) {
			stay = append(stay, o)
		}
	}
	x.objects = stay
	x.aliased, x.own, x.named = len(stay), nil, nil
}

// replaced says that nothing that has run can be seen by name where run() is
// called, but something new can: Brian2 then begins a network at time 0.
func (x *script) replaced() bool {
	seen := x.held()
	old, fresh := false, false
	for _, o := range x.objects {
		switch {
		case o.Ran() && seen[o]:
			return false
		case o.Ran():
			old = true
		case seen[o]:
			fresh = true
		}
	}
	return old && fresh
}

// held are the objects that a name holds where run() is called.
func (x *script) held() map[object]bool {
	seen := map[object]bool{}
	x.names(func(_ string, v starlark.Value) bool {
		switch v := v.(type) {
		case *group:
			seen[v.c.Group()] = true
		case holder:
			seen[v.object()] = true
		}
		return true
	})
	return seen
}

// unify makes a network of the engine that holds a Network's objects and no other.
func (n *network) unify() (*engine.Network, error) {
	x, mine := n.x, map[object]bool{}
	for _, o := range n.objects {
		mine[o] = true
	}
	in := func(o object) bool { return mine[o] }
	if n.own == nil {
		all, ran, others := true, false, false // of the objects of x.net
		for _, o := range x.objects {
			all = all && mine[o]
			ran = ran || o.Ran() && mine[o]
			others = others || o.Ran() && !mine[o]
		}
		switch {
		case all && x.holds(n.objects):
			return x.net, nil
		case ran && !others: // what has not run makes room
			n.own = x.net
			if err := x.renew(func(o object) bool { return !mine[o] }); err != nil {
				return nil, err
			}
		default:
			own, err := x.net.Split(chosen(in))
			if err != nil {
				return nil, withHint("an object runs in one network only", "%v", err)
			}
			n.own = own
			x.leave(in)
		}
	} else if err := n.own.Take(x.net, chosen(in)); err != nil {
		return nil, err
	} else {
		x.leave(in)
	}
	for _, o := range n.objects {
		if o.Network() != n.own.Network {
			return nil, withHint("an object runs in one network only", "%s has run in another network", o.Name())
		}
	}
	return n.own, nil
}

// holds says whether all of a list are objects of x.net.
func (x *script) holds(list []object) bool {
	for _, o := range list {
		if o.Network() != x.net.Network {
			return false
		}
	}
	return true
}

// otherNetworks are those that have run, beside the last, and that a Network or a
// monitor of the script's globals or run() still means.
func (x *script) otherNetworks() []*engine.Network {
	have := map[*engine.Network]bool{x.res.Net: true}
	var list []*engine.Network
	take := func(n *engine.Network) {
		if n != nil && !have[n] && n.T() > 0 {
			have[n] = true
			list = append(list, n)
		}
	}
	take(x.net)
	globals := x.mainGlobals()
	for _, name := range x.main.globals() {
		switch v := globals[name].(type) {
		case *network:
			take(v.own)
		case *monitor:
			take(engine.Of(v.m.Network()))
		}
	}
	return list
}
