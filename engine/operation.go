package engine

import (
	"context"
	"fmt"
	"strings"

	"synfire/engine/backend"
	"synfire/engine/compile"
	"synfire/engine/model"
)

// acting is a run with operations: between two steps the host reads and sets
// variables of what is loaded. It brings the words of those that are read, once
// between two steps, and those of the ones that were set back before the next.
type acting struct {
	n       *Network
	o       RunOptions
	w       model.Work
	fresh   map[*model.Variable]bool // as the program has them, or newer
	changed []*model.Variable        // to be written
	remake  bool                     // the plan holds what has changed in another form
	drew    int                      // how often a seed was given
	err     error                    // of the backend
	started int64                    // the step whose operations at the start have run
}

func (n *Network) acting(ctx context.Context, o RunOptions, w model.Work) *acting {
	return &acting{n: n, o: o, w: w, fresh: map[*model.Variable]bool{}, started: -1}
}

// told says once what operations cost.
func (n *Network) told(c *compile.Compiled) {
	for _, p := range append(append([]*model.Operation{}, c.Start...), c.End...) {
		if !p.Regularly() {
			continue
		}
		n.Warn("%s: network_operation runs on the host every %s: the network stops for it, and the variables that it reads and sets are copied; a larger dt= of its own makes that rarer",
			p.Name(), strings.TrimSpace(model.Quantity{Value: p.Dt(), Dim: model.Second}.Text(6)))
	}
}

// due is how many steps from step on there are until the host has to act, of
// steps at most.
func (a *acting) due(step int64, most int) int {
	c := a.n.live.c
	clear(a.fresh)
	for _, p := range c.Start { // those of this step have run
		most = int(min(int64(most), p.Next(step+1)-step))
	}
	for _, p := range c.End {
		if next := p.Next(step); next-step < int64(most) {
			most = int(next - step + 1)
		}
	}
	if a.n.Stopped {
		most = min(most, 1)
	}
	return most
}

// start runs the operations at the start of the step that comes, once.
func (a *acting) start() error {
	if a.started == a.n.Step {
		return nil
	}
	a.started = a.n.Step
	return a.run(a.n.live.c.Start, a.n.Step)
}

// run calls the operations that are due at a step.
func (a *acting) run(list []*model.Operation, step int64) error {
	n := a.n
	called := false
	for _, p := range list {
		if p.Next(step) != step {
			continue
		}
		if !called {
			called, a.drew, n.Live = true, n.Random.Given(), a
			n.setClock(step) // what stands at the end of a step has its time
			defer func() { n.Live = nil }()
		}
		err := p.F(p.TimeOf(step))
		if a.err != nil {
			return a.err
		}
		if err != nil {
			return fmt.Errorf("%s: %w", p.Name(), err)
		}
	}
	if !called {
		return nil
	}
	n.Live = nil
	if a.remake || a.drew != n.Random.Given() {
		return a.again()
	}
	for _, v := range a.changed {
		if err := a.write(v); err != nil {
			return err
		}
	}
	a.changed = a.changed[:0]
	return nil
}

// Fetch implements model.Live.
func (a *acting) Fetch(v *model.Variable) {
	if a.err != nil || a.fresh[v] {
		return
	}
	if buf, words, ok := a.n.live.c.WordsOf(v); ok {
		a.fresh[v] = true
		if words != nil {
			a.err = a.n.live.program.Read(buf, words)
		}
		return
	}
	at, ok := a.n.live.c.Places[v]
	if !ok || !at.State {
		return
	}
	a.fresh[v] = true
	prog := a.n.live.program
	if at.Words != backend.NoBuf {
		a.err = prog.Read(at.Words, v.Words)
	}
	if at.Low != backend.NoBuf && a.err == nil {
		a.err = prog.Read(at.Low, v.Low)
	}
}

// Changed implements model.Live. A parameter that no step changes is a constant of
// the plan until an operation sets it; then the plan is made anew, and keeps it as
// state from there on. What is declared constant stays so, and costs a new plan each time.
func (a *acting) Changed(v *model.Variable) {
	if v == nil || v.Syn != nil || v.Symbol.Constant || v.Remade {
		a.remake = true
		return
	}
	a.fresh[v] = true
	if at, ok := a.n.live.c.Places[v]; !v.Operated && !(ok && at.State) {
		v.Operated, a.remake = true, true
		a.changed = append(a.changed, v)
		return
	}
	for _, x := range a.changed {
		if x == v {
			return
		}
	}
	a.changed = append(a.changed, v)
}

// write brings the words of a variable to the program.
func (a *acting) write(v *model.Variable) error {
	at, ok := a.n.live.c.Places[v]
	if !ok { // nothing reads it
		return nil
	}
	prog := a.n.live.program
	if at.Words != backend.NoBuf {
		if err := prog.Write(at.Words, v.Words); err != nil {
			return err
		}
	}
	if at.Low != backend.NoBuf {
		return prog.Write(at.Low, v.Low)
	}
	return nil
}

// again loads a new plan in the middle of a run.
func (a *acting) again() error {
	n := a.n
	old := n.live
	if err := n.readBack(a.fresh); err != nil {
		return err
	}
	c, err := old.c.Again(a.w)
	if err != nil { // with what has become state the equations may be too hard: then each change costs a new plan
		for _, v := range a.changed {
			v.Operated, v.Remade = false, true
		}
		if c, err = old.c.Again(a.w); err != nil {
			return err
		}
	}
	prog, err := a.o.Backend.Load(a.w.Without(c.Own), c.Plan)
	if err != nil {
		return err
	}
	n.heed(old.program)
	a.remake, a.changed = false, a.changed[:0]
	return n.load(&session{a.o.Backend, prog, c})
}
