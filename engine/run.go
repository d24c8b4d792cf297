package engine

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"synfire/engine/backend"
	"synfire/engine/compile"
	"synfire/engine/connect"
	"synfire/engine/host"
	"synfire/engine/ir"
	"synfire/engine/model"
)

// RunOptions say where and how a run takes place.
type RunOptions struct {
	Backend  backend.Backend         // what computes; it may serve one network after another, and is the caller's to close
	Threads  int                     // for building tables; 0: all cores
	Ranks    host.Ranks              // processes that compile and build the same network; nil: there is this one
	MaxSteps int64                   // stop after so many steps of this run; 0: no limit
	Progress func(done, total int64) // called now and then, from the goroutine of Run
	Records  Recorder                // where records go; nil: they stay in memory

	Resume     *Snapshot             // the state of this network in this very run, to go on from; nil: from its begin
	Finished   bool                  // Resume is of the end of the run: nothing is left to do but to load it
	Every      time.Duration         // between checkpoints; 0: none
	Checkpoint func(*Snapshot) error // takes one; an error is warned of, and the run goes on

	Stages bool // time every stage of every step, which costs time
}

// RunResult is what a run did.
type RunResult struct {
	Start      float64           // model time at which it began, seconds
	Duration   float64           // model time that it covered, seconds
	Steps      int64             // made in this run
	Wall       float64           // seconds of simulation proper
	Compile    float64           // seconds from equations to plan
	Build      float64           // seconds of connections, tables and loading
	FirstSpike float64           // seconds from the call of Run to the first recorded spike; 0: none
	Events     uint64            // synaptic deliveries
	Spikes     map[string]uint64 // of each population
	Synapses   int64             // of all tables; one that serves two statements counts for each
	PlanBytes  int64             // buffers and tables of the plan
	Profile    []backend.Phase   // where the time went, as far as the backend measures it
	Stages     []StageTime       // the same by stage, where RunOptions.Stages asks for it
	Held       []backend.Held    // the memory of this process, where it is one of several ranks
}

// StageTime is the time that a stage has taken, summed over threads.
type StageTime struct {
	Name   string
	Time   time.Duration
	Shares []compile.Share // the objects for which it works
}

// Objects is the time of each object of Brian2, such as "neurongroup_stateupdater": one
// that several share is divided in proportion to their parts.
func Objects(stages []StageTime) map[string]time.Duration {
	out := map[string]time.Duration{}
	for _, s := range stages {
		whole := 0.0
		for _, x := range s.Shares {
			whole += x.Part
		}
		for _, x := range s.Shares {
			out[x.Object] += time.Duration(float64(s.Time) * (x.Part / whole))
		}
	}
	return out
}

// Network is a network that can run: what was described, and what of it is loaded
// on a backend.
type Network struct {
	*model.Network
	live       *session // since the last Run
	firstSpike *time.Time
}

// NewNetwork returns an empty network.
func NewNetwork(o model.Options) *Network { return runner(model.New(o)) }

func runner(n *model.Network) *Network {
	r := &Network{Network: n}
	n.Outer = r
	return r
}

// Of is the network that a model belongs to.
func Of(m *Model) *Network { return m.Outer.(*Network) }

// Split moves objects that have not run yet into a network of their own, whose
// time begins at 0. in is asked of each object that the caller made.
func (n *Network) Split(in func(any) bool) (*Network, error) {
	m, err := n.Network.Split(in)
	return runner(m), err
}

// Take moves objects of another network that have not run yet into n, with what
// belongs to them; it changes nothing where one of them needs an object that
// would be left behind.
func (n *Network) Take(from *Network, in func(any) bool) error {
	return n.Network.Take(from.Network, in)
}

// session is what is loaded on a backend.
type session struct {
	backend backend.Backend
	program backend.Program
	c       *compile.Compiled
}

// Steps turns a duration into whole steps after the last run's end, as Brian2
// does: a run ends at the first step at or after its end.
func (n *Network) Steps(duration float64) (total int64, end float64, err error) {
	end = n.T0 + duration
	target := math.Ceil(float64(end/n.StepSize) - 1e-4)
	if !(target <= ir.FarStep) {
		return 0, end, fmt.Errorf("run: %g s would end at step %.4g of %g s; a network makes %d at most: run a shorter time, or take a larger dt", duration, target, n.StepSize, ir.FarStep)
	}
	return max(0, int64(target)-n.Step), end, nil
}

