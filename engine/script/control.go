package script

import (
	"fmt"
	"math"
	"slices"
	"time"

	"go.starlark.net/starlark"

	"synfire/engine"
	"synfire/engine/eqn"
	"synfire/engine/script/array"
)

const runParams = "duration / report=None report_period=10*second namespace profile=False level"

func runBuiltin(x *script, c *call) (starlark.Value, error) { return x.run(c, nil) }

// run advances the network of all objects, or a Network of some.
func (x *script) run(c *call, only *network) (starlark.Value, error) {
	if x.operating > 0 {
		return nil, fmt.Errorf("a network_operation cannot run a network")
	}
	duration := c.seconds("duration", 0)
	if c.err == nil && duration < 0 {
		c.failf("duration", "a run takes a positive time, not %s", array.Describe(c.Val["duration"]))
	}
	if c.err != nil {
		return nil, c.err
	}
	if c.integer("level", 0) != 0 {
		c.refuse("level")
	}
	c.boolean("profile", false) // the summary of a run shows the profile in any case
	progress := x.report(c)
	if c.err != nil {
		return nil, c.err
	}
	if only != nil && len(only.objects) == 0 { // all were removed: no clock goes on
		return starlark.None, nil
	}
	net, err := x.runs(only)
	if err != nil {
		return nil, err
	}
	old := x.namespace
	if err := x.useNamespace(c); err != nil {
		return nil, err
	}
	defer func() { x.namespace = old }()
	return starlark.None, x.runFor(duration, net, only == nil, progress)
}

// runs is the network that a run() of all objects, or of a Network, runs.
func (x *script) runs(only *network) (*engine.Network, error) {
	x.setAliases()
	if err := x.sameDt(); err != nil {
		return nil, err
	}
	if only == nil && x.replaced() {
		if err := x.renew(func(o object) bool { return engine.Fresh(o) }); err != nil {
			return nil, err
		}
	}
	net := x.net
	if only != nil {
		var err error
		if net, err = only.unify(); err != nil {
			return nil, err
		}
		if net.Dt() != x.net.Dt() {
			if err := net.SetDt(x.net.Dt()); err != nil {
				return nil, err
			}
		}
	}
	if old := x.res.Net; old != net {
		old.Close() // frees what it has on the backend; it can run again
		x.res.Net = net
	}
	return net, nil
}

// runFor runs a network, which is that of all objects or not.
func (x *script) runFor(duration float64, net *engine.Network, all bool, progress func(done, total int64)) error {
	if err := x.followed(); err != nil {
		return err
	}
	left := int64(0)
	if x.opt.MaxSteps > 0 {
		if left = x.opt.MaxSteps - x.steps; left <= 0 {
			return errEnd
		}
	}
	if x.opt.BeforeRun != nil {
		if err := x.opt.BeforeRun(net); err != nil {
			return err
		}
	}
	if x.opt.Info != nil {
		w := x.work()
		if x.opt.Plan != nil {
			w.Memory = math.MaxInt64 // it is for other machines
		}
		p, err := net.InfoPlan(w, x.opt.Info)
		if err == nil && x.opt.Plan != nil {
			err = x.opt.Plan(w, p)
		}
		if err != nil {
			return err
		}
		return errEnd
	}
	if x.be == nil {
		if x.opt.Open == nil {
			return fmt.Errorf("run: no backend was given")
		}
		be, err := x.opt.Open()
		if err != nil {
			return err
		}
		x.be = be
	}
	var records engine.Recorder
	if x.opt.Records != nil {
		records = x.opt.Records
	}
	o := engine.RunOptions{Backend: x.be, Progress: progress, Threads: x.opt.Threads, Ranks: x.ranks(), MaxSteps: left, Records: records, Stages: x.session != nil && x.session.stages}
	if err := x.checkpoints(&o); err != nil {
		return err
	}
	r, err := net.Run(x.ctx, duration, o)
	if err == nil {
		x.finished(net)
	}
	if r != nil {
		x.res.Runs = append(x.res.Runs, r)
		x.steps += r.Steps
	}
	if err != nil {
		return err
	}
	if all && len(x.objects) == 0 { // what is made later begins at 0
		if err := x.renew(func(object) bool { return true }); err != nil {
			return err
		}
	}
	if x.opt.AfterRun != nil {
		if err := x.opt.AfterRun(x.res); err != nil {
			return err
		}
	}
	if left > 0 && x.steps >= x.opt.MaxSteps {
		return errEnd
	}
	return nil
}

