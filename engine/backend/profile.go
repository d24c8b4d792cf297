package backend

import (
	"strings"
	"time"
)

// Phase is one line of a profile: where a program's time went, over all Runs
// and summed over threads.
type Phase struct {
	Name string // "update", "deliver", "record", "wait"
	Time time.Duration
}

// HostTime is the time in which a device waited for its host: phases named "host: ...".
func HostTime(all []Phase) (t time.Duration) {
	for _, p := range all {
		if strings.HasPrefix(p.Name, "host: ") {
			t += p.Time
		}
	}
	return t
}

// Profiler is a Program that says where its time went. Backends may implement it.
type Profiler interface {
	Profile() []Phase
}

// StageTimer is a Program that can say where its time goes by stage. Backends may
// implement it.
type StageTimer interface {
	TimeStages()                 // from now on: every step is timed
	StageTimes() []time.Duration // by stage of the plan, summed over threads
}

// Share adds the time that stages took together to the times of stages, in proportion
// to their work: operations times lanes, or items of a record.
func (p *Plan) Share(times []time.Duration, d time.Duration, stages []int) {
	if len(stages) == 1 {
		times[stages[0]] += d
		return
	}
	all := 0.0
	for _, i := range stages {
		all += p.Stages[i].work(p)
	}
	for _, i := range stages {
		times[i] += time.Duration(float64(d) * (p.Stages[i].work(p) / all))
	}
}

// work is the work of a step of the stage, more than 0.
func (s *Stage) work(p *Plan) float64 {
	switch s.Form {
	case FormMap:
		return 1 + float64(float64(operations(s.Prog))*float64(s.N))
	case FormEffect:
		return 1 + float64(float64(operations(s.Prog))*float64(p.Tables[s.Table].Spec.NSrc))
	case FormDeliver:
		return 1 + float64(p.Tables[s.Table].Spec.NSrc)
	case FormSample:
		return 1 + float64(s.Rec.N)
	case FormSpikes:
		return 1 + float64(s.Rec.Hi-s.Rec.Lo)
	}
	return 1
}

// Warner is a Program that has something to say of its plan, such as that a
// stage runs slowly on this backend, and why, or of how it went. It is asked when it was loaded and
// when a run has ended, and says all so far each time.
type Warner interface {
	Warnings() []string
}

// Held is a part of the memory of one of several ranks: its own share of the network,
// or what every rank holds alike, however many they are.
type Held struct {
	Name  string
	Bytes int64
	Own   bool
}

// Holder is a Program of one of several ranks, and says what memory it takes there.
type Holder interface {
	Holds() []Held
}
