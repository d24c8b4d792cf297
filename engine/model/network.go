// Package model is what a user described, and its values: the objects of a
// network (NeuronGroup, Synapses, inputs, monitors), their variables between
// runs, and what texts mean for them. Their semantics are Brian2's. All values
// are given and returned in SI units.
//
// Package compile makes a plan of a Network; package engine runs it, and is what
// programs import: the types of this package stand there under the same names.
// Fields are exported for these two packages, and are no promise.
package model

import (
	"fmt"
	"math"
	"strings"

	"synfire/engine/connect"
	"synfire/engine/eqn"
	"synfire/engine/ir"
)

// Quantity is a number with a physical dimension, in SI units.
type Quantity = eqn.Quantity

// Array is a list of numbers that share a dimension, in SI units.
type Array struct {
	V   []float64 // SI base units
	Dim eqn.Dim   // of all
}

// Packed is a long list of numbers in little memory: V[k]*Unit in SI units, a
// product in float64. V is kept and must not change after it was assigned.
type Packed struct {
	V    []float32 // times Unit: SI base units
	Unit float64   // what 1 in V is, in SI units
	Dim  eqn.Dim   // of all
}

// Slice is an index range [Lo, Hi) with a step, after Python's rules have been
// resolved; Step 0 means 1.
type Slice struct{ Lo, Hi, Step int }

// Options are the settings of a network.
type Options struct {
	Seed uint64  // of all that is drawn
	Pool *Pool   // of networks that run beside this one and share tables with it; nil: none
	Dt   float64 // of the default clock, seconds; 0: 0.1 ms

	// Lookup gives the value of a name that a text uses and its object does not
	// define: a Quantity, float64, int, bool or *TimedArray. It is asked when
	// Run is called, and when a string is assigned. Names lists what it knows,
	// for hints.
	Lookup func(name string) (any, bool)
	Names  func() []string // of the script, for hints
	// Locate says where a text of the model stands in its file. Nil: texts are
	// shown without a place.
	Locate func(text string) eqn.Source
	// Warn receives warnings (a shadowed name, weights that lie too far apart). Nil: dropped.
	Warn func(msg string)
}

// Network is a set of objects that run together.
type Network struct {
	opt      Options
	StepSize float64     // of the network, seconds: the steps of all clocks are multiples of it
	dt       float64     // of the default clock, seconds
	Random   *Randomness // what it draws from
	Objects  []object    // in the order of creation
	names    map[string]int
	warned   map[string]bool
	Step     int64                     // steps done
	Default  *clock                    // of all networks of a script
	T0       float64                   // end of the last run in seconds
	Due      [2]uint32                 // synaptic events delivered so far
	Specs    map[SpecKey]*connect.Spec // tables' contents that a later run may use again

	DrawnWith int    // the seed that drawn is of, as randomness.given
	Drawn     int64  // see drawnFrom
	SpikeHash uint64 // of all spikes so far

	Live    Live // while an operation runs: where the variables are; else nil
	Stopped bool // Stop was called since the run began
	Batch   int  // steps that the backend would make at a time; 0: as many as suit all

	Outer   any // what runs it
	running bool
}

// New returns an empty network.
func New(o Options) *Network {
	if o.Dt == 0 {
		o.Dt = 1e-4
	}
	return &Network{opt: o, StepSize: o.Dt, dt: o.Dt, Random: newRandomness(o.Seed), names: map[string]int{}, Specs: map[SpecKey]*connect.Spec{}, warned: map[string]bool{}, Default: &clock{}}
}

// Pool is where the network shares tables with other trials; nil: nowhere.
func (n *Network) Pool() *Pool { return n.opt.Pool }

// clock is the default clock: what t means outside a run, whichever network an
// object is part of.
type clock struct{ Step int64 }

// Dt is the step of the default clock in seconds.
func (n *Network) Dt() float64 { return n.dt }

// SetDt changes the step of the default clock. After a run the time that was reached
// must be a multiple of it.
func (n *Network) SetDt(seconds float64) error {
	if !(seconds > 0) || math.IsInf(seconds, 0) {
		return fmt.Errorf("defaultclock.dt must be a positive time, got %g s", seconds)
	}
	if err := n.still("defaultclock.dt"); err != nil && seconds != n.dt {
		return err
	}
	if x := n.T() / seconds; n.Step > 0 && seconds != n.dt && math.Abs(x-math.Round(x)) > 1e-4 { // as near as Brian2 asks
		return fmt.Errorf("defaultclock.dt cannot change from %g s to %g s: the network has run to %g s, which is not a multiple of that", n.dt, seconds, n.T())
	}
	old, clock := n.dt, n.Default.Step
	n.Default.Step = int64(min(ir.FarStep, roundHalf(n.Clock()/seconds)))
	n.dt = seconds
	err := n.align()
	if err != nil {
		n.dt, n.Default.Step = old, clock
	}
	return err
}

// T is the model time reached, in seconds.
func (n *Network) T() float64 { return float64(float64(n.Step) * n.StepSize) }

