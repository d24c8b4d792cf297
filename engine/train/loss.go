package train

import (
	"fmt"
	"math"
	"slices"

	"synfire/engine/model"
	"synfire/engine/num"
)

// Readout is what a loss sees of a sample: of each step, the spikes of the group that
// is read, or the values of a variable at the step's end.
type Readout struct {
	Steps, N int
	X        []float64 // Steps x N, values in SI units
	D        []float64 // the loss's derivatives with respect to X, which the loss fills in
}

// Loss tells how far a readout is from what was wanted.
type Loss struct {
	Name   string
	Group  *model.NeuronGroup // whose spikes are read, or
	Var    *model.Var         // a variable
	Labels bool               // a target is the number of the neuron that should win
	Of     func(r *Readout, target []float64) (loss float64)
	Output func(r *Readout) []float64 // one number for each neuron; the largest wins
}

// size is the number of neurons that are read.
func (l *Loss) size() (int, error) {
	if l.Var != nil {
		return l.Var.Len()
	}
	return l.Group.Size, nil
}

func (l *Loss) name() string {
	if l.Var != nil {
		v, _, _ := l.Var.Of()
		return v.FullName()
	}
	return l.Group.Name()
}

// suits checks a sample's target.
func (l *Loss) suits(target []float64, steps int) error {
	n, err := l.size()
	switch {
	case err != nil:
		return err
	case slices.ContainsFunc(target, func(x float64) bool { return math.IsNaN(x) || math.IsInf(x, 0) }):
		return fmt.Errorf("%s takes targets that are finite", l.Name)
	case l.Labels && len(target) != 1:
		return fmt.Errorf("%s takes one label for each sample, got %d values", l.Name, len(target))
	case l.Labels && (target[0] != math.Floor(target[0]) || target[0] < 0 || target[0] >= float64(n)):
		return fmt.Errorf("%s: the label %g is no neuron of %s, which has %d", l.Name, target[0], l.name(), n)
	case !l.Labels && len(target) != n && len(target) != n*steps:
		return fmt.Errorf("%s takes a target of %d values for each sample, or %d (of %d steps), got %d", l.Name, n, n*steps, steps, len(target))
	}
	return nil
}

// softmax is the cross entropy of logits and a label; d takes f times its derivatives.
func softmax(logits []float64, label int, f float64, d []float64) float64 {
	top, sum := math.Inf(-1), 0.0
	for _, x := range logits {
		top = max(top, x)
	}
	for _, x := range logits {
		sum += num.Exp(x - top)
	}
	for k, x := range logits {
		d[k] += float64(float64(f*num.Exp(x-top)) / sum)
	}
	d[label] -= f
	return f * (top + num.Log(sum) - logits[label])
}

func counts(r *Readout) []float64 {
	out := make([]float64, r.N)
	for k, x := range r.X {
		out[k%r.N] += x
	}
	return out
}

// CountCE is the cross entropy of spike counts and a label.
func CountCE(g *model.NeuronGroup) Loss {
	return Loss{Name: "ce_count_loss", Group: g, Labels: true, Output: counts, Of: func(r *Readout, target []float64) float64 {
		d := make([]float64, r.N)
		loss := softmax(counts(r), int(target[0]), 1, d)
		for k := range r.D {
			r.D[k] += d[k%r.N]
		}
		return loss
	}}
}

// RateCE is the cross entropy of the spikes of each step and a label, the mean over
// the steps.
func RateCE(g *model.NeuronGroup) Loss {
	return Loss{Name: "ce_rate_loss", Group: g, Labels: true, Output: counts, Of: func(r *Readout, target []float64) float64 {
		loss := 0.0
		for s := range r.Steps {
			loss += softmax(r.X[s*r.N:(s+1)*r.N], int(target[0]), 1/float64(r.Steps), r.D[s*r.N:(s+1)*r.N])
		}
		return loss
	}}
}

// CountMSE is the mean squared distance of spike counts from those wanted: a target is
// a label, whose neuron should fire in a part right of the steps, the others in a part wrong.
func CountMSE(g *model.NeuronGroup, right, wrong float64) Loss {
	return Loss{Name: "mse_count_loss", Group: g, Labels: true, Output: counts, Of: func(r *Readout, target []float64) float64 {
		loss, c, d := 0.0, counts(r), make([]float64, r.N)
		for k := range c {
			want := wrong
			if k == int(target[0]) {
				want = right
			}
			e := c[k] - float64(want*float64(r.Steps))
			loss += float64(e*e) / float64(r.N)
			d[k] = 2 * e / float64(r.N)
		}
		for k := range r.D {
			r.D[k] += d[k%r.N]
		}
		return loss
	}}
}

// MaxCE is the cross entropy of the largest values of a variable and a label.
func MaxCE(v *model.Var) Loss {
	largest := func(r *Readout) []int {
		at := make([]int, r.N)
		for k := range at {
			at[k] = k
		}
		for k, x := range r.X {
			if x > r.X[at[k%r.N]] {
				at[k%r.N] = k
			}
		}
		return at
	}
	out := func(r *Readout) []float64 {
		x := make([]float64, r.N)
		for k, at := range largest(r) {
			x[k] = r.X[at]
		}
		return x
	}
	return Loss{Name: "ce_max_membrane_loss", Var: v, Labels: true, Output: out, Of: func(r *Readout, target []float64) float64 {
		d := make([]float64, r.N)
		loss := softmax(out(r), int(target[0]), 1, d)
		for k, at := range largest(r) {
			r.D[at] += d[k]
		}
		return loss
	}}
}

// MSE is the mean squared distance of a variable from its target, over neurons and
// steps; a target of one value for each neuron holds at every step.
func MSE(v *model.Var) Loss {
	mean := func(r *Readout) []float64 {
		out := counts(r)
		for k := range out {
			out[k] /= float64(r.Steps)
		}
		return out
	}
	return Loss{Name: "mse_membrane_loss", Var: v, Output: mean, Of: func(r *Readout, target []float64) float64 {
		loss, f := 0.0, 1/float64(len(r.X))
		for k, x := range r.X {
			e := x - target[k%len(target)]
			loss += float64(f * float64(e*e))
			r.D[k] += float64(2 * f * e)
		}
		return loss
	}}
}
