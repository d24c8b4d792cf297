//go:build linux && amd64

package vm

import (
	"fmt"
	"runtime"
	"sync"
	"unsafe"

	"synfire/engine/ir"
)

// jitCode is a program as machine code: a loop over groups of 16 (AVX-512) or 8
// (AVX2) lanes with every value in registers, and a masked tail. Random columns
// are filled before, effects made after the code has run over a chunk of lanes.
type jitCode struct {
	low     *lowered
	exec    *executable
	wide    bool
	chunk   int // most lanes of one call
	area    int // words of the data area
	spread  []spread
	trapAt  int
	fill    *jitFill
	summary string
	pool    sync.Pool
}

// spread is a uniform value, by its number, and the word of the data area where it goes.
type spread struct {
	from, to int
	truth    bool
}

// jitState is what one run needs; its memory is reused.
type jitState struct {
	ptrs     []unsafe.Pointer // program slots, random columns, operands of effects
	data     []uint32         // aligned to 64 bytes
	uniforms []uint32
	columns  [][]uint32 // random columns, with room for whole blocks around
	args     fillArgs   // of those
	outs     [][]uint32 // operands of effects, one word for each lane of a chunk
	effects  [][]uint32
}

// Lanes of a chunk: where scratch goes with it, and at most.
const (
	scratchChunk = 1024
	largestChunk = 16384
)

func newJIT(l *lowered, m Mode) (*jitCode, error) {
	g := &gen{l: l, wide: m == JIT512, eights: make(map[uint32]int32)}
	g.findUses()
	g.area = dataAt
	g.trapAt = g.area
	g.area += int32(4*l.prog.Traps+63) / 64 * 64
	g.uniAt = make([]int32, len(l.uniforms))
	for k := range g.uniAt {
		g.uniAt[k] = -1
	}
	g.assignPointers()
	g.program()
	fill, err := fillFor(m)
	if err != nil {
		return nil, err
	}
	x, err := newExecutable(g.link())
	if err != nil {
		return nil, err
	}
	c := &jitCode{low: l, exec: x, wide: g.wide, area: int(g.area+63) / 64 * 16, trapAt: int(g.trapAt / 4), fill: fill}
	for k, at := range g.uniAt {
		if at >= 0 {
			c.spread = append(c.spread, spread{k, int(at / 4), isBool(&l.ins[l.uniforms[k]])})
		}
	}
	// About half a cycle for each instruction and group, four times that where
	// memory is slow, at 2.5 GHz for 250 microseconds.
	c.chunk = min(largestChunk, max(256, int(g.group())*300_000/(g.instrs/2+1)/64*64))
	if len(l.rands)+len(l.outs) > 0 {
		c.chunk = min(c.chunk, scratchChunk)
		for c.chunk&(c.chunk-1) != 0 { // effects ask for a power of two
			c.chunk &= c.chunk - 1
		}
	}
	loops := "loop"
	if g.unrolled {
		loops = "double loop, loop"
	}
	c.summary = fmt.Sprintf("%d instructions of %s and tail, %d spills, %d reloads, %d bytes of code, %d of constants, chunks of %d lanes\n",
		g.instrs, loops, g.spills, g.reloads, len(g.buf), len(g.pool), c.chunk)
	c.pool.New = func() any { return c.newState() }
	runtime.AddCleanup(c, func(x *executable) { x.close() }, x)
	return c, nil
}

// assignPointers gives the most used pointers a register each.
func (g *gen) assignPointers() {
	n := len(g.l.prog.Slots)
	total := n + len(g.l.rands) + len(g.l.outs)
	count := make([]int, total)
	for v := range g.l.ins {
		in := &g.l.ins[v]
		if !g.emitted(v) {
			continue
		}
		switch in.Op {
		case ir.Load, ir.Bit, ir.Gather, ir.Store, ir.StoreBit:
			count[in.Imm]++
		case ir.Rand:
			count[n+int(in.Imm)]++
		}
	}
	for k := range g.l.outs {
		count[n+len(g.l.rands)+k]++
	}
	g.ptrReg = make([]uint8, total)
	regs := []uint8{rbx, r9, r10, r11, r12, r13}
	if !g.wide {
		regs = regs[:5] // r13 is scratch
	}
	for _, r := range regs {
		best := -1
		for k, c := range count {
			if c > 0 && (best < 0 || c > count[best]) {
				best = k
			}
		}
		if best < 0 {
			return
		}
		count[best] = 0
		g.ptrReg[best] = r
	}
}

