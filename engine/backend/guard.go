package backend

import "fmt"

// Guard holds the rules of Run, Read and Write that all Programs share.
type Guard struct {
	Name   string // the backend's, for errors
	Plan   *Plan
	Closed bool
	Failed error  // what the device said when it was lost, or nil
	Fault  *Fault // what ended the program, or nil
	// Room is the number of words of a record that has grown; nil: records are as
	// long as the plan says.
	Room func(BufID) int
}

// Run says why a program must not advance n steps.
func (g Guard) Run(n int, host []uint32) error {
	switch {
	case g.Closed:
		return g.closed()
	case g.Failed != nil:
		return g.Failed
	case g.Fault != nil:
		return g.Fault
	case n < 0 || n > g.Plan.Batch || len(host) < n*g.Plan.Host:
		return fmt.Errorf("%s: run of %d steps with %d host words, expected at most %d steps and %d words for each", g.Name, n, len(host), g.Plan.Batch, g.Plan.Host)
	}
	return nil
}

// Read says why n words of a buffer must not be read.
func (g Guard) Read(b BufID, n int) error {
	if err := g.within(b, n); err != nil {
		return err
	}
	if buf := &g.Plan.Bufs[b]; g.Fault != nil && buf.Kind != Record && buf.Kind != Constant {
		return fmt.Errorf("%s: %s is not defined after an error: %w", g.Name, buf.Name, g.Fault)
	}
	return nil
}

// Write says why a buffer must not take n words.
func (g Guard) Write(b BufID, n int) error {
	if err := g.within(b, n); err != nil {
		return err
	}
	if buf := &g.Plan.Bufs[b]; buf.Kind != State && buf.Kind != Constant {
		return fmt.Errorf("%s: %s holds no state that could be written", g.Name, buf.Name)
	}
	if g.Fault != nil {
		return g.Fault
	}
	return nil
}

func (g Guard) within(b BufID, n int) error {
	switch {
	case g.Closed:
		return g.closed()
	case g.Failed != nil:
		return g.Failed
	case b < 0 || int(b) >= len(g.Plan.Bufs):
		return fmt.Errorf("%s: buffer %d of %d", g.Name, b, len(g.Plan.Bufs))
	}
	buf := &g.Plan.Bufs[b]
	has := buf.Len
	if buf.Kind == Record && g.Room != nil {
		has = g.Room(b)
	}
	if n > has {
		return fmt.Errorf("%s: %d words of %s, which has %d", g.Name, n, buf.Name, has)
	}
	return nil
}

func (g Guard) closed() error { return fmt.Errorf("%s: the program is closed", g.Name) }
