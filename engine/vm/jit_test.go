//go:build linux && amd64

package vm

func fillerOf(m Mode) filler {
	if m == JIT256 || m == JIT512 {
		f, _ := fillFor(m)
		return f
	}
	return blockKernels(m).fill
}
