//go:build !amd64

package kernels

import "synfire/engine/connect"

// addGroups adds groups of a table to its tile; visits has ahead more entries
// than are to be visited.
func addGroups(t *connect.Table, visits []uint32, acc *[connect.MaxTile]uint32) (count uint64) {
	return addPlain(t, visits[:len(visits)-ahead], acc)
}