// Run advances the network by duration seconds of model time. If ctx ends, it
// returns ErrInterrupted (wrapped) with all that was recorded kept; a model's
// own error (a *backend.Fault) keeps the records of the steps before it.
func (n *Network) Run(ctx context.Context, duration float64, o RunOptions) (*RunResult, error) {
	if math.IsNaN(duration) || math.IsInf(duration, 0) || duration < 0 {
		return nil, fmt.Errorf("run: the duration must be a time that is not negative, got %g s", duration)
	}
	switch {
	case o.Backend == nil:
		return nil, errors.New("run: RunOptions.Backend is nil: open one, such as kernels.New(0) or ref.New()")
	case o.Threads < 0:
		return nil, fmt.Errorf("run: RunOptions.Threads = %d: a number of threads was expected, 0 for all cores", o.Threads)
	case o.MaxSteps < 0:
		return nil, fmt.Errorf("run: RunOptions.MaxSteps = %d: a number of steps was expected, 0 for no limit", o.MaxSteps)
	}
	switch {
	case o.Every < 0:
		return nil, fmt.Errorf("run: RunOptions.Every = %s: a time was expected, 0 for no checkpoints", o.Every)
	case o.Every > 0 && o.Checkpoint == nil:
		return nil, errors.New("run: RunOptions.Checkpoint is nil: with Every it takes the checkpoints")
	case o.Finished && o.Resume == nil:
		return nil, errors.New("run: RunOptions.Finished is of Resume, which is nil")
	}
	if n.Live != nil {
		return nil, errors.New("run: a network_operation cannot run the network that it is part of")
	}
	begin := time.Now()
	n.firstSpike = nil
	res := &RunResult{Start: n.T(), Spikes: map[string]uint64{}}
	total, end, err := n.Steps(duration)
	if err != nil {
		return nil, err
	}
	if o.MaxSteps > 0 && total > o.MaxSteps {
		total, end = o.MaxSteps, float64(float64(n.Step+o.MaxSteps)*n.StepSize)
	}
	if err := n.Complete(); err != nil {
		return nil, err
	}
	before := map[*model.NeuronGroup]uint64{}
	for _, g := range n.Groups() {
		if e := g.Event("spike"); e != nil {
			before[g] = e.Counts
		}
	}
	due, first := n.dueCount(), n.Step
	if o.Resume != nil {
		if err := n.Restore(o.Resume, true); err != nil {
			return nil, err
		}
		if total -= n.Step - first; n.Step < first || total < 0 {
			return nil, fmt.Errorf("run: the state to resume from is of step %d, which is not in this run: it makes steps %d to %d", n.Step, first, n.Step+total)
		}
		if o.Finished {
			total, end = 0, n.T0
		}
	}
	n.Batch = o.Backend.Caps().Batch
	n.Begin()
	defer n.End()
	w := model.Work{Ctx: ctx, Threads: o.Threads, Ranks: o.Ranks}.Without(0)
	compiled := compile.Compile
	if o.Resume != nil {
		compiled = compile.Continue
	}
	c, err := compiled(n.Network, w)
	if err != nil {
		return nil, err
	}
	res.Compile = time.Since(begin).Seconds()
	begin2 := time.Now()
	prog, err := o.Backend.Load(w.Without(c.Own), c.Plan)
	if err != nil {
		return nil, err
	}
	n.heed(prog)
	records, err := n.keepRecords(o, total)
	if err != nil {
		prog.Close()
		return nil, err
	}
	if err := n.load(&session{o.Backend, prog, c}); err != nil {
		return nil, err
	}
	res.Build = time.Since(begin2).Seconds()
	res.Synapses = c.SynapsesN
	for i := range c.Plan.Bufs {
		res.PlanBytes += 4 * int64(c.Plan.Bufs[i].Len)
	}
	for i := range c.Plan.Tables {
		m := connect.Estimate(c.Plan.Tables[i].Spec, 1, w.Single())
		res.PlanBytes += m.Entries + m.Index
	}
	timer, timed := prog.(backend.StageTimer)
	if timed = timed && o.Stages; timed {
		timer.TimeStages()
	}
	start := time.Now()
	n.tick()
	n.told(c)
	n.Stopped = false
	err = n.advance(ctx, total, o, records, n.acting(ctx, o, w))
	n.heed(n.live.program)
	if alike(o.Backend, err) {
		if e := records.flush(true); e != nil && err == nil {
			err = e
		}
	}
	res.Wall = time.Since(start).Seconds()
	if alike(o.Backend, err) {
		if e := n.readBack(nil); e != nil && err == nil {
			err = e
		}
	}
	res.Steps = n.Step - first
	res.Duration = float64(float64(res.Steps) * n.StepSize)
	n.T0 = end
	if err != nil || n.Stopped {
		n.T0 = n.T()
	}
	res.Events = n.dueCount() - due
	for g, k := range before {
		res.Spikes[g.Name()] = g.Event("spike").Counts - k
	}
	if n.firstSpike != nil {
		res.FirstSpike = n.firstSpike.Sub(begin).Seconds()
	}
	if p, ok := prog.(backend.Profiler); ok {
		res.Profile = p.Profile()
	}
	if h, ok := prog.(backend.Holder); ok {
		res.Held = h.Holds()
	}
	if timed {
		for i, d := range timer.StageTimes() {
			res.Stages = append(res.Stages, StageTime{c.Plan.Stages[i].Name, d, c.Shares[i]})
		}
	}
	return res, err
}

