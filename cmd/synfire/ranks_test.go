package main

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"synfire/engine/backend"
)

// TestRanksLetTheFirstFinish: ranks that were interrupted, or have met a fault of the model, wait while the first finishes
// its files; one that fails by itself ends the others soon.
func TestRanksLetTheFirstFinish(t *testing.T) {
	for _, c := range []struct {
		status int
		err    error
		least  time.Duration
	}{
		{exitInterrupted, errors.New("interrupted"), 30 * time.Second},
		{exitModel, fmt.Errorf("a step: %w", &backend.Fault{}), 30 * time.Second},
		{exitModel, errors.New("no memory"), 0},
	} {
		if got := waits(c.status, &toldError{c.err}); got < c.least || c.least == 0 && got > 5*time.Second {
			t.Errorf("status %d, %v: waits %v", c.status, c.err, got)
		}
	}
}
