//go:build linux && amd64

package vm

import "encoding/binary"

// General registers, by their number in encodings. R14 and R15 belong to Go,
// RSP and RBP to the stack: code never touches them.
const (
	rax = 0
	rcx = 1
	rdx = 2
	rbx = 3
	rsi = 6
	rdi = 7
	r8  = 8
	r9  = 9
	r10 = 10
	r11 = 11
	r12 = 12
	r13 = 13
)

// mem is an address: base + index<<scale + disp, or a place in the pool of
// constants that follows the code.
type mem struct {
	base   uint8
	index  uint8 // noIndex, a general register, or a vector register of a gather
	scale  uint8
	vector bool // index is a vector register
	pool   bool // disp is an offset in the pool
	bcast  bool // one element for all lanes
	disp   int32
}

const noIndex = 255

// arg is the last operand of an instruction, a register or memory.
type arg struct {
	isMem bool
	reg   uint8
	mem   mem
}

func reg(r uint8) arg { return arg{reg: r} }
func at(m mem) arg    { return arg{isMem: true, mem: m} }

// code names a vector instruction: mandatory prefix (0 none, 1 66, 2 F3, 3 F2),
// opcode map (1 0F, 2 0F38, 3 0F3A), W, opcode, and the bytes of its memory
// element where that is not the whole vector (Intel SDM volume 2, table 2-34).
type code struct {
	pp, mm, w, op byte
	element       uint8
}

var (
	vMovLoad   = code{0, 1, 0, 0x10, 0} // vmovups
	vMovStore  = code{0, 1, 0, 0x11, 0}
	vMov       = code{0, 1, 0, 0x28, 0} // vmovaps
	vBroadcast = code{1, 2, 0, 0x18, 4} // vbroadcastss
	vBcastGPR  = code{1, 2, 0, 0x7c, 0} // vpbroadcastd from a general register, AVX-512
	vBcastD    = code{1, 2, 0, 0x58, 4} // vpbroadcastd
	vBcastB    = code{1, 2, 0, 0x78, 1} // vpbroadcastb
	vAddPS     = code{0, 1, 0, 0x58, 0}
	vMulPS     = code{0, 1, 0, 0x59, 0}
	vSubPS     = code{0, 1, 0, 0x5c, 0}
	vMinPS     = code{0, 1, 0, 0x5d, 0}
	vMaxPS     = code{0, 1, 0, 0x5f, 0}
	vAnd       = code{1, 1, 0, 0xdb, 0} // vpand, vpandd
	vOr        = code{1, 1, 0, 0xeb, 0}
	vXor       = code{1, 1, 0, 0xef, 0}
	vAddD      = code{1, 1, 0, 0xfe, 0}
	vSubD      = code{1, 1, 0, 0xfa, 0}
	vMulLD     = code{1, 2, 0, 0x40, 0}
	vMulUDQ    = code{1, 1, 1, 0xf4, 0}
	vShiftD    = code{1, 1, 0, 0x72, 0} // /6 left, /2 right, /4 right signed
	vShiftQ    = code{1, 1, 1, 0x73, 0} // /2 right, /6 left
	vSllVD     = code{1, 2, 0, 0x47, 0}
	vSrlVD     = code{1, 2, 0, 0x45, 0}
	vSraVD     = code{1, 2, 0, 0x46, 0}
	vCmpPS     = code{0, 1, 0, 0xc2, 0}
	vCmpD      = code{1, 3, 0, 0x1f, 0}
	vCmpUD     = code{1, 3, 0, 0x1e, 0}
	vTestMD    = code{1, 2, 0, 0x27, 0}
	vBlendM    = code{1, 2, 0, 0x65, 0} // vblendmps
	vTernlogD  = code{1, 3, 0, 0x25, 0}
	vTernlogQ  = code{1, 3, 1, 0x25, 0}
	vRndScale  = code{1, 3, 0, 0x08, 0} // vrndscaleps, vroundps
	vRange     = code{1, 3, 0, 0x50, 0}
	vCvtTPS2DQ = code{2, 1, 0, 0x5b, 0}
	vCvtDQ2PS  = code{0, 1, 0, 0x5b, 0}
	vGather    = code{1, 2, 0, 0x90, 4}
	vMovSLDup  = code{2, 1, 0, 0x12, 0}
	vUnpckLPS  = code{0, 1, 0, 0x14, 0}
	vUnpckHPS  = code{0, 1, 0, 0x15, 0}
	vUnpckLPD  = code{1, 1, 1, 0x14, 0}
	vUnpckHPD  = code{1, 1, 1, 0x15, 0}
	// AVX2 alone
	vCmpGtD   = code{1, 1, 0, 0x66, 0}
	vCmpEqD   = code{1, 1, 0, 0x76, 0}
	vBlendV   = code{1, 3, 0, 0x4a, 0}
	vBlendD   = code{1, 3, 0, 0x02, 0}
	vMaskLoad = code{1, 2, 0, 0x2c, 0}
	vMaskSave = code{1, 2, 0, 0x2e, 0}
	vMovMsk   = code{0, 1, 0, 0x50, 0}
	vMovD     = code{1, 1, 0, 0x6e, 4}
)

