package ir

// Unit is a uniform number in [0, 1) from a random word: its upper 24 bits.
func (b *Builder) Unit(word Value) Value {
	return b.Mul(b.I2F(b.ShrU(word, b.I(8))), b.F(0x1p-24))
}

// Normal is a standard normal number from a random word, by the inverse of the
// distribution at (word + 1/2)/2^32.
func (b *Builder) Normal(word Value) Value { return b.todo("normal") }

// Below is true with probability p: word < round(p * 2^32), always for p >= 1.
func (b *Builder) Below(word Value, p float64) Value { return b.todo("below") }

// CountTable is the number of thresholds round(cdf[k] * 2^32) that are <= word:
// the draw of a distribution with cumulative probabilities cdf (I32).
func (b *Builder) CountTable(word Value, cdf []float64) Value { return b.todo("counttable") }

// Poisson is a draw of mean lambda (rule 7): by inversion of word(0) up to a
// mean of 10, by a rounded normal of word(1) above.
func (b *Builder) Poisson(lambda Value, word func(draw uint32) Value) Value { return b.todo("poisson") }
