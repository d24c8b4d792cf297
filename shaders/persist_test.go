//go:build egl && cgo && linux

package shaders

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"synfire/engine/backend"
	"synfire/engine/host"
	"synfire/engine/script"
	"synfire/kernels/ref"
)

// TestManyPasses makes many passes in a dispatch: with one work group, with two, with more
// than run at once, which fails at the first rendezvous, and with rendezvous that fail on purpose at the first pass, in a later dispatch and in the middle of one.
// State, records and counts are the reference's at every cut of a run, with what a Write changes in between; a failure is told once.
func TestManyPasses(t *testing.T) {
	one, six := testNetwork(1, 2, 5), testNetwork(6, 7, 11)
	for _, c := range []struct {
		name  string
		p     *backend.Plan
		opt   Options
		fails string // part of what is told; "": nothing failed
	}{
		{"one group", one, Options{Persistent: "1", Resident: 1}, ""},
		{"passes of three steps", six, Options{Persistent: "1", Resident: 1}, ""},
		{"two groups", one, Options{Persistent: "1", Resident: 2, Submit: 7}, "maybe"},
		{"as many as come together", one, Options{Persistent: "1"}, "maybe"},
		{"more than run at once", one, Options{Persistent: "1", Resident: 900}, "at step 0 its work groups"},
		{"the first fails", one, Options{Persistent: "fail", Resident: 1}, "at step 0 its work groups"},
		{"one in the middle fails", one, Options{Persistent: "fail21", Resident: 2}, "its work groups did not come together"},
		{"one in a later dispatch fails", one, Options{Persistent: "fail30", Resident: 1, Submit: 5}, "at step 30 its work groups"},
	} {
		t.Run(c.name, func(t *testing.T) {
			first, err := ref.New().Load(host.Work{}, c.p)
			if err != nil {
				t.Fatal(err)
			}
			defer first.Close()
			second := manyOf(t, c.p, c.opt)
			if c.opt.Resident == 900 && !second.d.info.Software {
				t.Skip("a GPU runs as many at once as this network has work for")
			}
			if second.many == nil {
				t.Fatalf("its passes are not made in one dispatch: %q", second.Warnings())
			}
			t.Logf("%d groups, up to %d passes", second.many.groups, second.many.most)
			var kept [][]uint32
			for n, steps := range []int{0, 1, 1, 2, 7, 3, 30, 0, 1, 20, 5} {
				for _, prog := range []backend.Program{first, second} {
					if done, err := prog.Run(steps, nil); done != steps || err != nil {
						t.Fatal(done, err)
					}
				}
				equal(t, c.p, state(t, c.p, first), state(t, c.p, second))
				equal(t, c.p, records(t, c.p, first, steps), records(t, c.p, second, steps))
				switch n {
				case 4:
					kept = state(t, c.p, first)
				case 6: // back to where it was
					for id, words := range kept {
						if words != nil {
							for _, prog := range []backend.Program{first, second} {
								if err := prog.Write(backend.BufID(id), words); err != nil {
									t.Fatal(err)
								}
							}
						}
					}
				}
			}
			said := second.Warnings()
			switch {
			case c.fails == "maybe": // the machine may be busy
				t.Logf("%q", said)
			case (c.fails == "") != (len(said) == 0) || len(said) > 1 || c.fails != "" && !strings.Contains(said[0], c.fails):
				t.Errorf("told %q, expected %q", said, c.fails)
			}
			if failed := len(said) > 0; failed == second.looping() {
				t.Errorf("it goes on with many passes in a dispatch: %t, though one failed: %t", second.looping(), failed)
			}
		})
	}
}

// manyOf loads a plan on a device of its own.
func manyOf(t *testing.T, p *backend.Plan, opt Options) *program {
	t.Helper()
	opt.NoSelfTest = true
	b := open(t, opt)
	t.Cleanup(func() { b.Close() })
	prog, err := b.Load(host.Work{}, p)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { prog.Close() })
	return prog.(*program)
}

