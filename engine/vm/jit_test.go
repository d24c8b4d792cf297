//go:build linux && amd64

package vm

func fillerOf(m Mode) filler {
	if m == JIT256 || m == JIT512 {
		f, _ := fillFor(m)
		return func(dst []uint32, first, step, draw, stream uint32, key [2]uint32) {
			f.run(new(fillArgs), dst, first, step, draw, stream, key)
		}
	}
	return blockKernels(m).fill
}
