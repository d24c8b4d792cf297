//go:build unix

package main

import (
	"os"
	"os/exec"
	"syscall"
)

// endings are the signals that end a run as Ctrl-C does.
var endings = []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGXCPU}

var brokenPipe = []os.Signal{syscall.SIGPIPE}

// passedOn is the signal that starters of MPI pass on to their ranks, which end as of an interruption; of any other they end
// the ranks themselves.
const passedOn = syscall.SIGUSR1

// alone keeps a signal of the terminal from a program that is started: it is told.
func alone(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }
