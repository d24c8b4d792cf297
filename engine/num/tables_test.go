package num

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"
)

func TestLogGammaAccuracy(t *testing.T) {
	// Whole and half arguments have closed forms: (n-1)!, and sqrt(pi) times 1/2 * 3/2 * ...
	var worst float64
	whole, half := num(1), new(big.Float).SetPrec(prec).Sqrt(refPi())
	for n := 1; n <= 300; n++ {
		if n > 2 {
			whole = mul(whole, num(float64(n-1)))
			worst = math.Max(worst, ulps(LogGamma(float64(n)), refLog(whole)))
		}
		worst = math.Max(worst, ulps(LogGamma(float64(n)-0.5), refLog(half)))
		half = mul(half, num(float64(n)-0.5))
	}
	// Gamma(x+1) = x Gamma(x), down to tiny arguments and through the zeros at 1 and 2.
	for _, x := range []float64{1e-30, 1e-9, 0.01, 0.3, 0.999, 1 - 0x1p-30, 1 + 0x1p-30, 1.5, 2.0001, 19.99, 20.01, 1e5, 1e15, 1e200} {
		want, got := LogGamma(x)+Log(x), LogGamma(x+1)
		if math.Abs(got-want) > 2e-15*(math.Abs(LogGamma(x))+math.Abs(Log(x)))+1e-16 {
			t.Errorf("LogGamma(%v + 1) = %v, LogGamma(x) + log x = %v", x, got, want)
		}
	}
	t.Logf("LogGamma       %8.3f ulp", worst)
	if worst > 2 {
		t.Errorf("%.2f ulp at a whole or half argument", worst)
	}
}

func TestPoissonTable(t *testing.T) {
	for _, mean := range []float64{1e-9, 0.01, 1, 3.5, 10, 744, 746, 5000} {
		tab, err := PoissonTable(mean)
		if err != nil {
			t.Fatal(err)
		}
		m := refExp(num(-mean)) // P(0), P(1), ... in the reference
		sum := new(big.Float).Copy(m)
		for k, got := range tab {
			if k > 0 {
				m = quo(mul(m, num(mean)), num(float64(k)))
				sum = add(sum, m)
			}
			want, _ := sum.Float64()
			if math.Abs(got-want) > 1e-14 || math.Abs(got-want) > want*1e-9 && want > 1e-200 {
				t.Fatalf("mean %v: P(at most %d) = %v, want %v", mean, k, got, want)
			}
		}
		checkTable(t, tab)
	}
	for _, mean := range []float64{-1, math.NaN(), math.Inf(1), 2e7} {
		if _, err := PoissonTable(mean); err == nil {
			t.Errorf("mean %v: no error", mean)
		}
	}
	if tab, err := PoissonTable(0); err != nil || len(tab) != 1 || tab[0] != 1 {
		t.Errorf("mean 0: %v, %v", tab, err)
	}
}

// TestTails: the probabilities of rare events, as sums from the far end in the reference.
func TestTails(t *testing.T) {
	check := func(what string, got []float64, first *big.Float, ratio func(k int) *big.Float) {
		var each []*big.Float
		for k, m := 2, first; k < 12; k++ {
			each = append(each, m)
			m = mul(m, ratio(k))
		}
		for k := range 10 {
			sum := num(0)
			for q := len(each) - 1; q >= k; q-- {
				sum = add(sum, each[q])
			}
			switch want, _ := sum.Float64(); {
			case k < len(got) && math.Abs(got[k]-want) > 1e-14*want+0x1p-64:
				t.Errorf("%s: P(more than %d) = %v, want %v", what, k, got[k], want)
			case k >= len(got) && want > 0x1p-62:
				t.Errorf("%s: P(more than %d) = %v is not there", what, k, want)
			}
		}
	}
	for _, mean := range []float64{1e-30, 1e-15, 1e-9, 1.5e-5} {
		check(fmt.Sprintf("mean %g", mean), PoissonTails(mean), mul(num(mean), refExp(num(-mean))), func(k int) *big.Float { return quo(num(mean), num(float64(k))) })
	}
	for _, c := range []struct {
		n int
		p float64
	}{{1, 1e-9}, {2, 1e-6}, {1000, 1e-9}, {1000, 1e-8}, {3, 5e-6}} {
		first := mul(num(float64(c.n)), num(c.p))
		for range c.n - 1 {
			first = mul(first, sub(num(1), num(c.p)))
		}
		check(fmt.Sprintf("n %d, p %g", c.n, c.p), BinomialTails(c.n, c.p), first, func(k int) *big.Float {
			return quo(mul(num(float64(c.n-k+1)), num(c.p)), mul(num(float64(k)), sub(num(1), num(c.p))))
		})
	}
}

func checkTable(t *testing.T, tab []float64) {
	t.Helper()
	for k := 1; k < len(tab); k++ {
		if tab[k] < tab[k-1] {
			t.Fatalf("element %d is below the one before: %v, %v", k, tab[k-1], tab[k])
		}
	}
	if last := tab[len(tab)-1]; last < 1-0x1p-33 || last > 1 {
		t.Fatalf("the last element is %v", last)
	}
}

