package train

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"sort"
	"sync"

	"synfire/engine"
	"synfire/engine/backend"
	"synfire/engine/ir"
	"synfire/engine/model"
)

// Options say what is trained, and how.
type Options struct {
	Duration    float64 // of a sample, seconds
	Parameters  []Parameter
	Inputs      []Input
	Loss        Loss
	Optimiser   Optimiser // nil: Adam{}
	Rate        float64   // learning rate in SI units, of parameters without one of their own
	Surrogate   Surrogate // zero: FastSigmoid(25)
	Surrogates  map[*model.NeuronGroup]Surrogate
	DetachReset bool    // no derivatives go through what a reset does because of a spike
	ClipNorm    float64 // the gradient is scaled down to this length; 0: never
	Threads     int     // 0: all cores
	Memory      int64   // bytes for what samples leave for the way back; 0: 1 GiB
}

// Input is what differs between samples: a variable of neurons, as it is when a sample
// begins, or the spikes of a SpikeGeneratorGroup.
type Input struct {
	Var       *model.Var
	Generator *model.NeuronGroup
}

// Sample is one example: its inputs, in the order of Options.Inputs, and what the loss
// compares with.
type Sample struct {
	Inputs []Value
	Target []float64
}

// Value is what an input is in a sample: one value for each neuron or one for all (SI
// units), or spikes.
type Value struct {
	Values []float64
	Spikes Spikes
	words  []uint32
}

// Spikes are those of a sample: neuron Index[k] fires in step Steps[k], counted from
// the sample's begin.
type Spikes struct{ Index, Steps []int }

// at lists who fires in a step; Steps ascend.
func (s *Spikes) at(n int) []int {
	lo := sort.SearchInts(s.Steps, n)
	hi := sort.SearchInts(s.Steps, n+1)
	return s.Index[lo:hi]
}

// Trainer trains a network as it is when New is called; after a Run, make another.
type Trainer struct {
	Options
	net    *engine.Network
	steps  int
	params []*parameter
	work   model.Work
	l      *loaded // as it was compiled last; nil: the parameters have changed
	made   int     // steps of the optimiser
	shown  uint32  // samples so far
	inputs []*input
	worlds []*world
	got    *gathered
}

// input is an Input in a plan.
type input struct {
	Input
	v     *model.Variable
	lo    int
	n     int
	event int // of a generator; -1: a variable
	bufs  []backend.BufID
}

// New prepares training. It fails where something cannot be trained, or has no part
// in the loss.
func New(net *engine.Network, o Options) (*Trainer, error) {
	t := &Trainer{Options: o, net: net, work: model.Work{Threads: o.Threads}}
	if t.Optimiser == nil {
		t.Optimiser = Adam{}
	}
	if t.Surrogate.Shape == nil {
		t.Surrogate = FastSigmoid(25)
	}
	if t.Threads == 0 {
		t.Threads = runtime.GOMAXPROCS(0)
	}
	if t.Memory == 0 {
		t.Memory = 1 << 30
	}
	switch {
	case net.Live != nil:
		return nil, errors.New("train: a network_operation cannot train the network that it is part of")
	case o.Loss.Of == nil || (o.Loss.Group == nil) == (o.Loss.Var == nil):
		return nil, errors.New("train: Options.Loss is missing: it says what is read and compared, such as train.CountCE(group)")
	case o.ClipNorm < 0:
		return nil, fmt.Errorf("train: ClipNorm = %g: a length was expected, 0 for none", o.ClipNorm)
	}
	total, _, err := net.Steps(o.Duration)
	if err != nil {
		return nil, err
	}
	if t.steps = int(total); t.steps < 1 {
		return nil, fmt.Errorf("train: a sample of %g s makes no step of %g s", o.Duration, net.StepSize)
	}
	for _, in := range o.Inputs {
		x := &input{Input: in, event: -1}
		switch {
		case (in.Var == nil) == (in.Generator == nil):
			return nil, errors.New("train: an Input is a variable or a SpikeGeneratorGroup")
		case in.Generator != nil && in.Generator.Generator == nil:
			return nil, fmt.Errorf("train: %s is no SpikeGeneratorGroup: its spikes follow from its equations; give one of its variables as input", in.Generator.Name())
		case in.Var != nil:
			v, lo, hi := in.Var.Of()
			x.v, x.lo, x.n = v, lo, hi-lo
			if v.Shared {
				x.lo, x.n = 0, 1
			}
			if v.Syn != nil || v.Symbol.ReadOnly || v.Words == nil {
				return nil, fmt.Errorf("train: %s cannot be an input: a variable of neurons that can be assigned was expected", v.FullName())
			}
			v.Operated = true
		}
		t.inputs = append(t.inputs, x)
	}
	if v := o.Loss.Var; v != nil {
		if y, _, _ := v.Of(); y.Syn != nil || y.Words == nil || y.IrType() != ir.F32 {
			return nil, fmt.Errorf("train: %s cannot be read by a loss: a variable of neurons that is kept as a real number was expected", y.FullName())
		}
	}
	seen := map[*model.Variable]bool{}
	for _, p := range o.Parameters {
		if v, _, _ := p.Var.Of(); seen[v] {
			return nil, fmt.Errorf("train: %s stands twice among the parameters", v.FullName())
		} else {
			seen[v] = true
		}
		x, err := t.parameter(p)
		if err != nil {
			return nil, fmt.Errorf("train: %w", err)
		}
		t.params = append(t.params, x)
	}
	if err := t.ready(); err != nil {
		return nil, err
	}
	return t, t.connected()
}

