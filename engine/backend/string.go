package backend

import (
	"fmt"
	"hash/fnv"
	"strings"
)

var formNames = [...]string{FormMap: "map", FormInject: "inject", FormDeliver: "deliver", FormEffect: "effect", FormSample: "sample", FormSpikes: "spikes"}

func (f Form) String() string {
	if int(f) < len(formNames) {
		return formNames[f]
	}
	return fmt.Sprintf("form %d", uint8(f))
}

// String prints the step: every stage in its order, with what it works on and
// what it reads, adds to and writes. A stage's program stands as the number of
// its operations and a hash of its text, so that a change of either shows.
func (p *Plan) String() string {
	var w strings.Builder
	fmt.Fprintf(&w, "step of %g ms, at most %d in a batch; host words for each: %d\n", float64(p.Dt*1e3), p.Batch, p.Host)
	for k := range p.Events {
		e := &p.Events[k]
		fmt.Fprintf(&w, "event %s: %d neurons, %d steps kept\n", e.Name, e.N, e.History)
	}
	for k := range p.Stages {
		w.WriteString(p.StageString(k))
	}
	return w.String()
}

// StageString is the part of String that tells of stage k.
func (p *Plan) StageString(k int) string {
	var w strings.Builder
	s := &p.Stages[k]
	fmt.Fprintf(&w, "%3d %s: %v", k, s.Name, s.Form)
	switch s.Form {
	case FormMap:
		fmt.Fprintf(&w, ", %d lanes", s.N)
	case FormInject:
		fmt.Fprintf(&w, ", spikes at %d steps", len(s.Steps))
		if s.Period > 0 {
			fmt.Fprintf(&w, " of a period of %d", s.Period)
		}
	case FormDeliver, FormEffect:
		t := &p.Tables[s.Table]
		side := ""
		if s.Post {
			side = " by target"
		}
		fmt.Fprintf(&w, " table %d%s, %d to %d steps late", s.Table, side, t.MinDelay, t.MaxDelay)
		if first, last := t.First > 0, t.Last < 1<<62; first || last {
			fmt.Fprintf(&w, ", spikes of steps %s to %s", bound(first, t.First), bound(last, t.Last))
		}
		if s.Count != 1 {
			fmt.Fprintf(&w, ", each synapse counting as %d events", s.Count)
		}
	case FormSample:
		fmt.Fprintf(&w, ", %d items", s.Rec.Width())
	case FormSpikes:
		fmt.Fprintf(&w, " of neurons %d to %d", s.Rec.Lo, s.Rec.Hi)
	}
	if s.Flag >= 0 {
		fmt.Fprintf(&w, ", where host word %d says so", s.Flag)
	}
	if s.Prog != nil {
		h := fnv.New32a()
		h.Write([]byte(s.Prog.String()))
		fmt.Fprintf(&w, "; %d operations, program %08x", len(s.Prog.Ins), h.Sum32())
	}
	w.WriteByte('\n')
	for _, use := range []struct {
		verb string
		of   func(Access) bool
	}{
		{"reads", func(a Access) bool { return !a.Write }},
		{"adds to", func(a Access) bool { return a.Add }},
		{"writes", func(a Access) bool { return a.Write && !a.Add }},
	} {
		var names []string
		seen := map[string]bool{}
		for _, a := range p.Accesses(s) {
			if name := p.accessName(a); use.of(a) && !seen[name] {
				seen[name] = true
				names = append(names, name)
			}
		}
		if names != nil {
			fmt.Fprintf(&w, "      %s %s\n", use.verb, strings.Join(names, ", "))
		}
	}
	return w.String()
}

func bound(known bool, step int64) string {
	if known {
		return fmt.Sprint(step)
	}
	return "any"
}

// accessName is what a reader is to see of an access.
func (p *Plan) accessName(a Access) string {
	switch {
	case a.Event >= 0 && a.Past == 1:
		return p.Events[a.Event].Name + " of earlier steps"
	case a.Event >= 0 && a.Past > 1:
		return fmt.Sprintf("%s of %d and more steps ago", p.Events[a.Event].Name, a.Past)
	case a.Event >= 0:
		return p.Events[a.Event].Name
	}
	b := &p.Bufs[a.Buf]
	switch {
	case a.Hi-a.Lo == 1 && b.Len > 1:
		return fmt.Sprintf("%s[%d]", b.Name, a.Lo)
	case a.Lane && (a.Lo > 0 || a.Hi < b.Len):
		return fmt.Sprintf("%s[%d:%d]", b.Name, a.Lo, a.Hi)
	case !a.Lane && a.Instr >= 0 && a.Hi == toTheEnd:
		return b.Name + "[...]"
	}
	return b.Name
}
