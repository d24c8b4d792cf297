package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"synfire/engine"
)

// output is standard output. Where it takes no more, what goes on is ended, since all that it would still say is lost.
type output struct {
	w   io.Writer
	end func()
	err error
}

func (o *output) Write(b []byte) (int, error) {
	if o.err != nil {
		return 0, o.err
	}
	n, err := o.w.Write(b)
	if err != nil {
		o.err = err
		o.end()
	}
	return n, err
}

// failure is what is wrong with standard output: a reader that has gone (head, less) has interrupted, anything else is an
// error.
func (o *output) failure() error {
	switch {
	case o.err == nil:
		return nil
	case errors.Is(o.err, syscall.EPIPE):
		return fmt.Errorf("%w: nobody reads standard output any more", engine.ErrInterrupted)
	}
	return fmt.Errorf("what was printed is lost: %w", o.err)
}

// heed calls stop at the first signal that asks for an end. Interrupt and terminate end the process at once when they come
// again; the others (a terminal that closes, a limit of time) may come again while what was recorded is being kept.
func heed(stop func()) {
	c := make(chan os.Signal, 1)
	for _, s := range endings {
		if s == os.Interrupt || s == syscall.SIGTERM || !signal.Ignored(s) { // nohup ignores the end of a terminal
			signal.Notify(c, s)
		}
	}
	// A pipe that nobody reads is then an error of the write, not the death of the process.
	signal.Notify(make(chan os.Signal, 1), brokenPipe...)
	go func() {
		<-c
		signal.Reset(os.Interrupt, syscall.SIGTERM)
		stop()
	}()
}
