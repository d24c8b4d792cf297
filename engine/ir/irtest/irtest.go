// Package irtest makes random IR programs and memory to run them on, for the
// tests of everything that must equal ir.Eval to the bit.
package irtest

import (
	"math"

	"synfire/engine/ir"

	"pgregory.net/rapid"
)

// Options says what a random program may contain. The zero value is a plain
// elementwise program.
type Options struct {
	Ops     int  // operations to draw, 0 means 5 to 40
	Scatter bool // adds to accumulators, puts into tables
	Phases  int  // Step, Host and Rand up to this many steps ahead
}

// Sizes of what programs refer to.
const (
	TableWords = 64 // words of each Table slot; Accum slots have as many elements
	HostWords  = 6  // host words of each step
)

// RandomProg draws a valid program. Its slots are arrays f0 to f3 (F32), i0, i1
// (I32), masks m0, m1, tables tf (F32), ti (I32), own (F32, gathered and put at
// the lane's index modulo TableWords only with Scatter), accumulators acc (I32)
// and acc2 (two words).
func RandomProg(t *rapid.T, o Options) *ir.Prog {
	b := ir.NewBuilder("random")
	g := newGen(t, b, o)
	g.run()
	p, err := b.Prog()
	if err != nil {
		t.Fatalf("random program: %v", err)
	}
	return p
}

// RandomEnv draws memory for lanes lanes of p: floats as stores keep them, small
// ones, limits and zeros among them; any words for integers.
func RandomEnv(t *rapid.T, p *ir.Prog, lanes int) *ir.Env {
	seed := rapid.Uint64().Draw(t, "memory")
	next := func() uint32 { // splitmix64: drawing each word from rapid would be slow
		seed += 0x9e3779b97f4a7c15
		z := seed
		z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
		z = (z ^ z>>27) * 0x94d049bb133111eb
		return uint32((z ^ z>>31) >> 32)
	}
	e := &ir.Env{
		Lane0: uint32(rapid.IntRange(0, 1<<20).Draw(t, "lane0")) * 32,
		Step:  rapid.Uint32Range(0, 1<<31).Draw(t, "step"),
		Seed:  [2]uint32{next(), next()},
		HostN: HostWords,
		Drawn: next(),
	}
	for range HostWords * 256 {
		e.Host = append(e.Host, math.Float32bits(StoredFloat(next(), next())))
	}
	for _, s := range p.Slots {
		n := lanes
		switch s.Kind {
		case ir.Table:
			n = TableWords
		case ir.Mask:
			n = (lanes + 31) / 32
		case ir.Accum:
			n = 2 * TableWords
		}
		mem := make([]uint32, n)
		for i := range mem {
			switch {
			case s.Kind == ir.Mask || s.Kind == ir.Accum:
				mem[i] = next()
			case s.Type == ir.F32:
				mem[i] = math.Float32bits(StoredFloat(next(), next()))
			case s.Type == ir.Bool:
				mem[i] = next() & 1
			case next()%4 == 0:
				mem[i] = next()
			default:
				mem[i] = next()%200 - 100
			}
		}
		e.Slots = append(e.Slots, mem)
	}
	for range p.Traps {
		e.Traps = append(e.Traps, ir.NoTrap)
	}
	return e
}

// StoredFloat makes a number that memory may hold from two random words: plain
// magnitudes mostly, then all exponents, whole numbers, limits, zero.
func StoredFloat(u, v uint32) float32 {
	sign := u << 31
	mant := v & 0x7fffff
	var x float32
	switch u >> 28 {
	case 0:
		x = 0
	case 1:
		x = float32(v % 64)
	case 2:
		x = []float32{0x1p-80, 0x1p40, 1, 0.5, 0x1.fffffep39, 0x1.000002p-80, 0x1p24, 0x1p23}[v%8]
	case 3, 4, 5, 6, 7:
		x = math.Float32frombits((47+(u>>1)%120)<<23 | mant) // 2^-80 to 2^39
	case 8, 9:
		x = math.Float32frombits((115+(u>>1)%24)<<23 | mant) // 2^-12 to 2^11
	default:
		x = math.Float32frombits((124+(u>>1)%10)<<23 | mant)
	}
	if x == 0 {
		return 0
	}
	return ir.CanonF(math.Float32frombits(math.Float32bits(x) ^ sign))
}

// CloneEnv copies e with all its memory.
func CloneEnv(e *ir.Env) *ir.Env {
	c := *e
	c.Slots = make([][]uint32, len(e.Slots))
	for i, s := range e.Slots {
		c.Slots[i] = append([]uint32(nil), s...)
	}
	c.Host = append([]uint32(nil), e.Host...)
	c.Traps = append([]uint32(nil), e.Traps...)
	return &c
}

// Proper says that x is a number the contract allows: no subnormal, no -0, no
// infinity, no NaN.
func Proper(x float32) bool {
	w := math.Float32bits(x)
	e := w >> 23 & 255
	return w == 0 || e != 0 && e != 255
}
