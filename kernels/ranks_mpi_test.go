//go:build mpi

package kernels_test

import (
	"fmt"
	"testing"

	"synfire/engine/backend"
	"synfire/engine/backend/backendtest"
	"synfire/kernels"
	"synfire/kernels/mpi"
	"synfire/kernels/mpi/mpitest"
)

var job *mpi.Job

func TestMain(m *testing.M) {
	mpitest.Main(m, func(j *mpi.Job) { job = j })
}

// TestSuiteOnRanks holds the ranks that mpirun has started to the suite (`make mpi-test`, `make mpi-long`): each of them
// runs it, with the same seed (-rapid.seed), and compares all that it sees.
func TestSuiteOnRanks(t *testing.T) {
	for _, threads := range []int{1, 2} {
		t.Run(fmt.Sprintf("%d ranks of %d threads", job.Size(), threads), func(t *testing.T) {
			backendtest.Run(t, func(testing.TB) backend.Backend { return kernels.Over(job, threads) })
		})
	}
}
