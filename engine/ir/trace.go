package ir

import "fmt"

// Trace runs one lane of p and returns the word of every instruction (0 for
// effects), for tests and for messages that show where two backends part.
func Trace(p *Prog, e *Env, lane int) []uint32 {
	v := make([]uint32, len(p.Ins))
	evalLane(p, e, lane, v)
	return v
}

// Stats counts the instructions that compute (no constants), as a measure of cost.
func (p *Prog) Stats() (ops int) {
	for n := range p.Ins {
		if in := &p.Ins[n]; in.Op != Const && in.Op != Nop && in.Op != Bits && in.Op != Float {
			ops++
		}
	}
	return ops
}

func errorf(format string, args ...any) error { return fmt.Errorf("ir: "+format, args...) }
