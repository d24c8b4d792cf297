package engine_test

import (
	"bytes"
	"context"
	"os"
	"strings"
	"sync"
	"testing"

	"synfire/engine"
	"synfire/engine/backend"
	"synfire/engine/connect"
	"synfire/engine/script"
)

// ofTrials draws in every way that a script can: what is of the network, and what is of a trial.
const ofTrials = `
seed(7)
G = NeuronGroup(60, '''dv/dt = (I - v)/tau + 0.3*xi/sqrt(10*ms) : 1
    I : 1
    tau : second''', threshold='v > 1', reset='v = 0.2*rand()', method='euler')
G.tau = '(8 + 4*rand())*ms'
G.I = 1.1
G.I['rand() < 0.3'] = 1.3
G.v = 'rand()'
P = PoissonGroup(20, rates=80*Hz)
A = Synapses(G, G, on_pre='v += 0.02'); A.connect(p=0.2); A.delay = '(0.1 + 2*rand())*ms'
B = Synapses(G, G, 'w : 1', on_pre='v += w'); B.connect(j='k for k in sample(N_post, p=0.1)'); B.w = '0.05*randn()'
k = rand(200)
C = Synapses(P, G, on_pre='v += 0.3'); C.connect(i=[int(20*x) for x in k], j=[int(59*x*x) for x in k])
D = Synapses(P, G, '''w : 1
    dx/dt = -x/(20*ms) : 1 (event-driven)
    dy/dt = -y/(20*ms) : 1 (event-driven)''', on_pre='v += w; x += 1; w = clip(w - 0.01*y, 0, 1)', on_post='y += 1; w = clip(w + 0.01*x, 0, 1)')
D.connect(p=0.3); D.w = '0.2*rand()'
X = PoissonInput(G, 'v', N=20, rate=20*Hz, weight=0.02)
drawn = []
@network_operation(dt=5*ms)
def stimulus():
    drawn.append(rand())
run(10*ms)
B.w = '0.1*rand()'
run(10*ms)
print(list(G.tau[:3]), list(A.i[:9]), list(B.j[:9]), list(A.delay[:3]), list(k[:2]))
print(list(G.v[:3]), drawn)
`

// trialsOf runs n trials beside one another, or with alone the trial of that number by its seeds.
func trialsOf(t *testing.T, src string, n int, open func() backend.Backend, alone int) (hashes, printed []string, specs [][]*connect.Spec) {
	hashes, printed, specs = make([]string, n), make([]string, n), make([][]*connect.Spec, n)
	pools := engine.Pools(n)
	var ready, wait sync.WaitGroup
	ready.Add(n)
	for k := range n {
		b := open()
		wait.Go(func() {
			var out bytes.Buffer
			o := script.Options{File: t.Name() + ".star", Src: []byte(src), Stdout: &out, Open: func() (backend.Backend, error) { return b, nil }}
			if alone >= 0 {
				seed, network := uint64(7+alone), uint64(7)
				o.Seed, o.NetworkSeed = &seed, &network
			} else {
				o.Trial, o.Pool = uint64(k), pools[k]
			}
			r, err := script.Run(context.Background(), o)
			if err != nil {
				t.Errorf("trial %d: %v", k, err)
				ready.Done()
				return
			}
			spikes, state, err := r.Net.Hash()
			if err != nil {
				t.Error(err)
			}
			hashes[k], printed[k] = spikes+" "+state, out.String()
			if _, plan := r.Net.Program(); plan != nil {
				for i := range plan.Tables {
					specs[k] = append(specs[k], plan.Tables[i].Spec)
				}
			}
			ready.Done()
			ready.Wait() // all tables are there until the last has come
			pools[k].End()
			r.Net.Close()
		})
	}
	wait.Wait()
	return hashes, printed, specs
}

// TestTrials: every trial has the bits of its own run, on every backend; the network is that of all, and so are its tables.
func TestTrials(t *testing.T) {
	n := 3
	var first []string
	for _, name := range []string{"ref", "1 thread", "3 threads", "gl"} {
		open := everyBackend[name]
		if open == nil || name == "gl" && os.Getenv("SYNFIRE_LONG") == "" { // which compiles for many seconds; the command's test has a short one
			continue
		}
		if name == "gl" {
			n = 2
		}
		t.Run(name, func(t *testing.T) {
			main := open(t)
			defer main.Close()
			beside := func() backend.Backend {
				if b, ok := main.(backend.Neighbourly); ok {
					return b.Beside()
				}
				return open(t)
			}
			hashes, printed, specs := trialsOf(t, ofTrials, n, beside, -1)
			if first == nil {
				first = hashes
			}
			for k := range n {
				if hashes[k] != first[k] {
					t.Errorf("trial %d differs from that of the first backend", k)
				}
				if name != "gl" { // which is held to the reference's
					alone, said, _ := trialsOf(t, ofTrials, 1, beside, k)
					if hashes[k] != alone[0] || printed[k] != said[0] {
						t.Errorf("trial %d is not the run alone:\n%s%s\n%s%s", k, hashes[k], printed[k], alone[0], said[0])
					}
				}
				network, trial, _ := strings.Cut(printed[k], "\n")
				network0, trial0, _ := strings.Cut(printed[0], "\n")
				if network != network0 {
					t.Errorf("trial %d has another network:\n%s\n%s", k, network, network0)
				}
				if k > 0 && (trial == trial0 || hashes[k] == hashes[0]) {
					t.Errorf("trial %d draws as the first does", k)
				}
				shared := 0
				for i := range specs[k] {
					if specs[k][i] == specs[0][i] {
						shared++
					}
				}
				if shared < 4 {
					t.Errorf("trial %d shares %d of %d tables", k, shared, len(specs[k]))
				}
			}
		})
	}
}