// report is what tells how far a run is: Options.Progress and, with report=, lines
// such as Brian2's on the script's output.
func (x *script) report(c *call) func(done, total int64) {
	period := c.seconds("report_period", 10)
	if c.err == nil && period <= 0 {
		c.failf("report_period", "report_period= must be a positive time, not %s", array.Describe(c.Get("report_period")))
	}
	switch v := c.Get("report").(type) {
	case nil:
		return x.opt.Progress
	case starlark.Bool:
		if !v {
			return x.opt.Progress
		}
		c.failf("report", "report= is 'text' or None, not True")
	case starlark.String:
		switch v {
		case "text", "stdout":
		case "stderr":
			c.fail("report", eqn.As(eqn.Unsupported, withHint("report='text' prints; the command shows its own progress on stderr", "Brian2 has report='stderr' of run(); Synfire does not yet")))
		default:
			c.fail("report", withHint("give report='text'", "there is no report '%s'", string(v)))
		}
	case starlark.Callable:
		c.fail("report", eqn.As(eqn.Unsupported, withHint("report='text' prints lines", "Brian2 has functions as report= of run(); Synfire does not yet")))
	default:
		c.failf("report", "report= is 'text' or None, not %s", array.Describe(v))
	}
	if x.opt.Stdout == nil {
		return x.opt.Progress
	}
	begin := time.Now()
	last, dt := begin, x.net.StepSize
	return func(done, total int64) {
		now := time.Now()
		took, reached := now.Sub(begin).Round(time.Millisecond), array.Quantity{Value: float64(done) * dt, Dim: second}
		switch {
		case done == total:
			fmt.Fprintf(x.opt.Stdout, "%s (100%%) simulated in %s\n", reached, took)
		case now.Sub(last).Seconds() >= period:
			last = now
			part := float64(done) / float64(total)
			left := time.Duration(float64(took) * (1 - part) / part).Round(time.Millisecond)
			fmt.Fprintf(x.opt.Stdout, "%s (%d%%) simulated in %s, estimated %s remaining\n", reached, int(100*part), took, left)
		}
		if x.opt.Progress != nil {
			x.opt.Progress(done, total)
		}
	}
}

// network is a Network: the objects that its run() takes.
type network struct {
	opaque
	x       *script
	objects []object
	own     *engine.Network // once it has run beside others; nil: x.net
	emptied bool            // all objects were removed
}

func newNetwork(x *script, args starlark.Tuple) (starlark.Value, error) {
	n := &network{x: x}
	return n, n.add(args)
}

// add takes objects, and lists or dictionaries of them.
func (n *network) add(args starlark.Tuple) error {
	had := len(n.objects)
	if err := n.addAll(args, map[starlark.Value]bool{}, 0); err != nil {
		return err
	}
	for _, o := range n.objects[had:] {
		if o.(interface{ Gone() bool }).Gone() {
			n.objects = n.objects[:had]
			return withHint("set its active to False, to stop it for a while", "%s was removed from a Network that has run, and cannot be added to one again", o.Name())
		}
	}
	return nil
}

// remove takes objects out, given as to add: for good where they have run.
func (n *network) remove(args starlark.Tuple) error {
	list := &network{x: n.x}
	if err := list.addAll(args, map[starlark.Value]bool{}, 0); err != nil {
		return err
	}
	n.x.aliases()
	in, out := map[object]bool{}, map[object]bool{}
	for _, o := range n.objects {
		in[o] = true
	}
	for _, o := range list.objects {
		if !in[o] {
			return fmt.Errorf("%s is not part of the Network", o.Name())
		}
		out[o] = true
	}
	net := n.x.net
	if n.own != nil {
		net = n.own
	}
	gone := func(o object) bool { return out[o] && o.Ran() }
	if err := net.Remove(chosen(gone)); err != nil {
		return err
	}
	n.x.leave(gone)
	n.objects = slices.DeleteFunc(n.objects, func(o object) bool { return out[o] })
	n.emptied = len(n.objects) == 0
	return nil
}

