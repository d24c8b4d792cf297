package examples

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"synfire/engine/script"
	"synfire/kernels"
)

// The examples of Isomura et al. 2023.
func init() {
	maps.Copy(small, map[string]struct {
		file string
		set  map[string]string
	}{
		"isomura2023_canonical": {"isomura2023/canonical", map[string]string{"networks": "2", "duration": "150*ms"}},
		"isomura2023_culture":   {"isomura2023/culture", map[string]string{"conditions": "control,bicuculline", "cultures": "1", "duration": "200*ms"}},
	})
	rates["isomura2023/canonical"] = true
}

// TestCanonical: canonical networks of each condition, 5 of the 20 of TestLongCanonical.
func TestCanonical(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	canonical(t, map[string]string{"networks": "5"})
}

func TestLongCanonical(t *testing.T) {
	long(t)
	canonical(t, nil)
}

func canonical(t *testing.T, set map[string]string) {
	t.Helper()
	gates := map[string][2]float64{"D.5": {0.45, 1}, "D.2": {-0.3, 0.3}, "D.8": {-0.3, 0.3}, "mix0": {0.9, 1.05}, "mix50": {-0.1, 0.1}}
	g, _ := play(t, "isomura2023/canonical", set, kernels.New(0), nil)
	lines := strings.Split(strings.TrimSpace(g.Prints), "\n")
	if len(lines) != len(gates) {
		t.Fatalf("%d lines, %d conditions:\n%s", len(lines), len(gates), g.Prints)
	}
	for _, l := range lines {
		name, rest, _ := strings.Cut(l, " ")
		within(t, name+", separation", numbers(t, rest)[0][2], gates[name][0], gates[name][1])
	}
}

// cultures is what culture.star prints of each condition: spikes at a stimulus, preference at the beginning, at the end and
// its growth in per cent, cultures with two ensembles, cultures; then, where there are any, the free energy at the beginning, at the end and its change,
// selectivity at the beginning and at the end, err_x, err_W, r(W) and the prior.
func cultures(t *testing.T, set map[string]string) map[string][]float64 {
	t.Helper()
	g, _ := play(t, "isomura2023/culture", set, kernels.New(0), nil)
	found := map[string][]float64{}
	for l := range strings.Lines(g.Prints) {
		name, rest, _ := strings.Cut(strings.TrimSpace(l), " ")
		if name == "session" {
			break
		}
		found[name] = append(found[name], numbers(t, rest)[0]...)
	}
	return found
}

const spikes, preferred, prefers, grown, ensembles, free, freed, selects, errX, errW, rW, prior = 0, 1, 2, 3, 4, 7, 8, 10, 11, 12, 13, 14

// TestCulture: some sessions of some cultures, which learn or, under APV, do not.
func TestCulture(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	l := cultures(t, map[string]string{"conditions": "control,APV", "cultures": "3", "sessions": "30"})
	within(t, "growth of preference, %", l["control"][grown], 15, 100)
	within(t, "selectivity", l["control"][selects], 0.25, 0.8)
	within(t, "change of free energy, %", l["control"][freed], -20, -5)
	within(t, "err_x", l["control"][errX], 0, 0.15)
	within(t, "err_W", l["control"][errW], 0, 0.01)
	within(t, "growth under APV, %", l["APV"][grown], -10, 10)
	within(t, "selectivity under APV", l["APV"][selects], -0.1, 0.1)
}

// TestLongCulture: the gates of the study, medians of ten cultures; of twenty where growth is that of noise.
func TestLongCulture(t *testing.T) {
	long(t)
	l := cultures(t, map[string]string{"conditions": "all", "cultures": "10"})
	l["mix50"] = cultures(t, map[string]string{"conditions": "mix50", "cultures": "20"})["mix50"]
	control, apv, bic, over := l["control"], l["APV"], l["bicuculline"], l["overdose"]
	within(t, "(a) growth of preference, %", control[grown], 15, 200)
	within(t, "(a) selectivity in session 1", control[selects-1], -0.05, 0.05)
	within(t, "(a) selectivity in session 100", control[selects], 0.25, 1)
	within(t, "(b) change of free energy, %", control[freed], -100, -5)
	within(t, "(b) the same under APV", apv[freed], -1, 1)
	within(t, "(c) err_x", control[errX], 0, 0.15)
	within(t, "(c) err_W", control[errW], 0, 0.01)
	within(t, "(c) correlation of W", control[rW], 0.8, 1)
	within(t, "(c) err_x under APV", apv[errX], 0.2, 1)
	falls(t, "(d) growth with mixtures of 0, 25, 50 %", l["mix0"][grown], control[grown], l["mix50"][grown])
	within(t, "(d) growth with a mixture of 50 %", l["mix50"][grown], -100, 5)
	within(t, "(e) growth with bicuculline, of control's", bic[grown]/control[grown], -1, 0.5)
	within(t, "(e) spikes with bicuculline, of control's", bic[spikes]/control[spikes], 1.3, 10)
	within(t, "(e) spikes with the overdose, of control's", over[spikes]/control[spikes], 0, 0.3)
	within(t, "(e) cultures with ensembles under the overdose", over[ensembles], 0, 4)
	within(t, "(f) growth under APV, %", apv[grown], -5, 5)
	within(t, "(f) selectivity under APV", apv[selects], -0.1, 0.1)
	falls(t, "(g) prior under bicuculline, control, diazepam", bic[prior], control[prior], l["diazepam"][prior])
}

