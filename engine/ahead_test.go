package engine_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"synfire/engine"
	"synfire/engine/backend"
	"synfire/engine/host"
	"synfire/kernels/ref"
)

// early is a backend whose programs begin a Run while the records of the last one are read, as a device does.
type early struct {
	backend.Backend
	t     *testing.T
	begun int // Runs that began so
}

func (b *early) Caps() backend.Caps { return backend.Caps{Batch: 2048} }

func (b *early) Load(w host.Work, p *backend.Plan) (backend.Program, error) {
	prog, err := b.Backend.Load(w, p)
	return &earlyProgram{Program: prog, b: b, plan: p}, err
}

type earlyProgram struct {
	backend.Program
	b       *early
	plan    *backend.Plan
	ended   chan struct{} // nil: nothing has begun
	done    int
	err     error
	records map[backend.BufID][]uint32 // of the Run before
}

func (p *earlyProgram) Start(n int, host []uint32) error {
	p.b.begun++
	p.records, p.ended = map[backend.BufID][]uint32{}, make(chan struct{})
	for i := range p.plan.Bufs {
		if b := &p.plan.Bufs[i]; b.Kind == backend.Record {
			words := make([]uint32, b.Len)
			if err := p.Program.Read(backend.BufID(i), words); err != nil {
				return err
			}
			p.records[backend.BufID(i)] = words
		}
	}
	host = slices.Clone(host)
	go func() {
		p.done, p.err = p.Program.Run(n, host)
		close(p.ended)
	}()
	return nil
}

func (p *earlyProgram) Run(n int, host []uint32) (int, error) {
	if p.ended == nil {
		return p.Program.Run(n, host)
	}
	<-p.ended
	p.ended = nil
	return p.done, p.err
}

func (p *earlyProgram) Read(b backend.BufID, dst []uint32) error {
	if p.ended == nil {
		return p.Program.Read(b, dst)
	}
	words, ok := p.records[b]
	if !ok {
		p.b.t.Errorf("%s is read while a Run goes on", p.plan.Bufs[b].Name)
	}
	copy(dst, words)
	return nil
}

func (p *earlyProgram) Write(b backend.BufID, src []uint32) error {
	if p.ended != nil {
		p.b.t.Errorf("%s is written while a Run goes on", p.plan.Bufs[b].Name)
		<-p.ended
	}
	return p.Program.Write(b, src)
}

// TestAhead: batches that begin while the records of the last are taken leave what others do: to the end, with state and
// records of several run(), with operations of the network between them, which nothing may run ahead of.
func TestAhead(t *testing.T) {
	for name, src := range scenarios {
		for what, more := range map[string]string{"": "", " and an operation": `
seen = []
def look(t):
    seen.append(G.v[0])
network_operation(dt=7*ms)(look)
run(50*ms)
print(seen)
`} {
			if testing.Short() && (what == "" || !strings.HasPrefix(name, "delays")) {
				continue
			}
			t.Run(name+what, func(t *testing.T) {
				b := &early{Backend: ref.New(), t: t}
				out, hash := run(t, src+"run(40*ms)\n"+more, onRef)
				if o, h := run(t, src+"run(40*ms)\n"+more, func() backend.Backend { return b }); o != out || h != hash {
					t.Errorf("%s and hash %s, expected %s and %s", o, h, out, hash)
				}
				if b.begun == 0 {
					t.Error("no batch began early")
				}
			})
		}
	}
}

