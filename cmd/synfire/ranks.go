package main

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"os"
	"runtime"
	"strings"
	"time"

	"synfire/engine"
	"synfire/engine/backend"
	"synfire/engine/host"
	"synfire/engine/script"
	"synfire/kernels"
)

// job is the processes of an MPI job.
type job interface {
	kernels.Ranks
	Leave(status int, why uint32, patience time.Duration) ([][2]uint32, *backend.Apart)
	Part(status int, patience time.Duration)
}

// startJob joins the job; nil in a program that is built without MPI.
var startJob func() (job, error)

// patience is how long a rank that has failed waits for the others to come to the
// same end, before it ends them.
const patience = 2 * time.Second

// waits is how long a rank waits for the others at its end. To an interruption, and to a fault of the model, all come
// alike, and the first has files and pictures to finish.
func waits(status int, err error) time.Duration {
	var fault *backend.Fault
	if status == exitInterrupted || errors.As(err, &fault) {
		return time.Minute
	}
	return patience
}

// ranksMain is main of a program that is built with MPI. All ranks do the same; the
// first one alone writes and is heard, but for what went wrong elsewhere only.
func ranksMain(args []string) int {
	j, err := startJob()
	if err != nil {
		fmt.Fprintln(os.Stderr, "synfire:", err)
		return exitModel
	}
	stdout, stderr := os.Stdout, os.Stderr
	heard := func() string { return "" }
	if j.Rank() > 0 {
		if stdout, err = os.OpenFile(os.DevNull, os.O_WRONLY, 0); err == nil {
			stderr, heard, err = overhear()
		}
		if err != nil {
			fmt.Fprintf(os.Stderr, "synfire: rank %d: %v\n", j.Rank(), err)
			j.Part(exitModel, patience)
			return exitModel
		}
	}
	var of job
	if j.Size() > 1 {
		of = j
	}
	code, err := command(args, stdout, stderr, of)
	tell := func() {
		if text := strings.TrimSpace(heard()); j.Rank() > 0 {
			fmt.Fprintf(os.Stderr, "rank %d: %s\n", j.Rank(), text)
		}
	}
	if apart := (*backend.Apart)(nil); errors.As(err, &apart) {
		j.Part(code, patience)
		return code
	}
	why := fnv.New32a()
	if err != nil {
		io.WriteString(why, err.Error())
	}
	all, apart := j.Leave(code, why.Sum32(), waits(code, err))
	if apart != nil {
		switch {
		case apart.Failed == j.Rank():
			tell()
		case apart.Failed < 0 && j.Rank() == 0:
			fmt.Fprintln(stderr, newTerminal(stderr).red("error:"), apart)
		}
		code = max(code, exitModel)
		j.Part(code, patience)
		return code
	}
	if mine := all[j.Rank()]; code != exitDone && mine != all[0] {
		tell()
	}
	for _, of := range all {
		code = max(code, int(of[0]))
	}
	return code
}

// told is the error of ranks that have come apart. The one that has failed tells why, else the first does; who was
// interrupted while another waited has interrupted that one, too.
func told(a *backend.Apart) error {
	switch {
	case a.Status == exitInterrupted:
		a.Text = fmt.Sprintf("rank %d was", a.Failed)
		return fmt.Errorf("%w: %w", engine.ErrInterrupted, a)
	case a.Failed >= 0:
		return &toldError{a}
	}
	return a
}

// overhear returns a file, and what was written to it.
func overhear() (*os.File, func() string, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, nil, err
	}
	var text strings.Builder
	done := make(chan struct{})
	go func() {
		io.Copy(&text, io.LimitReader(r, 1<<20))
		close(done)
		io.Copy(io.Discard, r)
	}()
	return w, func() string {
		w.Close()
		<-done
		return text.String()
	}, nil
}

// sameEverywhere refuses ranks that have another program, other options or another script than the first.
func sameEverywhere(j job, model string) error {
	words := fileSum(os.Executable())
	args := sha256.Sum256([]byte(strings.Join(os.Args[1:], "\x00")))
	words = append(words, binary.LittleEndian.Uint32(args[:]))
	words = append(words, fileSum(model, nil)...)
	all := j.For(host.MeetStart).Gather(words)
	for rank, of := range all {
		for k, what := range []string{"another program", "other options", "another script " + model} {
			if of[k] != all[0][k] {
				return fmt.Errorf("rank %d has %s than rank 0: all ranks must run the same", rank, what)
			}
		}
	}
	return nil
}

// fileSum identifies what a file holds; 0: it cannot be read.
func fileSum(path string, err error) []uint32 {
	sum := make([]byte, 4)
	if err == nil {
		var f *os.File
		if f, err = os.Open(path); err == nil {
			defer f.Close()
			h := sha256.New()
			if _, err = io.Copy(h, f); err == nil {
				sum = h.Sum(nil)
			}
		}
	}
	return []uint32{binary.LittleEndian.Uint32(sum)}
}

// share prepares a run that is shared out among ranks: but for parts of what is recorded, only the first of them writes.
func (c *runCmd) share(j job) error {
	if err := sameEverywhere(j, c.Model); err != nil {
		return err
	}
	switch {
	case c.Backend != "auto" && c.Backend != "cpu":
		return fmt.Errorf("--backend %s: ranks compute on the cpu; leave it out, or run without mpirun", c.Backend)
	case c.Trials != nil:
		return errors.New("--trials: trials run beside one another in one process; leave it out, or run without mpirun")
	case c.Device != "":
		return errors.New("--device: ranks compute on the cpu; leave it out, or run without mpirun")
	}
	if j.Rank() > 0 {
		c.Plot, c.Plots, c.JSON, c.Quiet = nil, nil, false, true
	}
	return nil
}

// checkRanks refuses a number of ranks that this machine is not to start.
func checkRanks(n int) error {
	if most := 16 * runtime.GOMAXPROCS(0); n < 1 || n > most {
		return fmt.Errorf("--ranks %d: a number from 1 to %d was expected, 16 for each processor of this machine; more of them, on several machines, `mpirun -np N synfire-mpi run` starts", n, most)
	}
	return nil
}

// enough refuses more ranks than there are neurons.
func enough(ranks int) func(*engine.Network) error {
	return func(n *engine.Network) error {
		neurons := 0
		for _, g := range n.Groups() {
			neurons += g.N()
		}
		if neurons < ranks {
			return fmt.Errorf("%d ranks for %d neurons: at most as many ranks as neurons can share a network out", ranks, neurons)
		}
		return nil
	}
}

// together is what a script asks of its ranks.
func together(j job) *script.Ranks {
	return &script.Ranks{Writes: j.Rank() == 0, Meet: func() { j.For(host.MeetFile).Or([]uint32{0}) }, All: j}
}

// openRanks opens the backend of a rank.
func (c *runCmd) openRanks(j job) backend.Backend { return kernels.Over(j, c.Threads.ofRank()) }