// beside runs a script that stands beside those of Isomura et al. 2023, with files: name, content, name, content.
func beside(t *testing.T, name string, files ...string) (string, error) {
	t.Helper()
	dir := t.TempDir()
	scripts, _ := filepath.Glob("isomura2023/*.star")
	for _, f := range scripts {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, filepath.Base(f), string(b))
	}
	for k := 0; k < len(files); k += 2 {
		if err := os.WriteFile(filepath.Join(dir, files[k]), []byte(files[k+1]), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	file := filepath.Join(dir, name)
	var out strings.Builder
	_, err := script.Run(t.Context(), script.Options{File: file, Stdout: &out})
	return out.String(), err
}

// TestPipelineRecovers: the steps of the pipeline on responses for which they are known.
func TestPipelineRecovers(t *testing.T) {
	out, err := beside(t, "recovers.star", "recovers.star", `
load('pipeline.star', 'LAMBDA', 'connectivity', 'ensembles', 'errors', 'learned', 'normalise', 'observer', 'predict', 'responses', 'session', 'sig', 'start', 'thresholds', 'together', 'weights')
load('protocol.star', 'SESSIONS', 'STIMULI', 'electrodes', 'sources')
one = sources()
s, o = hstack([one]*SESSIONS), hstack([electrodes(one)]*SESSIONS)

# A canonical network that in its first session prefers its source a little, and is on its own from then on.
phi = [log(array([0.45, 0.55])), log(array([0.55, 0.45]))]
x, W, L = [0.45 + 0.1*one], [], []
sums = start(x[0], session(o, 0), LAMBDA)
for k in range(SESSIONS):
    W.append(weights(sums))
    v1, v0 = observer(W[k][0], W[k][1], phi, session(o, k))
    if k > 0:
        x.append(sig(v1 - v0))
    L.append(-sum(log(exp(v1) + exp(v0))))      # the free energy at its minimum, less 1e-6 in a logarithm
    sums = learned(sums, x[k], session(o, k))
x = hstack(x)
found, F = connectivity(x, o, phi)
assert max([max(abs(w[c] - f[c]).flatten()) for w, f in zip(W, found) for c in [0, 1]]) < 1e-12, 'weights'
assert max(abs(F[1:] - array(L)[1:])) < 0.01, 'free energy'
xp, Wp = predict(x, o, phi, found)
err_x, err_W = errors(x, xp, found, Wp)
assert max(err_x[1:10]) < 1e-20 and max(err_W[:10]) < 1e-20, 'first sessions'
assert max(err_x[1:]) < 0.01 and max(err_W) < 0.01, 'prediction'
print('prediction: err_x %.4f, err_W %.4f' % (err_x[-1], err_W[-1]))
assert max(abs(thresholds(0*x + 0.3)[0] - log(0.3))) < 1e-12 and max(abs(thresholds(0*x + 0.3)[1] - log(0.7))) < 1e-12, 'thresholds'

# Four electrodes: two prefer source 1, the third source 2, the last answers to nothing. What they do more from session to session is x.
growth = repeat(arange(SESSIONS)/100.0, STIMULI)
r = vstack([2 + s[0] + growth*s[0], 2 + s[0] + 3*growth*s[0], 2 + s[1] - growth*s[0], 0*growth])
groups = ensembles(responses(r, s))
y = [2*growth*(s[0] - mean(one[0])), -growth*(s[0] - mean(one[0]))]
first = [2 + mean(one[0]), 2 + mean(one[1])]
n = len(growth)
want = [clip(0.5 + (a - mean(a))/std(a)/sqrt(n/(n - 1.0))/2 + (f - 2.5)/10, 0, 1) for a, f in zip(y, first)]
assert list(groups[0]) == [0, 1] and list(groups[1]) == [2], 'ensembles'
assert max(abs(normalise(together(r, groups), s, 2.5) - vstack(want)).flatten()) < 1e-12, 'normalised responses'
`)
	if err != nil {
		t.Fatal(err)
	}
	t.Log(out)
}

// mersenne is MT19937, from which numpy.random draws after seed(n).
type mersenne struct {
	state [624]uint32
	at    int
}

func newMersenne(seed uint32) *mersenne {
	m := &mersenne{at: 624}
	m.state[0] = seed
	for k := 1; k < 624; k++ {
		m.state[k] = 1812433253*(m.state[k-1]^m.state[k-1]>>30) + uint32(k)
	}
	return m
}

func (m *mersenne) word() uint32 {
	if m.at == 624 {
		for k := range 624 {
			y := m.state[k]&0x80000000 | m.state[(k+1)%624]&0x7fffffff
			m.state[k] = m.state[(k+397)%624] ^ y>>1 ^ y&1*0x9908b0df
		}
		m.at = 0
	}
	y := m.state[m.at]
	m.at++
	y ^= y >> 11
	y ^= y << 7 & 0x9d2c5680
	y ^= y << 15 & 0xefc60000
	return y ^ y>>18
}

func (m *mersenne) rand() float64 {
	a, b := m.word()>>5, m.word()>>6
	return (float64(a)*(1<<26) + float64(b)) / (1 << 53)
}

// TestAgent: the observer of canonical.star in double precision, on the stimuli that the authors' simulation draws
// after numpy.random.seed(0): their posteriors.
func TestAgent(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	const steps = 25600
	m, total := newMersenne(0), 0
	var table strings.Builder
	for range steps {
		var s [2]uint32
		for k := range s {
			s[k] = m.word() & 1
		}
		fmt.Fprintf(&table, "%d,%d", s[0], s[1])
		for i := range 32 {
			p := float64(s[i/16])*0.75 + float64(s[1-i/16])*0.25
			o := 0
			if m.rand() < p {
				o = 1
			}
			total += o
			fmt.Fprintf(&table, ",%d", o)
		}
		table.WriteByte('\n')
	}
	if total != 407646 {
		t.Fatalf("%d pulses, the authors' stimuli have 407646", total)
	}
	for range 32 {
		fmt.Fprintf(&table, "%.17g,%.17g%s\n", 200+200*m.rand(), 200+200*m.rand(), strings.Repeat(",0", 32))
	}
	out, err := beside(t, "agent.star", "agent.star", `
load('protocol.star', 'ELECTRODES')
drawn = load_array('drawn.csv')
T = drawn.shape[0] - ELECTRODES
s, o, strength = drawn[:T, :2].T, drawn[:T, 2:], drawn[T:, :2].T

def digamma(x):
    y = 1/(x*x)
    return log(x) - 0.5/x - y*(1/12.0 - y*(1/120.0 - y/252.0))

near = vstack([[0.52]*16 + [0.51]*16, [0.51]*16 + [0.52]*16])
a11, a01 = strength*near, strength*(1 - near)
a10, a00 = strength*(1 - near), strength*near
q = []
for k in range(T):
    on = o[k]
    u = (digamma(a11) - digamma(a10)) @ on + (digamma(a01) - digamma(a00)) @ (1 - on) - (digamma(a11 + a01) - digamma(a10 + a00)).sum(axis=1)
    x = 1/(1 + exp(-u))
    q.append(x)
    a11 += outer(x, on)
    a10 += outer(1 - x, on)
    a01 += outer(x, 1 - on)
    a00 += outer(1 - x, 1 - on)
q = vstack(q).T
print('%.8f %.8f' % (q[0, 0], q[1, 0]))
half = T//2
print('%.4f %.4f %.4f %.4f' % tuple([corrcoef(s[j, half:], q[k, half:])[0, 1] for j in range(2) for k in range(2)]))
`, "drawn.csv", table.String())
	if err != nil {
		t.Fatal(err)
	}
	l := numbers(t, out)
	for k, want := range []float64{0.30936452, 0.40095402} {
		within(t, "first posterior", l[0][k], want-1e-8, want+1e-8)
	}
	for k, want := range []float64{0.8913, 0.0834, 0.1262, 0.9280} {
		within(t, "correlation", l[1][k], want-1e-4, want+1e-4)
	}
}

// TestPublished: the pipeline on the published responses, where they are at hand, and what is said where they are not.
func TestPublished(t *testing.T) {
	_, err := beside(t, "published.star")
	if _, there := os.Stat("isomura2023/published"); there != nil {
		if err == nil || !strings.Contains(err.Error(), "published/bic_s.npy is missing") || !strings.Contains(err.Error(), "github.com/takuyaisomura/reverse-engineering-py") {
			t.Errorf("without the data: %v", err)
		}
		t.Skip("the data are not at hand (examples/isomura2023/published.star)")
	}
	for condition, want := range map[string][5]float64{
		"bic": {11480, 11237, 0.03, 0.245, 0.066}, "dzp": {11477, 10980, 0.13, 0.232, 0.050},
		"mix0": {11445, 10114, 0.54, 0.122, 0.023}, "mix50": {11491, 11157, 0.14, 0.202, 0.042},
	} {
		l := printed(t, "isomura2023/published", map[string]string{"condition": condition})
		n := len(l) - 4 // the means; below them the deviations
		for k, tolerance := range []float64{1, 1, 0.01, 0.001, 0.001} {
			within(t, condition, l[n][k], want[k]-tolerance, want[k]+tolerance)
		}
		for k := n + 1; k < len(l); k++ {
			within(t, condition+", off the authors' program", l[k][1], 0, 1e-9)
		}
	}
}
