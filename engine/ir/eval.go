package ir

import (
	"math"

	"synfire/engine/philox"
)

// Limits of the numeric contract (design section 3, rules 3 and 4).
const (
	FlushProduct = 0x1p-100         // a product smaller than this becomes +0
	FlushStore   = 0x1p-80          // a stored value smaller than this becomes +0
	Saturate     = float32(1 << 40) // stores saturate here; a variable that stands here is an error
)

// Env is what a program runs on: memory for its slots and the moment in time.
// Lane n of a run is item Lane0+n: Array slots hold its word at index n and
// Mask slots its bit at bit n, so that a thread hands in its own part of each
// buffer. Table and Accum slots are indexed by value and are given whole.
type Env struct {
	Slots [][]uint32
	Lane0 uint32    // item index of lane 0
	Step  uint32    // the current step
	Seed  [2]uint32 // Philox key
	Drawn uint32    // Rand counts its steps from this one: the step at which the seed was given
	Host  []uint32  // host words: those of step Step, then of Step+1, ...
	HostN int       // words per step in Host
	Traps []uint32  // for each trap code the least item that trapped, NoTrap if none
}

// NoTrap marks a trap code that no lane has set.
const NoTrap = ^uint32(0)

// Eval runs lanes lo to hi-1 of p, one after the other. It is the definition
// of the IR: slow, sequential, and meant to be read.
func Eval(p *Prog, e *Env, lo, hi int) {
	v := make([]uint32, len(p.Ins))
	for lane := lo; lane < hi; lane++ {
		evalLane(p, e, lane, v)
	}
}

func evalLane(p *Prog, e *Env, lane int, v []uint32) {
	f := func(x Value) float32 { return math.Float32frombits(v[x]) }
	for n := range p.Ins {
		in := &p.Ins[n]
		step := e.Step + uint32(in.Phase)
		switch in.Op {
		case Nop:
		case Const:
			v[n] = in.Imm
		case Load:
			v[n] = e.Slots[in.Imm][lane]
		case Uniform:
			v[n] = e.Slots[in.Imm][0]
		case Gather:
			v[n] = e.Slots[in.Imm][v[in.A]]
		case Bit:
			v[n] = e.Slots[in.Imm][lane/32] >> (lane % 32) & 1
		case Lane:
			v[n] = e.Lane0 + uint32(lane)
		case Step:
			v[n] = step
		case Host:
			v[n] = e.Host[int(in.Phase)*e.HostN+int(in.Imm)]
		case Rand:
			v[n] = philox.Word(v[in.A], step-e.Drawn, in.Aux, in.Imm, e.Seed)
		case AddF:
			v[n] = math.Float32bits(f(in.A) + f(in.B))
		case SubF:
			v[n] = math.Float32bits(f(in.A) - f(in.B))
		case MulF:
			v[n] = math.Float32bits(float32(f(in.A) * f(in.B)))
		case MulZ:
			v[n] = math.Float32bits(flush(float32(f(in.A)*f(in.B)), FlushProduct))
		case NegF:
			if v[n] = v[in.A]; v[n] != 0 {
				v[n] ^= 1 << 31
			}
		case AbsF:
			v[n] = v[in.A] &^ (1 << 31)
		case FloorF:
			v[n] = math.Float32bits(float32(math.Floor(float64(f(in.A)))))
		case LtF:
			v[n] = truth(f(in.A) < f(in.B))
		case LeF:
			v[n] = truth(f(in.A) <= f(in.B))
		case EqF:
			v[n] = truth(f(in.A) == f(in.B))
		case Canon:
			v[n] = math.Float32bits(CanonF(f(in.A)))
		case F2I:
			v[n] = uint32(int32(max(-0x1p31, min(0x1p31-128, f(in.A)))))
		case I2F:
			v[n] = math.Float32bits(float32(int32(v[in.A])))
		case Bits, Float:
			v[n] = v[in.A]
		case AddI:
			v[n] = v[in.A] + v[in.B]
		case SubI:
			v[n] = v[in.A] - v[in.B]
		case MulI:
			v[n] = v[in.A] * v[in.B]
		case MulHi:
			v[n] = uint32(uint64(v[in.A]) * uint64(v[in.B]) >> 32)
		case And, AndB:
			v[n] = v[in.A] & v[in.B]
		case Or, OrB:
			v[n] = v[in.A] | v[in.B]
		case Xor:
			v[n] = v[in.A] ^ v[in.B]
		case Shl:
			v[n] = v[in.A] << (v[in.B] & 31)
		case ShrU:
			v[n] = v[in.A] >> (v[in.B] & 31)
		case ShrS:
			v[n] = uint32(int32(v[in.A]) >> (v[in.B] & 31))
		case LtI:
			v[n] = truth(int32(v[in.A]) < int32(v[in.B]))
		case LtU:
			v[n] = truth(v[in.A] < v[in.B])
		case EqI:
			v[n] = truth(v[in.A] == v[in.B])
		case NotB:
			v[n] = v[in.A] ^ 1
		case Sel:
			if v[in.A] != 0 {
				v[n] = v[in.B]
			} else {
				v[n] = v[in.C]
			}
		case Store:
			e.Slots[in.Imm][lane] = v[in.A]
		case StoreBit:
			w := &e.Slots[in.Imm][lane/32]
			*w = *w&^(1<<(lane%32)) | v[in.A]<<(lane%32)
		case Scatter:
			e.Slots[in.Imm][v[in.A]] += v[in.B]
		case Scatter2:
			at := e.Slots[in.Imm][2*v[in.A]:]
			sum := (uint64(at[1])<<32 | uint64(at[0])) + (uint64(v[in.C])<<32 | uint64(v[in.B]))
			at[0], at[1] = uint32(sum), uint32(sum>>32)
		case Put:
			e.Slots[in.Imm][v[in.A]] = v[in.B]
		case Trap:
			if v[in.A] != 0 {
				e.Traps[in.Imm] = min(e.Traps[in.Imm], e.Lane0+uint32(lane))
			}
		}
	}
}

// CanonF is what a store keeps of x: +0 below 2^-80, saturated at +-2^40.
func CanonF(x float32) float32 { return max(-Saturate, min(Saturate, flush(x, FlushStore))) }

func flush(x, least float32) float32 {
	if x < least && x > -least {
		return 0
	}
	return x
}

func truth(b bool) uint32 {
	if b {
		return 1
	}
	return 0
}
