// Package compare runs one model on several backends and says whether every
// spike and every word of canonical state is the same, and where they part if
// not. The only comparison is ==.
//
// A backend is watched from outside, at the seam of package backend (watch.go):
// its runs are cut at chosen steps, the state there goes into a digest, and all
// that it records passes by. Equal digests are equal runs. Where two differ, the
// runs are repeated with marks ever closer together until one step is left
// (bisect.go), both states of that step are compared word by word
// (difference.go), and the stages of the step are tried one after the other from
// the same state (replay.go).
package compare

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"synfire/engine/backend"
)

// Side is one backend of a comparison.
type Side struct {
	Name   string
	Open   func() (backend.Backend, error)
	Inject *Injection // a deliberate difference; nil: none

	// Away runs the model elsewhere, in processes of their own, where Watch looks at it; nil: it runs here. Open is then
	// what the stages of a single step are tried on.
	Away func(ctx context.Context, s *Side, l Look, max int64) (*Seen, error)
}

// Seen is what a run has shown to one who watched it.
type Seen struct {
	Trace *Trace
	Runs  []Run
	Fault *backend.Fault // the model's own error that ended it
}

// Injection flips the lowest bit of one word of state when a step is done.
type Injection struct {
	Buffer string // name in the plan: "P.v"; "v" is the first of this name
	Index  int
	Step   int64
}

func (in *Injection) names(buffer string) bool {
	return buffer == in.Buffer || strings.HasSuffix(buffer, "."+in.Buffer)
}

// ParseInjection reads VAR[:INDEX[:STEP]]. Without an index it is word 0, without
// a step step 100, or the last of steps if the run has fewer (0: unknown).
func ParseInjection(text string, steps int64) (*Injection, error) {
	name, rest, more := strings.Cut(text, ":")
	in := &Injection{Buffer: name, Step: 100}
	if steps > 0 {
		in.Step = min(in.Step, steps-1)
	}
	index, step, last := strings.Cut(rest, ":")
	var err, err2 error
	if more {
		in.Index, err = strconv.Atoi(index)
	}
	if last {
		in.Step, err2 = strconv.ParseInt(step, 10, 64)
	}
	if name == "" || err != nil || err2 != nil || in.Index < 0 || in.Step < 0 {
		return nil, fmt.Errorf("%s: expected VAR, VAR:INDEX or VAR:INDEX:STEP, such as P.v:5:100", text)
	}
	return in, nil
}

// Run is what one run() of the model did, as the model's own hashes tell it.
type Run struct {
	Steps  int64  `json:"steps"`  // made since the model began
	Spikes string `json:"spikes"` // hash of all spikes until then
	State  string `json:"state"`  // hash of the canonical state
	Counts uint64 `json:"spike_count"`
}

// Model runs a model once: on the backend that open gives, for at most max steps
// if max is not 0. It returns what each run() did, also beside an error.
type Model func(ctx context.Context, side string, open func() (backend.Backend, error), max int64) ([]Run, error)

// Options tune a comparison. Zero values choose.
type Options struct {
	Every int64 // steps between marks of the first pass; 0: 1,000
	Ways  int   // parts that a pass of the search cuts its interval into; 0: 32
	// Note is called when a pass begins, for people who wait.
	Note func(string)
}

// SideReport is what one backend did.
type SideReport struct {
	Name   string  `json:"name"`
	Device string  `json:"device"`
	Steps  int64   `json:"steps"`
	WallS  float64 `json:"wall_s"`
	Runs   []Run   `json:"runs"`
	Fault  string  `json:"fault,omitempty"` // the model's own error that ended it
	Equal  bool    `json:"equal"`           // to the first backend

	trace *Trace
	fault *backend.Fault
}

// Report is the outcome of a comparison.
type Report struct {
	Equal   bool          `json:"equal"`
	Sides   []*SideReport `json:"backends"`
	Steps   int64         `json:"steps"`
	States  int           `json:"states"`       // compared whole, by hash: at marks and at the end of each run()
	Words   int64         `json:"state_words"`  // in them
	Records int64         `json:"record_words"` // spikes, samples and counts compared
	First   *Difference   `json:"difference,omitempty"`
	// Fault is the model's own error in which all backends ended alike.
	Fault *backend.Fault `json:"-"`
}

