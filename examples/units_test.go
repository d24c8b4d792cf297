package examples

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"synfire/engine"
	"synfire/engine/script"
	"synfire/kernels"
)

// stepsOf are the steps of a millisecond in which each neuron fired.
func stepsOf(m *engine.SpikeMonitor) []map[int]bool {
	out := make([]map[int]bool, m.N())
	for k := range out {
		out[k] = map[int]bool{}
	}
	at := m.T()
	for k, i := range m.I() {
		out[i][int(math.Round(at[k]*1000))] = true
	}
	return out
}

// states are the samples of a StateMonitor of a result, by name: [recorded][sample].
func states(t *testing.T, res *script.Result, name, variable string) [][]float64 {
	t.Helper()
	for _, m := range res.Net.Monitors() {
		if s, ok := m.(*engine.StateMonitor); ok && s.Name() == name {
			v, _, err := s.Values(variable)
			if err != nil {
				t.Fatal(err)
			}
			return v
		}
	}
	t.Fatalf("no monitor %s", name)
	return nil
}

// values are those of a variable.
func values(t *testing.T, v *engine.Var, err error) []float64 {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	a, err := v.Get(nil)
	if err != nil {
		t.Fatal(err)
	}
	return a.V
}

// TestMcCullochPitts: truth tables, and remainders of the numbers on the tape.
func TestMcCullochPitts(t *testing.T) {
	_, res := play(t, "mcculloch_pitts", nil, kernels.New(0), nil)
	gates := stepsOf(spikesOf(t, res, "G"))
	for n := range 4 {
		a, b := n&2 != 0, n&1 != 0
		for unit, c := range []struct {
			name  string
			want  bool
			delay int
		}{{"AND", a && b, 1}, {"OR", a || b, 1}, {"NOT", !a, 1}, {"XOR", a != b, 2}} {
			if got := gates[unit][n+c.delay]; got != c.want {
				t.Errorf("%s of %v and %v is %v", c.name, a, b, got)
			}
		}
	}
	tape, machine := stepsOf(spikesOf(t, res, "T")), stepsOf(spikesOf(t, res, "M"))
	value, read := 0, 0
	for n := 0; ; n++ {
		switch {
		case tape[0][n]:
			value *= 2
		case tape[1][n]:
			value = 2*value + 1
		case tape[2][n]:
			value = 0
		case tape[3][n]:
			read++
			for r := range 3 {
				if got := machine[6+r][n+1]; got != (value%3 == r) {
					t.Errorf("%d modulo 3: the unit of %d says %v", value, r, got)
				}
			}
		default:
			if read != 20 {
				t.Errorf("%d numbers were read", read)
			}
			return
		}
	}
}

// TestPerceptron: the errors are those of the algorithm on the same patterns, in float64, and
// within Novikoff's bound; without a separating line there is no end of them.
func TestPerceptron(t *testing.T) {
	for _, problem := range []string{"line", "and", "or", "xor"} {
		epochs := "100"
		if problem == "xor" {
			epochs = "1000"
		}
		g, res := play(t, "perceptron", map[string]string{"problem": problem, "epochs": epochs}, kernels.New(0), nil)
		x, target := states(t, res, "P", "x"), states(t, res, "T", "target")[0]
		teacher := []float64{0.6 / math.Sqrt(1.01), -0.8 / math.Sqrt(1.01), 0.1 / math.Sqrt(1.01)}
		w, errs, last, margin, r2 := make([]float64, 3), 0, 0, math.Inf(1), 0.0
		for n := range target {
			h, side, length := 0.0, 0.0, 0.0
			for k := range w {
				h, side, length = h+w[k]*x[k][n], side+teacher[k]*x[k][n], length+x[k][n]*x[k][n]
			}
			margin, r2 = min(margin, side*(2*target[n]-1)), max(r2, length)
			if (h > 0) == (target[n] > 0.5) {
				continue
			}
			errs, last = errs+1, n
			for k := range w {
				w[k] += (2*target[n] - 1) * x[k][n]
			}
		}
		if !strings.Contains(g.Prints, fmt.Sprintf("%d errors", errs)) {
			t.Errorf("%s: %d errors in float64, the example says:\n%s", problem, errs, g.Prints)
		}
		switch {
		case problem == "xor" && last < len(target)-4:
			t.Errorf("xor was learned")
		case (problem == "and" || problem == "or") && last >= 40:
			t.Errorf("%s was not learned in ten epochs", problem)
		case problem == "line" && (float64(errs) > r2/(margin*margin) || last >= len(target)-200):
			t.Errorf("%d errors, the last at pattern %d of %d; the bound is %g", errs, last, len(target), r2/(margin*margin))
		}
	}
}

// TestLongHopfield: overlaps at each load, against the mean field theory of Amit,
// Gutfreund and Sompolinsky: m = erf(y), y (sqrt(2 a) + 2/sqrt(pi) exp(-y^2)) = erf(y).
func TestLongHopfield(t *testing.T) {
	long(t)
	g, _ := play(t, "hopfield", map[string]string{"n": "1000"}, kernels.New(0), nil)
	lines := strings.Split(strings.TrimSpace(g.Prints), "\n")
	if len(lines) != 9 {
		t.Fatalf("not nine loads:\n%s", g.Prints)
	}
	for _, line := range lines {
		var load, overlap, least float64
		if _, err := fmt.Sscanf(line, "load %f: overlap %f, least %f", &load, &overlap, &least); err != nil {
			t.Fatal(err)
		}
		y := 5.0
		for range 10000 {
			y = math.Erf(y) / (math.Sqrt(2*load) + 2/math.Sqrt(math.Pi)*math.Exp(-y*y))
		}
		what := fmt.Sprintf("overlap at load %g", load)
		switch {
		case load <= 0.12:
			within(t, what, overlap, math.Erf(y)-0.01, math.Erf(y)+0.01)
		case load >= 0.2:
			within(t, what, overlap, 0, 0.7)
		}
	}
}

