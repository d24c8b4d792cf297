package serve

import (
	"context"
	"sync"
	"time"
)

// breaker is the context of a session: unlike others it is whole again after an
// interruption, for values of the session keep it.
type breaker struct {
	mu     sync.Mutex
	done   chan struct{}
	err    error
	seen   int           // requests that were read
	before int           // those up to this one are to be interrupted
	now    int           // the one that is being worked on; 0: none
	gone   chan struct{} // closed: for good
	ended  bool
}

func newBreaker() *breaker {
	return &breaker{done: make(chan struct{}), gone: make(chan struct{})}
}

// lost ends when all is interrupted for good.
func (b *breaker) lost() <-chan struct{} { return b.gone }

// Deadline implements context.Context, as the others do.
func (b *breaker) Deadline() (t time.Time, ok bool) { return }

func (b *breaker) Value(any) any { return nil }

func (b *breaker) Done() <-chan struct{} {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.done
}

func (b *breaker) Err() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.err
}

// read counts a request that was read.
func (b *breaker) read() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.seen++
	return b.seen
}

// stop interrupts what was read so far.
func (b *breaker) stop() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.before = b.seen; b.now > 0 {
		b.open()
	}
}

// end interrupts all that there is and will be.
func (b *breaker) end() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.open(); !b.ended {
		b.ended = true
		close(b.gone)
	}
}

func (b *breaker) open() {
	if b.err == nil {
		b.err = context.Canceled
		close(b.done)
	}
}

// begin is called as work on request number n begins, and finish when it ends.
func (b *breaker) begin(n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch b.now = n; {
	case n <= b.before:
		b.open()
	case b.err != nil && !b.ended:
		b.err, b.done = nil, make(chan struct{})
	}
}

func (b *breaker) finish() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.now = 0
}