// program emits the loop, the tail and what they jump to.
func (g *gen) program() {
	w := g.group()
	g.gpr(false, []byte{0x31}, rcx, reg(rcx))
	g.gpr(false, []byte{0x31}, rsi, reg(rsi))
	for k, r := range g.ptrReg {
		if r != 0 {
			g.load64(r, mem{base: rdi, index: noIndex, disp: int32(8 * k)})
		}
	}
	g.loopTwice()
	g.imm32(7, rdx, w)
	short := g.jump(ccBelow)
	g.loop(w)
	g.patch(short, len(g.buf))
	g.gpr(true, []byte{0x85}, rdx, reg(rdx)) // test rdx, rdx
	none := g.jump(ccZero)
	tail := mem{base: r8, index: noIndex, disp: tailAt}
	if g.wide {
		g.vex(kLoad, 0, 7, 0, at(tail))
	} else {
		g.y(vMovLoad, 15, 0, at(tail))
	}
	g.body(true)
	g.patch(none, len(g.buf))
	g.byte(0xc5, 0xf8, 0x77, 0xc3) // vzeroupper; ret
	for _, s := range g.stubs {
		g.patch(s.from, len(g.buf))
		if g.wide {
			g.vex(kTo, 0, rax, 0, reg(s.k))
		}
		trap := mem{base: r8, index: noIndex, disp: g.trapAt + 4*int32(s.trap)}
		g.gpr(false, []byte{0x0f, 0xbc}, rax, reg(rax)) // bsf eax, eax
		g.gpr(false, []byte{0xc1}, 4, reg(rax), 2)      // shl eax, 2
		g.gpr(false, []byte{0x01}, rcx, reg(rax))       // add eax, ecx
		g.gpr(false, []byte{0xc1}, 5, reg(rax), 2)      // shr eax, 2
		if s.group > 0 {
			g.imm32(0, rax, s.group)
		}
		g.gpr(false, []byte{0x3b}, rax, at(trap)) // cmp eax, [trap]
		g.patch(g.jump(ccAboveEqual), s.back)
		g.save32(trap, rax)
		g.patch(g.jump(-1), s.back)
	}
}

// loop emits the loop over n lanes at a time.
func (g *gen) loop(n int32) {
	for len(g.buf)%64 != 0 {
		g.byte(0x90)
	}
	loop := len(g.buf)
	g.body(false)
	g.imm32(0, rcx, 4*n)
	g.imm32(0, rsi, n/8)
	g.imm32(5, rdx, n)
	g.imm32(7, rdx, n)
	g.patch(g.jump(ccAboveEqual), loop)
}

// loopTwice emits a loop over two groups at a time, whose interleaved
// instructions hide one another's latency: worth it for programs longer than
// what the processor looks ahead, unless registers run out.
func (g *gen) loopTwice() {
	ops := g.l.count().ops
	if ops < twiceFrom {
		return
	}
	single := g.l
	size, fixes, stubs, instrs := len(g.buf), len(g.fixes), len(g.stubs), g.instrs
	g.l, g.twice = single.doubled(), true
	g.findUses()
	g.imm32(7, rdx, 2*g.group())
	short := g.jump(ccBelow)
	g.loop(2 * g.group())
	g.patch(short, len(g.buf))
	if g.spills > ops/8 {
		g.buf, g.fixes, g.stubs, g.instrs = g.buf[:size], g.fixes[:fixes], g.stubs[:stubs], instrs
		g.spills, g.reloads = 0, 0
		g.twice = false
	}
	g.unrolled = g.twice
	g.l, g.twice = single, false
	g.findUses()
}

// twiceFrom is the number of operations from which on two groups run interleaved.
const twiceFrom = 40

