package script

import (
	"fmt"

	"go.starlark.net/starlark"

	"synfire/engine"
	"synfire/engine/eqn"
	"synfire/engine/script/array"
)

// ownClock is Clock(dt) or EventClock(times): what clock= of an object takes.
type ownClock struct {
	opaque
	name  string
	dt    float64   // seconds
	times []float64 // of an EventClock, seconds; else nil
}

func (k *ownClock) String() string {
	if k.times != nil {
		return fmt.Sprintf("<EventClock of %d times>", len(k.times))
	}
	return "<Clock, dt " + array.Quantity{Value: k.dt, Dim: second}.String() + ">"
}

func (k *ownClock) Type() string {
	if k.times != nil {
		return "EventClock"
	}
	return "Clock"
}

func (k *ownClock) Attr(name string) (starlark.Value, error) {
	switch {
	case name == "dt" && k.times == nil:
		return array.Quantity{Value: k.dt, Dim: second}, nil
	case name == "times" && k.times != nil:
		return &array.Array{V: append([]float64(nil), k.times...), Dim: second}, nil
	case name == "name" && k.name != "":
		return starlark.String(k.name), nil
	case name == "t":
		return nil, eqn.As(eqn.Unsupported, withHint("defaultclock.t and t of a group are there", "Brian2 has .t of a %s; Synfire does not yet", k.Type()))
	}
	return nil, nil
}

func (k *ownClock) AttrNames() []string {
	if k.times != nil {
		return []string{"name", "times"}
	}
	return []string{"dt", "name"}
}

// newClock is Clock(dt) and EventClock(times).
func newClock(_ *script, c *call) (starlark.Value, error) {
	k := &ownClock{name: c.objectName()}
	if c.Fn == "EventClock" {
		k.times = c.moments()
	} else {
		k.dt = c.step()
	}
	return k, c.err
}

// moments is times=: a list of times.
func (c *call) moments() []float64 {
	o, ok, err := array.OperandOf(c.Get("times"))
	switch {
	case err != nil:
		c.fail("times", err)
	case !ok || o.Table || o.Dim != second && len(o.V) > 0:
		c.failf("times", "times= must be a list of times, not %s", array.Describe(c.Val["times"]))
	default:
		return append([]float64{}, o.V...)
	}
	return nil
}

// step is the interval of an object that dt= or clock= gives: a positive time, 0
// where neither is there.
func (c *call) step() float64 {
	dt, times := c.clock()
	if times != nil {
		c.failf("clock", "an EventClock has no dt, which %s needs: give dt=, or a Clock", c.Fn)
	}
	return dt
}

// clock is the interval or the list of times that dt= or clock= gives.
func (c *call) clock() (dt float64, times []float64) {
	dt = c.seconds("dt", 0)
	if c.err == nil && c.Has("dt") && dt <= 0 {
		c.failf("dt", "dt= must be a positive time, not %s", array.Describe(c.Get("dt")))
	}
	if !c.Has("clock") {
		return dt, nil
	}
	if c.Has("dt") {
		c.failf("clock", "%s takes dt= or clock=, not both", c.Fn)
	}
	switch k := c.Get("clock").(type) {
	case *ownClock:
		return k.dt, k.times
	case *clock:
		if c.Fn == "run_regularly" || c.Fn == "StateMonitor" { // without it, these go by a group's
			return engine.DefaultClock, nil
		}
		return 0, nil
	default:
		c.failf("clock", "clock= must be a Clock, an EventClock or defaultclock, not %s", array.Describe(k))
	}
	return 0, nil
}
