package ir

import "math"

// Range is what is known about a value: Lo <= value <= Hi; when it is a float
// that is not 0 its magnitude is at least Tiny; and it is a multiple of Grain, a
// power of two. The zero Range stands for what a store keeps, Stored. Integers
// (read as signed) use Lo and Hi alone.
type Range struct {
	Lo, Hi float64
	Tiny   float64 // 0: 2^-80, as stored, or what Lo and Hi imply
	Grain  float64 // 0: the unit in the last place of Tiny
}

// Stored is the range of every float in memory (rules 3 and 4).
var Stored = Range{Lo: -0x1p40, Hi: 0x1p40, Tiny: FlushStore, Grain: 0x1p-103}

const (
	boundMax   = 0x1p126 // no bound may pass it (rule 4)
	boundClamp = 0x1p60  // operands are clamped here where one would
)

var (
	wholeInt = Range{Lo: -0x1p31, Hi: 0x1p31 - 1, Tiny: 1, Grain: 1}
	truthful = Range{Lo: 0, Hi: 1, Tiny: 1, Grain: 1}
)

// full fills in what r leaves open.
func (r Range) full() Range {
	if r.Lo == 0 && r.Hi == 0 && r.Tiny == 0 && r.Grain == 0 {
		return Stored
	}
	r.Lo, r.Hi = float64(float32(r.Lo)), float64(float32(r.Hi))
	if r.Tiny == 0 {
		if r.Tiny = r.least(); r.Tiny == 0 {
			r.Tiny = FlushStore
		}
	}
	r.Tiny = max(r.Tiny, r.least())
	if r.Grain == 0 {
		r.Grain = ulp(r.Tiny)
	}
	return r
}

// least is a lower bound of the magnitude: 0 where the range holds 0.
func (r Range) least() float64 {
	switch {
	case r.Lo > 0:
		return r.Lo
	case r.Hi < 0:
		return -r.Hi
	}
	return 0
}

func (r Range) mag() float64          { return max(-r.Lo, r.Hi) }
func (r Range) zero() bool            { return r.Lo <= 0 && r.Hi >= 0 }
func (r Range) within(m float64) bool { return r.Lo >= -m && r.Hi <= m }

// and is the intersection: both facts hold.
func (r Range) and(s Range) Range {
	r.Lo, r.Hi = max(r.Lo, s.Lo), min(r.Hi, s.Hi)
	r.Tiny, r.Grain = max(r.Tiny, s.Tiny, r.least()), max(r.Grain, s.Grain)
	return r
}

// or is the union: one of the facts holds.
func (r Range) or(s Range) Range {
	r.Lo, r.Hi = min(r.Lo, s.Lo), max(r.Hi, s.Hi)
	r.Tiny, r.Grain = min(r.Tiny, s.Tiny), min(r.Grain, s.Grain)
	return r
}

func (r Range) neg() Range { r.Lo, r.Hi = 0-r.Hi, 0-r.Lo; return r }

func (r Range) abs() Range {
	r.Lo, r.Hi = r.least(), r.mag()
	return r
}

// add is the range of the rounded sum. A sum of which one operand is at least m
// in magnitude is 0 or exact near cancellation (Sterbenz's lemma), so that it is
// a multiple of half an ulp of m; any sum is a multiple of the operands' grains.
func (r Range) add(s Range) Range {
	t := Range{Lo: single(r.Lo + s.Lo), Hi: single(r.Hi + s.Hi)}
	t.Grain = min(r.Grain, s.Grain)
	if m := max(r.least(), s.least()); m > 0 {
		t.Grain = max(t.Grain, ulp(m)/2)
	}
	t.Tiny = max(t.Grain, t.least())
	return t
}

// mul is the range of the rounded product, before any flush.
func (r Range) mul(s Range) Range {
	a, b, c, d := float64(r.Lo*s.Lo), float64(r.Lo*s.Hi), float64(r.Hi*s.Lo), float64(r.Hi*s.Hi)
	t := Range{Lo: single(min(a, b, c, d)), Hi: single(max(a, b, c, d))}
	t.Tiny = float64(r.Tiny * s.Tiny)
	if t.Tiny >= FlushProduct {
		t.Tiny = single(t.Tiny)
	}
	t.Grain = max(float64(r.Grain*s.Grain), ulp(t.Tiny))
	return t
}

// flushed is the range after MulZ.
func (r Range) flushed() Range {
	if r.Tiny < FlushProduct {
		r.Tiny = FlushProduct
		r.Grain = max(r.Grain, ulp(FlushProduct))
	}
	if r.Lo > 0 && r.Lo < FlushProduct {
		r.Lo = 0
	}
	if r.Hi < 0 && r.Hi > -FlushProduct {
		r.Hi = 0
	}
	return r
}