// TestTsodyksMarkram: potentials against the closed form, and the mean of many
// sites within what chance allows.
func TestTsodyksMarkram(t *testing.T) {
	_, res := play(t, "tsodyks_markram", nil, kernels.New(0), nil)
	v, current := states(t, res, "M", "v"), states(t, res, "M", "I")
	const dt, a, r, tauM, tauS, sites = 1e-4, 250e-12, 1e8, 0.04, 0.003, 1000
	train := []float64{.01, .06, .11, .16, .21, .26, .31, .36, .86}
	for kind, p := range []struct{ U, rec, facil float64 }{{.5, .8, .001}, {.03, .13, .53}} {
		var released []float64
		u, x := p.U, 1.0
		for n := range train {
			if n > 0 {
				h := train[n] - train[n-1]
				x = 1 + (x*(1-u)-1)*math.Exp(-h/p.rec)
				u = p.U + u*(1-p.U)*math.Exp(-h/p.facil)
			}
			released = append(released, u*x)
			k := int(math.Round(train[n] / dt))
			got := (current[kind+2][k+1] - current[kind+2][k]*math.Exp(-dt/tauS)) / a
			if sd := math.Sqrt(u * x * (1 - u*x) / sites); math.Abs(got-u*x) > 4*sd {
				t.Errorf("kind %d, spike %d: the sites release %.4f, expected %.4f with a standard deviation of %.4f", kind, n, got, u*x, sd)
			}
		}
		worst, peak := 0.0, 0.0
		for k, got := range v[kind] {
			want := 0.0
			for n, s := range train {
				// A release shows in I at the next sample, and in v one later.
				if h := (float64(k) - math.Round(s/dt) - 1) * dt; h > 0 {
					want += a * released[n] * r * tauS / (tauS - tauM) * (math.Exp(-h/tauS) - math.Exp(-h/tauM))
				}
			}
			worst, peak = max(worst, math.Abs(got-want)), max(peak, want)
		}
		within(t, "distance from the closed form, of the peak", worst/peak, 0, 1e-5)
	}
}

// TestOja: the principal component, against the eigenvector of the covariance.
func TestOja(t *testing.T) {
	_, res := play(t, "oja", nil, kernels.New(0), nil)
	var x *engine.NeuronGroup
	for _, g := range res.Net.Groups() {
		if g.Name() == "X" {
			x = g
		}
	}
	va, err := x.Var("a")
	a := values(t, va, err)
	vb, err := x.Var("b")
	b := values(t, vb, err)
	cov := mat.NewSymDense(len(a), nil)
	for i := range a {
		for j := range a {
			c := a[i]*a[j] + b[i]*b[j]
			if i == j {
				c += 0.25
			}
			cov.SetSym(i, j, c)
		}
	}
	var eig mat.EigenSym
	if !eig.Factorize(cov, true) {
		t.Fatal("no eigenvectors")
	}
	var vec mat.Dense
	eig.VectorsTo(&vec)
	vw, err := res.Net.AllSynapses()[0].Var("w")
	w := values(t, vw, err)
	dot, length := 0.0, 0.0
	for k := range w {
		dot, length = dot+w[k]*vec.At(k, len(w)-1), length+w[k]*w[k]
	}
	within(t, "cosine with the first eigenvector", math.Abs(dot)/math.Sqrt(length), 0.99, 1.000001)
	within(t, "length", math.Sqrt(length), 0.98, 1.02)
}

// TestBCM: one of four patterns is answered, by 1/probability = 4.
func TestBCM(t *testing.T) {
	g, _ := play(t, "bcm", nil, kernels.New(0), nil)
	var theta float64
	y := make([]float64, 4)
	if _, err := fmt.Sscanf(g.Prints, "theta %f, answers %f %f %f %f", &theta, &y[0], &y[1], &y[2], &y[3]); err != nil {
		t.Fatalf("%v: %s", err, g.Prints)
	}
	chosen := 0
	for _, a := range y {
		if a > 1 {
			chosen++
			within(t, "answer to the chosen pattern", a, 3.8, 4.2)
		} else {
			within(t, "answer to another", a, -0.2, 0.2)
		}
	}
	within(t, "chosen patterns", float64(chosen), 1, 1)
}

// TestLongDiehlCook: digits that were not learned are told.
func TestLongDiehlCook(t *testing.T) {
	long(t)
	for seed := range uint64(3) {
		g, _ := play(t, "diehl_cook", nil, kernels.New(0), &seed)
		var right, of int
		if _, err := fmt.Sscanf(g.Prints, "%d of %d images", &right, &of); err != nil {
			t.Fatalf("%v: %s", err, g.Prints)
		}
		within(t, "images told, in percent", 100*float64(right)/float64(of), 75, 95)
	}
}
