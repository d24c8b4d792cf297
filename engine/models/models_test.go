package models_test

import (
	"context"
	"io/fs"
	"math"
	"strconv"
	"strings"
	"testing"

	"synfire/engine/backend"
	"synfire/engine/models"
	"synfire/engine/script"
	"synfire/kernels"
	"synfire/kernels/ref"
)

// network is a small network that learns: RULE stands for the rule, INIT for what is set,
// CELL for the arguments of the target's group. Pathways get delays of their own.
const network = `
P = PoissonGroup(7, 60*Hz)
G = NeuronGroup(5, CELL)
S = Synapses(P, G, RULE)
S.connect(p=0.8)
INIT
run(param('duration', 250*ms))
`

const cell = `'''dv/dt = -v/(10*ms) : 1 (unless refractory)
    spent : 1''', threshold='v > 1', reset='v = 0; spent = 1', refractory=2*ms, events={'reward': 'spent > 0.5 and rand() < 0.01'}, method='exact'`

const voltCell = `'model': '''dv/dt = (E_L - v)/(10*ms) : volt''', 'threshold': 'v > -50*mV', 'reset': 'v = -60*mV', 'method': 'euler', 'namespace': {'E_L': -70.6*mV}`

const rateCell = `'''dy/dt = (total - y)/(10*ms) : 1
    total : 1
    dtheta/dt = (y**2 - theta)/(50*ms) : 1''', threshold='rand() < y*dt/ms', reset='', method='euler'`

