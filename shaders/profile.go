//go:build egl && cgo && linux

package shaders

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-gl/gl/v4.3-core/gl"

	"synfire/engine/backend"
)

// profile is where a program's time went: on the host by its clock, on the device by timestamps around the
// dispatches of one pass in each submission, which stand for the others of it. Where a pass is one dispatch
// they stand around all of a submission.
type profile struct {
	stamps                               []uint32        // queries
	used                                 []int           // the dispatch before each; -1: none
	kernels                              []time.Duration // by dispatch
	prepare, submit, wait, read, between time.Duration
	steps                                int
	last                                 time.Time // the end of the last Run
}

// timestamps says whether the driver has a clock.
func timestamps() bool {
	var bits int32
	gl.GetQueryiv(gl.TIMESTAMP, gl.QUERY_COUNTER_BITS, &bits)
	return bits > 0
}

// stamp notes the device's time after a dispatch, -1 at the begin.
func (p *program) stamp(after int) {
	f := &p.profile
	if !p.d.clock {
		return
	}
	if len(f.used) == len(f.stamps) {
		var q uint32
		gl.GenQueries(1, &q)
		f.stamps = append(f.stamps, q)
	}
	gl.QueryCounter(f.stamps[len(f.used)], gl.TIMESTAMP)
	f.used = append(f.used, after)
}

// stamped takes in the notes of a submission that has ended; each counts so many times.
func (p *program) stamped(times int) {
	f := &p.profile
	if f.kernels == nil {
		f.kernels = make([]time.Duration, len(p.passes))
	}
	var last uint64
	for i, k := range f.used {
		var at uint64
		gl.GetQueryObjectui64v(f.stamps[i], gl.QUERY_RESULT, &at)
		if k >= 0 && at > last {
			f.kernels[k] += time.Duration(at-last) * time.Duration(times)
		}
		last = at
	}
	f.used = f.used[:0]
}

// Profile is the time of each kernel, and of what the host did while the device had nothing to do (host: ...).
func (p *program) Profile() []backend.Phase {
	var out []backend.Phase
	add := func(name string, t time.Duration) {
		i := slices.IndexFunc(out, func(x backend.Phase) bool { return x.Name == name })
		if i < 0 {
			out = append(out, backend.Phase{Name: name})
			i = len(out) - 1
		}
		out[i].Time += t
	}
	for i, t := range p.profile.kernels {
		parts := strings.Split(p.passes[i].name, " + ")
		name := parts[0]
		if n := len(parts) - 1; n > 0 {
			name = fmt.Sprintf("%s and %d more", name, n)
		}
		add(name, t)
	}
	kernels := time.Duration(0)
	for _, x := range out {
		kernels += x.Time
	}
	f := &p.profile
	add("waiting for the device", max(0, f.submit+f.wait-kernels))
	add("host: preparing", f.prepare)
	add("host: reading records", f.read)
	add("host: between runs", f.between)
	add("records, beside the device", p.ordering)
	return out
}

// TimeStages: kernels are timed in any case, and a pass of each submission.
func (p *program) TimeStages() {}

// StageTimes is the time of each stage on the device. Stages of one kernel share its time.
func (p *program) StageTimes() []time.Duration {
	out := make([]time.Duration, len(p.plan.Stages))
	for i, t := range p.profile.kernels {
		if len(p.passes[i].stages) > 0 {
			p.plan.Share(out, t, p.passes[i].stages)
		}
	}
	return out
}

var _ backend.StageTimer = (*program)(nil)

func (f *profile) free() {
	if len(f.stamps) > 0 {
		gl.DeleteQueries(int32(len(f.stamps)), &f.stamps[0])
	}
	f.stamps = nil
}