// assembler writes machine code. Labels are offsets in buf.
type assembler struct {
	buf    []byte
	pool   []byte
	words  map[uint32]int32 // a word in the pool -> its offset
	fixes  []fix            // references to the pool
	instrs int
}

type fix struct{ at, end int } // displacement at buf[at:], relative to buf[end:]

func (a *assembler) byte(b ...byte) { a.buf = append(a.buf, b...) }
func (a *assembler) dword(x int32)  { a.buf = binary.LittleEndian.AppendUint32(a.buf, uint32(x)) }

// modrm writes the ModRM byte, SIB and displacement; unit is the unit of a short
// displacement. It returns the place of a reference to the pool, or -1.
func (a *assembler) modrm(r uint8, x arg, unit int32) int {
	r &= 7
	if !x.isMem {
		a.byte(0xc0 | r<<3 | x.reg&7)
		return -1
	}
	m := x.mem
	if m.pool {
		a.byte(r<<3 | 5)
		a.dword(m.disp)
		return len(a.buf) - 4
	}
	mod, short := byte(2), int8(0)
	switch {
	case m.disp == 0 && m.base&7 != 5:
		mod = 0
	case m.disp%unit == 0 && m.disp/unit >= -128 && m.disp/unit <= 127:
		mod, short = 1, int8(m.disp/unit)
	}
	switch {
	case m.index != noIndex:
		a.byte(mod<<6|r<<3|4, m.scale<<6|m.index&7<<3|m.base&7)
	case m.base&7 == 4:
		a.byte(mod<<6|r<<3|4, 0x24)
	default:
		a.byte(mod<<6 | r<<3 | m.base&7)
	}
	switch mod {
	case 1:
		a.byte(byte(short))
	case 2:
		a.dword(m.disp)
	}
	return -1
}

func (a *assembler) finish(at int, imm []byte) {
	a.byte(imm...)
	if at >= 0 {
		a.fixes = append(a.fixes, fix{at, len(a.buf)})
	}
	a.instrs++
}

func bit(x uint8, n uint) byte { return x >> n & 1 }

// evex writes a 512-bit instruction: r and v are register operands (destination
// and first source in most), x the last; k is the mask register, 0 for none; z
// zeroes what the mask leaves out.
func (a *assembler) evex(c code, r, v uint8, x arg, k uint8, z bool, imm ...byte) {
	xBit, bBit, vHigh := byte(0), byte(0), bit(v, 4)
	unit := int32(64)
	if x.isMem {
		m := x.mem
		if !m.pool {
			bBit = bit(m.base, 3)
			if m.index != noIndex {
				xBit = bit(m.index, 3)
				if m.vector {
					vHigh = bit(m.index, 4)
				}
			}
		}
		if m.bcast {
			unit = 4 << c.w
		} else if c.element > 0 {
			unit = int32(c.element)
		}
	} else {
		xBit, bBit = bit(x.reg, 4), bit(x.reg, 3)
	}
	p2 := 2<<5 | (vHigh^1)<<3 | k
	if z {
		p2 |= 0x80
	}
	if x.isMem && x.mem.bcast {
		p2 |= 0x10
	}
	a.byte(0x62,
		(bit(r, 3)^1)<<7|(xBit^1)<<6|(bBit^1)<<5|(bit(r, 4)^1)<<4|c.mm,
		c.w<<7|(^v&15)<<3|4|c.pp,
		p2, c.op)
	a.finish(a.modrm(r, x, unit), imm)
}

