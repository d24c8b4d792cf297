package ir

// Mod is x - y*floor(x/y), which has the sign of y as in Python; exact up to a
// quotient of 2^12. y = 0 gives +-2^100 with the sign of x.
func (b *Builder) Mod(x, y Value) Value { _, m := b.divmod(x, y); return m }

// FloorDiv is floor(x/y), exact as Mod.
func (b *Builder) FloorDiv(x, y Value) Value { q, _ := b.divmod(x, y); return q }

func (b *Builder) divmod(x, y Value) (q, m Value) {
	if !b.want(AddF, 'f', x, y) {
		return b.dummy(F32), b.dummy(F32)
	}
	zero, neg := b.Eq(y, b.F(0)), b.Lt(y, b.F(0))
	first := x
	if b.r[y].Lo < 0 { // x mod y = -(-x mod -y)
		x = b.withSign(neg, x)
	}
	d := b.Sel(zero, b.F(1), b.Abs(y))
	b.Assume(d, Range{Lo: min(1, b.r[y].Tiny), Hi: max(1, b.r[y].mag())})
	q = b.Floor(b.Div(x, d))
	// q*d in two exact parts: the upper 12 bits of d and the rest.
	t := b.r[d]
	high := b.float(b.AndI(b.bits(d), b.U(0xfffff000)), Range{Lo: float64(t.Lo * 0.999), Hi: t.Hi, Grain: t.Grain})
	low := b.Assume(b.Sub(d, high), Range{Lo: 0, Hi: t.Hi * 0x1p-11})
	m = b.Sub(b.Sub(x, b.Mul(q, high)), b.Mul(q, low))
	// The quotient may be off by one where it is nearly whole (never where it is
	// -1: then m may round to d, as in Python).
	under := b.Lt(m, b.F(0))
	above := b.AndB(b.Le(d, m), b.Ne(q, b.F(-1)))
	m = b.Sel(under, b.Add(m, d), b.Sel(above, b.Sub(m, d), m))
	q = b.Sel(under, b.Sub(q, b.F(1)), b.Sel(above, b.Add(q, b.F(1)), q))
	m = b.clamp(m, 0, t.Hi) // a quotient too large for its remainder to mean anything
	m = b.withSign(neg, m)
	out := b.Sel(b.Lt(first, b.F(0)), b.lit(-huge), b.lit(huge))
	return b.Sel(zero, out, q), b.Sel(zero, out, m)
}

// DivI is floor(x/y) of I32s above -2^31; a divisor of 0 gives 0.
func (b *Builder) DivI(x, y Value) Value { q, _ := b.divmodI(x, y); return q }

// ModI is x - y*floor(x/y) of I32s above -2^31, with the sign of y; a divisor of
// 0 gives 0.
func (b *Builder) ModI(x, y Value) Value { _, m := b.divmodI(x, y); return m }

func (b *Builder) divmodI(x, y Value) (q, m Value) {
	if !b.want(AddI, 'i', x, y) {
		return b.dummy(I32), b.dummy(I32)
	}
	o := b.I(0)
	neg := b.LtI(y, o)
	zero := b.EqI(y, o)
	if r := b.r[y]; r.Lo > 0 {
		zero = b.B(false)
	}
	x = b.Sel(neg, b.NegI(x), x)
	d := b.Sel(zero, b.I(1), b.Sel(neg, b.NegI(y), y))
	if b.r[y].Lo <= -0x1p31 { // -2^31 has no magnitude: it is read as 1
		d = b.Sel(b.LtI(d, b.I(1)), b.I(1), d)
	}
	b.Assume(d, Range{Lo: 1, Hi: 0x1p31 - 1})
	fd := b.Assume(b.I2F(d), Range{Lo: 1, Hi: 0x1p31})
	var rcp Value
	if w, ok := b.constant(fd); ok {
		rcp = b.lit(1 / float64(float32From(w)))
	} else {
		rcp = b.reciprocal(fd)
	}
	// Each pass leaves a remainder of at most d and 2^-22 of what it was.
	q, m = o, x
	passes := 2
	if b.r[x].within(0x1p22) {
		passes = 1
	}
	for range passes {
		p := b.F2I(b.Floor(b.Mul(b.I2F(m), rcp)))
		q, m = b.AddI(q, p), b.SubI(m, b.MulI(p, d))
	}
	under := b.op(LtI, Bool, m, o)
	m, q = b.Sel(under, b.AddI(m, d), m), b.Sel(under, b.SubI(q, b.I(1)), q)
	above := b.NotB(b.op(LtI, Bool, m, d))
	m, q = b.Sel(above, b.SubI(m, d), m), b.Sel(above, b.AddI(q, b.I(1)), q)
	m = b.Sel(neg, b.NegI(m), m)
	return b.Sel(zero, o, q), b.Sel(zero, o, m)
}
