package backendtest

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"

	"synfire/engine/backend"
	"synfire/engine/host"
	"synfire/engine/ir"
	"synfire/kernels/ref"
)

// hostWords gives the host words of a step; nil: all zero.
type hostWords func(step int) []uint32

// trace is everything that can be seen of a run of a plan.
type trace struct {
	state  [][]uint32 // of each buffer, for State buffers
	steps  int
	counts [][]uint32                 // of each stage with a record: Count of every step
	recs   map[backend.BufID][]uint32 // what each Record buffer received, over all Runs
	fault  *backend.Fault
}

// must fails the test at once on an error.
func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func load(t testing.TB, b backend.Backend, p *net) backend.Program {
	t.Helper()
	prog, err := b.Load(host.Work{}, &p.Plan)
	if err != nil {
		t.Fatalf("%s: Load: %v", b.Name(), err)
	}
	return prog
}

// words reads a whole buffer.
func words(t testing.TB, prog backend.Program, p *net, b backend.BufID) []uint32 {
	t.Helper()
	w := make([]uint32, p.Bufs[b].Len)
	if err := prog.Read(b, w); err != nil {
		t.Fatalf("Read %s: %v", p.Bufs[b].Name, err)
	}
	return w
}

// states reads all canonical state.
func states(t testing.TB, prog backend.Program, p *net) [][]uint32 {
	t.Helper()
	out := make([][]uint32, len(p.Bufs))
	for i := range p.Bufs {
		if p.Bufs[i].Kind == backend.State {
			out[i] = words(t, prog, p, backend.BufID(i))
		}
	}
	return out
}

// run advances a program by steps, at most chunk at a time, and collects what
// it records.
func run(t testing.TB, prog backend.Program, p *net, from, steps, chunk int, host hostWords) *trace {
	t.Helper()
	tr := &trace{recs: map[backend.BufID][]uint32{}, counts: make([][]uint32, len(p.Stages))}
	for tr.steps < steps && tr.fault == nil {
		n := min(chunk, steps-tr.steps, p.Batch)
		var h []uint32
		for s := range n {
			w := make([]uint32, p.Host)
			if host != nil {
				copy(w, host(from+tr.steps+s))
			}
			h = append(h, w...)
		}
		done, err := prog.Run(n, h)
		if err != nil && !errors.As(err, &tr.fault) {
			t.Fatalf("Run(%d) after %d steps: %v", n, tr.steps, err)
		}
		if done < 0 || done > n || done == 0 && n > 0 {
			t.Fatalf("Run(%d) after %d steps made %d steps", n, tr.steps, done)
		}
		tr.collect(t, prog, p, done)
		tr.steps += done
	}
	if tr.fault == nil {
		tr.state = states(t, prog, p)
	}
	return tr
}

func (tr *trace) collect(t testing.TB, prog backend.Program, p *net, done int) {
	t.Helper()
	for i := range p.Stages {
		s := &p.Stages[i]
		if s.Form != backend.FormSample && s.Form != backend.FormSpikes {
			continue
		}
		count := make([]uint32, done)
		must(t, prog.Read(s.Rec.Count, count))
		tr.counts[i] = append(tr.counts[i], count...)
		total := 0
		for _, c := range count {
			total += int(c)
		}
		dst := slices.Clone(s.Rec.Dst)
		if s.Form == backend.FormSpikes {
			dst = append(dst, s.Rec.Index)
		} else {
			total *= s.Rec.Width()
		}
		for _, d := range dst {
			w := make([]uint32, total)
			must(t, prog.Read(d, w))
			tr.recs[d] = append(tr.recs[d], w...)
		}
	}
}

// differ describes the first difference of two traces, "" if there is none.
func differ(p *net, want, got *trace) string {
	switch {
	case want.fault == nil && got.fault != nil:
		return fmt.Sprintf("fault %v, expected none", got.fault)
	case want.fault != nil && got.fault == nil:
		return fmt.Sprintf("no fault, expected %v", want.fault)
	case want.fault != nil && *want.fault != *got.fault:
		return fmt.Sprintf("fault %+v, expected %+v", *got.fault, *want.fault)
	case want.steps != got.steps:
		return fmt.Sprintf("%d steps, expected %d", got.steps, want.steps)
	}
	for i := range p.Stages {
		if at := mismatch(want.counts[i], got.counts[i]); at >= 0 {
			return fmt.Sprintf("stage %s: count of step %d is %v, expected %v", p.Stages[i].Name, at, get(got.counts[i], at), get(want.counts[i], at))
		}
	}
	for i := range p.Bufs {
		if d := differWords(&p.Bufs[i], want.recs[backend.BufID(i)], got.recs[backend.BufID(i)]); d != "" {
			return d
		}
	}
	return differStates(p, want.state, got.state)
}

func differStates(p *net, want, got [][]uint32) string {
	if want == nil && got == nil {
		return ""
	}
	for i := range p.Bufs {
		if d := differWords(&p.Bufs[i], want[i], got[i]); d != "" {
			return d
		}
	}
	return ""
}

func differWords(b *backend.Buf, want, got []uint32) string {
	at := mismatch(want, got)
	if at < 0 {
		return ""
	}
	w, g := get(want, at), get(got, at)
	s := fmt.Sprintf("%s[%d] of %d = %#08x, expected %#08x", b.Name, at, b.Len, g, w)
	if b.Type == ir.F32 {
		s += fmt.Sprintf(" (%g, expected %g)", math.Float32frombits(g), math.Float32frombits(w))
	}
	return s
}

// mismatch is the first index at which a and b differ, -1 if none.
func mismatch(a, b []uint32) int {
	for i := range max(len(a), len(b)) {
		if i >= len(a) || i >= len(b) || a[i] != b[i] {
			return i
		}
	}
	return -1
}

func get(a []uint32, i int) uint32 {
	if i < len(a) {
		return a[i]
	}
	return 0xdead
}

// same runs the plan for some steps on the reference and on the backend under
// test and fails where they part. It returns the reference's trace.
func same(t *testing.T, open Open, p *net, steps int, host hostWords) *trace {
	t.Helper()
	r := ref.New()
	b := open(t)
	defer b.Close()
	prog := load(t, r, p)
	defer prog.Close()
	want := run(t, prog, p, 0, steps, p.Batch, host)
	mine := load(t, b, p)
	got := run(t, mine, p, 0, steps, p.Batch, host)
	must(t, mine.Close())
	if d := differ(p, want, got); d != "" {
		t.Errorf("%s after %d steps: %s\n%s", b.Name(), steps, d, firstStep(t, r, b, p, steps, host))
	}
	return want
}

// firstStep finds the first step after which a backend's state differs.
func firstStep(t *testing.T, r, b backend.Backend, p *net, steps int, host hostWords) string {
	t.Helper()
	want, got := load(t, r, p), load(t, b, p)
	defer want.Close()
	defer got.Close()
	for s := range steps {
		w, g := run(t, want, p, s, 1, 1, host), run(t, got, p, s, 1, 1, host)
		if d := differ(p, w, g); d != "" {
			return fmt.Sprintf("seed %d, first differing step %d: %s", p.Seed, s, d)
		}
		if w.fault != nil {
			break
		}
	}
	return fmt.Sprintf("seed %d: no difference where each step is a Run of its own", p.Seed)
}
