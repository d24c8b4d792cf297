//go:build mpi

// Package mpitest is what tests on ranks of MPI share.
package mpitest

import (
	"fmt"
	"os"
	"testing"
	"time"

	"synfire/kernels/mpi"
)

// Main is TestMain of tests that mpirun has started: each rank runs them, once ready has been given its job. It fails where one of them does.
func Main(m *testing.M, ready func(*mpi.Job)) {
	job, err := mpi.Start()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	ready(job)
	code := m.Run()
	if _, apart := job.Leave(code, 0, 10*time.Second); apart != nil {
		fmt.Fprintln(os.Stderr, apart)
		job.Part(1, 10*time.Second)
		code = 1
	}
	os.Exit(code)
}