func TestBinomialTable(t *testing.T) {
	for _, c := range []struct {
		n int
		p float64
	}{{1, 0.5}, {10, 0.5}, {10, 0.001}, {1000, 0.0008}, {1000, 0.5}, {80, 0.99}, {100000, 0.03}} {
		tab, err := BinomialTable(c.n, c.p)
		if err != nil {
			t.Fatal(err)
		}
		m := num(1)
		for range c.n {
			m = mul(m, sub(num(1), num(c.p)))
		}
		sum := new(big.Float).Copy(m)
		for k, got := range tab {
			if k > 0 {
				m = quo(mul(mul(m, num(float64(c.n-k+1))), num(c.p)), mul(num(float64(k)), sub(num(1), num(c.p))))
				sum = add(sum, m)
			}
			if want, _ := sum.Float64(); math.Abs(got-want) > 1e-13 {
				t.Fatalf("n %d, p %v: P(at most %d) = %v, want %v", c.n, c.p, k, got, want)
			}
		}
		checkTable(t, tab)
	}
	if tab, _ := BinomialTable(3, 1); len(tab) != 4 || tab[2] != 0 || tab[3] != 1 {
		t.Errorf("p = 1: %v", tab)
	}
	if tab, _ := BinomialTable(3, 0); len(tab) != 1 || tab[0] != 1 {
		t.Errorf("p = 0: %v", tab)
	}
	for _, p := range []float64{-0.1, 1.1, math.NaN()} {
		if _, err := BinomialTable(3, p); err == nil {
			t.Errorf("p = %v: no error", p)
		}
	}
}

func TestExpmClosedForms(t *testing.T) {
	// A triangular pair, as of a synaptic current into a membrane: e^A has the closed form below.
	for _, c := range [][3]float64{{-0.005, -0.02, 0.1}, {-1, -3, 2}, {-1e-6, -2e-6, 1}, {-500, -0.1, 3}} {
		a, b, w := c[0], c[1], c[2]
		m := Expm([]float64{a, w, 0, b}, 2)
		off := quo(mul(num(w), sub(refExp(num(a)), refExp(num(b)))), sub(num(a), num(b)))
		for k, want := range []*big.Float{refExp(num(a)), off, num(0), refExp(num(b))} {
			if u := ulps(m[k], want); u > 1 {
				t.Errorf("a %v, b %v, w %v: element %d is %v, want %s: %.2f ulp", a, b, w, k, m[k], want.Text('g', 20), u)
			}
		}
	}
	// A rotation, and a nilpotent matrix.
	sin, cos := refSinCos(12.5)
	m := Expm([]float64{0, -12.5, 12.5, 0}, 2)
	if ulps(m[0], cos) > 1 || ulps(m[2], sin) > 1 || m[1] != -m[2] || m[0] != m[3] {
		t.Errorf("rotation by 12.5: %v", m)
	}
	m = Expm([]float64{0, 2, 3, 0, 0, 4, 0, 0, 0}, 3)
	for k, want := range []float64{1, 2, 7, 0, 1, 4, 0, 0, 1} {
		if m[k] != want {
			t.Errorf("nilpotent: element %d is %v, want %v", k, m[k], want)
		}
	}
	if m := Expm([]float64{math.NaN()}, 1); m[0] == m[0] {
		t.Errorf("NaN gives %v", m)
	}
	if m := Expm(nil, 0); len(m) != 0 {
		t.Errorf("0 x 0 gives %v", m)
	}
}

func TestExpmInverse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 6).Draw(t, "n")
		a := rapid.SliceOfN(rapid.Float64Range(-2, 2), n*n, n*n).Draw(t, "a")
		neg := make([]float64, n*n)
		for k := range a {
			neg[k] = -a[k]
		}
		p, q := Expm(a, n), Expm(neg, n)
		for i := range n {
			for j := range n {
				var s, size float64
				for k := range n {
					s += p[i*n+k] * q[k*n+j]
					size += math.Abs(p[i*n+k] * q[k*n+j])
				}
				if i == j {
					s--
				}
				if math.Abs(s) > size*1e-15 {
					t.Fatalf("e^A e^-A differs from 1 by %v at %d, %d", s, i, j)
				}
			}
		}
	})
}

func TestSolve(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 9))
	for n := 1; n < 9; n++ {
		a, x, b := make([]float64, n*n), make([]float64, n), make([]float64, n)
		for k := range a {
			a[k] = math.Floor(r.Float64()*200) - 100
		}
		for k := range x {
			x[k] = math.Floor(r.Float64()*200) - 100
		}
		for i := range n {
			for j := range n {
				b[i] += a[i*n+j] * x[j]
			}
		}
		got, err := Solve(a, b, n)
		if err != nil {
			t.Fatal(err)
		}
		for k := range x {
			if got[k] != x[k] {
				t.Errorf("n %d: x[%d] = %v, want %v", n, k, got[k], x[k])
			}
		}
	}
	if _, err := Solve([]float64{1, 2, 2, 4}, []float64{1, 1}, 2); !errors.Is(err, ErrSingular) {
		t.Errorf("a singular matrix: %v", err)
	}
	if _, err := Solve([]float64{0.1, 0.3, 0.2, 0.6}, []float64{1, 1}, 2); !errors.Is(err, ErrSingular) {
		t.Logf("a matrix that is singular but for rounding is solved") // 0.2/0.1 and 0.6/0.3 round alike or not
	}
	if x, err := Solve([]float64{0, 1, 1, 0}, []float64{2, 3}, 2); err != nil || x[0] != 3 || x[1] != 2 {
		t.Errorf("a permutation: %v, %v", x, err)
	}
}

func BenchmarkFunctions(b *testing.B) {
	for _, f := range functions {
		xs := f.sweep(256, 2)
		b.Run(f.name, func(b *testing.B) {
			var s float64
			for k := range b.N {
				s += f.f(xs[k%len(xs)])
			}
			sink = s
		})
	}
}

var sink float64
