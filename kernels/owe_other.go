//go:build !amd64

package kernels

func (v *level) first(far []uint16, since []uint32, u, k, row uint32, js []uint32) int {
	return v.firstPlain(far, since, u, k, row, js, 0)
}

func (v *level) more(ks []uint32, since []uint32, u, row uint32, js []uint32, n int) int {
	return v.morePlain(ks, since, u, row, js, n)
}
