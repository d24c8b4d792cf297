package compare

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"synfire/engine/backend"
	"synfire/engine/host"
	"synfire/engine/ir"
	"synfire/engine/script"
	"synfire/kernels"
	"synfire/kernels/ref"
)

const cuba = `
P = NeuronGroup(100, '''
    dv/dt  = (ge - (v + 49*mV))/(20*ms) : volt (unless refractory)
    dge/dt = -ge/(5*ms) : volt
''', threshold='v > -50*mV', reset='v = -60*mV', refractory=2*ms, method='exact')
P.v = '-60*mV + rand()*10*mV'
C = Synapses(P, P, on_pre='ge += 0.5*mV')
C.connect(p=0.2)
C.delay = 1*ms
S = SpikeMonitor(P)
M = StateMonitor(P, 'v', record=[1, 7])
run(60*ms)
P.v[3] = -55*mV
run(40*ms)
`

// model runs a script.
func model(src string) Model {
	return func(ctx context.Context, side string, open func() (backend.Backend, error), max int64) ([]Run, error) {
		var runs []Run
		_, err := script.Run(ctx, script.Options{File: "test.star", Src: []byte(src), Open: open, MaxSteps: max, AfterRun: func(r *script.Result) error {
			var run Run
			for _, x := range r.Runs {
				run.Steps += x.Steps
				run.Counts += x.Spikes["P"]
			}
			var err error
			run.Spikes, run.State, err = r.Net.Hash()
			runs = append(runs, run)
			return err
		}})
		return runs, err
	}
}

func openRef() (backend.Backend, error) { return ref.New(), nil }
func openCPU() (backend.Backend, error) { return kernels.New(2), nil }

func check(t *testing.T, src string, sides ...Side) *Report {
	t.Helper()
	r, err := Compare(context.Background(), sides, model(src), Options{Every: 300})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestEqual(t *testing.T) {
	r := check(t, cuba, Side{Name: "ref", Open: openRef}, Side{Name: "cpu", Open: openCPU})
	if !r.Equal || r.First != nil || r.Steps != 1000 || r.States != 5 || r.Words < 5*300 || r.Records == 0 {
		t.Errorf("%+v", r)
	}
	if n := r.Sides[0].Runs; len(n) != 2 || n[1].Counts == 0 {
		t.Errorf("runs %+v: expected two, with spikes", n)
	}
}

// TestInjected finds one changed bit, wherever it is.
func TestInjected(t *testing.T) {
	for _, in := range []Injection{
		{"P.v", 5, 0}, {"P.v", 99, 299}, {"P.ge", 0, 300}, {"ge", 41, 599}, {"P.lastspike", 17, 600}, {"P.v", 1, 999}, {"P.spike masks", 3, 444},
	} {
		r := check(t, cuba, Side{Name: "ref", Open: openRef}, Side{Name: "also ref", Open: openRef}, Side{Name: "cpu", Open: openCPU, Inject: &in})
		if r.Equal || r.First == nil || len(r.First.Words) == 0 || !r.Sides[1].Equal || r.Sides[2].Equal {
			t.Errorf("%+v: not found: %+v", in, r)
			continue
		}
		d, w := r.First, r.First.Words[0]
		if in.Buffer == "P.spike masks" {
			if d.Step != in.Step || w.Type != "mask" || w.Variable != "spike" || w.Index != 96 {
				t.Errorf("%+v: found at %+v", in, d)
			}
			continue
		}
		if d.Step != in.Step || w.Index != in.Index || w.Population != "P" || !strings.HasSuffix(in.Buffer, w.Variable) || w.A != w.B^1 || w.Count != 1 || len(d.Words) != 1 {
			t.Errorf("%+v: found at %+v", in, d)
		}
		if d.Stage != "" || d.Before {
			t.Errorf("%+v: blamed on %q", in, d.Stage)
		}
	}
}

func TestInjectionUnknown(t *testing.T) {
	for in, want := range map[Injection]string{
		{"P.w", 0, 1}: "P.v (100 words)", {"P.v", 100, 1}: "P.v has no word 100", {"P.v", 1, 1000}: "makes 1000",
	} {
		_, err := Compare(context.Background(), []Side{{Name: "ref", Open: openRef}, {Name: "cpu", Open: openCPU, Inject: &in}}, model(cuba), Options{})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: error %v, expected %q", in, err, want)
		}
	}
}

func TestParseInjection(t *testing.T) {
	for text, want := range map[string]Injection{"v": {"v", 0, 49}, "P.v:3": {"P.v", 3, 49}, "P.spike masks:3:70": {"P.spike masks", 3, 70}} {
		if in, err := ParseInjection(text, 50); err != nil || *in != want {
			t.Errorf("%s: %+v, %v; expected %+v", text, in, err, want)
		}
	}
	for _, text := range []string{"", ":1", "v:", "v:x", "v:1:", "v:1:2:3", "v:-1", "v:1:-1"} {
		if in, err := ParseInjection(text, 0); err == nil {
			t.Errorf("%q gives %+v, expected an error", text, in)
		}
	}
}

// faulty is a backend that runs another plan than the one it was given.
type faulty struct {
	backend.Backend
	change func(p *backend.Plan)
	read   func(p *backend.Plan, b backend.BufID, dst []uint32)
}

func (f *faulty) Load(w host.Work, p *backend.Plan) (backend.Program, error) {
	q := *p
	q.Stages = slices.Clone(p.Stages)
	if f.change != nil {
		f.change(&q)
	}
	prog, err := f.Backend.Load(w, &q)
	if err == nil && f.read != nil {
		prog = &misread{prog, f, p}
	}
	return prog, err
}

type misread struct {
	backend.Program
	f *faulty
	p *backend.Plan
}

