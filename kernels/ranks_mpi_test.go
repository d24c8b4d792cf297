//go:build mpi

package kernels_test

import (
	"fmt"
	"os"
	"testing"
	"time"

	"synfire/engine/backend"
	"synfire/engine/backend/backendtest"
	"synfire/kernels"
	"synfire/kernels/mpi"
)

var job *mpi.Job

func TestMain(m *testing.M) {
	var err error
	if job, err = mpi.Start(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	if _, apart := job.Leave(code, 0, 10*time.Second); apart != nil {
		fmt.Fprintln(os.Stderr, apart)
		job.Part(1, 10*time.Second)
		code = 1
	}
	os.Exit(code)
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
