package kernels

import "synfire/engine/connect"

//go:noescape
func visit0(visits *uint32, n int, index *uint32, targets *uint16, acc *uint32, w uint32) (count uint64)

//go:noescape
func visit16(visits *uint32, n int, index, packed, acc *uint32) (count uint64)

//go:noescape
func visit32(visits *uint32, n int, index *uint32, targets *uint16, acc *uint32, weights *int32) (count uint64)

// patience is the number of entries, or thereabouts, after which the assembly
// lets Go interrupt: some 50 µs.
const patience = 30_000

// addGroups adds groups of a table to its tile; visits has ahead more entries
// than are to be visited.
func addGroups(t *connect.Table, visits []uint32, acc *[connect.MaxTile]uint32) (count uint64) {
	n := len(visits) - ahead
	if t.Entries() == 0 {
		return 0
	}
	most := max(patience/(t.Entries()/(len(t.Index)-1)+1), 4)
	for at := 0; at < n; at += most {
		v, k := &visits[at], min(most, n-at)
		switch t.Width {
		case 0:
			count += visit0(v, k, &t.Index[0], &t.Targets[0], &acc[0], uint32(t.Uniform))
		case 16:
			count += visit16(v, k, &t.Index[0], &t.Packed[0], &acc[0])
		default:
			count += visit32(v, k, &t.Index[0], &t.Targets[0], &acc[0], &t.Weights[0])
		}
	}
	return count
}