// TestAheadEnds: an interrupt, the last step, Stop, checkpoints and a value that cannot be recorded leave the network at the
// end of a batch, with the records of all steps before it.
func TestAheadEnds(t *testing.T) {
	network := func(values bool) (*engine.Network, *engine.SpikeMonitor) {
		n := engine.NewNetwork(engine.Options{Seed: 3})
		g, err := n.NeuronGroup(50, "dv/dt = (1.5 - v)/(5*ms) + 0.1*xi/sqrt(1*ms) : 1\ndx/dt = 1/ms : 1\ny = exp(x) : 1", engine.GroupOptions{Method: "euler", Threshold: "v > 1", Reset: "v = 0"})
		if err != nil {
			t.Fatal(err)
		}
		m, err := n.SpikeMonitor(g, engine.SpikeMonitorOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if values {
			if _, err := n.StateMonitor(g, engine.StateMonitorOptions{Variables: []string{"y"}, Record: true}); err != nil {
				t.Fatal(err)
			}
		}
		return n, m
	}
	steps := func(n *engine.Network) int64 { return int64(math.Round(n.T() / 1e-4)) }
	x := func(n *engine.Network) float64 {
		v, err := n.Groups()[0].Var("x")
		if err != nil {
			t.Fatal(err)
		}
		a, err := v.Get(nil)
		if err != nil {
			t.Fatal(err)
		}
		return a.V[0]
	}
	full := errors.New("the disk is full")
	for _, c := range []struct {
		name  string
		run   func(n *engine.Network, o *engine.RunOptions) error
		want  error
		shown bool // y is recorded, which has no value from some step on
	}{
		{"interrupt", func(n *engine.Network, o *engine.RunOptions) error {
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			o.Progress = func(done, total int64) {
				if done > 300 {
					cancel()
				}
			}
			_, err := n.Run(ctx, 100, *o)
			return err
		}, engine.ErrInterrupted, false},
		{"most steps", func(n *engine.Network, o *engine.RunOptions) error {
			o.MaxSteps = 777
			_, err := n.Run(context.Background(), 100, *o)
			return err
		}, nil, false},
		{"stop", func(n *engine.Network, o *engine.RunOptions) error {
			o.Progress = func(done, total int64) {
				if done > 300 {
					n.Stop()
				}
			}
			_, err := n.Run(context.Background(), 100, *o)
			return err
		}, nil, false},
		{"checkpoints", func(n *engine.Network, o *engine.RunOptions) error {
			o.MaxSteps, o.Every = 3000, time.Millisecond
			o.Checkpoint = func(s *engine.Snapshot) error { return full } // which is told, and the run goes on
			_, err := n.Run(context.Background(), 100, *o)
			return err
		}, nil, false},
		{"no value", func(n *engine.Network, o *engine.RunOptions) error {
			if _, err := n.Run(context.Background(), 100, *o); err == nil || !strings.Contains(err.Error(), "as recorded") {
				return fmt.Errorf("%w: expected an error of a value", err)
			}
			return nil
		}, nil, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			if testing.Short() && c.want == nil && !c.shown {
				t.Skip("one batch that ends otherwise is tried")
			}
			n, m := network(c.shown)
			defer n.Close()
			b := &early{Backend: ref.New(), t: t}
			if err := c.run(n, &engine.RunOptions{Backend: b}); !errors.Is(err, c.want) {
				t.Fatalf("%v, expected %v", err, c.want)
			}
			if b.begun == 0 && c.name != "checkpoints" { // they may be due at every batch
				t.Error("no batch began early")
			}
			same, all := network(false)
			defer same.Close()
			if _, err := same.Run(context.Background(), 100, engine.RunOptions{Backend: ref.New(), MaxSteps: steps(n)}); err != nil {
				t.Fatal(err)
			}
			spikes, state, err := n.Hash()
			wantSpikes, wantState, _ := same.Hash()
			if c.shown { // the run ends at that record, whatever others hold of its batch; a plan with it has other state, too
				wantSpikes, all, wantState = spikes, m, state
			}
			if got, want := x(n), x(same); got != want {
				t.Errorf("x is %v, expected %v", got, want)
			}
			if err != nil || spikes != wantSpikes || state != wantState || m.Len() != all.Len() || m.Len() == 0 {
				t.Errorf("after %d steps %d spikes, hash %s %s (%v), expected %d, %s %s", steps(n), m.Len(), spikes, state, err, all.Len(), wantSpikes, wantState)
			}
		})
	}
}

// TestAheadLeavesNoHole: where a record of one batch ends the run, no monitor has records of the batch that had begun by then,
// which may all have values.
func TestAheadLeavesNoHole(t *testing.T) {
	n := engine.NewNetwork(engine.Options{Seed: 3})
	defer n.Close()
	g, err := n.NeuronGroup(1, "dx/dt = 1/second : 1\ny = exp(100 - (1000*x - 70)**2) : 1", engine.GroupOptions{Method: "euler"}) // about 70 ms it has no value
	if err != nil {
		t.Fatal(err)
	}
	var times []func() []float64
	for _, v := range []string{"x", "y", "x"} { // before and behind the record
		m, err := n.StateMonitor(g, engine.StateMonitorOptions{Variables: []string{v}, Record: true})
		if err != nil {
			t.Fatal(err)
		}
		times = append(times, m.T)
	}
	b := &early{Backend: ref.New(), t: t}
	if _, err := n.Run(context.Background(), 1, engine.RunOptions{Backend: b}); err == nil || !strings.Contains(err.Error(), "as recorded") {
		t.Fatalf("%v, expected an error of a value", err)
	}
	if b.begun == 0 {
		t.Error("no batch began early")
	}
	for k, all := range times {
		for s, x := range all() {
			if step := int(math.Round(x / 1e-4)); step != s {
				t.Fatalf("monitor %d: entry %d is of step %d", k, s, step)
			}
		}
	}
}
