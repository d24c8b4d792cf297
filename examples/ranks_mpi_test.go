//go:build mpi

package examples

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"synfire/engine/host"
	"synfire/engine/script"
	"synfire/kernels"
	"synfire/kernels/mpi"
	"synfire/kernels/mpi/mpitest"
)

var job *mpi.Job

func TestMain(m *testing.M) {
	mpitest.Main(m, func(j *mpi.Job) {
		job = j
		ranks = &script.Ranks{Writes: j.Rank() == 0, Meet: func() { j.For(host.MeetFile).Or([]uint32{0}) }, All: j}
	})
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
