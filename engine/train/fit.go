package train

import (
	"context"

	"synfire/engine/philox"
)

// FitOptions say how samples are gone through.
type FitOptions struct {
	Epochs, Batch int               // times through all samples; samples for one step of the optimiser
	InOrder       bool              // samples are not shuffled
	Told          func(*Epoch) bool // called after each epoch; false ends the training
}

// Epoch is one way through all samples: the mean loss and the samples told right,
// each as it was when its turn came.
type Epoch struct {
	Number, Right, Samples int
	Loss                   float64
}

// purpose is the stream of the order of samples (design section 3, rule 7).
const purpose = 0x7261696e

// Fit trains with batches of samples, in an order that follows from the seed.
func (t *Trainer) Fit(ctx context.Context, samples []Sample, o FitOptions) ([]Epoch, error) {
	seed := t.net.Random.Seed
	key := [2]uint32{uint32(seed), uint32(seed >> 32)}
	order := make([]int, len(samples))
	for k := range order {
		order[k] = k
	}
	var all []Epoch
	for n := range o.Epochs {
		if !o.InOrder {
			for k := len(order) - 1; k > 0; k-- {
				j := int(uint64(philox.Word(uint32(k), uint32(n), 0, purpose, key)) * uint64(k+1) >> 32)
				order[k], order[j] = order[j], order[k]
			}
		}
		e := Epoch{Number: n, Samples: len(samples)}
		for first := 0; first < len(order); first += o.Batch {
			var batch []Sample
			for _, k := range order[first:min(first+o.Batch, len(order))] {
				batch = append(batch, samples[k])
			}
			r, err := t.Step(ctx, batch)
			if err != nil {
				return all, err
			}
			e.Right += r.Right
			e.Loss += r.Loss * float64(len(batch)) / float64(len(samples))
		}
		all = append(all, e)
		if o.Told != nil && !o.Told(&e) {
			break
		}
	}
	return all, nil
}