// Compare runs the model on every side and compares each with the first. An
// error is one of the model, the device or the context, never a difference.
func Compare(ctx context.Context, sides []Side, model Model, o Options) (*Report, error) {
	if len(sides) < 2 {
		return nil, errors.New("a comparison takes two backends or more")
	}
	if o.Every == 0 {
		o.Every = 1000
	}
	if o.Ways == 0 {
		o.Ways = 32
	}
	if o.Note == nil {
		o.Note = func(string) {}
	}
	c := &comparison{ctx: ctx, model: model, o: o}
	for i := range sides {
		if in := sides[i].Inject; in != nil {
			c.at = append(c.at, in.Step+1)
		}
	}
	r := &Report{Equal: true}
	for i := range sides {
		o.Note("running on " + sides[i].Name)
		s, err := c.first(&sides[i])
		if err != nil {
			return r, err
		}
		r.Sides = append(r.Sides, s)
	}
	ref := r.Sides[0]
	ref.Equal = true
	r.Steps, r.States, r.Words, r.Records = ref.Steps, len(ref.trace.Marks)+len(ref.Runs), ref.trace.Words, ref.trace.Recorded
	for k := range ref.Runs {
		r.Words += ref.trace.Sizes[k]
	}
	var worst *SideReport
	var at gap
	other := 0
	for k, s := range r.Sides[1:] {
		g, same := apart(ref, s)
		s.Equal = same
		if !same && (worst == nil || g.hi < at.hi) {
			worst, at, other = s, g, k+1
		}
	}
	if worst == nil {
		r.Fault = ref.fault
		return r, nil
	}
	r.Equal = false
	var err error
	r.First, err = c.locate(&sides[0], &sides[other], ref, worst, at)
	return r, err
}

// comparison is one call of Compare.
type comparison struct {
	ctx   context.Context
	model Model
	o     Options
	at    []int64 // steps that always get a mark
}

// first is the first pass of one side.
func (c *comparison) first(s *Side) (*SideReport, error) {
	t, runs, wall, err := c.run(s, Look{Every: c.o.Every, At: c.at}, 0)
	r := &SideReport{Name: s.Name, Device: t.Device, Steps: t.Steps, WallS: wall, Runs: runs, trace: t}
	if errors.As(err, &r.fault) {
		r.Fault = r.fault.Error()
		return r, nil
	}
	if err != nil {
		return r, fmt.Errorf("on %s: %w", s.Name, err)
	}
	if s.Inject != nil && !t.Injected {
		return r, fmt.Errorf("--inject: %w", t.noInjection(s.Inject))
	}
	return r, nil
}

// run runs the model once on a side, watched.
func (c *comparison) run(s *Side, l Look, max int64) (*Trace, []Run, float64, error) {
	begin := time.Now()
	var seen *Seen
	var err error
	if s.Away != nil {
		seen, err = s.Away(c.ctx, s, l, max)
		if seen == nil {
			seen = &Seen{Trace: &Trace{}}
		}
		if err == nil && seen.Fault != nil {
			err = seen.Fault
		}
	} else {
		seen, err = Watch(c.ctx, s, c.model, l, max)
	}
	return seen.Trace, seen.Runs, time.Since(begin).Seconds(), err
}

// Watch runs a model once on a side, in this process, and looks at it. What it has seen is there beside an error, too.
func Watch(ctx context.Context, s *Side, model Model, l Look, max int64) (*Seen, error) {
	t := &Trace{}
	runs, err := model(ctx, s.Name, func() (backend.Backend, error) {
		b, err := s.Open()
		if err != nil {
			return nil, err
		}
		t.Device = b.Caps().Device
		return &watch{Backend: b, look: l, inject: s.Inject, trace: t}, nil
	}, max)
	t.settle()
	seen := &Seen{Trace: t, Runs: runs}
	errors.As(err, &seen.Fault)
	return seen, err
}

