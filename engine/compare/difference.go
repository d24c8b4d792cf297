package compare

import (
	"fmt"
	"math"
	"math/bits"
	"strings"

	"synfire/engine/backend"
	"synfire/engine/ir"
)

// Snapshot is one step of a run, whole.
type Snapshot struct {
	plan      *backend.Plan // nil: it came from elsewhere
	Pre, Post [][]uint32
	Host      []uint32
	Records   map[part][]uint32
}

// Difference is where two runs part.
type Difference struct {
	A      string  `json:"a"`
	B      string  `json:"b"`
	Step   int64   `json:"step"` // the first after which they differ
	TimeS  float64 `json:"t_s"`
	After  int64   `json:"equal_steps"` // steps after which they were seen equal
	Words  []Word  `json:"words"`       // the first of each buffer that differs: first the place itself, then what follows
	Stage  string  `json:"stage,omitempty"`
	Reason string  `json:"reason,omitempty"` // why no stage could be told, or how it was
	Before bool    `json:"before,omitempty"` // they differ before the step begins: by what was assigned
	Record string  `json:"record,omitempty"` // the states are equal, this record is not
	Lost   bool    `json:"lost,omitempty"`   // it did not come again when looked for: between After and Step
	FaultA string  `json:"fault_a,omitempty"`
	FaultB string  `json:"fault_b,omitempty"`
}

// Word is a word in which two states differ.
type Word struct {
	Buffer     string `json:"buffer"`
	Population string `json:"population"`
	Variable   string `json:"variable"`
	Second     bool   `json:"second,omitempty"` // of the second words of slow variables
	Index      int    `json:"index"`            // of a mask: the neuron
	Type       string `json:"type"`             // f32, i32, u32, bool, mask
	A          uint32 `json:"word_a"`
	B          uint32 `json:"word_b"`
	Count      int    `json:"differing"` // words of this buffer that differ
	EventStep  int64  `json:"event_step,omitempty"`
}

// inspect compares two snapshots of the same step.
func (d *Difference) inspect(a, b *Snapshot) {
	d.TimeS = float64(float64(d.Step) * a.plan.Dt)
	if len(a.Pre) != len(b.Pre) {
		d.Reason = "unknown: the two plans differ: the model itself depends on what differed before"
		return
	}
	if d.Words = Words(a.plan, a.Pre, b.Pre, d.Step); len(d.Words) > 0 {
		d.Before = true
		return
	}
	if d.Words = Words(a.plan, a.Post, b.Post, d.Step+1); len(d.Words) > 0 {
		return
	}
	for i := range a.plan.Stages {
		for role := range 2 + len(a.plan.Stages[i].Rec.Dst) {
			x, y := a.Records[part{i, role}], b.Records[part{i, role}]
			if k := mismatch(x, y); k >= 0 {
				what := [...]string{"count", "index", "value"}[min(role, 2)]
				d.Stage = a.plan.Stages[i].Name
				d.Record = fmt.Sprintf("%s, %s, entry %d: %s and %s", d.Stage, what, k, entry(x, k), entry(y, k))
				return
			}
		}
	}
	d.Reason = "unknown: the state and the records of this step are equal when it is run alone"
}

func entry(w []uint32, k int) string {
	if k >= len(w) {
		return "none"
	}
	return fmt.Sprintf("0x%08x (%g)", w[k], math.Float32frombits(w[k]))
}

// Words lists the first differing word of each State buffer, in the order of the
// plan, after steps steps.
func Words(p *backend.Plan, a, b [][]uint32, steps int64) []Word {
	var out []Word
	for i := range p.Bufs {
		if w, ok := differ(p, backend.BufID(i), a[i], b[i], steps); ok {
			out = append(out, w)
		}
	}
	return out
}

func differ(p *backend.Plan, id backend.BufID, a, b []uint32, steps int64) (Word, bool) {
	k := mismatch(a, b)
	if k < 0 || k >= len(a) || k >= len(b) {
		return Word{}, k >= 0
	}
	buf := &p.Bufs[id]
	w := Word{Buffer: buf.Name, Index: k, Type: buf.Type.String(), A: a[k], B: b[k]}
	for n := range a {
		if a[n] != b[n] {
			w.Count++
		}
	}
	name := buf.Name
	w.Second = strings.HasSuffix(name, "#lo")
	name = strings.TrimSuffix(name, "#lo")
	w.Population, w.Variable, _ = strings.Cut(name, ".")
	for e := range p.Events {
		ev := &p.Events[e]
		if ev.Masks != id {
			continue
		}
		w.Population, w.Variable, _ = strings.Cut(ev.Name, ".")
		w.Type = "mask"
		row := int64(k / ev.Words())
		w.Index = k%ev.Words()*32 + bits.TrailingZeros32(a[k]^b[k])
		// The latest step whose mask stands in this row.
		w.EventStep = steps - 1 - (steps-1-row)%int64(ev.History)
		if steps-1 < row {
			w.EventStep = row
		}
	}
	if w.Variable == "" {
		w.Population, w.Variable = "", buf.Name
	}
	return w, true
}

func mismatch(a, b []uint32) int {
	for i := range max(len(a), len(b)) {
		if i >= len(a) || i >= len(b) || a[i] != b[i] {
			return i
		}
	}
	return -1
}

// writes lists the buffers that a stage writes.
func writes(p *backend.Plan, s *backend.Stage) []backend.BufID {
	var out []backend.BufID
	switch s.Form {
	case backend.FormDeliver:
		out = append(out, s.Acc)
	case backend.FormInject:
		out = append(out, p.Events[s.Event].Masks)
	case backend.FormMap, backend.FormEffect:
		for _, in := range s.Prog.Ins {
			switch in.Op {
			case ir.Store, ir.Scatter, ir.Scatter2, ir.Put:
				out = append(out, s.Bind[in.Imm].Buf)
			case ir.StoreBit:
				out = append(out, p.Events[s.Bind[in.Imm].Event].Masks)
			}
		}
	}
	return out
}