// connected refuses parameters that cannot matter.
func (t *Trainer) connected() error {
	for _, x := range t.params {
		if len(x.from) == 0 && len(x.columns) == 0 {
			return fmt.Errorf("train: nothing in the network's steps reads %s (what is worked out once, before a run, has no derivative: delays, connections, propagators of method='exact' with this parameter; try method='euler')", x.v.FullName())
		}
	}
	r := t.worlds[0].watched
	if len(t.params) > 0 && (r.event >= 0 && !t.l.fires[r.event] || r.event < 0 && !t.l.varies[r.buf]) {
		return fmt.Errorf("train: %s, which the loss reads, does not depend on what is trained", t.Loss.name())
	}
	return nil
}

// ready compiles the network, unless nothing has changed.
func (t *Trainer) ready() error {
	if t.l != nil {
		return nil
	}
	l, err := t.load()
	if err != nil {
		return err
	}
	for _, in := range t.inputs {
		in.bufs, in.event = nil, -1
		if in.Generator != nil {
			for k := range l.plan.Events {
				if l.plan.Events[k].Name == in.Generator.Name()+".spike" {
					in.event = k
				}
			}
			continue
		}
		if at, ok := l.c.Places[in.v]; ok && at.Words != backend.NoBuf {
			in.bufs = append(in.bufs, at.Words)
		}
	}
	r := reading{event: -1}
	if r.n, err = t.Loss.size(); err != nil {
		return err
	}
	if v := t.Loss.Var; v == nil {
		for k := range l.plan.Events {
			if l.plan.Events[k].Name == t.Loss.Group.Name()+".spike" {
				r.event = k
			}
		}
		if r.event < 0 {
			return fmt.Errorf("train: %s has no spikes that the loss could read: give it a threshold, or read a variable", t.Loss.Group.Name())
		}
	} else {
		of, lo, _ := v.Of()
		at, ok := l.c.Places[of]
		if !ok || at.Words == backend.NoBuf {
			return fmt.Errorf("train: %s, which the loss reads, does not depend on what is trained: no step changes it", of.FullName())
		}
		r.buf, r.lo, r.scale = at.Words, lo, of.Symbol.Dim.Scale()
		if of.Shared {
			r.lo = 0
		}
	}
	each := int64(0)
	for k := range l.plan.Bufs {
		if each += 4 * int64(l.plan.Bufs[k].Len); l.varies[k] {
			each += 8 * int64(l.plan.Bufs[k].Len)
		}
	}
	for k := range l.plan.Events {
		e := &l.plan.Events[k]
		each += 8*int64(e.History)*int64(e.N) + 4*int64(l.steps+e.History)*int64(e.Words())
	}
	if err := t.work.Room(each*int64(t.Threads), "train: the state of %d samples at a time and its derivatives", t.Threads); err != nil {
		return err
	}
	t.l, t.worlds = l, nil
	for range t.Threads {
		t.worlds = append(t.worlds, l.newWorld(r))
	}
	t.got = newGathered(t.worlds[0])
	return nil
}

