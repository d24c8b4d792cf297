package bench

import (
	"fmt"
	"time"
)

// say writes a line that stays.
func (r *Runner) say(format string, a ...any) {
	if r.Log != nil {
		r.clear()
		fmt.Fprintf(r.Log, format+"\n", a...)
	}
}

// status writes a line that the next one replaces; where Log is no terminal,
// nothing.
func (r *Runner) status(format string, a ...any) {
	if r.Log != nil && r.Live {
		text := fmt.Sprintf(format, a...)
		fmt.Fprintf(r.Log, "\r%.78s\x1b[K", text)
	}
}

func (r *Runner) clear() {
	if r.Log != nil && r.Live {
		fmt.Fprint(r.Log, "\r\x1b[K")
	}
}

// progress shows where the benchmark is, with the time left by the rate at which
// the estimated cost was worked off so far.
func (r *Runner) progress(c Case, label string, part float64) {
	text := fmt.Sprintf("%s %s", c, label)
	if part > 0 {
		text += fmt.Sprintf(" %.0f %%", part*100)
	}
	if r.done > 0 && r.spent > 0 {
		left := (r.total - r.done) * r.spent / r.done
		text += ", about " + time.Duration(left*float64(time.Second)).Round(time.Second).String() + " left"
	}
	if r.Live {
		r.status("%s", text)
	} else if c != r.shown { // a log of many repeats stays short
		r.shown = c
		r.say("%s", text)
	}
}