// rangeOfConst is the range of the constant with word w.
func rangeOfConst(t Type, w uint32) Range {
	switch t {
	case F32:
		x := float64(math.Float32frombits(w))
		if x == 0 {
			return Range{Tiny: math.Inf(1), Grain: math.Inf(1)}
		}
		f, e := math.Frexp(math.Abs(x))
		n := uint64(math.Ldexp(f, 53))
		return Range{Lo: x, Hi: x, Tiny: math.Abs(x), Grain: math.Ldexp(float64(n&-n), e-53)}
	case Bool:
		return Range{Lo: float64(w), Hi: float64(w), Tiny: 1, Grain: 1}
	}
	return Range{Lo: float64(int32(w)), Hi: float64(int32(w)), Tiny: 1, Grain: 1}
}

func single(x float64) float64 { return float64(float32(x)) }

// ulp is the unit in the last place of a binary32 number of magnitude x.
func ulp(x float64) float64 {
	if math.IsInf(x, 1) {
		return x
	}
	_, e := math.Frexp(x)
	return math.Ldexp(1, e-24)
}

// transfer is the range of in's result, given those of its operands.
func transfer(in *Instr, r []Range) Range {
	var a, b, c Range
	if in.A >= 0 {
		a = r[in.A]
	}
	if in.B >= 0 {
		b = r[in.B]
	}
	if in.C >= 0 {
		c = r[in.C]
	}
	switch in.Op {
	case Const:
		return rangeOfConst(in.Type, in.Imm)
	case AddF:
		return a.add(b)
	case SubF:
		return a.add(b.neg())
	case MulF, MulZ:
		p := a.mul(b)
		if in.A == in.B {
			p = Range{Lo: single(float64(a.least() * a.least())), Hi: p.Hi, Tiny: p.Tiny, Grain: p.Grain}
		}
		if in.Op == MulZ {
			p = p.flushed()
		}
		return p
	case NegF:
		return a.neg()
	case AbsF:
		return a.abs()
	case FloorF:
		return Range{Lo: math.Floor(a.Lo), Hi: math.Floor(a.Hi), Tiny: 1, Grain: 1}
	case Canon:
		s := Range{Lo: max(-0x1p40, min(0x1p40, a.Lo)), Hi: min(0x1p40, max(-0x1p40, a.Hi)), Tiny: max(a.Tiny, FlushStore), Grain: a.Grain}
		if s.Lo > 0 && s.Lo < FlushStore {
			s.Lo = 0
		}
		if s.Hi < 0 && s.Hi > -FlushStore {
			s.Hi = 0
		}
		s.Grain = max(s.Grain, ulp(s.Tiny))
		if !a.within(0x1p40) {
			s.Tiny, s.Grain = min(s.Tiny, 0x1p40), min(s.Grain, 0x1p40)
		}
		return s
	case F2I:
		return Range{Lo: max(-0x1p31, min(0x1p31-128, math.Trunc(a.Lo))), Hi: max(-0x1p31, min(0x1p31-128, math.Trunc(a.Hi))), Tiny: 1, Grain: 1}
	case I2F:
		return Range{Lo: single(a.Lo), Hi: single(a.Hi), Tiny: 1, Grain: 1}
	case AddI:
		return wrapped(a.Lo+b.Lo, a.Hi+b.Hi)
	case SubI:
		return wrapped(a.Lo-b.Hi, a.Hi-b.Lo)
	case MulI:
		p, q, s, t := float64(a.Lo*b.Lo), float64(a.Lo*b.Hi), float64(a.Hi*b.Lo), float64(a.Hi*b.Hi)
		return wrapped(min(p, q, s, t), max(p, q, s, t))
	case And:
		switch {
		case a.Lo >= 0 && b.Lo >= 0:
			return wrapped(0, min(a.Hi, b.Hi))
		case a.Lo >= 0:
			return wrapped(0, a.Hi)
		case b.Lo >= 0:
			return wrapped(0, b.Hi)
		}
	case ShrU:
		if b.Lo == b.Hi {
			if n := uint32(int32(b.Lo)) & 31; n > 0 {
				return wrapped(0, float64(^uint32(0)>>n))
			}
			return a
		}
	case ShrS:
		if b.Lo == b.Hi {
			n := uint32(int32(b.Lo)) & 31
			return wrapped(float64(int32(a.Lo)>>n), float64(int32(a.Hi)>>n))
		}
	case Shl:
		if b.Lo == b.Hi {
			n := math.Ldexp(1, int(uint32(int32(b.Lo))&31))
			return wrapped(float64(a.Lo*n), float64(a.Hi*n))
		}
	case Sel:
		return b.or(c)
	}
	switch in.Type {
	case F32:
		return Stored
	case Bool:
		return truthful
	}
	return wholeInt
}

func wrapped(lo, hi float64) Range {
	if lo < -0x1p31 || hi > 0x1p31-1 {
		return wholeInt
	}
	return Range{Lo: lo, Hi: hi, Tiny: 1, Grain: 1}
}