// addAll is add inside so many lists; those that were taken are not taken again.
func (n *network) addAll(args starlark.Tuple, taken map[starlark.Value]bool, depth int) error {
	if depth > array.MaxListed {
		return array.ErrListed
	}
	for _, a := range args {
		if n.x.thread.Steps += 100; n.x.thread.Steps >= n.x.opt.maxOps() { // tuples may hold a tuple many times
			return fmt.Errorf("too many steps")
		}
		switch v := a.(type) {
		case *collected:
			n.objects = append(n.objects, v.objects...)
		case *group:
			o := v.object()
			if o == nil {
				return fmt.Errorf("a subgroup cannot be added to a Network: add its group")
			}
			n.objects = append(n.objects, o)
		case holder:
			n.objects = append(n.objects, v.object())
		case *timedArray, *regular: // the latter belongs to its group
		case *starlark.Dict, *starlark.List, *starlark.Set, starlark.Tuple:
			if _, tuple := v.(starlark.Tuple); !tuple {
				if inside, seen := taken[v]; inside {
					return fmt.Errorf("a list that holds itself")
				} else if seen {
					continue
				}
				taken[v] = true
			}
			var list starlark.Tuple
			if d, ok := v.(*starlark.Dict); ok {
				for _, it := range d.Items() {
					list = append(list, it[1])
				}
			} else {
				it := v.(starlark.Iterable).Iterate()
				var e starlark.Value
				for it.Next(&e) {
					list = append(list, e)
				}
				it.Done()
			}
			if err := n.addAll(list, taken, depth+1); err != nil {
				return err
			}
			if _, tuple := v.(starlark.Tuple); !tuple {
				taken[v] = false
			}
		default:
			return fmt.Errorf("%s cannot be part of a Network", array.Describe(a))
		}
	}
	return nil
}

func (n *network) String() string { return fmt.Sprintf("<Network of %d objects>", len(n.objects)) }
func (n *network) Type() string   { return "Network" }

func (n *network) Attr(name string) (starlark.Value, error) {
	switch name {
	case "add":
		return array.Method(n, name, func(args starlark.Tuple) (starlark.Value, error) { return starlark.None, n.add(args) }), nil
	case "remove":
		return array.Method(n, name, func(args starlark.Tuple) (starlark.Value, error) { return starlark.None, n.remove(args) }), nil
	case "collect":
		return array.Method(n, name, func(starlark.Tuple) (starlark.Value, error) {
			n.objects = append([]object(nil), n.x.objects...)
			return starlark.None, nil
		}), nil
	case "run":
		return n.x.method(n, name, func(c *call) (starlark.Value, error) {
			if len(n.objects) == 0 && !n.emptied {
				return nil, fmt.Errorf("the Network has no object: add(...) some")
			}
			return n.x.run(c, n)
		}), nil
	case "t":
		net := n.x.net
		if n.own != nil {
			net = n.own
		}
		return array.Quantity{Value: net.T(), Dim: second}, nil
	case "store":
		return n.x.method(n, name, func(c *call) (starlark.Value, error) { return n.x.store(c, n) }), nil
	case "restore":
		return n.x.method(n, name, func(c *call) (starlark.Value, error) { return n.x.restore(c, n) }), nil
	case "stop":
		return n.x.method(n, name, func(c *call) (starlark.Value, error) {
			if n.x.operating > 0 {
				n.x.res.Net.Stop()
			}
			return starlark.None, nil
		}), nil
	case "schedule", "get_states", "set_states", "profiling_info", "scheduling_summary", "objects":
		return nil, eqn.As(eqn.Unsupported, fmt.Errorf("Brian2 has .%s of a Network; Synfire does not yet", name))
	}
	return nil, nil
}

// magicNetwork is Brian2's name for the network of all objects.
type magicNetwork struct {
	opaque
	x     *script
	words starlark.StringDict
}

func (m *magicNetwork) String() string { return "<magic_network>" }
func (m *magicNetwork) Type() string   { return "MagicNetwork" }
func (m *magicNetwork) AttrNames() []string {
	return []string{"restore", "run", "stop", "store", "t"}
}
func (m *magicNetwork) Attr(name string) (starlark.Value, error) {
	if name == "t" {
		return array.Quantity{Value: m.x.net.Clock(), Dim: second}, nil
	}
	if v := m.words[name]; v != nil {
		return v, nil
	}
	hint := eqn.Nearest(name, m.AttrNames())
	if name == "profiling_info" {
		hint = "the summary of a run shows where the time went; time.time() before and behind it tells how long it took"
	}
	return nil, eqn.As(eqn.Unsupported, withHint(hint, "magic_network has no .%s here", name))
}

// Get is net['name'].
func (n *network) Get(starlark.Value) (starlark.Value, bool, error) {
	return nil, false, eqn.As(eqn.Unsupported, withHint("keep it in a variable or a dictionary of your own", "Brian2 finds an object of a Network by its name, net['name']; Synfire does not yet"))
}
func (n *network) AttrNames() []string { return []string{"add", "collect", "remove", "run", "t"} }

// collect is Brian2's collect(): a list of all objects, for Network(collect()).
func collect(x *script, args starlark.Tuple) (starlark.Value, error) {
	if len(args) > 0 {
		return nil, fmt.Errorf("collect() takes no argument")
	}
	n := &network{x: x, objects: append([]object(nil), x.objects...)}
	return starlark.NewList([]starlark.Value{&collected{network: n}}), nil
}

// collected stands for all objects made so far, inside the list of collect().
type collected struct{ *network }