// vex writes an instruction of length l (0 for 128 bits and scalars, 1 for 256).
func (a *assembler) vex(c code, l byte, r, v uint8, x arg, imm ...byte) {
	xBit, bBit := byte(0), byte(0)
	if x.isMem {
		if !x.mem.pool {
			bBit = bit(x.mem.base, 3)
			if x.mem.index != noIndex {
				xBit = bit(x.mem.index, 3)
			}
		}
	} else {
		bBit = bit(x.reg, 3)
	}
	a.byte(0xc4,
		(bit(r, 3)^1)<<7|(xBit^1)<<6|(bBit^1)<<5|c.mm,
		c.w<<7|(^v&15)<<3|l<<2|c.pp, c.op)
	a.finish(a.modrm(r, x, 1), imm)
}

// Mask instructions on k registers of 16 bits.
var (
	kAnd  = code{0, 1, 0, 0x41, 0}
	kAndN = code{0, 1, 0, 0x42, 0} // ^v & x
	kNot  = code{0, 1, 0, 0x44, 0}
	kOr   = code{0, 1, 0, 0x45, 0}
	kXnor = code{0, 1, 0, 0x46, 0}
	kLoad = code{0, 1, 0, 0x90, 0}
	kSave = code{0, 1, 0, 0x91, 0}
	kFrom = code{0, 1, 0, 0x92, 0} // from a general register
	kTo   = code{0, 1, 0, 0x93, 0} // to a general register
	kTest = code{0, 1, 0, 0x98, 0} // kortestw
)

// gpr writes a general instruction of 32 or, with wide, 64 bits: opcode bytes op
// and a ModRM of r and x.
func (a *assembler) gpr(wide bool, op []byte, r uint8, x arg, imm ...byte) {
	rex := byte(0x40)
	if wide {
		rex |= 8
	}
	rex |= bit(r, 3) << 2
	if x.isMem {
		if !x.mem.pool {
			rex |= bit(x.mem.base, 3)
			if x.mem.index != noIndex {
				rex |= bit(x.mem.index, 3) << 1
			}
		}
	} else {
		rex |= bit(x.reg, 3)
	}
	a.byte(rex)
	a.byte(op...)
	a.finish(a.modrm(r, x, 1), imm)
}

func (a *assembler) load64(r uint8, m mem) { a.gpr(true, []byte{0x8b}, r, at(m)) }
func (a *assembler) save32(m mem, r uint8) { a.gpr(false, []byte{0x89}, r, at(m)) }

// imm32 writes op r, x of 64 bits: digit 0 add, 5 sub, 7 cmp, 4 and, 1 or.
func (a *assembler) imm32(digit, r uint8, x int32) {
	a.gpr(true, []byte{0x81}, digit, reg(r), binary.LittleEndian.AppendUint32(nil, uint32(x))...)
}

// jump writes a jump, conditional for cc >= 0 (its x86 condition code), and
// returns the place to patch.
func (a *assembler) jump(cc int) int {
	if cc < 0 {
		a.byte(0xe9)
	} else {
		a.byte(0x0f, 0x80|byte(cc))
	}
	a.dword(0)
	a.instrs++
	return len(a.buf) - 4
}

// Condition codes.
const (
	ccBelow      = 2
	ccAboveEqual = 3
	ccZero       = 4
	ccNotZero    = 5
)

func (a *assembler) patch(at, target int) {
	binary.LittleEndian.PutUint32(a.buf[at:], uint32(int32(target-at-4)))
}

// constant is the address of a word for all lanes, for AVX-512.
func (a *assembler) constant(x uint32) mem {
	off, ok := a.words[x]
	if !ok {
		if a.words == nil {
			a.words = make(map[uint32]int32)
		}
		off = int32(len(a.pool))
		a.words[x] = off
		a.pool = binary.LittleEndian.AppendUint32(a.pool, x)
	}
	return mem{pool: true, bcast: true, index: noIndex, disp: off}
}

// vector is the address of a vector in the pool.
func (a *assembler) vector(words ...uint32) mem {
	for len(a.pool)%4 != 0 {
		a.pool = append(a.pool, 0)
	}
	off := int32(len(a.pool))
	for _, x := range words {
		a.pool = binary.LittleEndian.AppendUint32(a.pool, x)
	}
	return mem{pool: true, index: noIndex, disp: off}
}

// link appends the pool to the code and returns the whole.
func (a *assembler) link() []byte {
	for len(a.buf)%64 != 0 {
		a.buf = append(a.buf, 0xcc)
	}
	for _, f := range a.fixes {
		off := int32(binary.LittleEndian.Uint32(a.buf[f.at:]))
		binary.LittleEndian.PutUint32(a.buf[f.at:], uint32(int32(len(a.buf))+off-int32(f.end)))
	}
	return append(a.buf, a.pool...)
}
