//go:build linux && amd64

package vm

import (
	"sync"
	"unsafe"

	"synfire/engine/philox"
)

// fillArgs is what the machine code of a filler reads.
type fillArgs struct {
	counter, step, draw, stream uint32
	_                           [4]uint32
	keys                        [2 * philox.Rounds][8]uint32 // those of each round, eight times over for AVX2
	key                         [2]uint32                    // that they come from, if keyed
	keyed                       bool
}

// jitFill is a filler in machine code: a loop that makes the words of 32 (AVX2:
// 8) counters of Philox4x32-10 at a time, so that the latency of one counter's
// rounds hides behind the others. Counters sit in the even 32-bit elements of
// pairs of register sets, where the multiplication wants them; odd elements hold
// rubbish until the end. Which counter is in which element is chosen such that
// transposing 4 by 4 within lanes of 128 bits leaves the words in order.
type jitFill struct {
	exec  *executable
	block int // words of one turn
}

var fill512 = sync.OnceValues(func() (*jitFill, error) { return newFill(true) })
var fill256 = sync.OnceValues(func() (*jitFill, error) { return newFill(false) })

// fillBlock is a multiple of the words of one turn of every filler's loop.
const fillBlock = 128

// fillFor is the filler of a mode. It asks for dst to begin with the first word
// of a counter and to hold a multiple of fillBlock words.
func fillFor(m Mode) (*jitFill, error) {
	if m == JIT512 {
		return fill512()
	}
	return fill256()
}

func newFill(wide bool) (*jitFill, error) {
	g := &gen{wide: wide, eights: make(map[uint32]int32)}
	g.emitFill()
	x, err := newExecutable(g.link())
	if err != nil {
		return nil, err
	}
	return &jitFill{exec: x, block: int(4 * g.group() * g.fillPairs())}, nil
}

func (f *jitFill) run(a *fillArgs, dst []uint32, first, step, draw, stream uint32, key [2]uint32) {
	if len(dst) == 0 {
		return
	}
	a.counter, a.step, a.draw, a.stream = first/4, step, draw, stream
	if a.key != key || !a.keyed { // else they are there since the last call
		a.key, a.keyed = key, true
		for r := range philox.Rounds {
			for i := range 8 {
				a.keys[2*r][i], a.keys[2*r+1][i] = key[0], key[1]
			}
			key[0] += philox.W0
			key[1] += philox.W1
		}
	}
	enter(f.exec.entry(), unsafe.Pointer(a), unsafe.Pointer(unsafe.SliceData(dst)), len(dst)/f.block)
}

// fillPairs is the number of pairs of register sets: as many as fit.
func (g *gen) fillPairs() int32 {
	if g.wide {
		return 2
	}
	return 1
}

// emitFill writes the loop: DI the arguments, R8 the words, DX turns left.
func (g *gen) emitFill() {
	op := g.y
	if g.wide {
		op = g.v
	}
	field := func(k int32, bcast bool) arg {
		return at(mem{base: rdi, index: noIndex, disp: 4 * k, bcast: bcast})
	}
	spread := func(r uint8, x uint32) { // a constant to all elements
		m := g.constant(x)
		m.bcast = false
		op(vBroadcast, r, 0, at(m))
	}
	const m0, m1, base = 0, 1, 2 // base+1: the odd elements' counters
	lanes := uint32(g.group() / 4)
	order := [2][]uint32{}
	for i := range 4 * lanes {
		order[i%2] = append(order[i%2], lanes*(i%4)+i/4, 0)
	}
	spread(m0, philox.M0)
	spread(m1, philox.M1)
	op(vBroadcast, base, 0, field(0, false))
	op(vAddD, base+1, base, at(g.vector(order[1]...)))
	op(vAddD, base, base, at(g.vector(order[0]...)))
	if g.wide {
		g.byte(0xb8, 0xaa, 0xaa, 0, 0) // mov eax, 0xaaaa
		g.vex(kFrom, 0, 1, 0, reg(rax))
	}
	loop := len(g.buf)
	pairs := g.fillPairs()
	c := make([][6]uint8, 2*pairs) // four words and two temporaries of each set
	for h := range c {
		for k := range c[h] {
			c[h][k] = uint8(4 + 6*h + k)
		}
		op(vAnd, c[h][0], base+uint8(h%2), at(g.word(1<<30-1)))
		op(vAddD, base+uint8(h%2), base+uint8(h%2), at(g.word(4*lanes)))
		for k := int32(1); k < 4; k++ {
			op(vBroadcast, c[h][k], 0, field(k, false))
		}
	}
	for r := range int32(philox.Rounds) {
		for h := range c {
			x := &c[h]
			op(vMulUDQ, x[4], x[0], reg(m0))
			op(vMulUDQ, x[5], x[2], reg(m1))
			op(vShiftQ, 2, x[0], reg(x[5]), 32)
			op(vShiftQ, 2, x[2], reg(x[4]), 32)
			g.xor3(x[0], x[1], field(8+16*r, g.wide))
			g.xor3(x[2], x[3], field(16+16*r, g.wide))
			x[1], x[3], x[4], x[5] = x[5], x[4], x[1], x[3]
		}
	}
	for p := range pairs {
		g.transpose(c[2*p], c[2*p+1], p*4*g.vecBytes())
	}
	g.imm32(0, r8, pairs*4*g.vecBytes())
	g.imm32(5, rdx, 1)
	g.patch(g.jump(ccNotZero), loop)
	g.byte(0xc5, 0xf8, 0x77, 0xc3) // vzeroupper; ret
}

// transpose stores the words of a pair of sets in order.
func (g *gen) transpose(w, t [6]uint8, offset int32) {
	op := g.y
	if g.wide {
		op = g.v
	}
	for k := range 4 { // the words of the odd counters into the odd elements
		if g.wide {
			g.evex(vMovSLDup, w[k], 0, reg(t[k]), 1, false)
		} else {
			g.y(vMovSLDup, t[k], 0, reg(t[k]))
			g.y(vBlendD, w[k], w[k], reg(t[k]), 0xaa)
		}
	}
	op(vUnpckLPS, t[0], w[0], reg(w[1]))
	op(vUnpckHPS, t[1], w[0], reg(w[1]))
	op(vUnpckLPS, t[2], w[2], reg(w[3]))
	op(vUnpckHPS, t[3], w[2], reg(w[3]))
	op(vUnpckLPD, w[0], t[0], reg(t[2]))
	op(vUnpckHPD, w[1], t[0], reg(t[2]))
	op(vUnpckLPD, w[2], t[1], reg(t[3]))
	op(vUnpckHPD, w[3], t[1], reg(t[3]))
	for k := range int32(4) {
		g.saveVec(mem{base: r8, index: noIndex, disp: offset + k*g.vecBytes()}, w[k])
	}
}

// xor3 writes d ^= a ^ b.
func (g *gen) xor3(d, a uint8, b arg) {
	if g.wide {
		g.v(vTernlogD, d, a, b, 0x96)
		return
	}
	g.y(vXor, d, d, reg(a))
	g.y(vXor, d, d, b)
}