// Clock is the time of the default clock in seconds: that of the network which
// ran last, among those split from one another.
func (n *Network) Clock() float64 { return float64(float64(n.Default.Step) * n.dt) }

// object is anything that a network runs.
type object interface{ Base() *Object }

// Object is the identity that every part of a network has.
type Object struct {
	Net      *Network  // the network that it is part of
	AutoName string    // Brian2's automatic name; orders objects of one slot
	given    bool      // auto was given as name=
	number   uint64    // of all objects of a script
	counted  string    // the automatic name, counted from the seed on
	alias    string    // the script's variable
	HasRun   bool      // it has taken part in a run
	Since    float64   // the time at which its first run began, s
	When     string    // its slot; "": its default
	InSlot   int       // order= in the slot
	ownDt    float64   // dt= as given; 0: that of what the object belongs to, or the default clock's; DefaultClock
	moments  []float64 // in ascending order, seconds: it acts at these times; nil: at each step of its clock
	of       *Object   // what it belongs to: a monitor to what it watches; nil: nothing
	Inactive bool      // Brian2's active is False: it takes no part in a run
	Removed  bool      // it was taken out of the network, after a run
	rests    bool      // see Rests
}

// Base is the object itself, as part of another.
func (o *Object) Base() *Object { return o }

// Name is what reports and files call the object: name=, else the script's
// variable that holds it, else the automatic name (neurongroup_1).
func (o *Object) Name() string {
	if o.alias != "" && !o.given {
		return o.alias
	}
	return o.AutoName
}

// AutomaticName is name=, else Brian2's automatic name: unique among what a
// script makes, unless name= was given twice in different networks.
func (o *Object) AutomaticName() string { return o.AutoName }

// SetAlias tells the variable that holds the object.
func (o *Object) SetAlias(name string) { o.alias = name }

// register gives an object its name and adds it to the network.
func (n *Network) register(ob object, given, class string) error {
	if err := n.still("a new object"); err != nil {
		return err
	}
	o := ob.Base()
	o.Net = n
	if given != "" {
		for _, x := range n.Objects {
			if x.Base().AutoName == given {
				return fmt.Errorf("name=%q: an object of this name exists already", given)
			}
		}
		o.AutoName, o.given, o.counted = given, true, given
	} else {
		o.AutoName = class
		for k := n.names[class]; k > 0; k = 0 {
			o.AutoName = fmt.Sprintf("%s_%d", class, k)
		}
		n.names[class]++
	}
	if given == "" || automatic(given, class) {
		if r, ok := ob.(*Regular); ok {
			class = r.owner().Base().counted + r.suffix()
		}
		o.counted = n.Random.count(class)
	}
	n.Random.objects++
	o.number = n.Random.objects
	n.Objects = append(n.Objects, ob)
	if err := n.align(); err != nil {
		n.Objects = n.Objects[:len(n.Objects)-1]
		return err
	}
	return nil
}

// automatic tells whether a name that was given is one that Brian2 gives to objects of
// the class: its device does, and the number counts what else lives in the process.
func automatic(given, class string) bool {
	number, ok := strings.CutPrefix(given, class)
	if !ok || number == "" {
		return ok
	}
	digits, ok := strings.CutPrefix(number, "_")
	return ok && digits != "" && strings.Trim(digits, "0123456789") == ""
}

// Warn gives a warning to the user, once.
func (n *Network) Warn(format string, a ...any) {
	msg := fmt.Sprintf(format, a...)
	if n.opt.Warn != nil && !n.warned[msg] {
		n.warned[msg] = true
		n.opt.Warn(msg)
	}
}

// source wraps a text of the model with its place.
func (n *Network) source(text string) *eqn.Source {
	if n.opt.Locate != nil {
		s := n.opt.Locate(text)
		return &s
	}
	return &eqn.Source{Text: text, Line: 1, Col: 1}
}

// Groups lists the populations in the order of creation.
func (n *Network) Groups() []*NeuronGroup {
	var out []*NeuronGroup
	for _, ob := range n.Objects {
		if g, ok := ob.(*NeuronGroup); ok {
			out = append(out, g)
		}
	}
	return out
}

// Monitors lists the monitors in the order of creation.
func (n *Network) Monitors() []Monitor {
	var out []Monitor
	for _, ob := range n.Objects {
		if m, ok := ob.(Monitor); ok {
			out = append(out, m)
		}
	}
	return out
}

// AllSynapses lists the Synapses in the order of creation.
func (n *Network) AllSynapses() []*Synapses {
	var out []*Synapses
	for _, ob := range n.Objects {
		if s, ok := ob.(*Synapses); ok {
			out = append(out, s)
		}
	}
	return out
}

// SpecKey is the content of a table and how its weights are kept.
type SpecKey struct {
	Print   uint64  // fingerprint of its synapses
	Scale   float64 // of its weights
	Width   int     // bits of a weight; 0: all have one
	Uniform int32   // which is this, times Scale
}
