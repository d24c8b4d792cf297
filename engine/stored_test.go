package engine_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"synfire/engine"
	"synfire/engine/backend"
	"synfire/engine/script"
	"synfire/engine/store"
	"synfire/kernels/ref"
)

// interrupted runs a script and ends it after so many steps, where it leaves a
// checkpoint; from "" it begins anew, else it goes on from there.
func interrupted(t *testing.T, file, src, from, to string, after int64, open func() backend.Backend) (out, hash string, ended bool) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var b bytes.Buffer
	steps := int64(0)
	o := script.Options{File: file, Src: []byte(src), Stdout: &b, Open: func() (backend.Backend, error) { return open(), nil },
		Checkpoints: script.Checkpoints{File: to, Every: time.Hour, From: from},
		Progress: func(done, _ int64) {
			if steps++; steps >= after && after > 0 {
				cancel()
			}
		}}
	r, err := script.Run(ctx, o)
	if errors.Is(err, engine.ErrInterrupted) {
		return "", "", false
	}
	if err != nil {
		t.Fatal(err)
	}
	defer r.Net.Close()
	spikes, state, err := r.Net.Hash()
	if err != nil {
		t.Fatal(err)
	}
	return b.String(), spikes + " " + state, true
}

// learns has what the other scenarios do not: learning, clocks, links, operations.
const learns = `
G = NeuronGroup(40, '''dv/dt = (1.1 - v)/(8*ms) + 0.2*xi/sqrt(8*ms) : 1 (unless refractory)
                        I : 1
                        s : 1 (linked)
                        last : second''', threshold='v > 1', reset='v = 0; last = t', refractory='(1 + i % 3)*ms', method='euler')
H = PoissonGroup(10, rates=80*Hz, dt=0.5*ms)
K = NeuronGroup(1, 'dz/dt = (1 - z)/second : 1', method='exact', dt=0.3*ms)
G.s = linked_var(K, 'z')
G.v = 'rand()'
S = Synapses(G, G, '''w : 1
                       dap/dt = -ap/(20*ms) : 1 (event-driven)
                       dx/dt = -x/(30*ms) : 1 (clock-driven)''', on_pre='v_post += 0.02*w; ap += 0.1; x += s_pre; w = clip(w + 0.1*ap, 0, 2)', on_post='w = clip(w - 0.05*x, 0, 2)')
S.connect(p=0.2); S.w = 'rand()'; S.delay = '0.5*ms + rand()*3*ms'
T = Synapses(H, G, on_pre='v_post += 0.1'); T.connect(p=0.3); T.delay = 1.2*ms
def f(t):
    G.I = 0.1*mean(G.v[:])
op = NetworkOperation(f, dt=2*ms)
M = SpikeMonitor(G, variables='v'); X = StateMonitor(G, ['v', 'last'], record=[1, 2], dt=0.7*ms); R = PopulationRateMonitor(G)
run(20*ms)
T.delay = 0.3*ms
S.w['i < 3'] = 0.7
run(30*ms)
print(M.num_spikes, sum(M.v), sum(X.v[0]), len(R.rate), sum(S.w[:]), G.I[0], rand())
`

// TestResume: a run that is interrupted again and again, on one backend and the
// other, gives what it gives without interruption.
func TestResume(t *testing.T) {
	all := map[string]string{"learning, clocks, links, operations": learns}
	for name, src := range scenarios {
		all[name] = src
	}
	for name, src := range all {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			backends := []func() backend.Backend{onCPU(1), onRef, onCPU(2)}
			if gl := everyBackend["gl"]; gl != nil && src == learns {
				backends = append(backends, func() backend.Backend { return gl(t) })
			}
			resumes(t, src, backends)
		})
	}
}

func resumes(t *testing.T, src string, backends []func() backend.Backend) {
	dir := t.TempDir()
	file, state := filepath.Join(dir, "test.star"), filepath.Join(dir, "state")
	want, hash, _ := interrupted(t, file, src, "", "", 0, onRef)
	cuts := 0
	from := ""
	for k := range 40 {
		out, got, ended := interrupted(t, file, src, from, state, int64(1+k%3), backends[k%len(backends)])
		if ended {
			if out != want || got != hash {
				t.Fatalf("after %d interruptions:\n%s%s\nwithout:\n%s%s", cuts, out, got, want, hash)
			}
			return
		}
		cuts++
		from = state
	}
	out, got, _ := interrupted(t, file, src, from, "", 0, onRef)
	if out != want || got != hash {
		t.Fatalf("after %d interruptions:\n%s%s\nwithout:\n%s%s", cuts, out, got, want, hash)
	}
}

const noisy = `
G = NeuronGroup(20, 'dv/dt = -v/(10*ms) + xi/sqrt(10*ms) : 1', method='euler', threshold='v > 1', reset='v = 0')
M = SpikeMonitor(G)
store()
results = []
for k in range(3):
    restore(RANDOM)
    G.v[0] = 'rand()'
    run(30*ms)
    results.append([sum(G.v[:]), M.num_spikes, rand()])
print(results[0] == results[1], results[1] == results[2], results[0] == results[2])
`

