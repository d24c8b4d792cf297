package model

import (
	"slices"

	"synfire/engine/store"
)

// Monitor records a part of a network while it runs.
type Monitor interface {
	object
	Name() string
	SetActive(on bool) error
	AutomaticName() string
	Network() *Network
	Kind() string         // "spikes", "events", "state", "rate"
	Source() string       // the group that it watches, or the part of one: "P[0:800]"
	Len() int             // events or samples
	Columns() []*Column   // what it records, an array each, the times among them as "t"
	Entry() store.Monitor // what the manifest says of it
	Ahead(int64) int64    // bytes that it will record in so many steps, as far as that is known
	Watches() []Watch     // what it takes down in a step
}

// Watch is one thing that a monitor takes down in a step: the events of a group,
// with values at each, or samples of a variable. The compiler plans it, and hands
// what a run brings to To.
type Watch struct {
	Name  string // of its stage in the plan
	When  string // its slot; "": right after the event
	Order int    // in the slot
	To    Taker

	Event  *GroupEvent // what is watched, of the neurons Of; nil: samples
	Of     Span
	Values []*Variable // read at each event

	Sampled *Variable
	Items   []int // the neurons or synapses sampled, as its owner counts them; of a shared variable they do not matter
	Ignored bool  // nobody looks at the values: the samples bring the times
}

// ColumnList are what a monitor records.
type ColumnList []*Column

// Columns are the arrays that the monitor fills.
func (c ColumnList) Columns() []*Column { return c }

// Column is the array of a name; nil: the monitor does not record it.
func (c ColumnList) Column(name string) *Column {
	for _, x := range c {
		if x.Name == name {
			return x
		}
	}
	return nil
}

// times are the seconds of each event or sample.
func (c ColumnList) times() []float64 {
	if t := c.Column("t"); t != nil {
		v, _ := t.Floats()
		return v
	}
	return []float64{}
}

// checkFiles refuses a monitor whose name or columns could not be those of files,
// and variables that are named twice.
func checkFiles(name string, vars []string) error {
	if name != "" {
		if err := store.CheckName(name); err != nil {
			return argErrorf("name", "name=: %w", err)
		}
	}
	for k, v := range vars {
		if slices.Contains(vars[:k], v) {
			return argErrorf("variables", "variables=: %q is named twice", v)
		}
	}
	return nil
}

// Batch is the entries of one record after a Run of the backend: how many there
// are of each step from step on, their neurons (of spikes), and each value.
type Batch struct {
	Step          int64      // the first
	Counts, Index []uint32   // entries of each step; the neuron of each entry
	Values        [][]uint32 // words, of each variable
}

// Taker is whom the entries of a record are for.
type Taker interface{ Take(*Batch) }

// SampleBytes is what one sample of each column takes.
func (c ColumnList) SampleBytes() (b int64) {
	for _, x := range c {
		b += int64(max(x.Rows, 1) * x.Type.Size())
	}
	return b
}

func (s Span) name() string {
	if s.Lo == 0 && s.Hi == s.Group.Size {
		return s.Group.Name()
	}
	return (&Subgroup{s: s}).Name()
}