// records are the words of the spike records of the last Run.
func records(t *testing.T, p *backend.Plan, prog backend.Program, steps int) [][]uint32 {
	t.Helper()
	out := make([][]uint32, len(p.Bufs))
	read := func(b backend.BufID, n int) (all int) {
		out[b] = make([]uint32, n)
		if err := prog.Read(b, out[b]); err != nil {
			t.Fatal(err)
		}
		for _, w := range out[b] {
			all += int(w)
		}
		return all
	}
	for i := range p.Stages {
		if s := &p.Stages[i]; s.Form == backend.FormSpikes {
			read(s.Rec.Index, read(s.Rec.Count, steps))
		}
	}
	return out
}

// TestMeetingsThatFail has two work groups on threads of a busy machine, which come together or fail to at any pass: whatever happens, the
// state is the reference's, and so are the records.
func TestMeetingsThatFail(t *testing.T) {
	p := testNetwork(1, 2, 5)
	first, err := ref.New().Load(host.Work{}, p)
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	if _, err := first.Run(testSteps, nil); err != nil {
		t.Fatal(err)
	}
	b := open(t, Options{NoSelfTest: true, Persistent: "1", Resident: 2}).(*glBackend)
	defer b.Close()
	failed := 0
	for range 8 {
		b.d.apart = false // as another device
		prog, err := b.Load(host.Work{}, p)
		if err != nil {
			t.Fatal(err)
		}
		prog.(*program).rate = 1e9
		if done, err := prog.Run(testSteps, nil); done != testSteps || err != nil {
			t.Fatal(done, err)
		}
		equal(t, p, state(t, p, first), state(t, p, prog))
		equal(t, p, records(t, p, first, testSteps), records(t, p, prog, testSteps))
		failed += len(prog.(*program).Warnings())
		prog.Close()
	}
	t.Logf("%d of 8 failed", failed)
}

// TestOneDispatchForManySteps counts dispatches: many passes are one, where llvmpipe's loops allow it; from a rendezvous that failed on, each is
// one.
func TestOneDispatchForManySteps(t *testing.T) {
	for _, c := range []struct {
		opt  Options
		want int64 // of 8 passes
	}{
		{Options{Persistent: "0"}, 8},
		{Options{}, 8}, // on a software renderer
		{Options{Persistent: "1", Resident: 1}, 1},
		{Options{Persistent: "1", Resident: 1, Submit: 12}, 2},
		{Options{Persistent: "fail4", Resident: 1}, 5},
	} {
		prog := manyOf(t, testNetwork(6, 7, 11), c.opt)
		prog.rate = 1e9
		if _, err := prog.Run(0, nil); err != nil {
			t.Fatal(err)
		}
		if m := prog.many; m != nil {
			m.most = 8
		}
		before := dispatches.Load()
		if _, err := prog.Run(24, nil); err != nil {
			t.Fatal(err)
		}
		got := dispatches.Load() - before
		if !prog.primed {
			t.Error("nothing was delivered ahead")
		}
		if got--; got != c.want { // one delivered for the first steps
			t.Errorf("%+v: %d dispatches for 8 passes, expected %d", c.opt, got, c.want)
		}
	}
}

// TestWhenPassesAreMany: only where the device was seen to carry it and a dispatch is a good part of what a pass costs, unless it is asked for.
func TestWhenPassesAreMany(t *testing.T) {
	small, large := testNetwork(6, 7), lif(1<<20, 0, 1)
	for _, c := range []struct {
		p      *backend.Plan
		how    string
		meet   int
		soft   bool
		chain  bool
		apart  bool
		groups int
	}{
		{small, "", 100, false, false, false, 100},
		{small, "", 0, false, false, false, 0},    // its groups do not come together
		{small, "", 100, true, false, false, 0},   // software
		{small, "", 100, false, true, false, 0},   // it loses the order of long chains
		{small, "", 100, false, false, true, 0},   // one failed
		{small, "0", 100, false, false, false, 0}, // not wanted
		{small, "1", 100, true, false, false, 100},
		{large, "", 100, false, false, false, 0}, // it has work for many times as many groups
		{large, "1", 100, false, false, false, 100},
	} {
		d := &device{info: DeviceInfo{Meet: c.meet, Software: c.soft, MaxLocal: 1024}, chainBad: c.chain, apart: c.apart}
		p := &program{d: d, plan: c.p, persistent: c.how, l: arrange(c.p, cut(c.p, nil, 32, true), 1<<28, nil)}
		if got, err := p.loops(); got != c.groups || err != nil {
			t.Errorf("%+v: %d groups, %v, expected %d", c, got, err, c.groups)
		}
	}
}

