//go:build unix

package main

import (
	"os"
	"syscall"
)

// endings are the signals that end a run as Ctrl-C does.
var endings = []os.Signal{os.Interrupt, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGXCPU}

var brokenPipe = []os.Signal{syscall.SIGPIPE}
