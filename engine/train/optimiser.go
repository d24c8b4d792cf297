package train

import (
	"math"

	"synfire/engine/num"
)

// Optimiser makes steps of parameters from gradients.
type Optimiser interface {
	// step changes x by its gradient g; t counts the steps from 1, m are two words of memory for each.
	step(t int, rate float64, x, g []float64, m [2][]float64)
	// Power is that of a parameter's unit in the unit of the rate.
	power() int
}

// SGD is gradient descent: m = Momentum m + g, x -= rate m.
type SGD struct{ Momentum float64 }

func (o SGD) power() int { return 2 }

func (o SGD) step(t int, rate float64, x, g []float64, m [2][]float64) {
	for k := range x {
		m[0][k] = float64(o.Momentum*m[0][k]) + g[k]
		x[k] -= float64(rate * m[0][k])
	}
}

// Adam is the method of Kingma and Ba (2015); zeros stand for its usual constants
// .9, .999 and 1e-8.
type Adam struct{ Beta1, Beta2, Epsilon float64 }

func (o Adam) power() int { return 1 }

func (o Adam) step(t int, rate float64, x, g []float64, m [2][]float64) {
	b1, b2, eps := or(o.Beta1, 0.9), or(o.Beta2, 0.999), or(o.Epsilon, 1e-8)
	c1, c2 := 1-num.Pow(b1, float64(t)), 1-num.Pow(b2, float64(t))
	for k := range x {
		m[0][k] = float64(b1*m[0][k]) + float64((1-b1)*g[k])
		m[1][k] = float64(b2*m[1][k]) + float64((1-b2)*float64(g[k]*g[k]))
		x[k] -= float64(rate * (m[0][k] / c1) / (math.Sqrt(m[1][k]/c2) + eps))
	}
}

func or(x, otherwise float64) float64 {
	if x == 0 {
		return otherwise
	}
	return x
}