// gathered is what samples have given, in sums.
type gathered struct {
	bufs map[backend.BufID][]float64
	sums map[*stage][][]float64
}

func newGathered(w *world) *gathered {
	g := &gathered{bufs: map[backend.BufID][]float64{}, sums: map[*stage][][]float64{}}
	for k, d := range w.d {
		if d != nil && w.l.plan.Bufs[k].Kind != backend.Scratch {
			g.bufs[backend.BufID(k)] = make([]float64, len(d))
		}
	}
	for s, sums := range w.sums {
		for range sums {
			g.sums[s] = append(g.sums[s], make([]float64, len(s.syn.k)))
		}
	}
	return g
}

// take adds a sample's derivatives, and clears them where they were.
func (g *gathered) take(w *world) {
	addTo := func(to, from []float64) {
		for k, x := range from {
			to[k] += x
		}
		clear(from)
	}
	for b, to := range g.bufs {
		addTo(to, w.d[b])
	}
	for s, to := range g.sums {
		for k := range to {
			addTo(to[k], w.sums[s][k])
		}
	}
}

func (g *gathered) clear() {
	for _, x := range g.bufs {
		clear(x)
	}
	for _, sums := range g.sums {
		for _, x := range sums {
			clear(x)
		}
	}
}

// byNumber are the derivatives with respect to what synapses add, by their number.
func (g *gathered) byNumber(s *stage) (out [][]float64) {
	for _, sum := range g.sums[s] {
		x := make([]float64, len(sum))
		for q, k := range s.syn.k {
			x[k] = sum[q]
		}
		out = append(out, x)
	}
	return out
}

// effects carries the derivatives with respect to what constant synapses add over to
// the words that this is made of.
func (g *gathered) effects(l *loaded) {
	for _, s := range l.stages {
		if s.Form != backend.FormEffect || g.sums[s] == nil {
			continue
		}
		d := &ir.Derivatives{Slots: make([][]float64, len(s.Bind)), Sums: g.byNumber(s)}
		for k, b := range s.Bind {
			if b.Buf != backend.NoBuf && g.bufs[b.Buf] != nil {
				d.Slots[k] = g.bufs[b.Buf][b.Off:]
			}
		}
		s.rev.Lanes(l.allSynapses(s, s.tape, len(s.rev.Columns), nil), len(s.syn.k), d, &ir.Scratch{})
	}
}

// check prepares samples, and refuses those that do not fit.
func (t *Trainer) check(samples []Sample) error {
	for k := range samples {
		s := &samples[k]
		if len(s.Inputs) != len(t.inputs) {
			return fmt.Errorf("train: sample %d has %d inputs, expected %d", k, len(s.Inputs), len(t.inputs))
		}
		for q, in := range t.inputs {
			v := &s.Inputs[q]
			if in.Generator != nil {
				if err := v.Spikes.check(in.Generator.Size, t.steps); err != nil {
					return fmt.Errorf("train: sample %d, spikes of %s: %w", k, in.Generator.Name(), err)
				}
				continue
			}
			if v.words != nil {
				continue
			}
			if len(v.Values) != 1 && len(v.Values) != in.n {
				return fmt.Errorf("train: sample %d: %d values for %s of %d neurons", k, len(v.Values), in.v.FullName(), in.n)
			}
			for i := range in.n {
				w, err := model.Encode(in.v.Symbol, in.v.Dt(), v.Values[min(i, len(v.Values)-1)])
				if err != nil {
					return fmt.Errorf("train: sample %d: %w", k, err)
				}
				v.words = append(v.words, w)
			}
		}
	}
	return nil
}

