//go:build !(linux && amd64)

package vm

func fillerOf(m Mode) filler { return blockKernels(m).fill }
