package ir

// Expansions (design section 3, rule 5).

func (b *Builder) todo(what string) Value { b.fail("%s is not implemented yet", what); return b.F(0) }

// Div is x / y within 3 ulp; y = 0 gives +-2^100 with the sign of x.
func (b *Builder) Div(x, y Value) Value { return b.todo("div") }

// Sqrt is the square root within 2 ulp; -2^100 of a negative number.
func (b *Builder) Sqrt(x Value) Value { return b.todo("sqrt") }

// Exp is e^x: 0 below 2^-100 and 2^100 at most.
func (b *Builder) Exp(x Value) Value { return b.todo("exp") }

// Expm1 is e^x - 1, accurate near 0; 2^100 at most.
func (b *Builder) Expm1(x Value) Value { return b.todo("expm1") }

// Exprel is (e^x - 1)/x, 1 at 0; 2^100 at most.
func (b *Builder) Exprel(x Value) Value { return b.todo("exprel") }

// Log is the natural logarithm; -2^100 where x is not positive.
func (b *Builder) Log(x Value) Value { return b.todo("log") }

// Log1p is log(1 + x), accurate near 0; -2^100 at and below -1.
func (b *Builder) Log1p(x Value) Value { return b.todo("log1p") }

// Log10 is the decimal logarithm; -2^100 where x is not positive.
func (b *Builder) Log10(x Value) Value { return b.todo("log10") }

// Log2 is the binary logarithm; -2^100 where x is not positive.
func (b *Builder) Log2(x Value) Value { return b.todo("log2") }

// Pow is x^y for x >= 0 (and for negative x where y is whole).
func (b *Builder) Pow(x, y Value) Value { return b.todo("pow") }

// PowInt is x^n by multiplication.
func (b *Builder) PowInt(x Value, n int) Value { return b.todo("pow") }

// Sin is the sine of x radians.
func (b *Builder) Sin(x Value) Value { return b.todo("sin") }

// Cos is the cosine of x radians.
func (b *Builder) Cos(x Value) Value { return b.todo("cos") }

// Tan is the tangent of x radians.
func (b *Builder) Tan(x Value) Value { return b.todo("tan") }

// Asin is the inverse sine; +-2^100 outside [-1, 1].
func (b *Builder) Asin(x Value) Value { return b.todo("asin") }

// Acos is the inverse cosine; 2^100 below -1 and -2^100 above 1.
func (b *Builder) Acos(x Value) Value { return b.todo("acos") }

// Atan is the inverse tangent.
func (b *Builder) Atan(x Value) Value { return b.todo("atan") }

// Sinh is the hyperbolic sine.
func (b *Builder) Sinh(x Value) Value { return b.todo("sinh") }

// Cosh is the hyperbolic cosine.
func (b *Builder) Cosh(x Value) Value { return b.todo("cosh") }

// Tanh is the hyperbolic tangent.
func (b *Builder) Tanh(x Value) Value { return b.todo("tanh") }

// Mod is x - y*floor(x/y), which has the sign of y as in Python.
func (b *Builder) Mod(x, y Value) Value { return b.todo("mod") }

// FloorDiv is floor(x/y).
func (b *Builder) FloorDiv(x, y Value) Value { return b.todo("floordiv") }

// Sign is -1, 0 or 1.
func (b *Builder) Sign(x Value) Value {
	return b.Sel(b.Lt(x, b.F(0)), b.F(-1), b.Sel(b.Lt(b.F(0), x), b.F(1), b.F(0)))
}

// Heaviside is 1 where x > 0, 0 where x < 0, one half at 0.
func (b *Builder) Heaviside(x Value) Value {
	return b.Sel(b.Lt(x, b.F(0)), b.F(0), b.Sel(b.Lt(b.F(0), x), b.F(1), b.F(0.5)))
}

// DivI is floor(x/y) of I32s; a divisor of 0 gives 0.
func (b *Builder) DivI(x, y Value) Value { return b.todo("divi") }

// ModI is x - y*floor(x/y) of I32s, with the sign of y; a divisor of 0 gives 0.
func (b *Builder) ModI(x, y Value) Value { return b.todo("modi") }
