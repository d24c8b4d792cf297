// Package engine runs networks of spiking neurons. A Network is described with
// NeuronGroup, Synapses, inputs and monitors (package model, whose types stand
// here under the same names), turned into a Plan (package compile), and run on a
// backend.Backend by Run. Values are set and read in SI units; Q makes quantities
// from text.
//
// A network and all that belongs to it are for one goroutine at a time.
package engine

import (
	"fmt"

	"synfire/engine/eqn"
	"synfire/engine/model"
)

// What a network is made of: see package model.
type (
	Model               = model.Network // a network as it was described, which is what its objects know of
	Options             = model.Options
	Pool                = model.Pool
	NeuronGroup         = model.NeuronGroup
	Subgroup            = model.Subgroup
	Cells               = model.Cells
	GroupOptions        = model.GroupOptions
	Regular             = model.Regular
	RegularOptions      = model.RegularOptions
	Schedule            = model.Schedule
	Operation           = model.Operation
	Snapshot            = model.Snapshot
	StoredState         = model.StoredState
	Linked              = model.Linked
	OperationOptions    = model.OperationOptions
	Synapses            = model.Synapses
	SynapsesOptions     = model.SynapsesOptions
	Pathway             = model.Pathway
	ConnectOptions      = model.ConnectOptions
	PoissonInput        = model.PoissonInput
	InputOptions        = model.InputOptions
	PoissonOptions      = model.PoissonOptions
	GeneratorOptions    = model.GeneratorOptions
	TimedArray          = model.TimedArray
	Formula             = model.Formula
	Monitor             = model.Monitor
	SpikeMonitor        = model.SpikeMonitor
	StateMonitor        = model.StateMonitor
	RateMonitor         = model.RateMonitor
	SpikeMonitorOptions = model.SpikeMonitorOptions
	StateMonitorOptions = model.StateMonitorOptions
	RateMonitorOptions  = model.RateMonitorOptions
	ArgError            = model.ArgError
	Column              = model.Column
	Var                 = model.Var
	Array               = model.Array
	Packed              = model.Packed
	Slice               = model.Slice
	Quantity            = model.Quantity
	Work                = model.Work
)

// ErrInterrupted is wrapped by what Run returns where its context ended.
var ErrInterrupted = model.ErrInterrupted

// Beside begins the names of fields of a Snapshot that are not the network's: a
// program may keep its own there.
const Beside = model.Beside

// Pools are for so many trials of a network that run beside one another, each in a goroutine of its own: as Options.Pool
// they let them have tables of synapses in common.
func Pools(trials int) []*Pool { return model.Pools(trials) }

// DefaultClock, as the Dt of what would go by the clock of a group, is the default
// clock's, whatever that will be.
const DefaultClock = model.DefaultClock

// Stored is a snapshot that was read from a file.
func Stored(s *StoredState) *Snapshot { return model.Stored(s) }

// NewFormula makes a function of an expression's text, for equations: its
// parameters, and the units of these and, last, of its value (nil: any).
func NewFormula(params []string, body eqn.Source, units []*eqn.Dim) (*Formula, error) {
	x, err := eqn.ParseExpr(&body)
	if err != nil {
		return nil, err
	}
	return &Formula{Params: params, Body: x, Units: units}, nil
}

// NewTimedArray makes a table of rows x cols values (cols 0: one-dimensional),
// each row holding for dt seconds.
func NewTimedArray(values Array, rows, cols int, dt float64, name string) (*TimedArray, error) {
	return model.NewTimedArray(values, rows, cols, dt, name)
}

// Fresh says that an object, as far as it is one, has run in no network yet.
func Fresh(o any) bool { return model.Fresh(o) }

// ParseQuantity is the value of an expression of numbers, units and constants:
// "1.5*ms", "-70*mV", "2*pi*radian/second".
func ParseQuantity(text string) (Quantity, error) {
	x, err := eqn.ParseExpr(&eqn.Source{Text: text, Line: 1, Col: 1})
	if err != nil {
		return Quantity{}, fmt.Errorf("the quantity %q: %w", text, err)
	}
	q, err := eqn.EvalHost(x, eqn.MapScope{})
	if err != nil {
		return Quantity{}, fmt.Errorf("the quantity %q: %w", text, err)
	}
	return q, nil
}

// Q is ParseQuantity of a text that stands in a program; it panics where that is
// no quantity, as regexp.MustCompile does.
func Q(text string) Quantity {
	q, err := ParseQuantity(text)
	if err != nil {
		panic(err)
	}
	return q
}
