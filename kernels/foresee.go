package kernels

import (
	"synfire/engine/backend"
	"synfire/engine/connect"
	"synfire/engine/host"
)

// Foreseen is what a rank will hold and tell the others, worked out from a plan: nothing is built.
type Foreseen struct {
	Shared         bool  // ranks share the plan out; else each of them has all of it
	Synapses       int64 // that are delivered, of all ranks
	Entries, Index int64 // bytes of a rank's tables
	Words, Copies  int64 // bytes of variables and parameters, and of the second copies of what is written
	Window         int   // steps from one exchange of spikes to the next
	Told           int64 // words that a rank tells in each of them, besides one for each spike
	InStep         int64 // words that it tells at the barriers of a step, besides one for each spike
	Update         float64
	Older          float64 // the part of a step's delivery that is of spikes before the last window, as a guess: it goes on beside the exchange
}

// nobody is ranks that do nothing: one that is foreseen.
type nobody struct {
	host.Ranks
	size int
}

func (n nobody) Rank() int { return 0 }
func (n nobody) Size() int { return n.size }

// Foresee works out what ranks of so many threads will hold and tell each other. Update is the time of a step's neurons in
// each of them, in seconds as a guess.
func Foresee(w host.Work, plan *backend.Plan, ranks, threads int) Foreseen {
	p := &program{plan: plan, lay: newLayout(w, plan, ranks*threads)}
	p.sched = newSchedule(plan, p.lay)
	f := Foreseen{Update: baseWork(plan) / float64(ranks), Window: 1}
	var v *over
	if ranks > 1 && !p.lay.plain {
		v = newOver(nobody{size: ranks}, p)
	}
	if f.Shared = v != nil || ranks == 1; !f.Shared {
		ranks, f.Update = 1, baseWork(plan)
	}
	for i := range plan.Stages {
		st := &plan.Stages[i]
		if st.Form != backend.FormDeliver {
			continue
		}
		spec := plan.Tables[st.Table].Spec
		own := (spec.NTgt + ranks*threads - 1) / (ranks * threads)
		m := connect.Estimate(spec, threads*max((own+connect.MaxTile-1)/connect.MaxTile, 1), w.Single())
		f.Synapses += m.Synapses
		f.Entries, f.Index = f.Entries+m.Entries/int64(ranks), f.Index+m.Index
	}
	for b := range plan.Bufs {
		if p.lay.accs[backend.BufID(b)] == nil && plan.Bufs[b].Kind != backend.Record {
			f.Words += 4 * int64(plan.Bufs[b].Len)
		}
	}
	if v == nil {
		return f
	}
	f.Window = v.window
	for i := range plan.Stages {
		if st := &plan.Stages[i]; st.Form == backend.FormDeliver && f.Synapses > 0 {
			t := &plan.Tables[st.Table] // with as many synapses of each delay between its bounds
			older := float64(max(t.MaxDelay-max(t.MinDelay-1, v.window), 0)) / float64(t.MaxDelay-t.MinDelay+1)
			f.Older += older * float64(connect.Estimate(t.Spec, 1, w.Single()).Synapses) / float64(f.Synapses)
		}
	}
	f.Told = 4
	for i := range plan.Stages {
		if plan.Stages[i].Form == backend.FormSpikes {
			f.Told++
		}
	}
	f.Told += int64(len(plan.Events) * threads * v.window)
	written := map[backend.BufID]bool{}
	for _, o := range p.sched.ops {
		for r := range o.use.w {
			if b := backend.BufID(r); r < len(plan.Bufs) && p.lay.accs[b] == nil && plan.Bufs[b].Kind != backend.Record && !p.owned.bufs[b] && !written[b] {
				written[b] = true
				f.Copies += 4 * int64(plan.Bufs[b].Len)
			}
		}
	}
	for _, all := range v.meets {
		for _, r := range all {
			switch e := (r - len(plan.Bufs)) / 2; {
			case r < len(plan.Bufs):
				f.InStep += int64(plan.Bufs[r].Len)
			case (r-len(plan.Bufs))%2 == 0:
				f.InStep += int64(plan.Events[e].Words()/ranks + threads)
			default:
				f.InStep += int64(threads)
			}
		}
	}
	return f
}
