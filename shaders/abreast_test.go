//go:build egl && cgo && linux

package shaders

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"synfire/engine/backend"
	"synfire/engine/connect"
	"synfire/engine/host"
	"synfire/engine/ir"
	"synfire/kernels"
	"synfire/kernels/ref"
)

// TestDispatchesOfTrials: trials of a network that run together take as many dispatches as one of them, at any step, and each has the
// bits that it has alone: with Runs that end at different steps, in the seat of one that is gone, and with
// blocks that hold few seats.
func TestDispatchesOfTrials(t *testing.T) {
	const trials = 5
	for _, c := range []struct {
		name, file string
		opt        Options
		each       int // dispatches of a step
		first      int // before the first
		blocks     int // groups of neighbours
	}{
		{"small", "", Options{}, 1, 1, 1},
		{"small, apart", "", Options{Apart: true}, 2, 0, 1},
		{"small, two to a block", "", Options{MaxBlock: 700 << 10, Movable: true}, 1, 1, 3},
		{"cuba", "cuba", Options{}, 1, 1, 1},
		{"coba", "coba", Options{}, 3, 0, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			if c.file != "" && os.Getenv("SYNFIRE_LONG") == "" {
				t.Skip("takes long: SYNFIRE_LONG=1 runs it")
			}
			plan := testNetwork(1, 2, 5)
			if c.file != "" {
				plan = planOf(t, filepath.Join("..", "examples", c.file+".star"), nil, nil)
			}
			c.opt.NoSelfTest = true
			main := open(t, c.opt).(*glBackend)
			defer main.Close()
			d := main.d
			cpu := kernels.New(1)
			defer cpu.Close()
			type trial struct {
				plan  backend.Plan
				b     backend.Backend
				p     *program
				alone backend.Program
			}
			load := func(k int) *trial {
				x := &trial{plan: *plan, b: main.Beside()}
				x.plan.Seed += uint64(k)
				for i := range x.plan.Bufs { // other initial values, too
					if b := &x.plan.Bufs[i]; b.Kind == backend.State && b.Type == ir.F32 && len(b.Init) > 0 {
						x.plan.Bufs = slices.Clone(x.plan.Bufs)
						x.plan.Bufs[i].Init = slices.Clone(b.Init)
						slices.Reverse(x.plan.Bufs[i].Init[:10*k])
					}
				}
				one, err := x.b.Load(host.Work{}, &x.plan)
				if err != nil {
					t.Fatal(err)
				}
				x.p = one.(*program)
				if x.alone, err = cpu.Load(host.Work{}, &x.plan); err != nil {
					t.Fatal(err)
				}
				return x
			}
			shut := func(x *trial) { x.p.Close(); x.b.Close(); x.alone.Close() }
			var all []*trial
			for k := range trials {
				all = append(all, load(k))
			}
			run := func(what string, want int, steps ...int) {
				t.Helper()
				var jobs []*job
				for k, x := range all {
					j, err := x.p.job(steps[k%len(steps)], make([]uint32, 100*plan.Host))
					if err != nil {
						t.Fatal(err)
					}
					jobs = append(jobs, j)
				}
				sent := dispatches.Load()
				d.do(func() error { d.runAll(jobs); return nil })
				sent = dispatches.Load() - sent
				if int(sent) != want {
					t.Errorf("%s: %d dispatches, expected %d", what, sent, want)
				}
				for k, j := range jobs {
					if j.err != nil {
						t.Fatal(j.err)
					}
					if made, err := j.p.adopt(j); made != j.n || err != nil {
						t.Fatal(made, err)
					}
					x := all[k]
					if _, err := x.alone.Run(j.n, make([]uint32, 100*plan.Host)); err != nil {
						t.Fatal(err)
					}
					equal(t, plan, state(t, &x.plan, x.alone), state(t, &x.plan, x.p))
				}
			}
			if len(d.abreast) != c.blocks {
				t.Errorf("%d groups of neighbours, expected %d", len(d.abreast), c.blocks)
			}
			run("all alike", c.blocks*(20*c.each+c.first), 20)
			if c.blocks > 1 {
				for _, x := range all {
					shut(x)
				}
				return
			}
			shut(all[1])
			all[1] = load(7)
			want := 12 * c.each // those that are over are no part of them, or do nothing
			if c.first > 0 {
				want++ // of the new one
			} else {
				want += 2 * c.each * (12 - 7) // one in two is over, so that no two are neighbours
			}
			run("of different lengths", want, 12, 7)
			for _, x := range all {
				shut(x)
			}
			if d.do(func() error { return nil }); len(d.abreast) != 0 || d.used != 0 {
				t.Errorf("%d groups and %d bytes are left", len(d.abreast), d.used)
			}
		})
	}
}

