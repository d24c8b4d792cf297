//go:build goexperiment.simd && amd64

package vm

import "synfire/engine/ir"

var (
	engine256 = engine{kernel256, fillSIMD, pack256}
	engine512 = engine{kernel512, fillSIMD, pack512}
)

// blockKernels is the engine of a mode of the register machine, nil if this
// build lacks it.
func blockKernels(m Mode) *engine {
	switch m {
	case Scalar:
		return &scalarEngine
	case AVX2:
		return &engine256
	case AVX512:
		return &engine512
	}
	return nil
}

// rest runs the portable kernel on the lanes from n on.
func rest(op ir.Op, n int, d, a, b, c []uint32) {
	if n == len(d) {
		return
	}
	from := func(s []uint32) []uint32 {
		if s == nil {
			return nil
		}
		return s[n:]
	}
	scalarKernel(op, d[n:], from(a), from(b), from(c))
}
