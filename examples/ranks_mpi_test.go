//go:build mpi

package examples

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"testing"
	"time"

	"synfire/engine/script"
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
	ranks = &script.Ranks{Writes: job.Rank() == 0, Meet: func() { job.Or([]uint32{0}) }, All: job}
	code := m.Run()
	if _, apart := job.Leave(code, 0, 10*time.Second); apart != nil {
		fmt.Fprintln(os.Stderr, apart)
		job.Part(1, 10*time.Second)
	}
	os.Exit(code)
}

// TestGoldenRanks runs the examples on as many ranks as mpirun has started (`make
// mpi-test`): on each of them they must give the hashes, counts and texts of one process.
func TestGoldenRanks(t *testing.T) {
	want := goldens(t)
	for _, threads := range []int{1, 2} {
		for _, name := range slices.Sorted(maps.Keys(small)) {
			c := small[name]
			t.Run(fmt.Sprintf("%s on %d ranks of %d threads", name, job.Size(), threads), func(t *testing.T) {
				be := kernels.Over(job, threads)
				defer be.Close()
				got, _ := play(t, c.file, c.set, be, nil)
				if err := same(got, want[name]); err != nil {
					t.Error(err)
				}
			})
		}
	}
}