// load puts a session in the place of the one before. Words that lay with the processes of
// that one, and are not in the new one, are brought here.
func (n *Network) load(s *session) error {
	old := n.live
	var home []func() error
	if old != nil {
		home = old.c.Far()
	}
	var ok bool
	if s.c.Parted, ok = s.program.(backend.Parted); !ok {
		s.c.Parted = readable{s.program}
	}
	n.live = s
	s.c.Adopt()
	for _, bring := range home {
		if err := bring(); err != nil {
			return err
		}
	}
	if old == nil {
		return nil
	}
	return old.program.Close()
}

// readable is a program whose words are read whole: one that stands before another, which it watches.
type readable struct{ backend.Program }

// Each implements backend.Parted.
func (r readable) Each(b backend.BufID, lo, n int, take func(k0 int, words []uint32) error) error {
	words := make([]uint32, lo+n)
	if err := r.Read(b, words); err != nil {
		return err
	}
	return take(0, words[lo:])
}

// Range implements backend.Parted.
func (r readable) Range(b backend.BufID, lo, n int) (least, most float64, err error) {
	least, most = math.Inf(1), math.Inf(-1)
	err = r.Each(b, lo, n, func(_ int, words []uint32) error {
		for _, w := range words {
			x := float64(math.Float32frombits(w))
			least, most = min(least, x), max(most, x)
		}
		return nil
	})
	return least, most, err
}

// heed tells what a program has to say that was not told yet.
func (n *Network) heed(prog backend.Program) {
	if w, ok := prog.(backend.Warner); ok {
		for _, msg := range w.Warnings() {
			n.Warn("%s", msg)
		}
	}
}

// alike says that an end is that of all processes of a Ranked backend, which still do everything together.
func alike(b backend.Backend, err error) bool {
	var fault *backend.Fault
	_, several := b.(backend.Ranked)
	return !several || err == nil || errors.As(err, &fault) || errors.Is(err, model.ErrInterrupted)
}

// tick sets the default clock, which a run of no object leaves alone.
func (n *Network) tick() {
	if len(n.Objects) > 0 {
		n.setClock(n.Step)
	}
}

// setClock sets the default clock to where it stands at a step of the network.
func (n *Network) setClock(step int64) {
	if n.Default.Step = step; n.Dt() != n.StepSize {
		n.Default.Step = int64(math.Ceil(float64(float64(step)*n.StepSize)/n.Dt() - 1e-4))
	}
}

func (n *Network) dueCount() uint64 { return uint64(n.Due[1])<<32 | uint64(n.Due[0]) }

// countSpikes counts the events of a population, and takes its spikes into the
// hash of the run.
func (n *Network) countSpikes(r *compile.RecordRef, b *model.Batch) {
	r.Event.Take(b, n.Groups()[r.Pop])
	if r.Event.Name != "spike" {
		return
	}
	if n.firstSpike == nil && len(b.Index) > 0 {
		t := time.Now()
		n.firstSpike = &t
	}
	at := 0
	for s, k := range b.Counts {
		if k == 0 {
			continue
		}
		for _, i := range b.Index[at : at+int(k)] {
			n.SpikeHash += model.Mix(uint64(b.Step)+uint64(s), uint64(r.Pop), uint64(i))
		}
		at += int(k)
	}
}

