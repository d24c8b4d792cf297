//go:build !amd64

package kernels

import "synfire/engine/connect"

// addGroups adds groups of a table to a tile's accumulators; visits has ahead
// more entries than are to be visited.
func addGroups(t *connect.Table, visits []visit, r ring) (count uint64) {
	return addPlain(t, visits[:len(visits)-ahead], r)
}
