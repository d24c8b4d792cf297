package examples

import (
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

// beside runs a script that stands beside those of Isomura et al. 2023, with files of its own.
func beside(t *testing.T, name, src string) (string, error) {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("isomura2023")); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, name)
	if src != "" {
		if err := os.WriteFile(file, []byte(src), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var out strings.Builder
	_, err := script.Run(t.Context(), script.Options{File: file, Stdout: &out})
	return out.String(), err
}

// TestPipelineRecovers: the steps of the pipeline on responses for which they are known.
func TestPipelineRecovers(t *testing.T) {
	out, err := beside(t, "recovers.star", `
load('pipeline.star', 'LAMBDA', 'connectivity', 'ensembles', 'errors', 'learned', 'normalise', 'observer', 'predict', 'responses', 'session', 'sig', 'start', 'thresholds', 'weights')
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
m = responses(r, s)
groups = ensembles(m)
y = [2*growth*(s[0] - mean(one[0])), -growth*(s[0] - mean(one[0]))]
first = [2 + mean(one[0]), 2 + mean(one[1])]
n = len(growth)
want = [clip(0.5 + (a - mean(a))/std(a)/sqrt(n/(n - 1.0))/2 + (f - 2.5)/10, 0, 1) for a, f in zip(y, first)]
assert list(groups[0]) == [0, 1] and list(groups[1]) == [2], 'ensembles'
assert max(abs(normalise(r, s, m, groups, 2.5) - vstack(want)).flatten()) < 1e-12, 'normalised responses'
`)
	if err != nil {
		t.Fatal(err)
	}
	t.Log(out)
}

// TestPublished: the pipeline on the published responses, where they are at hand, and what is said where they are not.
func TestPublished(t *testing.T) {
	_, err := beside(t, "published.star", "")
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