// advance makes steps in batches, taking in the records of each, where the backend can, while the next one runs.
func (n *Network) advance(ctx context.Context, total int64, o RunOptions, records *keeping, ops *acting) error {
	size := 32        // of a batch
	var now, next run // next has begun if it has steps
	saved := time.Now()
	any := anyOf(o.Backend)
	for done := int64(0); done < total; {
		begun := next.steps > 0
		now, next = next, run{host: now.host[:0]}
		if !begun {
			if any(ctx.Err() != nil) {
				if o.Checkpoint != nil && ops.started != n.Step {
					if err := n.checkpoint(o); err != nil {
						return err
					}
				}
				return fmt.Errorf("%w at t = %g s", model.ErrInterrupted, n.T())
			}
			if err := ops.start(); err != nil {
				return err
			}
			now.begin = time.Now()
			if err := now.ask(n, n.Step, ops.due(n.Step, int(min(int64(size), total-done)))); err != nil {
				return err
			}
		}
		c, prog := n.live.c, n.live.program // an operation may have changed them
		made, err := prog.Run(now.steps, now.host)
		// What stops the network, or looks at its state, comes before the next batch begins.
		ahead, able := prog.(backend.Ahead)
		able = able && err == nil && made > 0 && len(c.Start)+len(c.End) == 0 && !n.Stopped && ctx.Err() == nil && (o.Every == 0 || time.Since(saved) < o.Every)
		if left := total - done - int64(made); able && left > 0 {
			size = now.sized(size, made, c.Plan.Batch)
			next.begin = time.Now()
			if next.ask(n, n.Step+int64(made), int(min(int64(size), left))) == nil {
				if err = ahead.Start(next.steps, next.host); err != nil {
					next.steps = 0
				}
			}
		}
		if e := n.take(made, records); e != nil && err == nil {
			err = e
		}
		done += int64(made)
		if err != nil {
			if next.steps > 0 { // the state is that of its end; its records would stand behind a hole
				made, _ := prog.Run(next.steps, next.host)
				n.Step += int64(made)
			}
			n.tick()
			return err
		}
		if made == 0 {
			return errors.New("internal: a run made no step")
		}
		err = ops.run(c.End, n.Step-1)
		n.tick()
		if err != nil {
			return err
		}
		if !able {
			size = now.sized(size, made, c.Plan.Batch)
		}
		if o.Progress != nil {
			o.Progress(done, total)
		}
		if next.steps > 0 {
			continue
		}
		if n.Stopped {
			return nil
		}
		if o.Every > 0 && done < total && any(time.Since(saved) >= o.Every) {
			if err := n.checkpoint(o); err != nil {
				return err
			}
			saved = time.Now()
		}
	}
	return nil
}

// anyOf asks whether something is true for any of the processes of a backend.
func anyOf(b backend.Backend) func(bool) bool {
	if r, several := b.(backend.Ranked); several {
		return r.Any
	}
	return func(yes bool) bool { return yes }
}

// run is a batch of steps.
type run struct {
	steps int
	host  []uint32 // words for each
	begin time.Time
}

// ask makes the words of so many steps from a step on, or of those before the one that has none.
func (r *run) ask(n *Network, step int64, steps int) error {
	c := n.live.c
	r.host, steps = r.host[:0], min(steps, c.Plan.Batch)
	for s := 0; s < steps; s++ {
		for _, f := range c.Hosts {
			w, err := f(step + int64(s))
			switch {
			case err != nil && s == 0:
				return err
			case err != nil: // up to there
				steps = s
			}
			r.host = append(r.host, w)
		}
	}
	r.steps = steps
	return nil
}

// sized is the size of batches after r, which has made so many of its steps: those of some 30 ms keep interrupts and
// progress prompt, and where records had room for fewer steps, so has the next one.
func (r *run) sized(size, made, most int) int {
	switch took := time.Since(r.begin); {
	case made < r.steps:
		return max(1, made)
	case took < 15*time.Millisecond:
		return min(2*size, most)
	case took > 60*time.Millisecond:
		return max(1, size/2)
	}
	return size
}

// take takes in what a batch has recorded.
func (n *Network) take(made int, records *keeping) error {
	err := n.takeRecords(made, records)
	records.done += int64(made)
	if e := records.flush(false); e != nil && err == nil {
		err = e
	}
	n.Step += int64(made)
	return err
}

// checkpoint hands the present state on. That it could not be kept is no reason to
// end a run.
func (n *Network) checkpoint(o RunOptions) error {
	if err := n.readBack(nil); err != nil {
		return err
	}
	s, err := n.Snapshot()
	if err == nil {
		err = o.Checkpoint(s)
	}
	if err != nil {
		n.Warn("no checkpoint was written, the run goes on: %v", err)
	}
	return nil
}

