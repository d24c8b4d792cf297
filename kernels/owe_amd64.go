package kernels

import (
	"strings"

	"synfire/engine/vm"
)

//go:noescape
func oweFirst(far *uint16, n int, since *uint32, u, k, row uint32, ks, js, steps, rows *uint32) int

//go:noescape
func oweMore(n int, since *uint32, u uint32, ks0, ks, js, steps, rows *uint32, row uint32) int

// vectors says that the processor has AVX-512.
var vectors = strings.HasSuffix(vm.SIMD(), "512")

// first is firstPlain, 16 entries at a time.
func (v *level) first(far []uint16, since []uint32, u, k, row uint32, js []uint32) int {
	n, m := 0, 0
	if whole := len(far) &^ 15; vectors && whole > 0 {
		n = oweFirst(&far[0], whole, &since[0], u, k, row, &v.k[v.n], &js[0], &v.step[v.n], &v.source[v.n])
		m = whole
	}
	return v.firstPlain(far[m:], since, u, k+uint32(m), row, js, n)
}

// more is morePlain, 16 synapses at a time.
func (v *level) more(ks []uint32, since []uint32, u, row uint32, js []uint32, n int) int {
	if vectors && n > 0 {
		return oweMore(n, &since[0], u, &ks[0], &v.k[v.n], &js[0], &v.step[v.n], &v.source[v.n], row)
	}
	return v.morePlain(ks, since, u, row, js, n)
}
