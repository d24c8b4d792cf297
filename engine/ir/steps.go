package ir

import "math"

// Times in steps (design section 3, rule 9). A word holds steps from -FarStep to
// FarStep as they are. A time beyond, further than any run goes, is one whose
// distance matters only as a float does; the words that are left stand for such
// times: 19 bits of mantissa, 64 octaves, in the order of the times. The last
// word on either side is an infinite time. So a time in the distant past (a
// lastspike of -10,000 s at a fine step, -1e6*second, -inf) stays in the past.

// FarStep is the last step that a word holds as it is.
const FarStep = 1<<31 - 1<<25

const (
	farWords = 1<<25 - 1  // words beyond it, on either side
	farBits  = 0x4efc0000 // the float FarStep
	farShift = 4          // from one word to the next, in units of the float's last place
)

// StepsWord is the word for a number of steps.
func StepsWord(x float64) uint32 {
	if math.Abs(x) <= FarStep {
		return uint32(int32(math.Floor(x)))
	}
	n := int32(FarStep + farWords)
	if m := math.Abs(x); m < float64(math.Float32frombits(farBits+farWords<<farShift)) {
		n = FarStep + max(1, int32((math.Float32bits(float32(m))-farBits+1<<(farShift-1))>>farShift))
	}
	if x < 0 {
		n = -n
	}
	return uint32(n)
}

// StepsValue is the number of steps that a word stands for.
func StepsValue(w uint32) float64 {
	n := int32(w)
	m := max(n, -n)
	switch {
	case m <= FarStep && m >= 0:
		return float64(n)
	case m < 0 || m == FarStep+farWords:
		return math.Inf(int(n))
	}
	x := float64(math.Float32frombits(farBits + uint32(m-FarStep)<<farShift))
	if n < 0 {
		return -x
	}
	return x
}

// FromSteps is the float of a number of steps.
func (b *Builder) FromSteps(n Value) Value {
	if !b.want(AddI, 'i', n) {
		return b.dummy(F32)
	}
	if b.r[n].within(FarStep) {
		return b.I2F(n)
	}
	m := b.AbsI(n)
	word := b.AndI(b.SubI(m, b.I(FarStep)), b.U(farWords)) // a proper float, chosen or not
	far := b.float(b.AddI(b.Shl(word, b.I(farShift)), b.U(farBits)), Range{Lo: 0x1p30, Hi: 0x1p95})
	return b.Sel(b.LtI(b.I(FarStep), m), b.withSign(b.LtI(n, b.I(0)), far), b.I2F(n))
}

// ToSteps is the number of steps that a whole float stands for.
func (b *Builder) ToSteps(x Value) Value {
	if !b.want(AddF, 'f', x) {
		return b.dummy(I32)
	}
	if b.r[x].within(FarStep) {
		return b.F2I(x)
	}
	m := b.Min(b.Abs(x), b.lit(float64(math.Float32frombits(farBits+farWords<<farShift))))
	n := b.AddI(b.ShrU(b.SubI(b.bits(m), b.U(farBits)), b.I(farShift)), b.I(FarStep))
	n = b.Sel(b.Lt(x, b.F(0)), b.NegI(n), n)
	return b.Sel(b.Lt(b.F(FarStep), m), n, b.F2I(x))
}

// SinceSteps is the time between two, to - from: as steps, which end at +-(2^31 - 1),
// and as a float.
func (b *Builder) SinceSteps(to, from Value) (steps, float Value) {
	if !b.want(SubI, 'i', to, from) {
		return b.dummy(I32), b.dummy(F32)
	}
	const most = math.MaxInt32
	if b.r[to].Lo >= 0 && b.r[to].Hi <= FarStep { // the present step: only what is far back can be too far
		from0 := from
		least := b.SubI(to, b.I(most))
		from = b.Sel(b.LtI(from, least), least, from)
		steps = b.SubI(to, from)
		far := b.OrB(b.LtI(b.I(FarStep), b.AbsI(from0)), b.EqI(steps, b.I(most)))
		return steps, b.Sel(far, b.Sub(b.I2F(to), b.FromSteps(from0)), b.I2F(steps))
	}
	d := b.SubI(to, from)
	neg := b.LtI(to, b.I(0))
	beyond := b.LtI(b.AndI(b.XorI(to, from), b.XorI(to, d)), b.I(0))
	steps = b.Sel(beyond, b.Sel(neg, b.I(-most), b.I(most)), d)
	far := b.OrB(beyond, b.OrB(b.LtI(b.I(FarStep), b.AbsI(to)), b.LtI(b.I(FarStep), b.AbsI(from))))
	return steps, b.Sel(far, b.Sub(b.FromSteps(to), b.FromSteps(from)), b.I2F(steps))
}

// AddSteps is the time n steps after another.
func (b *Builder) AddSteps(at, n Value) Value {
	sum := b.Add(b.FromSteps(at), b.FromSteps(n))
	return b.Sel(b.Lt(b.Abs(sum), b.F(FarStep-256)), b.AddI(at, n), b.ToSteps(sum))
}