// TestSeated: indices begin where a program's memory does, whatever they are made of, and lines stay what they are.
func TestSeated(t *testing.T) {
	text := "#version 430\nlayout(local_size_x = 64) in;\nlayout(std430) buffer BA { uint A0[]; };\nvoid main() {\n\tP[Q + P[T & 3u]] > A0[x ? C[1] : 2u] + A1[0] + near[C[2]] + XP[3];\n}\n"
	want := "#version 430\nlayout(local_size_x = 64) in; uniform uint Z[4]; uint seat, ofP, ofC, ofA0;\nlayout(std430) buffer BA { uint A0[]; };\n" +
		"void main() { seat = Z[0] + gl_WorkGroupID.z; ofP = seat * Z[1]; ofC = seat * Z[2]; ofA0 = seat * Z[3];\n" +
		"\tP[ofP + (Q + P[ofP + (T & 3u)])] > A0[ofA0 + (x ? C[ofC + (1)] : 2u)] + A1[ofA1 + (0)] + near[C[ofC + (2)]] + XP[3];\n}\n"
	if got := seated(text, 1); got != want {
		t.Errorf("%s\nexpected %s", got, want)
	}
}

// TestTrialsOfOtherSpans: trials without synapses whose memory and kernels are alike, but whose delays let one make more steps
// in a pass, are no neighbours: each makes all of its steps.
func TestTrialsOfOtherSpans(t *testing.T) {
	main := open(t, Options{NoSelfTest: true}).(*glBackend)
	defer main.Close()
	var all []*program
	var jobs []*job
	for _, least := range []float32{14, 12} {
		plan := testNetwork(least, 40)
		full := plan.Tables[0].Spec
		none := &connect.Proj{Name: "none", Rule: connect.Given, NPre: full.NSrc, NPost: full.NTgt, Unit: 1}
		plan.Tables[0].Spec = &connect.Spec{Name: "none", NSrc: full.NSrc, NTgt: full.NTgt, Projs: []*connect.Proj{none}, Scale: full.Scale, Width: full.Width}
		b := main.Beside()
		defer b.Close()
		x, err := b.Load(host.Work{}, plan)
		if err != nil {
			t.Fatal(err)
		}
		defer x.Close()
		j, err := x.(*program).job(40, nil)
		if err != nil {
			t.Fatal(err)
		}
		all, jobs = append(all, x.(*program)), append(jobs, j)
	}
	words := func(p *program) (all []int) {
		for _, b := range p.buffers() {
			all = append(all, b.words)
		}
		return all
	}
	if x, y := all[0], all[1]; x.l.sc.span == y.l.sc.span || !slices.Equal(words(x), words(y)) {
		t.Fatalf("%d and %d steps in a pass, memory of %v and %v: the test wants others, and the same", x.l.sc.span, y.l.sc.span, words(x), words(y))
	}
	main.d.do(func() error { main.d.runAll(jobs); return nil })
	for k, x := range all {
		if made, err := x.adopt(jobs[k]); made != 40 || err != nil {
			t.Fatal(made, err)
		}
		one, err := ref.New().Load(host.Work{}, x.plan)
		if err != nil {
			t.Fatal(err)
		}
		defer one.Close()
		if _, err := one.Run(40, nil); err != nil {
			t.Fatal(err)
		}
		equal(t, x.plan, state(t, x.plan, one), state(t, x.plan, x))
	}
}
