package backend

import "time"

// Phase is one line of a profile: where a program's time went, over all Runs
// and summed over threads.
type Phase struct {
	Name string // "update", "deliver", "record", "wait"
	Time time.Duration
}

// Profiler is a Program that says where its time went. Backends may implement it.
type Profiler interface {
	Profile() []Phase
}

// Warner is a Program that has something to say of its plan, such as that a
// stage runs slowly on this backend, and why.
type Warner interface {
	Warnings() []string
}