func (s *Spikes) check(n, steps int) error {
	if len(s.Index) != len(s.Steps) {
		return fmt.Errorf("%d neurons and %d steps", len(s.Index), len(s.Steps))
	}
	for k, i := range s.Index {
		if i < 0 || i >= n {
			return fmt.Errorf("neuron %d of %d", i, n)
		}
		if s.Steps[k] < 0 || s.Steps[k] >= steps {
			return fmt.Errorf("step %d of %d", s.Steps[k], steps)
		}
	}
	if !slices.IsSorted(s.Steps) {
		by := make([]int, len(s.Steps))
		for k := range by {
			by[k] = k
		}
		slices.SortStableFunc(by, func(a, b int) int { return s.Steps[a] - s.Steps[b] })
		sorted := Spikes{}
		for _, k := range by {
			sorted.Index, sorted.Steps = append(sorted.Index, s.Index[k]), append(sorted.Steps, s.Steps[k])
		}
		*s = sorted
	}
	return nil
}

// Result is what samples gave.
type Result struct {
	Loss    float64     // the mean
	Right   int         // samples whose label's neuron had the largest output
	Outputs [][]float64 // of each sample, one number for each neuron
}

// Step goes through a batch of samples and back, and makes a step of the optimiser.
func (t *Trainer) Step(ctx context.Context, batch []Sample) (*Result, error) {
	r, err := t.Gradient(ctx, batch)
	if err != nil {
		return nil, err
	}
	norm := 0.0
	for _, x := range t.params {
		for _, g := range x.g {
			norm += float64(g * g)
		}
	}
	if norm = math.Sqrt(norm); t.ClipNorm > 0 && norm > t.ClipNorm {
		for _, x := range t.params {
			for k := range x.g {
				x.g[k] *= t.ClipNorm / norm
			}
		}
	}
	t.made++
	for _, x := range t.params {
		t.Optimiser.step(t.made, x.rate, x.x, x.g, x.m)
		if err := x.set(t); err != nil {
			return nil, fmt.Errorf("train: after %d steps: %w: the learning rate is too large", t.made, err)
		}
	}
	t.l = nil
	return r, nil
}

// Gradient goes through a batch of samples and back, and leaves the derivatives of the
// mean loss to be read with GradientOf.
func (t *Trainer) Gradient(ctx context.Context, batch []Sample) (*Result, error) {
	r, err := t.samples(ctx, batch, true)
	if err != nil {
		return nil, err
	}
	t.got.effects(t.l)
	for _, x := range t.params {
		x.gather(t.l, t.got)
		for k := range x.g {
			x.g[k] /= float64(len(batch))
		}
	}
	return r, nil
}

// GradientOf is the last gradient with respect to parameter k of Options.Parameters, in
// SI units: one number for each synapse or neuron.
func (t *Trainer) GradientOf(k int) []float64 {
	out := slices.Clone(t.params[k].g)
	for i := range out {
		out[i] /= t.params[k].scale
	}
	return out
}

// Evaluate goes through samples without training. Random numbers are those of the first
// samples that were shown, so that the same network gives the same results.
func (t *Trainer) Evaluate(ctx context.Context, samples []Sample) (*Result, error) {
	shown := t.shown
	t.shown = 0
	defer func() { t.shown = shown }()
	return t.samples(ctx, samples, false)
}

// samples goes through samples, as many at a time as there are threads; sums are made
// in the order of the samples.
func (t *Trainer) samples(ctx context.Context, samples []Sample, back bool) (*Result, error) {
	if len(samples) == 0 {
		return nil, errors.New("train: there are no samples")
	}
	if err := t.check(samples); err != nil {
		return nil, err
	}
	for k := range samples {
		if t.Loss.Of != nil && (back || samples[k].Target != nil) {
			if err := t.Loss.suits(samples[k].Target, t.steps); err != nil {
				return nil, fmt.Errorf("train: sample %d: %w", k, err)
			}
		}
	}
	t.work.Ctx = ctx
	if err := t.ready(); err != nil {
		return nil, err
	}
	t.got.clear()
	r := &Result{}
	losses, errs := make([]float64, t.Threads), make([]error, t.Threads)
	for first := 0; first < len(samples); first += t.Threads {
		if ctx.Err() != nil {
			return nil, fmt.Errorf("%w in training", model.ErrInterrupted)
		}
		wave := samples[first:min(first+t.Threads, len(samples))]
		var group sync.WaitGroup
		for k := range wave {
			group.Go(func() {
				losses[k], errs[k] = t.sample(ctx, t.worlds[k], &wave[k], t.shown+uint32(first+k), back)
			})
		}
		group.Wait()
		for k := range wave {
			if errs[k] != nil {
				return nil, fmt.Errorf("train: sample %d: %w", first+k, errs[k])
			}
			out := t.Loss.Output(t.worlds[k].read)
			r.Outputs = append(r.Outputs, out)
			r.Loss += losses[k] / float64(len(samples))
			if t.Loss.Labels && wave[k].Target != nil && best(out) == int(wave[k].Target[0]) {
				r.Right++
			}
			if back {
				t.got.take(t.worlds[k])
			}
		}
	}
	t.shown += uint32(len(samples))
	return r, nil
}