// TestRestoreRandom: random numbers repeat after restore() where they shall, and
// are other ones else.
func TestRestoreRandom(t *testing.T) {
	for arg, want := range map[string]string{"restore_random_state=True": "True True True\n", "": "False False False\n"} {
		if out, _ := run(t, strings.Replace(noisy, "RANDOM", arg, 1), onRef); out != want {
			t.Errorf("restore(%s): %q", arg, out)
		}
	}
}

// TestRestoreRefuses: what does not fit is refused, and changes nothing.
func TestRestoreRefuses(t *testing.T) {
	made := func(name string, size int, more bool) *engine.Network {
		n := engine.NewNetwork(engine.Options{})
		g, err := n.NeuronGroup(size, "dv/dt = (2 - v)/(10*ms) : 1", engine.GroupOptions{Name: name, Threshold: "v > 1", Reset: "v = 0"})
		if err != nil {
			t.Fatal(err)
		}
		if more {
			if _, err := n.SpikeMonitor(g, engine.SpikeMonitorOptions{}); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := n.Run(context.Background(), 5e-3, engine.RunOptions{Backend: ref.New()}); err != nil {
			t.Fatal(err)
		}
		return n
	}
	n := made("G", 3, true)
	s, err := n.Store()
	if err != nil {
		t.Fatal(err)
	}
	other := made("G", 3, true)
	if err := other.SetDt(3e-3); err == nil {
		t.Error("a step of which the time is no multiple was taken")
	}
	if err := other.SetDt(1e-3); err != nil {
		t.Error(err)
	}
	for what, c := range map[string]struct {
		n    *engine.Network
		want string
	}{
		"name": {made("H", 3, true), "the stored state has G: neurongroup of 3, which the network has not"},
		"size": {made("G", 4, true), "the stored state has G: neurongroup of 3, which the network has not"},
		"step": {other, "step of the default clock"},
		"less": {made("G", 3, false), "the stored state has spikemonitor"},
	} {
		before := c.n.T()
		if err := c.n.Restore(s, true); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", what, err)
		}
		if c.n.T() != before {
			t.Errorf("%s: the time has changed", what)
		}
	}
	// A file: fields that lack, that are too many, or of another size.
	file := filepath.Join(t.TempDir(), "state")
	write := func(change func(*store.State)) *engine.Snapshot {
		x, err := n.Store()
		if err != nil {
			t.Fatal(err)
		}
		change(x.State)
		if err := store.WriteStates(file, map[string]*store.State{"x": x.State}); err != nil {
			t.Fatal(err)
		}
		all, err := store.ReadStates(file)
		if err != nil {
			t.Fatal(err)
		}
		return &engine.Snapshot{State: all["x"]}
	}
	for want, change := range map[string]func(*store.State){
		"has no \"G.v\"":             func(s *store.State) { s.Remove("G.v") },
		"has 2 elements, 3 were":     func(s *store.State) { s.Put("G.v", store.Words, make([]byte, 8)) },
		"holds text, words were":     func(s *store.State) { s.Put("G.v", store.Text, make([]byte, 12)) },
		"which the network has not":  func(s *store.State) { s.Put("H.v", store.Words, make([]byte, 12)) },
		"of masks for":               func(s *store.State) { s.Put("G.spike masks", store.Words, make([]byte, 40)) },
		"no whole number of samples": func(s *store.State) { s.Put("spikemonitor.t", store.Text, make([]byte, 3)) },
	} {
		v, _ := n.Groups()[0].Var("v")
		before, _ := v.Get(nil)
		if err := n.Restore(write(change), false); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("expected %q: %v", want, err)
		}
		after, _ := v.Get(nil)
		for k := range before.V {
			if before.V[k] != after.V[k] {
				t.Errorf("%s: v has changed", want)
			}
		}
	}
	if err := n.Restore(write(func(*store.State) {}), true); err != nil {
		t.Error(err)
	}
}

// TestResumeRefuses: a checkpoint of another script, other parameters or seed is refused.
func TestResumeRefuses(t *testing.T) {
	dir := t.TempDir()
	file, state := filepath.Join(dir, "test.star"), filepath.Join(dir, "state")
	src := "G = NeuronGroup(1, 'dv/dt = 1/ms : 1', method='euler')\nrun(param('d', 100*ms))\n"
	if _, _, ended := interrupted(t, file, src, "", state, 1, onRef); ended {
		t.Fatal("was not interrupted")
	}
	seed := uint64(3)
	for want, o := range map[string]script.Options{
		"the script is another one": {Src: []byte(src + "\n")},
		"with --set map[]":          {Src: []byte(src), Set: map[string]string{"d": "50*ms"}},
		"another --seed":            {Src: []byte(src), Seed: &seed},
	} {
		o.File, o.Checkpoints.From = file, state
		o.Open = func() (backend.Backend, error) { return ref.New(), nil }
		if _, err := script.Run(context.Background(), o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("expected %q: %v", want, err)
		}
	}
	b, err := os.ReadFile(state)
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)/2] ^= 1
	if err := os.WriteFile(state, b, 0o644); err != nil {
		t.Fatal(err)
	}
	o := script.Options{File: file, Src: []byte(src), Checkpoints: script.Checkpoints{From: state}, Open: func() (backend.Backend, error) { return ref.New(), nil }}
	if _, err := script.Run(context.Background(), o); err == nil || !strings.Contains(err.Error(), "damaged") {
		t.Errorf("a damaged checkpoint: %v", err)
	}
}