func (m *misread) Read(b backend.BufID, dst []uint32) error {
	err := m.Program.Read(b, dst)
	m.f.read(m.p, b, dst)
	return err
}

// stage applies a change to the stages of a name.
func stage(p *backend.Plan, part string, f func(s *backend.Stage)) {
	for i := range p.Stages {
		if strings.Contains(p.Stages[i].Name, part) && p.Stages[i].Prog != nil {
			prog := *p.Stages[i].Prog
			prog.Ins = slices.Clone(prog.Ins)
			p.Stages[i].Prog = &prog
			f(&p.Stages[i])
			return
		}
	}
}

// TestStage blames the stage that does something else.
func TestStage(t *testing.T) {
	for name, c := range map[string]struct {
		change func(p *backend.Plan)
		stage  string
	}{
		"a constant of the update": {func(p *backend.Plan) {
			stage(p, "update", func(s *backend.Stage) {
				for k := range s.Prog.Ins {
					if in := &s.Prog.Ins[k]; in.Op == ir.Const && in.Type == ir.F32 && in.Imm&0x7fffff != 0 {
						in.Imm ^= 1
						return
					}
				}
			})
		}, "update"},
		"no reset": {func(p *backend.Plan) {
			p.Stages = slices.DeleteFunc(p.Stages, func(s backend.Stage) bool { return strings.Contains(s.Name, "reset") })
		}, "reset"},
		"a neuron without synapses": {func(p *backend.Plan) {
			p.Tables = slices.Clone(p.Tables)
			p.Tables[0].Sources = slices.Clone(p.Tables[0].Sources)
			p.Tables[0].Sources[0].Hi--
		}, "deliver"},
	} {
		t.Run(name, func(t *testing.T) {
			r := check(t, cuba, Side{Name: "ref", Open: openRef}, Side{Name: "faulty", Open: func() (backend.Backend, error) {
				return &faulty{Backend: ref.New(), change: c.change}, nil
			}})
			if r.Equal || r.First == nil {
				t.Fatal("no difference found")
			}
			if !strings.Contains(r.First.Stage, c.stage) {
				t.Errorf("blamed on %q (%s), expected %q; %+v", r.First.Stage, r.First.Reason, c.stage, r.First)
			}
		})
	}
}

// TestRecord: a spike that is recorded wrongly is a difference although the state is equal.
func TestRecord(t *testing.T) {
	r := check(t, cuba, Side{Name: "ref", Open: openRef}, Side{Name: "faulty", Open: func() (backend.Backend, error) {
		return &faulty{Backend: ref.New(), read: func(p *backend.Plan, b backend.BufID, dst []uint32) {
			for _, s := range p.Stages {
				if s.Form == backend.FormSpikes && s.Rec.Index == b && len(dst) > 0 {
					dst[len(dst)-1] ^= 64
				}
			}
		}}, nil
	}})
	if r.Equal || r.First == nil || !strings.Contains(r.First.Record, "record spike, index") || len(r.First.Words) > 0 {
		t.Errorf("%+v", r.First)
	}
}

// TestLost: a difference that does not come again is told as such.
func TestLost(t *testing.T) {
	opened := 0
	r := check(t, cuba, Side{Name: "ref", Open: openRef}, Side{Name: "once", Open: func() (backend.Backend, error) {
		opened++
		first, did := opened == 1, false
		return &faulty{Backend: ref.New(), read: func(p *backend.Plan, b backend.BufID, dst []uint32) {
			if p.Bufs[b].Name == "P.v" && first && !did {
				dst[4] ^= 1
				did = true
			}
		}}, nil
	}})
	if r.Equal || r.First == nil || !r.First.Lost {
		t.Errorf("%+v", r)
	}
}

// TestFault: the model's own error is a difference where it is not the same.
func TestFault(t *testing.T) {
	grow := "P = NeuronGroup(3, 'dv/dt = v/ms : 1', method='euler')\nP.v = 1\nrun(100*ms)\n"
	r := check(t, grow, Side{Name: "ref", Open: openRef}, Side{Name: "cpu", Open: openCPU})
	if !r.Equal || r.Fault == nil {
		t.Errorf("%+v", r)
	}
	if _, err := Compare(context.Background(), []Side{{Name: "ref", Open: openRef}, {Name: "cpu", Open: openCPU}}, model("nonsense"), Options{}); err == nil {
		t.Error("an error of the script passed")
	}
	absent := errors.New("absent")
	if _, err := Compare(context.Background(), []Side{{Name: "ref", Open: openRef}, {Name: "gl", Open: func() (backend.Backend, error) { return nil, absent }}}, model(cuba), Options{}); !errors.Is(err, absent) {
		t.Errorf("error %v", err)
	}
}

// TestTwin: two backends side by side are the first, and a changed bit shows.
func TestTwin(t *testing.T) {
	for _, inject := range []bool{false, true} {
		parted := []Word(nil)
		var at int64
		tw := &Twin{Backend: kernels.New(1), Other: ref.New(), Differ: func(steps int64, w []Word) {
			if parted != nil {
				t.Error("told twice")
			}
			at, parted = steps, w
		}}
		if inject {
			tw.Inject = &Injection{"P.ge", 9, 700}
		}
		runs, err := model(cuba)(context.Background(), "twin", func() (backend.Backend, error) { return tw, nil }, 0)
		if err != nil {
			t.Fatal(err)
		}
		alone, err := model(cuba)(context.Background(), "ref", openRef, 0)
		if err != nil || !slices.Equal(runs, alone) {
			t.Errorf("the twin made %+v, alone it is %+v (%v)", runs, alone, err)
		}
		if inject != (parted != nil) || inject && (at <= 700 || parted[0].Population != "P") {
			t.Errorf("inject %v: parted %+v after %d steps", inject, parted, at)
		}
	}
}
