package bench

import (
	"synfire/engine/backend"
	"synfire/engine/connect"
	"synfire/engine/host"
	"synfire/engine/ir"
)

// Work is what a network must move and calculate, whatever the backend: each
// variable that a population's programs read or write once a step, each
// operation of their IR, each synapse's words for each event.
type Work struct {
	StepBytes  float64 `json:"step_bytes"`  // of state and parameters, in a step
	StepOps    float64 `json:"step_ops"`    // operations of the IR, in a step
	EventBytes float64 `json:"event_bytes"` // of a table, for one synaptic event
	StateBytes float64 `json:"state_bytes"` // touched again in each step
	TableBytes float64 `json:"table_bytes"` // of all tables of synapses
}

// randOps is what one random word costs in operations: ten rounds of Philox give
// four words.
const randOps = 30

// workOf reads the work of a step from a plan. Stages that run in some steps
// only are left out, and so are synapses with a program of their own.
func workOf(p *backend.Plan) Work {
	var w Work
	type place struct {
		buf  backend.BufID
		off  int
		from bool
	}
	seen := map[place]int{} // lanes
	for k := range p.Stages {
		s := &p.Stages[k]
		if s.Form != backend.FormMap || s.Prog == nil || s.Flag >= 0 {
			continue
		}
		ops := 0.0
		for _, in := range s.Prog.Ins {
			switch in.Op {
			case ir.Const, ir.Nop, ir.Uniform, ir.Lane, ir.Step, ir.Host:
			case ir.Load, ir.Store:
				b := s.Bind[in.Imm]
				at := place{b.Buf, b.Off, in.Op == ir.Load}
				seen[at] = max(seen[at], s.N)
			case ir.Rand:
				ops += randOps
			default:
				ops++
			}
		}
		w.StepOps += ops * float64(s.N)
	}
	state := map[backend.BufID]bool{}
	for at, lanes := range seen {
		w.StepBytes += 4 * float64(lanes)
		if !state[at.buf] && at.buf >= 0 {
			state[at.buf] = true
			w.StateBytes += 4 * float64(p.Bufs[at.buf].Len)
		}
	}
	synapses := 0.0
	for k := range p.Tables {
		m := connect.Estimate(p.Tables[k].Spec, 1, host.Work{Threads: 1})
		synapses += float64(m.Synapses)
		w.TableBytes += float64(m.Entries + m.Index)
		w.EventBytes += float64(m.Entries)
	}
	if synapses > 0 {
		w.EventBytes /= synapses
	}
	return w
}

// Floor is the least time that a sample's work takes on a machine: words at the
// measured bandwidth of the level of memory that holds them, operations at two
// vectors a cycle, on the given number of threads. It knows no latency and no
// waiting, so nothing reaches it.
func (s *Sample) Floor(m *Machine, threads int) (seconds float64, why string) {
	if threads < 1 || m.ClockGHz == 0 {
		return 0, ""
	}
	bytes := s.Work.StepBytes * float64(s.Steps) / m.bandwidth(s.Work.StateBytes, threads)
	ops := s.Work.StepOps * float64(s.Steps) / (m.ClockGHz * 1e9 * float64(m.Lanes) * 2 * float64(threads))
	events := s.Work.EventBytes * float64(s.Events) / m.bandwidth(s.Work.TableBytes, threads)
	seconds, why = bytes, "state"
	if ops > bytes {
		seconds, why = ops, "operations"
	}
	if events > seconds {
		why = "synapses"
	}
	return seconds + events, why
}