// gap is an interval of steps: equal when lo are done, different when hi are.
type gap struct{ lo, hi int64 }

// apart compares two sides by hash: the interval in which they first part.
func apart(a, b *SideReport) (gap, bool) {
	lo := int64(0)
	n := min(len(a.trace.Marks), len(b.trace.Marks))
	ends := func(s *SideReport, k int) Run {
		if k < len(s.Runs) {
			return s.Runs[k]
		}
		return Run{Steps: 1 << 62}
	}
	run := 0
	for k := 0; ; k++ {
		// The ends of run() before the next mark.
		next := int64(1) << 61
		if k < n {
			next = a.trace.Marks[k].Step
		}
		for ; ends(a, run).Steps <= next && ends(b, run).Steps <= next; run++ {
			if x, y := ends(a, run), ends(b, run); x != y {
				return gap{lo, max(lo+1, min(x.Steps, y.Steps))}, false
			} else {
				lo = max(lo, x.Steps)
			}
		}
		if k == n {
			break
		}
		if x, y := a.trace.Marks[k], b.trace.Marks[k]; x != y {
			return gap{lo, max(lo+1, min(x.Step, y.Step))}, false
		}
		lo = a.trace.Marks[k].Step
	}
	same := len(a.Runs) == len(b.Runs) && a.Steps == b.Steps && len(a.trace.Marks) == len(b.trace.Marks) &&
		a.trace.Sum == b.trace.Sum && (a.fault == nil) == (b.fault == nil) && (a.fault == nil || *a.fault == *b.fault)
	return gap{lo, max(lo+1, min(a.Steps, b.Steps))}, same
}

// locate finds the first differing step of two sides within g and says what
// differs there.
func (c *comparison) locate(a, b *Side, ra, rb *SideReport, g gap) (*Difference, error) {
	d := &Difference{A: a.Name, B: b.Name, Step: g.hi - 1, After: g.lo, FaultA: ra.Fault, FaultB: rb.Fault}
	if d.FaultA == d.FaultB {
		d.FaultA, d.FaultB = "", ""
	}
	hi, err := First(g.lo, g.hi, c.o.Ways, func(points []int64) (int, error) {
		c.o.Note(fmt.Sprintf("looking at %d states up to step %d", len(points), points[len(points)-1]))
		ta, _, _, err := c.run(a, Look{At: points}, points[len(points)-1])
		if err != nil && !isFault(err) {
			return 0, err
		}
		tb, _, _, err := c.run(b, Look{At: points}, points[len(points)-1])
		if err != nil && !isFault(err) {
			return 0, err
		}
		return firstMark(points, ta, tb), nil
	})
	if errors.Is(err, ErrNotFound) {
		d.Lost = true
		return d, nil
	}
	if err != nil {
		return d, err
	}
	d.Step, d.After = hi-1, hi-1
	ta, _, _, err := c.run(a, Look{At: []int64{hi}, Keep: hi}, hi)
	if err != nil && !isFault(err) {
		return d, err
	}
	tb, _, _, err := c.run(b, Look{At: []int64{hi}, Keep: hi}, hi)
	if err != nil && !isFault(err) {
		return d, err
	}
	if ta.Snap == nil || tb.Snap == nil {
		return d, nil // a fault of one of them at this step
	}
	d.inspect(ta.Snap, tb.Snap)
	if len(d.Words) > 0 && !d.Before {
		c.o.Note("trying the stages of the step one by one")
		d.replay(a, b, ta.Snap)
	}
	return d, nil
}

func isFault(err error) bool {
	var f *backend.Fault
	return errors.As(err, &f)
}

// firstMark is the first of points at which two traces differ, -1 if none.
func firstMark(points []int64, a, b *Trace) int {
	at := func(t *Trace, step int64) (Mark, bool) {
		for _, m := range t.Marks {
			if m.Step == step {
				return m, true
			}
		}
		return Mark{}, false
	}
	for k, p := range points {
		x, okA := at(a, p)
		y, okB := at(b, p)
		if x != y || okA != okB {
			return k
		}
	}
	return -1
}