// rules are the networks in which each file of the library is tried, by its name.
var rules = map[string][][3]string{
	"stdp": {
		{"stdp('v_post += 0.4*w')", "S.w = 'rand()'\nS.pre.delay = '1*ms + 0.3*i*ms'\nS.post.delay = 0.5*ms", cell},
		{"stdp('v_post += 0.4*w', mu_plus=1, mu_minus=1)", "S.w = 'rand()'", cell},
		{"stdp('v_post += 0.4*w', mu_plus=0.3, mu_minus=0.6, pairing='nearest')", "S.w = 'rand()'", cell},
	},
	"stdp_power":      {{"stdp_power('v_post += 0.1*w')", "S.w = '1 + 5*rand()'", cell}},
	"stdp_triplet":    {{"stdp_triplet('v_post += 0.4*w', A2_plus=1e-3, A3_minus=1e-3)", "S.w = 'rand()'", cell}},
	"stdp_inhibitory": {{"stdp_inhibitory('v_post += 0.4*w', w_max=2.0)", "S.w = 'rand()'", cell}},
	"stdp_dopamine":   {{"stdp_dopamine('v_post += 0.4*w', tau_w=10*ms)", "S.w = 'rand()'", cell}},
	"stdp_sem":        {{"stdp_sem('v_post += 0.4*exp(w)')", "S.w = '-rand()'", cell}},
	"synaptic_scaling": {
		{"synaptic_scaling('v_post += 0.4*w', tau=2*second)", "S.w = '0.5 + rand()'", cell}},
	"calcium": {
		{"calcium('v_post += 0.4*rho')", "S.rho = 'rand()'", cell},
		{"calcium('v_post += 0.4*rho', sigma=0.0)", "S.rho = 'rand()'", cell},
	},
	"clopath": {{"clopath('v_post += 8*w*mV', u_ref_squared=60*mV**2)", "S.w = 'rand()'\nG.v = -70.6*mV", "clopath_neuron({" + voltCell + "})"}},
	"clopath_neuron": {
		{"clopath('v_post += 8*w*mV')", "S.w = 'rand()'\nG.v = -70.6*mV", "clopath_neuron({" + voltCell + "}, tau_minus=20*ms)"}},
	"tsodyks_markram":          {{"tsodyks_markram('v_post += 0.4*w*release', U=0.1, tau_facil=500*ms)", "S.w = 'rand()'\nS.delay = '1*ms + 0.3*i*ms'", cell}},
	"release_sites":            {{"release_sites('v_post += 0.4*w*release', tau_facil=20*ms)", "S.w = 'rand()'", cell}},
	"hebb":                     {{"hebb(pre='y', total='total')", "S.w = '0.2*rand()'\nG.y = 'rand()'", rateCell}},
	"oja":                      {{"oja(pre='y', total='total')", "S.w = '0.2*rand()'\nG.y = 'rand()'", rateCell}},
	"bcm":                      {{"bcm(pre='y', total='total')", "S.w = '0.2*rand()'\nG.y = 'rand()'", rateCell}},
	"iaf_psc_delta":            {{"weight='(rand() - 0.3)*8*mV'", "G.I_e = 300*pA", "iaf_psc_delta()"}},
	"iaf_psc_exp":              {{"weight='(rand() - 0.3)*800*pA', delay='1*ms + 0.3*i*ms'", "G.I_e = 300*pA", "iaf_psc_exp(tau_syn_in=5*ms)"}},
	"iaf_psc_alpha":            {{"weight=500*pA", "G.I_e = 300*pA", "iaf_psc_alpha()"}},
	"iaf_psc_exp_multisynapse": {{"weight=-400*pA, receptor_type=2", "G.I_e = 600*pA", "iaf_psc_exp_multisynapse(tau_syn=[2*ms, 5*ms])"}},
	"iaf_cond_exp":             {{"weight='(rand() - 0.3)*40*nS'", "G.I_e = 300*pA", "iaf_cond_exp()"}},
	"iaf_cond_alpha":           {{"weight=-10*nS", "G.I_e = 500*pA", "iaf_cond_alpha()"}},
	"aeif_cond_exp":            {{"weight='(rand() - 0.3)*40*nS'", "G.I_e = 900*pA", "aeif_cond_exp(t_ref=1*ms)"}},
	"aeif_cond_alpha":          {{"weight=10*nS", "G.I_e = 900*pA", "aeif_cond_alpha()"}},
	"aeif_psc_exp":             {{"weight=200*pA", "G.I_e = 900*pA", "aeif_psc_exp()"}},
	"izhikevich":               {{"weight='(rand() - 0.3)*8*mV'", "G.I_e = 10*pA", "izhikevich()"}},
	"hh_psc_alpha":             {{"weight='(rand() - 0.3)*800*pA'", "G.I_e = 800*pA", "hh_psc_alpha()"}},
	"hh_cond_exp_traub":        {{"weight=4*nS", "G.I_e = 500*pA", "hh_cond_exp_traub()"}},
	"mat2_psc_exp":             {{"weight=-200*pA", "G.I_e = 2400*pA", "mat2_psc_exp()"}},
	"gif_psc_exp":              {{"weight=20*pA", "G.I_e = 300*pA", "gif_psc_exp(q_sfa=[10*mV, 3*mV], tau_sfa=[20*ms, 100*ms], q_stc=[20*pA], tau_stc=[10*ms])"}},
	"glif_psc": {
		{"weight=80*pA", "G.I_e = 350*pA", "glif_psc()"},
		{"weight=-80*pA, receptor_type=2", "G.I_e = 450*pA", "glif_psc(spike_dependent_threshold=True, after_spike_currents=True, adapting_threshold=True, tau_syn=[1*ms, 2*ms])"}},
	"IF_curr_delta":            {{"weight=8*mV", "G.I_e = 0.5*nA", "IF_curr_delta()"}},
	"IF_curr_exp":              {{"weight=0.5*nA", "G.I_e = 0.5*nA", "IF_curr_exp()"}},
	"IF_curr_alpha":            {{"weight=0.5*nA", "G.I_e = 0.8*nA", "IF_curr_alpha()"}},
	"IF_cond_exp":              {{"weight=0.02*usiemens", "G.I_e = 0.5*nA", "IF_cond_exp()"}},
	"IF_cond_alpha":            {{"weight=0.02*usiemens", "G.I_e = 0.8*nA", "IF_cond_alpha()"}},
	"EIF_cond_exp_isfa_ista":   {{"weight=0.02*usiemens", "G.I_e = 0.8*nA", "EIF_cond_exp_isfa_ista()"}},
	"EIF_cond_alpha_isfa_ista": {{"weight=0.02*usiemens", "G.I_e = 0.8*nA", "EIF_cond_alpha_isfa_ista()"}},
	"HH_cond_exp":              {{"weight=0.02*usiemens", "G.I_e = 0.8*nA", "HH_cond_exp()"}},
	"adaptive_threshold": {{"'', on_pre='v_post += 8*mV'", "G.v = -70.6*mV",
		"adaptive_threshold({" + strings.Replace(voltCell, "-50*mV", "theta", 1) + "}, theta_0=-55*mV, step=2*mV)"}},
}

func text(c [3]string) string {
	if strings.HasPrefix(c[0], "weight=") { // a neuron, not a rule
		return strings.NewReplacer("RULE", c[0], "INIT", c[1], "CELL", c[2], "60*Hz", "300*Hz", "250*ms", "30*ms").Replace(network)
	}
	if c[2] == rateCell {
		return strings.NewReplacer("Synapses(P, G", "Synapses(G, G", "RULE", c[0], "INIT", c[1], "CELL", c[2]).Replace(network)
	}
	return strings.NewReplacer("RULE", c[0], "INIT", c[1], "CELL", c[2]).Replace(network)
}

