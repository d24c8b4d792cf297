package compare

import (
	"errors"
	"fmt"

	"synfire/engine/backend"
	"synfire/engine/host"
)

// Twin is a backend that runs every plan on a second backend as well and
// compares all canonical state after each Run. It gives what the first gives;
// where the two part it calls Differ, once, and the second rests from then on.
type Twin struct {
	backend.Backend                 // the first
	Other           backend.Backend // the second
	Inject          *Injection      // a deliberate difference in the second; nil: none
	Differ          func(steps int64, words []Word)

	steps    int64
	injected bool
	parted   bool
}

// Load implements backend.Backend.
func (t *Twin) Load(w host.Work, p *backend.Plan) (backend.Program, error) {
	a, err := t.Backend.Load(w, p)
	if err != nil {
		return nil, err
	}
	if t.parted {
		return a, nil
	}
	b, err := t.Other.Load(w, p)
	if err != nil {
		a.Close()
		return nil, fmt.Errorf("on %s, which runs along: %w", t.Other.Name(), err)
	}
	return &twin{Program: a, other: b, t: t, plan: p}, nil
}

// Injected says whether the deliberate difference was made: its variable and
// step exist.
func (t *Twin) Injected() bool { return t.injected }

// Close implements backend.Backend.
func (t *Twin) Close() error { return errors.Join(t.Backend.Close(), t.Other.Close()) }

type twin struct {
	backend.Program
	other backend.Program // nil once they have parted
	t     *Twin
	plan  *backend.Plan
}

// Run implements backend.Program.
func (x *twin) Run(n int, host []uint32) (int, error) {
	done, err := x.Program.Run(n, host)
	first := x.t.steps
	x.t.steps += int64(done)
	if x.other == nil || done == 0 {
		return done, err
	}
	var fault, other *backend.Fault
	for k := 0; k < done; {
		m, e := x.other.Run(done-k, host[k*x.plan.Host:])
		k += m
		if errors.As(e, &other) {
			break
		}
		if e != nil {
			return done, fmt.Errorf("on %s, which runs along: %w", x.t.Other.Name(), e)
		}
		if m == 0 {
			return done, fmt.Errorf("on %s, which runs along: no step made", x.t.Other.Name())
		}
	}
	if errors.As(err, &fault); fault != nil || other != nil {
		if fault == nil || other == nil || *fault != *other {
			return done, errors.Join(err, x.part(nil))
		}
		return done, err
	}
	if in := x.t.Inject; in != nil && !x.t.injected && first <= in.Step && in.Step < x.t.steps {
		w := &watched{Program: x.other, plan: x.plan, w: &watch{trace: &Trace{}}}
		if err := w.flip(in); err != nil {
			return done, err
		}
		x.t.injected = w.w.trace.Injected
	}
	a, e := States(x.Program, x.plan)
	if e != nil {
		return done, e
	}
	b, e := States(x.other, x.plan)
	if e != nil {
		return done, e
	}
	if words := Words(x.plan, a, b, x.t.steps); len(words) > 0 {
		return done, errors.Join(err, x.part(words))
	}
	return done, err
}

// part tells the difference and lets the second program rest.
func (x *twin) part(words []Word) error {
	x.t.parted = true
	x.t.Differ(x.t.steps, words)
	err := x.other.Close()
	x.other = nil
	return err
}

// Write implements backend.Program.
func (x *twin) Write(b backend.BufID, src []uint32) error {
	err := x.Program.Write(b, src)
	if x.other != nil {
		err = errors.Join(err, x.other.Write(b, src))
	}
	return err
}

// Close implements backend.Program.
func (x *twin) Close() error {
	err := x.Program.Close()
	if x.other != nil {
		err = errors.Join(err, x.other.Close())
	}
	return err
}
