package kernels_test

import (
	"fmt"
	"testing"

	"synfire/engine/backend"
	"synfire/engine/backend/backendtest"
	"synfire/kernels"
)

func TestBackend(t *testing.T) {
	for _, threads := range []int{1, 2, 3, 7} {
		t.Run(fmt.Sprintf("%d threads", threads), func(t *testing.T) {
			if testing.Short() && threads != 2 {
				t.Skip("with -short, 2 threads stand for any number")
			}
			backendtest.Run(t, func(testing.TB) backend.Backend { return kernels.New(threads) })
		})
	}
}

// TestBackendInSpans has small plans treated as large ones are: several steps
// on a block of lanes at a time.
func TestBackendInSpans(t *testing.T) {
	defer kernels.ForceSpans()()
	for _, threads := range []int{1, 3} {
		t.Run(fmt.Sprintf("%d threads", threads), func(t *testing.T) {
			backendtest.Run(t, func(testing.TB) backend.Backend { return kernels.New(threads) })
		})
	}
}