// play runs a script: its hashes, and what it prints.
func play(t *testing.T, src string, be backend.Backend) (hash, prints string) {
	t.Helper()
	var out strings.Builder
	_, err := script.Run(context.Background(), script.Options{File: "model.star", Src: []byte(src), Stdout: &out, Open: func() (backend.Backend, error) { return be, nil },
		AfterRun: func(r *script.Result) error {
			spikes, state, err := r.Net.Hash()
			hash += spikes + " " + state + "\n"
			return err
		}})
	if err != nil {
		t.Fatal(err)
	}
	return hash, out.String()
}

// each calls f for the networks of each file of the library.
func each(t *testing.T, f func(t *testing.T, src string)) {
	files, err := fs.Glob(models.FS, "*.star")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(file, ".star")
		t.Run(name, func(t *testing.T) {
			if len(rules[name]) == 0 {
				t.Errorf("%s has no network in this test", file)
			}
			for _, c := range rules[name] {
				f(t, text(c))
			}
		})
	}
}

// TestModels: the same bits from ref and from cpu with 1, 2, 3 and 7 threads; a header that says what, from where, and what to expect.
func TestModels(t *testing.T) {
	each(t, func(t *testing.T, src string) {
		want, _ := play(t, src, ref.New())
		threads := []int{1, 2, 3, 7}
		if testing.Short() {
			threads = threads[2:3]
		}
		for _, n := range threads {
			if got, _ := play(t, src, kernels.New(n)); got != want {
				t.Errorf("cpu with %d threads differs from ref in\n%s", n, src)
			}
		}
	})
	for name := range rules {
		src, err := fs.ReadFile(models.FS, name+".star")
		if err != nil {
			t.Error(err)
			continue
		}
		for _, part := range []string{"# " + name + ".star: ", "ource: ", "igure to expect", "NEST"} {
			if !strings.Contains(string(src), part) {
				t.Errorf("%s.star: the header has no %q", name, part)
			}
		}
	}
}

// TestFigures: what the headers say is to be expected, where no example shows it.
func TestFigures(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	for _, c := range []struct {
		name, src string
		want, off []float64
	}{
		{"stdp_power", `
P = PoissonGroup(20, 60*Hz)
G = NeuronGroup(10, 'v : 1', threshold='rand() < 30*Hz*dt', reset='')
S = Synapses(P, G, stdp_power(rate=0.01))
S.connect()
S.w = 30
run(300*second)
print(mean(S.w[:]))`, []float64{44.5}, []float64{2}},
		{"stdp_sem", `
P = PoissonGroup(300, rates='(20 + 60*(i % 2))*Hz')
G = NeuronGroup(10, 'v : 1', threshold='rand() < 30*Hz*dt', reset='')
S = Synapses(P, G, stdp_sem(eta=0.02))
S.connect()
run(40*second)
print(1/mean(exp(-S.w['i % 2 == 0'])), 1/mean(exp(-S.w['i % 2 == 1'])))`, // exp(-w) is what meets the probability of a spike in the last 10 ms, on average
			[]float64{1 - math.Exp(-.2), 1 - math.Exp(-.8)}, []float64{0.015, 0.025}},
		{"synaptic_scaling", `
inputs = 20*Hz
P = PoissonGroup(400, rates='inputs')
G = NeuronGroup(20, 'dv/dt = -v/(10*ms) : 1', threshold='v > 1', reset='v = 0', method='exact')
S = Synapses(P, G, synaptic_scaling('v_post += 0.02*w', tau=20*second, rho_0=5*Hz))
S.connect()
S.w = '0.5 + i/400.0'
def phase(length):
    before = M.num_spikes
    run(length)
    return (M.num_spikes - before)/(20*length)/Hz
M = SpikeMonitor(G)
phase(100*second)
settled = phase(50*second)
inputs = 40*Hz
phase(1*second)
phase(150*second)
again = phase(50*second)
print(settled, again, S.w[7999]/S.w[19])`, []float64{5, 5, (0.5 + 399/400.) / 0.5}, []float64{0.5, 0.5, 0.03}},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, prints := play(t, c.src, kernels.New(0))
			words := strings.Fields(prints)
			if len(words) != len(c.want) {
				t.Fatalf("%d numbers are expected: %s", len(c.want), prints)
			}
			for k, w := range words {
				if x, err := strconv.ParseFloat(w, 64); err != nil || math.Abs(x-c.want[k]) > c.off[k] {
					t.Errorf("number %d is %s, expected %g within %g", k, w, c.want[k], c.off[k])
				}
			}
		})
	}
}