func (c *jitCode) newState() *jitState {
	l := c.low
	s := &jitState{
		ptrs:     make([]unsafe.Pointer, len(l.prog.Slots)+len(l.rands)+len(l.outs)+1),
		data:     aligned(c.area + 16),
		uniforms: make([]uint32, len(l.uniforms)),
		columns:  make([][]uint32, len(l.rands)),
		outs:     make([][]uint32, len(l.outs)),
		effects:  make([][]uint32, 3*len(l.effects)),
	}
	l.constants(s.uniforms)
	for k := range s.columns {
		s.columns[k] = aligned(c.chunk + fillBlock)
	}
	for k := range s.outs {
		s.outs[k] = aligned(c.chunk)
		s.ptrs[len(l.prog.Slots)+len(l.rands)+k] = unsafe.Pointer(&s.outs[k][0])
	}
	for t := range l.prog.Traps {
		s.data[c.trapAt+t] = ir.NoTrap
	}
	column := make(map[ir.Value][]uint32)
	for k, v := range l.outs {
		column[v] = s.outs[k]
	}
	for k, f := range l.effects {
		for j, v := range []ir.Value{f.a, f.b, f.c} {
			switch {
			case v == ir.None:
				s.effects[3*k+j] = noWord
			case l.uniform(v):
				at := l.uni[v]
				s.effects[3*k+j] = s.uniforms[at : at+1]
			default:
				s.effects[3*k+j] = column[v]
			}
		}
	}
	return s
}

// aligned makes n words that begin on a cache line.
func aligned(n int) []uint32 {
	b := make([]uint32, n+15)
	skip := (64 - int(uintptr(unsafe.Pointer(&b[0]))%64)) % 64 / 4
	return b[skip : skip+n : skip+n]
}

func (c *jitCode) run(e *ir.Env, lo, hi int) {
	s := c.pool.Get().(*jitState)
	c.runWith(s, e, lo, hi)
	clear(s.ptrs[:len(c.low.prog.Slots)]) // keep no memory of the caller alive
	c.pool.Put(s)
}

func (c *jitCode) runWith(s *jitState, e *ir.Env, lo, hi int) {
	c.low.evalUniforms(e, s.uniforms)
	for _, u := range c.spread {
		x := s.uniforms[u.from]
		if u.truth {
			x = -x
		}
		s.data[u.to] = x
		if !c.wide {
			for i := range 8 {
				s.data[u.to+i] = x
			}
		}
	}
	for ; lo < hi; lo += c.chunk {
		c.runChunk(s, e, lo, min(hi, lo+c.chunk))
	}
}

func (c *jitCode) runChunk(s *jitState, e *ir.Env, lo, hi int) {
	l, n := c.low, hi-lo
	for k := range l.prog.Slots {
		slot := e.Slots[k]
		switch l.prog.Slots[k].Kind {
		case ir.Array:
			slot = slot[lo:hi]
		case ir.Mask:
			slot = slot[lo/32 : (hi+31)/32]
		}
		s.ptrs[k] = unsafe.Pointer(unsafe.SliceData(slot))
	}
	for k := range l.rands {
		r := &l.rands[k]
		item := e.Lane0 + uint32(lo) + l.offset(r, s.uniforms)
		skip := item % 4
		c.fill.run(&s.args, s.columns[k][:(int(skip)+n+fillBlock-1)/fillBlock*fillBlock], item-skip, e.Step+uint32(r.phase)-e.Drawn, r.draw, r.stream, e.Seed)
		s.ptrs[len(l.prog.Slots)+k] = unsafe.Pointer(&s.columns[k][skip])
	}
	s.data[laneAt/4] = e.Lane0 + uint32(lo)
	if c.wide {
		s.data[tailAt/4] = 1<<(n%16) - 1
	} else {
		for i := range n % 8 {
			s.data[tailAt/4+i] = ^uint32(0)
		}
		clear(s.data[tailAt/4+n%8 : tailAt/4+8])
	}
	enter(c.exec.entry(), unsafe.Pointer(&s.ptrs[0]), unsafe.Pointer(&s.data[0]), n)
	for t := range l.prog.Traps {
		if at := s.data[c.trapAt+t]; at != ir.NoTrap {
			e.Traps[t] = min(e.Traps[t], e.Lane0+uint32(lo)+at)
			s.data[c.trapAt+t] = ir.NoTrap
		}
	}
	if len(l.effects) > 0 {
		l.applyEffects(e, n, s.effects)
	}
}

func (c *jitCode) listing() string { return c.summary }
