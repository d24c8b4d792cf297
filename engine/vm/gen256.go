//go:build linux && amd64

package vm

import "synfire/engine/ir"

// y writes a 256-bit AVX2 instruction.
func (g *gen) y(c code, d, a uint8, b arg, imm ...byte) { g.vex(c, 1, d, a, b, imm...) }

func (g *gen) inTruth(v ir.Value) uint8 { return 0 }

func (g *gen) instr256(n int, in *ir.Instr) {}
