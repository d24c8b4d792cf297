package models_test

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"

	"synfire/engine/backend"
	"synfire/engine/script"
	"synfire/kernels"
)

//go:embed testdata/nest.json
var nestJSON []byte

// TestNEST compares the neurons with NEST's own spikes (testdata/spikes.py): as many, and
// at the same steps, or none further than worst from its own.
func TestNEST(t *testing.T) {
	var nest struct {
		Train []float64
		Noise [2][]float64
		Cells []struct {
			Model, Unit       string
			Flags             []string
			Current, Up, Down float64
			Spikes            map[string][]float64
		}
	}
	if err := json.Unmarshal(nestJSON, &nest); err != nil {
		t.Fatal(err)
	}
	for _, c := range nest.Cells {
		dt, worst := 0.1, 0.0
		switch {
		case strings.HasPrefix(c.Model, "aeif"):
			worst = 0.1 // NEST integrates adaptively
		case c.Model == "hh_cond_exp_traub":
			worst = 0.1
		}
		for stimulus, want := range c.Spikes {
			if testing.Short() && stimulus != "noise" {
				continue
			}
			var src strings.Builder
			fmt.Fprintf(&src, "defaultclock.dt = %g*ms\nG = NeuronGroup(1, %s(%s))\n", dt, c.Model, strings.Join(with(c.Flags), ", "))
			rest := 500.0
			trains, weights := [][]float64{nest.Train}, []float64{c.Up}
			switch stimulus {
			case "step":
				trains = nil
				if c.Model == "glif_psc" { // a generator's current comes two steps later
					src.WriteString("run(0.2*ms)\n")
					rest -= 0.2
				}
				fmt.Fprintf(&src, "G.I_e = %g*pA\n", c.Current)
			case "noise":
				trains, weights = nest.Noise[:], []float64{c.Up, c.Down}
			}
			for k, times := range trains {
				if weights[k] == 0 {
					continue
				}
				var list []string
				for _, at := range times {
					list = append(list, strconv.FormatFloat(at-dt, 'f', 4, 64)) // NEST tells the end of a spike's step
				}
				fmt.Fprintf(&src, "P%d = SpikeGeneratorGroup(1, [0]*%d, [%s]*ms)\nS%d = Synapses(P%d, G, weight=%g*%s, delay=1*ms)\nS%d.connect()\n",
					k, len(times), strings.Join(list, ","), k, k, weights[k], c.Unit, k)
			}
			fmt.Fprintf(&src, "M = SpikeMonitor(G)\nrun(%g*ms)\nprint(*[round(x/ms, 4) for x in M.t])", rest)
			got := numbers(t, src.String())
			if len(got) != len(want) || len(want) == 0 {
				t.Errorf("%s %v, %s: %d spikes, NEST %d", c.Model, c.Flags, stimulus, len(got), len(want))
				continue
			}
			for k, at := range got {
				if d := at + dt - want[k]; math.Abs(d) > worst+1e-4 {
					t.Errorf("%s %v, %s: spike %d after %.2f ms, NEST's after %.1f", c.Model, c.Flags, stimulus, k, at+dt, want[k])
					break
				}
			}
		}
	}
}

func with(flags []string) (args []string) {
	for _, f := range flags {
		args = append(args, f+"=True")
	}
	return args
}

// numbers runs a script on the cpu and reads the numbers of its last line.
func numbers(t *testing.T, src string) (x []float64) {
	t.Helper()
	var out strings.Builder
	_, err := script.Run(context.Background(), script.Options{File: "nest.star", Src: []byte(src), Stdout: &out, Open: func() (backend.Backend, error) { return kernels.New(1), nil }})
	if err != nil {
		t.Fatalf("%v\n%s", err, src)
	}
	for f := range strings.FieldsSeq(out.String()) {
		v, err := strconv.ParseFloat(f, 64)
		if err != nil {
			t.Fatal(err)
		}
		x = append(x, v)
	}
	return x
}

// TestPublished compares with numbers of NEST's own tests.
func TestPublished(t *testing.T) {
	for _, c := range []struct {
		src  string
		want []float64
	}{
		// test_iaf_psc_alpha: the voltage after 0.1, 0.2, 0.3, 4.6 and 4.7 ms, and the first spike
		{"G = NeuronGroup(1, iaf_psc_alpha(I_e=1000*pA))\nM, S = StateMonitor(G, 'V_m', record=0, when='end'), SpikeMonitor(G)\nrun(5*ms)\nprint(*[M.V_m[0, k]/mV for k in [0, 1, 2, 45, 46]], S.t[0]/ms + 0.1)",
			[]float64{-69.602, -69.2079, -68.8178, -55.2513, -55.0001, 4.8}},
		// test_mat2_psc_exp: the voltage after the second step, the first three spikes
		{"G = NeuronGroup(1, mat2_psc_exp(I_e=2400*pA))\nM, S = StateMonitor(G, 'V_m', record=0, when='end'), SpikeMonitor(G)\nrun(6*ms)\nprint(M.V_m[0, 0]/mV, *(S.t/ms + 0.1))",
			[]float64{-67.6238, 0.9, 3.0, 5.2}},
		// V_m stays at its default where E_L is another: nest.Create('iaf_psc_exp', params={'E_L': -62.}).V_m
		{"print(*[NeuronGroup(1, f(E_L=-62*mV)).V_m[0]/mV for f in [iaf_psc_delta, iaf_psc_exp, iaf_psc_alpha, iaf_cond_exp, iaf_cond_alpha, iaf_psc_exp_multisynapse, aeif_cond_exp, aeif_cond_alpha, aeif_psc_exp, hh_psc_alpha, hh_cond_exp_traub, mat2_psc_exp, gif_psc_exp, glif_psc]], iaf_psc_exp(V_m=-60*mV)['initial']['V_m']/mV)",
			[]float64{-70, -70, -70, -70, -70, -70, -70.6, -70.6, -70.6, -65, -60, -70, -70, -78.85, -60}},
		// the calibration of Potjans and Diesmann (2014): 87.8085 pA make 0.15 mV
		{"G, P = NeuronGroup(1, iaf_psc_exp(tau_syn_ex=0.5*ms)), SpikeGeneratorGroup(1, [0], [0]*ms)\nS = Synapses(P, G, weight=87.8085*pA, delay=0.1*ms)\nS.connect()\nM = StateMonitor(G, 'V_m', record=0)\nrun(5*ms)\nprint(M.V_m[0].max()/mV + 70)", []float64{0.15}},
		// Hodgkin and Huxley's neuron with 10 uA/cm2: 68.3 Hz
		{"G = NeuronGroup(1, hh_psc_alpha(I_e=1000*pA))\nS = SpikeMonitor(G)\nrun(400*ms)\nprint(1 if abs(1/diff(S.t[5:]/second).mean() - 68.3) < 0.5 else 0)", []float64{1}},
	} {
		got := numbers(t, c.src)
		if len(got) < len(c.want) {
			t.Fatalf("%v, want %v", got, c.want)
		}
		for k, w := range c.want {
			if math.Abs(got[k]-w) > 1e-4+1e-6*math.Abs(w) {
				t.Errorf("%v, want %v\n%s", got, c.want, c.src)
				break
			}
		}
	}
}
