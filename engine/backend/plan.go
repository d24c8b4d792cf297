// Package backend is the seam between the engine and whatever runs a network:
// the Plan (plain data), and the two small interfaces that a backend
// implements. A backend decides layout and scheduling, never meaning.
package backend

import (
	"synfire/engine/connect"
	"synfire/engine/ir"
)

// BufID names a buffer by its index in Plan.Bufs.
type BufID int32

// NoBuf is the absent buffer.
const NoBuf BufID = -1

// BufKind says who writes a buffer and whether it belongs to the canonical state.
type BufKind uint8

// Kinds of buffers.
const (
	State    BufKind = iota // written by stages; its words are canonical state
	Constant                // read by stages, written by the host only (parameters, tables of values)
	Scratch                 // accumulators and temporaries: the backend sees to it that all are zero when a step begins; not state
	Record                  // filled during a Run, empty when the next begins, not state
)

// Buf is an array of words.
type Buf struct {
	Name string // "P.v", "P.v#lo", "P.spikes": unique in the plan
	Kind BufKind
	Type ir.Type
	Len  int      // words
	Init []uint32 // first Len words, nil for zeros

	// Of synapses, in place of Init, where several processes make the run: they are made as
	// they are asked for, and a process keeps its own.
	Parts []Part
}

// Part is words Lo to Lo+N-1 of a buffer: all Value, or what Each gives, some at a time
// and in order.
type Part struct {
	Lo, N int
	Value uint32
	Each  Words
	Lies  *Lying // where Each takes the words from, which they may be copied from; nil: elsewhere
}

// Lying is words of synapses that lie with the processes of a run.
type Lying struct {
	In  Parted
	Buf BufID
	Lo  int
}

// Words calls take with words from k0 on, which are overwritten after it has returned.
type Words func(take func(k0 int, words []uint32) error) error

// Each calls take with the words of all parts.
func (b *Buf) Each(take func(k0 int, words []uint32) error) error {
	for _, p := range b.Parts {
		at := func(k0 int, words []uint32) error { return take(p.Lo+k0, words) }
		if err := p.each(at); err != nil {
			return err
		}
	}
	return nil
}

func (p *Part) each(take func(k0 int, words []uint32) error) error {
	if p.Each != nil {
		return p.Each(take)
	}
	words := make([]uint32, min(p.N, 1<<14))
	for k := range words {
		words[k] = p.Value
	}
	for k := 0; k < p.N; k += len(words) {
		if err := take(k, words[:min(len(words), p.N-k)]); err != nil {
			return err
		}
	}
	return nil
}

// Event is a kind of event of one population: its spikes, or a custom event.
// Masks holds the last History steps as bit masks: the mask of step s is row
// s%History, each row (N+31)/32 words, bit k%32 of word k/32 for neuron k. Rows
// of steps that have not happened are zero.
type Event struct {
	Name    string // "P.spike"
	N       int
	History int // at least 1, and more than the longest delay of what listens
	Masks   BufID
	Spike   bool // counts in run.json and in the hash of spikes
}

// Binding connects a program's slot with memory. A FormEffect stage may bind
// Array slots to the synapse's own ends: Buf NoBuf and Off SlotSource or
// SlotTarget.
type Binding struct {
	Buf   BufID // an Array, Table or Accum slot: words from Off on; NoBuf for a mask
	Off   int   // in words; lane 0 of the stage is word Off
	Event int   // a Mask slot: the mask of the current step of this event
}

// Ends of a synapse, as Binding.Off with NoBuf in FormEffect stages.
const (
	SlotSource = -1 // its row in the table's Spec
	SlotTarget = -2 // its target in the table's Spec
)

// Form is the kind of a stage. The set is closed.
type Form uint8

// Forms of stages.
const (
	FormMap     Form = iota // run Prog once for each of N lanes
	FormInject              // spikes known ahead: a SpikeGeneratorGroup
	FormDeliver             // constant synapses: add packed weights of due spikes to an accumulator
	FormEffect              // run Prog once for each synapse whose effect is due; its lane is the synapse's number in the Spec
	FormSample              // append values of chosen items to a record
	FormSpikes              // append this step's events, and values at them, to a record
)

// Stage is one entry of a step. Stages run in the order of Plan.Stages, each
// seeing the effects of those before it; within a stage all lanes are
// independent. Only the fields of its Form are set.
type Stage struct {
	Form Form
	Name string // "P update", "Ce deliver": for errors, profiles and verify
	Flag int    // the stage runs where this host word is not 0; -1: always

	// FormMap and FormEffect.
	N    int // lanes (FormMap)
	Prog *ir.Prog
	Bind []Binding // one for each of Prog.Slots
	Trap []Trap    // what each trap code of Prog means

	// FormInject: at step s (s mod Period if Period > 0) neurons
	// Index[Start[k]:Start[k+1]] of Event fire, where Steps[k] == s; Steps ascends.
	Event  int // also FormSpikes
	Steps  []int64
	Start  []int32
	Index  []uint32
	Period int64

	// FormDeliver and FormEffect.
	Table int   // index into Plan.Tables
	Count int   // how many synaptic events one due synapse is in Plan.Due
	Acc   BufID // FormDeliver: one I32 word for each target of the table
	Post  bool  // FormEffect: rows are targets (on_post) instead of sources

	// FormSample and FormSpikes.
	Rec Rec
}

// Rec is a record: where a FormSample or FormSpikes stage appends.
//
// A sample appends, for every recorded step, one word of each of Items (nil:
// items 0..N-1) of each of Src, to Dst of the same index. A spike record appends
// to Index the neurons in [Lo, Hi) that have the event at this step, in
// ascending order, and to each Dst the word of Src at that neuron. Count[s] is
// the number of entries (FormSpikes) or 0 or 1 (FormSample) of the s-th step of
// this Run.
type Rec struct {
	Count  BufID
	Index  BufID // FormSpikes
	Lo, Hi int   // FormSpikes
	Items  []uint32
	N      int
	Src    []Binding
	Dst    []BufID
}

// Trap says what a program's trap code stands for.
type Trap struct {
	Pop, Var int    // order of the error among those of one step (rule 4)
	Object   string // "P", or the Synapses
	Name     string // the variable
	Why      string // "stands at the limit of 2^40", "is beyond the bound of its weights"
}

// Source is a range of neurons whose events select rows of a table.
type Source struct {
	Event  int
	Lo, Hi int // neurons; row of neuron n is Row0 + n - Lo
	Row0   int
}

// Table is a set of synapses that share an effect. It serves spikes emitted at
// steps First..Last (design section 4: delays changed between runs open a new
// table, the old one serves what is in flight).
type Table struct {
	Spec        *connect.Spec
	Sources     []Source
	First, Last int64
	MinDelay    int // steps, over all synapses
	MaxDelay    int
}

// Plan is a network as plain data: everything a backend needs to run it.
type Plan struct {
	Dt     float64 // seconds
	Seed   uint64
	Drawn  int64 // the step at which the seed was given: random words count their steps from it
	Batch  int   // a Run advances at most this many steps
	Host   int   // host words for each step
	Bufs   []Buf
	Events []Event
	Tables []Table
	Stages []Stage
	Step   BufID // State, one word: steps done
	Due    BufID // State, two words, low first: synaptic events delivered so far
}

// Key is the Philox key of the plan's seed.
func (p *Plan) Key() [2]uint32 { return [2]uint32{uint32(p.Seed), uint32(p.Seed >> 32)} }
