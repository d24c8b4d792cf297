//go:build !(goexperiment.simd && amd64)

package vm

// blockKernels is the engine of a mode of the register machine, nil if this
// build lacks it.
func blockKernels(m Mode) *engine {
	if m == Scalar {
		return &scalarEngine
	}
	return nil
}
