//go:build !unix

package main

import (
	"os"
	"os/exec"
	"syscall"
)

// endings are the signals that end a run as Ctrl-C does.
var endings = []os.Signal{os.Interrupt, syscall.SIGTERM}

var brokenPipe = []os.Signal{syscall.SIGPIPE}

// passedOn ends a program that is started.
var passedOn = os.Kill

func alone(*exec.Cmd) {}