// takeRecords hands the entries of the last Run to their monitors.
func (n *Network) takeRecords(made int, k *keeping) error {
	if made == 0 {
		return nil
	}
	counts := slices.Grow(k.counts[:0], made)[:made]
	index, values := k.index, k.values
	defer func() { k.counts, k.index, k.values = counts, index, values }()
	for _, r := range n.live.c.Recs {
		if err := n.live.program.Read(r.Rec.Count, counts); err != nil {
			return err
		}
		entries := 0
		for _, k := range counts {
			entries += int(k)
		}
		read := func(b backend.BufID, words []uint32) ([]uint32, error) {
			words = slices.Grow(words[:0], entries)[:entries]
			if entries == 0 {
				return words, nil
			}
			return words, n.live.program.Read(b, words)
		}
		var err error
		var who []uint32
		if r.Rec.Index != backend.NoBuf {
			if index, err = read(r.Rec.Index, index); err != nil {
				return err
			}
			who = index
		} else {
			entries *= r.Rec.N
		}
		for k, b := range r.Rec.Dst {
			if k == len(values) {
				values = append(values, nil)
			}
			if values[k], err = read(b, values[k]); err != nil {
				return err
			}
		}
		b := &model.Batch{Step: n.Step, Counts: counts, Index: who, Values: values[:len(r.Rec.Dst)]}
		if err := r.Shown(n.Network, b); err != nil {
			return err
		}
		if r.Event != nil {
			n.countSpikes(r, b)
		}
		for _, t := range r.To {
			t.Take(b)
		}
	}
	return nil
}

// readBack copies the state into the host's words, but for variables whose words
// there are fresh.
func (n *Network) readBack(fresh map[*model.Variable]bool) error {
	for _, k := range n.live.c.Keep {
		if len(k.Words) == 0 || fresh[k.Of] {
			continue
		}
		if err := n.live.program.Read(k.Buf, k.Words); err != nil {
			return err
		}
	}
	return nil
}

// Program is what the last Run loaded, with its plan; nil before the first.
// Verification reads and steps it directly.
func (n *Network) Program() (backend.Program, *backend.Plan) {
	if n.live == nil {
		return nil, nil
	}
	return n.live.program, n.live.c.Plan
}

// Close releases what the last Run loaded.
func (n *Network) Close() error {
	if n.live == nil {
		return nil
	}
	err := n.live.program.Close()
	n.live = nil
	return err
}

// Hash identifies a run: spikes is the sum modulo 2^64 of a mix of step,
// population and index over all spikes so far, state the SHA-256 of the canonical
// words (design section 4), in the order of the plan's buffers.
func (n *Network) Hash() (spikes, state string, err error) {
	if n.live == nil {
		return "", "", errors.New("nothing has run yet")
	}
	h := sha256.New()
	p := n.live.c.Plan
	bytes := make([]byte, 0, 1<<16)
	put := func(words []uint32) {
		for len(words) > 0 {
			some := words[:min(len(words), cap(bytes)/4)]
			words, bytes = words[len(some):], bytes[:0]
			for _, w := range some {
				bytes = binary.LittleEndian.AppendUint32(bytes, w)
			}
			h.Write(bytes)
		}
	}
	for id := range p.Bufs {
		b := &p.Bufs[id]
		if b.Kind != backend.State {
			continue
		}
		if n.live.c.Each(backend.BufID(id)) {
			err := n.live.c.Parted.Each(backend.BufID(id), 0, b.Len, func(_ int, words []uint32) error {
				put(words)
				return nil
			})
			if err != nil {
				return "", "", err
			}
			continue
		}
		words := n.live.c.Mirror(backend.BufID(id)) // as the run has left them
		if b.Len > 0 && words == nil {
			words = make([]uint32, b.Len)
			if err := n.live.program.Read(backend.BufID(id), words); err != nil {
				return "", "", err
			}
		}
		sums, err := n.live.c.Alike(model.Work{}, backend.BufID(id), words)
		if err != nil {
			return "", "", err
		}
		if sums != nil {
			words = nil
			for _, x := range sums {
				words = append(words, uint32(x), uint32(x>>32))
			}
		}
		put(words)
	}
	return fmt.Sprintf("%016x", n.SpikeHash), hex.EncodeToString(h.Sum(nil)), nil
}