func best(x []float64) int {
	at := 0
	for k := range x {
		if x[k] > x[at] {
			at = k
		}
	}
	return at
}

// sample goes through one sample, and back. What the steps leave for the way back is
// kept for a segment of steps at a time where all would take too much memory: then the
// segment's steps are made again, from a copy of the words at its begin.
func (t *Trainer) sample(ctx context.Context, w *world, s *Sample, shown uint32, back bool) (float64, error) {
	w.begin(s, t.inputs, shown*uint32(t.steps))
	span := t.steps
	if each := w.l.tapeBytes(); back && each > 0 {
		span = int(max(1, min(int64(t.steps), t.Memory/int64(t.Threads)/each)))
	}
	segments := (t.steps + span - 1) / span
	if back {
		for len(w.tapes) < span {
			w.tapes = append(w.tapes, w.l.newTape())
		}
	}
	w.saved = w.saved[:0]
	run := func(from, to int, keep bool) error {
		for w.n = from; w.n < to; w.n++ {
			var tape taped
			if keep {
				tape = w.tapes[w.n-from]
			}
			if w.n%64 == 0 && ctx.Err() != nil {
				return model.ErrInterrupted
			}
			if err := w.step(tape); err != nil {
				return err
			}
		}
		return nil
	}
	for k := range segments {
		if segments > 1 && back {
			w.saved = append(w.saved, w.words())
		}
		if err := run(k*span, min((k+1)*span, t.steps), back && segments == 1); err != nil {
			return 0, err
		}
	}
	loss := 0.0
	clear(w.read.D)
	if s.Target != nil {
		loss = t.Loss.Of(w.read, s.Target)
	}
	if !back {
		return loss, nil
	}
	for k := segments - 1; k >= 0; k-- {
		to := min((k+1)*span, t.steps)
		if segments > 1 {
			w.restore(w.saved[k])
			if err := run(k*span, to, true); err != nil {
				return 0, err
			}
		}
		for w.n = to - 1; w.n >= k*span; w.n-- {
			w.back(w.tapes[w.n-k*span])
		}
	}
	return loss, nil
}

// words copies the state.
func (w *world) words() (out [][]uint32) {
	for k := range w.bufs {
		var c []uint32
		if w.l.plan.Bufs[k].Kind == backend.State {
			c = slices.Clone(w.bufs[k])
		}
		out = append(out, c)
	}
	return out
}

func (w *world) restore(words [][]uint32) {
	for k := range words {
		copy(w.bufs[k], words[k])
	}
}

// tapeBytes is what a step leaves.
func (l *loaded) tapeBytes() (n int64) {
	for _, s := range l.stages {
		if s.back && s.rev != nil {
			lanes := s.N
			if s.syn != nil {
				lanes = len(s.syn.k)
			}
			n += 4 * int64(lanes) * int64(len(s.rev.Columns))
		}
	}
	return n
}

func (l *loaded) newTape() taped {
	t := make(taped, len(l.stages))
	for k, s := range l.stages {
		if s.Form == backend.FormMap && s.back {
			for range s.rev.Columns {
				t[k].columns = append(t[k].columns, make([]uint32, s.N))
			}
		}
	}
	return t
}
