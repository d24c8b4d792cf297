package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// mpirun is the command that has so many ranks of this program run with args. Where ctx ends they are interrupted.
func mpirun(ctx context.Context, ranks int, args []string) (*exec.Cmd, error) {
	name := os.Getenv("MPIRUN")
	if name == "" {
		name = "mpirun"
	}
	starter, err := exec.LookPath(name)
	if err != nil {
		return nil, fmt.Errorf("--ranks: there is no %s, the starter of an MPI library, on this machine: install OpenMPI or MPICH, or name it: MPIRUN=/path/to/mpirun", name)
	}
	program, err := os.Executable()
	if err == nil && startJob == nil {
		program = filepath.Join(filepath.Dir(program), "synfire-mpi")
		if _, err = os.Stat(program); err != nil {
			program, err = exec.LookPath("synfire-mpi")
		}
	}
	if err != nil {
		return nil, errors.New("--ranks: there is no synfire-mpi beside this program or in PATH, the command that is built with MPI: `make mpi` makes it")
	}
	cmd := exec.CommandContext(ctx, starter, append([]string{"-np", strconv.Itoa(ranks), program}, args...)...)
	for _, v := range os.Environ() {
		// Of the job that a program with MPI is by itself.
		if !strings.HasPrefix(v, "PMIX_") && !strings.HasPrefix(v, "PMI_") && !strings.HasPrefix(v, "OMPI_MCA_orte_") && !strings.HasPrefix(v, "OMPI_COMM_") {
			cmd.Env = append(cmd.Env, v)
		}
	}
	for _, v := range []string{ // OpenMPI is to start more ranks than there are processors
		"OMPI_MCA_rmaps_base_oversubscribe=1", "OMPI_MCA_hwloc_base_binding_policy=none",
		"PRTE_MCA_rmaps_default_mapping_policy=:oversubscribe", "PRTE_MCA_hwloc_default_binding_policy=none",
	} {
		if key, _, _ := strings.Cut(v, "="); os.Getenv(key) == "" {
			cmd.Env = append(cmd.Env, v)
		}
	}
	alone(cmd)
	cmd.Cancel = func() error {
		go func() { // ranks that are about to start do not hear it
			for cmd.Process.Signal(passedOn) == nil {
				time.Sleep(2 * time.Second)
			}
		}()
		return ctx.Err()
	}
	cmd.WaitDelay = 2 * time.Minute
	return cmd, nil
}

// statusError is an exit status that another program has ended with, which has told why.
type statusError int

func (e statusError) Error() string { return fmt.Sprintf("exit status %d", int(e)) }

// onRanks runs the command line again on so many ranks.
func (c *runCmd) onRanks(env *environment, args []string) error {
	if env.job != nil {
		return errors.New("--ranks: mpirun has started the ranks already; leave one of the two out")
	}
	var rest []string
	for k := 0; k < len(args); k++ {
		switch {
		case args[k] == "--ranks":
			k++
		case !strings.HasPrefix(args[k], "--ranks="):
			rest = append(rest, args[k])
		}
	}
	if err := checkRanks(*c.Ranks); err != nil {
		return err
	}
	cmd, err := mpirun(env.ctx, *c.Ranks, rest)
	if err != nil {
		return err
	}
	cmd.Stdout, cmd.Stderr = os.Stdout, env.err
	err = cmd.Run()
	var ended *exec.ExitError
	if errors.As(err, &ended) && ended.ExitCode() > 0 {
		return &toldError{statusError(ended.ExitCode())}
	}
	return err
}
