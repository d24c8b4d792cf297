package ir

// Fixed-point sums (rule 6) and two-word floats (rule 10).

// AddTwo adds inc to the two-word float (hi, lo) by two-sum.
func (b *Builder) AddTwo(hi, lo, inc Value) (Value, Value) { return b.todo("addtwo"), lo }

// Fix32 is floor(x*scale + 1/2) as I32, scale a power of two; beyond +-bound x
// is clamped and code is trapped (code < 0: no trap, bound is proved).
func (b *Builder) Fix32(x Value, scale, bound float64, code int) Value { return b.todo("fix32") }

// Fix64 is Fix32 in two words.
func (b *Builder) Fix64(x Value, scale, bound float64, code int) (lo, hi Value) {
	return b.todo("fix64"), b.todo("fix64")
}

// Unfix32 is the float of a fixed-point sum, acc / scale.
func (b *Builder) Unfix32(acc Value, scale float64) Value { return b.todo("unfix32") }

// Unfix64 is Unfix32 of a two-word sum.
func (b *Builder) Unfix64(lo, hi Value, scale float64) Value { return b.todo("unfix64") }
