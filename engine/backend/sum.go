package backend

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash"
	"slices"

	"synfire/engine/connect"
)

// Ranked is a Backend that is one of several, each in a process of its own, which
// make the same run together. What an engine decides by a clock or a signal it asks
// all of them about: Any says whether something is so for one of them.
type Ranked interface{ Any(bool) bool }

// Apart is the end of a process that is Ranked where not all do the same: one has
// failed, or a script does different things. It comes as a panic of whatever they do together.
type Apart struct {
	Text   string
	Failed int // the first that has come to its end with an error, which it tells itself; -1: none has
	Status int // the exit status of that one
}

func (a *Apart) Error() string { return a.Text }

// Sum identifies a plan: processes that are to run it together compare it.
func (p *Plan) Sum() [32]byte {
	h := sha256.New()
	fmt.Fprintf(h, "%s %v %d %d %d %d %d", p, p.Dt, p.Seed, p.Drawn, p.Batch, p.Step, p.Due)
	for i := range p.Bufs {
		b := &p.Bufs[i]
		fmt.Fprintf(h, "%s %d %v %d ", b.Name, b.Kind, b.Type, b.Len)
		sumWords(h, b.Init)
	}
	for i := range p.Stages {
		s := &p.Stages[i]
		fmt.Fprint(h, s.Flag, s.Bind, s.Steps, s.Start, s.Period, s.Count, s.Rec.Lo, s.Rec.Hi, s.Rec.N)
		sumWords(h, s.Index)
		sumWords(h, s.Rec.Items)
	}
	for i := range p.Tables {
		t := &p.Tables[i]
		fmt.Fprintf(h, "%v %d %d %d %d %v %d %d ", t.Sources, t.First, t.Last, t.MinDelay, t.MaxDelay, t.Spec.Scale, t.Spec.Width, t.Spec.Uniform)
		for _, q := range t.Spec.Projs {
			fmt.Fprint(h, q.Name, q.Rule, q.NPre, q.NPost, q.Same, q.PreOff, q.PostOff, q.N, q.Repeat, q.P, q.NoAutapses, q.NoMultapses, q.ByTarget, q.Seed, q.Stream, q.Row0, q.Tgt0, q.Unit)
			sumWords(h, q.I)
			sumWords(h, q.J)
			if q.Cond != nil {
				fmt.Fprint(h, q.Cond)
			}
			if q.PProg != nil {
				fmt.Fprint(h, q.PProg)
			}
			for _, words := range append(q.CondData[:len(q.CondData):len(q.CondData)], q.PData...) {
				sumWords(h, words)
			}
			sumColumn(h, &q.Weight)
			sumColumn(h, &q.Delay)
		}
	}
	return [32]byte(h.Sum(nil))
}

func sumColumn(h hash.Hash, c *connect.Column) {
	fmt.Fprint(h, c.Const, c.Lo, c.Hi, c.Each, " ")
	sumWords(h, c.Array)
	if c.Prog != nil {
		fmt.Fprint(h, c.Prog)
	}
	for _, words := range c.Data {
		sumWords(h, words)
	}
	if c.Exact != nil {
		fmt.Fprint(h, c.Exact.Key)
		for k := range c.Exact.Leaves {
			sumColumn(h, &c.Exact.Leaves[k])
		}
	}
}

func sumWords[T uint32 | float32](h hash.Hash, words []T) {
	fmt.Fprint(h, len(words), " ")
	for some := range slices.Chunk(words, 1<<14) { // of which Write makes a copy
		binary.Write(h, binary.LittleEndian, some)
	}
}