// TestMeeting looks for work groups that come together, as a self-test does on a GPU: one always does, with itself. Where
// a rendezvous fails, none do, and the device is as good as it was.
func TestMeeting(t *testing.T) {
	b := open(t, Options{Persistent: "1", NoCache: true}).(*glBackend)
	t.Logf("%d groups come together", b.d.info.Meet)
	if b.d.apart || b.d.info.SelfTest != exact {
		t.Errorf("self-test %q", b.d.info.SelfTest)
	}
	if err := b.d.do(b.d.meeting); err != nil || b.d.info.Meet < 1 {
		t.Errorf("%d groups come together, %v", b.d.info.Meet, err)
	}
	b.Close()
	b = open(t, Options{NoSelfTest: true, Inject: "meet"}).(*glBackend)
	defer b.Close()
	b.d.info.Meet = 7
	if err := b.d.do(b.d.meeting); err != nil || b.d.info.Meet != 0 {
		t.Errorf("%d groups, %v, though every rendezvous fails", b.d.info.Meet, err)
	}
	prog, err := b.Load(host.Work{}, testNetwork(6, 7))
	if err != nil {
		t.Fatal(err)
	}
	defer prog.Close()
	p := prog.(*program)
	if p.persistent = "1"; p.many != nil {
		t.Error("passes are many in a dispatch")
	}
	if err := b.d.do(func() error { _, err := p.loops(); return err }); err != nil || len(p.warnings) != 1 || !strings.Contains(p.warnings[0], "do not come together") {
		t.Errorf("told %q, %v", p.warnings, err)
	}
}

// TestKeptMeetings: a kept self-test tells how many groups come together.
func TestKeptMeetings(t *testing.T) {
	d := &device{}
	for text, want := range map[string]int{exact + "\n132": 132, exact + "\n0": 0, exact: 0, exact + chainNote + "\n9": 9, "a*b+c of 1 gives 2\n0": 0} {
		said, _, _ := strings.Cut(text, "\n")
		if got := d.take(text); got != said || d.info.Meet != want {
			t.Errorf("%q: %q, %d", text, got, d.info.Meet)
		}
	}
	if slices.Contains([]int{failing(""), failing("1"), failing("0")}, 0) || failing("fail") != 0 || failing("fail17") != 17 {
		t.Error("failures on purpose are at the wrong places")
	}
}

// TestFailureIsTold: a run in which a rendezvous fails has the reference's spikes, and its user is told once, though the script goes on.
func TestFailureIsTold(t *testing.T) {
	const text = `
P = NeuronGroup(60, 'dv/dt = (1.5 - v)/(5*ms) : 1', threshold='v > 1', reset='v = 0', method='exact')
P.v = 'i/60'
S = Synapses(P, P, on_pre='v += 0.01', delay=0.2*ms)
S.connect(p=0.1)
M = SpikeMonitor(P)
run(8*ms)
run(4*ms)
`
	run := func(open func() (backend.Backend, error)) (hash string, told []string) {
		res, err := script.Run(context.Background(), script.Options{File: "x.star", Src: []byte(text), Open: open, Warn: func(s string) { told = append(told, s) }})
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprintf("%016x", res.Net.SpikeHash), told
	}
	b := open(t, Options{NoSelfTest: true, Persistent: "fail9", Resident: 1}) // the script closes it
	want, _ := run(func() (backend.Backend, error) { return ref.New(), nil })
	got, told := run(func() (backend.Backend, error) { return b, nil })
	if got != want || len(told) != 1 || !strings.Contains(told[0], "at step 9 its work groups did not come together") {
		t.Errorf("hash %s, expected %s; told %q", got, want, told)
	}
}
