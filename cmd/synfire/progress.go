package main

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// progress tells how far a run is: on a terminal a bar with the rate and the time left, elsewhere a line now and then.
type progress struct {
	w     io.Writer
	term  terminal
	now   func() time.Time
	quiet bool

	begin       time.Time
	first, last int64     // steps at the beginning and at the last call
	shown       time.Time // when something was last written
	lines       int       // written elsewhere than on a terminal
	open        bool      // a bar stands in the current line
}

func newProgress(w io.Writer, t terminal, quiet bool) *progress {
	return &progress{w: w, term: t, now: time.Now, quiet: quiet}
}

// step is called now and then during a run of total steps, of which done are made.
func (p *progress) step(done, total int64) {
	now := p.now()
	if p.begin.IsZero() || done < p.last { // a new run
		p.begin, p.first, p.shown, p.lines = now, done, now, 0
		p.last = done
		return
	}
	p.last = done
	every := 100 * time.Millisecond
	if !p.term.live {
		// After 5 s, then ever more rarely: a log of a long run stays short.
		every = 5 * time.Second << min(p.lines, 4)
	}
	if p.quiet || now.Sub(p.shown) < every || done == p.first {
		return
	}
	p.shown = now
	p.lines++
	rate := float64(done-p.first) / now.Sub(p.begin).Seconds()
	left := "done"
	if done < total {
		left = duration(float64(total-done)/rate) + " left"
	}
	text := fmt.Sprintf("%3d %%  step %s of %s, %s steps/s, %s", done*100/max(total, 1), count(done), count(total), short(rate), left)
	if !p.term.live {
		fmt.Fprintln(p.w, "synfire:", strings.TrimSpace(text))
		return
	}
	bar := ""
	if n := min(p.term.width-len(text)-4, 30); n >= 6 {
		full := int(int64(n) * 8 * done / max(total, 1))
		bar = strings.Repeat("█", full/8)
		if full%8 > 0 {
			bar += string([]rune("▏▎▍▌▋▊▉")[full%8-1])
		}
		bar += strings.Repeat(" ", n-(full+7)/8) + "  "
	} else if len(text) >= p.term.width {
		text = text[:max(p.term.width-1, 0)]
	}
	fmt.Fprintf(p.w, "\r%s%s\x1b[K", bar, text)
	p.open = true
}

// clear takes the bar away, before something else is written.
func (p *progress) clear() {
	if p.open {
		fmt.Fprint(p.w, "\r\x1b[K")
		p.open = false
	}
}

// duration writes seconds for people: 45 ms, 3.2 s, 2 min 05 s, 1 h 02 min.
func duration(s float64) string {
	switch {
	case s < 0:
		return "0 s"
	case s < 1e-3:
		return fmt.Sprintf("%.2g ms", s*1e3)
	case s < 0.9995:
		return fmt.Sprintf("%.3g ms", s*1e3)
	case s < 99.5:
		return fmt.Sprintf("%.3g s", s)
	case s < 3600:
		n := int(s + 0.5)
		return fmt.Sprintf("%d min %02d s", n/60, n%60)
	case s < 1e9:
		n := int(s/60 + 0.5)
		return fmt.Sprintf("%d h %02d min", n/60, n%60)
	}
	return fmt.Sprintf("%.3g s", s)
}

// count writes a whole number with its thousands apart.
func count(n int64) string {
	s := fmt.Sprint(n)
	for k := len(s) - 3; k > 0 && s[k-1] != '-'; k -= 3 {
		s = s[:k] + "," + s[k:]
	}
	return s
}

// short writes a number in three digits: 1.78 M.
func short(x float64) string {
	for _, u := range []struct {
		v float64
		s string
	}{{1e9, " G"}, {1e6, " M"}, {1e3, " k"}} {
		if x >= u.v*0.9995 {
			return fmt.Sprintf("%.3g%s", x/u.v, u.s)
		}
	}
	return fmt.Sprintf("%.3g", x)
}

// bytes writes a number of bytes: 51.2 MB.
func bytes(n int64) string { return short(float64(n)) + "B" }
