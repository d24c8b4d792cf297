package ir

import "fmt"

// Trace runs one lane of p and returns the word of every instruction (0 for
// effects), for tests and for messages that show where two backends part.
func Trace(p *Prog, e *Env, lane int) []uint32 {
	v := make([]uint32, len(p.Ins))
	evalLane(p, e, lane, v)
	return v
}

// Cost is the number of instructions that compute: not constants, memory, or
// reading a word as another type.
func (p *Prog) Cost() int {
	n := 0
	for i := range p.Ins {
		switch p.Ins[i].Op {
		case Const, Load, Store, Nop, Bits, Float:
		default:
			n++
		}
	}
	return n
}

func errorf(format string, args ...any) error { return fmt.Errorf("ir: "+format, args...) }
