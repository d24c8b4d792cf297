package eqn

import (
	"synfire/engine/ir"
	"synfire/engine/num"
)

// Binomial is a function without arguments that draws from a binomial
// distribution: Brian2's BinomialFunction.
type Binomial struct {
	N int     // trials
	P float64 // probability of each
}

// binomialName is how functions knows all of them; no text can name it.
const binomialName = "<binomial>"

// Symbol is the function under a name.
func (f *Binomial) Symbol() *Symbol {
	return &Symbol{Name: binomialName, Kind: Function, ReadOnly: true, Binomial: f}
}

func (l *lowerer) binomial(e *Call) val {
	stream, draw := l.m.Stream(Site{"binomial", e.At})
	x, err := CountTrials(l.b, l.m.Item(), stream, draw, e.Sym.Binomial.N, e.Sym.Binomial.P)
	if err != nil {
		l.fail(At(e.At, "", "%s(): %v", e.Func, err))
		return number64(0)
	}
	return float(l.b.I2F(x))
}

// MostParts is into how many parts of one table each a number of trials is cut.
const MostParts = 64

// CountTrials is a binomial number with n trials of probability p. Trials are cut
// into parts whose tables stay short; sums of binomial numbers are binomial. Its
// random words are those of a stream from draw on.
func CountTrials(b *ir.Builder, item ir.Value, stream, draw uint32, n int, p float64) (ir.Value, error) {
	if float64(float64(n)*p) < ir.Rarely {
		return b.CountRare(b.Rand(item, stream, draw), b.More(item, stream, draw+1), num.BinomialTails(n, p)), nil
	}
	parts := max(1, int(float64(n)*p/16+0.999))
	parts = min(parts, MostParts)
	var sum ir.Value = ir.None
	tables := map[int][]float64{} // by trials: parts differ by one at most
	for k := range parts {
		trials := n*(k+1)/parts - n*k/parts
		table := tables[trials]
		if table == nil {
			var err error
			if table, err = num.BinomialTable(trials, p); err != nil {
				return ir.None, err
			}
			tables[trials] = table
		}
		x := b.CountTable(b.Rand(item, stream, draw+uint32(k)), table)
		if sum == ir.None {
			sum = x
		} else {
			sum = b.AddI(sum, x)
		}
	}
	return sum, nil
}
