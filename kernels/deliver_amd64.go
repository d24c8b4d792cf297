package kernels

import (
	"unsafe"

	"synfire/engine/connect"
)

//go:noescape
func visit0(visits *visit, n int, index *uint32, targets *uint16, acc *uint32, stride, size int, w uint32) (count uint64)

//go:noescape
func visit16(visits *visit, n int, index, packed, acc *uint32, stride, size int) (count uint64)

//go:noescape
func visit32(visits *visit, n int, index *uint32, targets *uint16, acc *uint32, stride, size int, weights *int32) (count uint64)

//go:noescape
func fetchIndex(visits *visit, n int, index *uint32)

//go:noescape
func fetchEntries(visits *visit, n int, index *uint32, entries unsafe.Pointer, size int)

// patience is the number of entries, or thereabouts, after which the assembly
// lets Go interrupt: some 50 µs.
const patience = 30_000

// addGroups adds groups of a table to a tile's accumulators; visits has ahead
// more entries than are to be visited.
func addGroups(t *connect.Table, visits []visit, r ring) (count uint64) {
	n, acc := len(visits)-ahead, &r.words[0]
	if t.Entries() == 0 {
		return 0
	}
	most := max(patience/(mostRows*t.Entries()/(len(t.Index)-1)+1), 4)
	fetchIndex(&visits[0], min(n, 31), &t.Index[0])
	switch t.Width {
	case 16:
		fetchEntries(&visits[0], min(n, 12), &t.Index[0], unsafe.Pointer(&t.Packed[0]), 4)
	default:
		fetchEntries(&visits[0], min(n, 12), &t.Index[0], unsafe.Pointer(&t.Targets[0]), 2)
	}
	for at := 0; at < n; at += most {
		v, k := &visits[at], min(most, n-at)
		switch t.Width {
		case 0:
			count += visit0(v, k, &t.Index[0], &t.Targets[0], acc, 4*r.stride, 4*r.stride*r.rows, uint32(t.Uniform))
		case 16:
			count += visit16(v, k, &t.Index[0], &t.Packed[0], acc, 4*r.stride, 4*r.stride*r.rows)
		default:
			count += visit32(v, k, &t.Index[0], &t.Targets[0], acc, 4*r.stride, 4*r.stride*r.rows, &t.Weights[0])
		}
	}
	return count
}
