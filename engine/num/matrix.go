package num

import (
	"errors"
	"math"
)

// Expm returns e^A for the n x n matrix a, in row-major order, by scaling, a Taylor series and squaring, all in two
// words: the result is correctly rounded but for matrices of very large norm. Elements that are exactly zero stay so
// where the structure of A (triangular, diagonal) says so. All NaN if an element is not finite.
func Expm(a []float64, n int) []float64 {
	out := make([]float64, n*n)
	var norm float64 // the largest sum of a row
	for i := range n {
		var s float64
		for _, x := range a[i*n : i*n+n] {
			s += math.Abs(x)
		}
		if !(s <= 0x1p200) {
			for k := range out {
				out[k] = math.NaN()
			}
			return out
		}
		norm = max(norm, s)
	}
	squarings := 0
	for norm > 0.25 {
		norm = float64(norm * 0.5)
		squarings++
	}
	x := make([]dd, n*n)
	for k, v := range a {
		x[k] = dd{scale(v, -squarings), 0}
	}
	// I + X(I + X/2(I + X/3(...))): 22 terms leave 0.25^23/23! = 2^-120.
	const terms = 22
	e, t := identity(n), make([]dd, n*n)
	for m := terms; m >= 1; m-- {
		matMul(t, x, e, n)
		for k := range e {
			e[k] = t[k].div(dd{float64(m), 0})
		}
		for i := range n {
			e[i*n+i] = e[i*n+i].addF(1)
		}
	}
	for range squarings {
		matMul(t, e, e, n)
		e, t = t, e
	}
	for k := range out {
		out[k] = e[k].value()
	}
	return out
}

func identity(n int) []dd {
	m := make([]dd, n*n)
	for i := range n {
		m[i*n+i].hi = 1
	}
	return m
}

func matMul(dst, a, b []dd, n int) {
	for i := range n {
		for j := range n {
			var s dd
			for k := range n {
				if x, y := a[i*n+k], b[k*n+j]; x.hi != 0 && y.hi != 0 {
					s = s.add(x.mul(y))
				}
			}
			dst[i*n+j] = s
		}
	}
}

// ErrSingular is Solve's answer to a matrix without an inverse.
var ErrSingular = errors.New("the matrix is singular")

// Solve returns x with A x = b, for the n x n matrix a in row-major order, by elimination with row pivoting and one step
// of refinement. Its arguments stay as they are. A matrix whose pivots vanish to rounding is ErrSingular.
func Solve(a, b []float64, n int) ([]float64, error) {
	m := make([]dd, n*n)
	x := make([]dd, n)
	var largest float64
	for k, v := range a {
		m[k].hi = v
		largest = max(largest, math.Abs(v))
	}
	for k, v := range b {
		x[k].hi = v
	}
	for c := range n {
		p := c
		for r := c + 1; r < n; r++ {
			if math.Abs(m[r*n+c].hi) > math.Abs(m[p*n+c].hi) {
				p = r
			}
		}
		if !(math.Abs(m[p*n+c].hi) > largest*0x1p-90) {
			return nil, ErrSingular
		}
		if p != c {
			for j := range n {
				m[p*n+j], m[c*n+j] = m[c*n+j], m[p*n+j]
			}
			x[p], x[c] = x[c], x[p]
		}
		for r := c + 1; r < n; r++ {
			if m[r*n+c].hi == 0 {
				continue
			}
			f := m[r*n+c].div(m[c*n+c])
			for j := c; j < n; j++ {
				m[r*n+j] = m[r*n+j].sub(f.mul(m[c*n+j]))
			}
			x[r] = x[r].sub(f.mul(x[c]))
		}
	}
	out := make([]float64, n)
	for r := n - 1; r >= 0; r-- {
		s := x[r]
		for j := r + 1; j < n; j++ {
			s = s.sub(m[r*n+j].mul(x[j]))
		}
		x[r] = s.div(m[r*n+r])
		out[r] = x[r].value()
		if bad(out[r]) {
			return nil, ErrSingular
		}
	}
	return out, nil
}
