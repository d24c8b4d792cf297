package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"synfire/engine/backend"
	"synfire/engine/plot/term"
	"synfire/engine/store"
)

// summarize tells a person what ran, what came out and where the time went.
func summarize(w io.Writer, t terminal, m *store.Manifest, profile []backend.Phase, held []backend.Held, spikes []term.Spikes) {
	fmt.Fprintf(w, "%s: %s neurons, %s synapses, dt %s, seed %d\n", t.bold(m.Script), count(m.Neurons), count(m.Synapses), duration(m.DtS), m.Seed)
	for _, s := range m.Set {
		fmt.Fprintf(w, "  %s = %s\n", s.Name, s.Value)
	}
	if len(m.Runs) == 0 {
		fmt.Fprintln(w, "The script has no run(): nothing was simulated.")
		return
	}
	device := m.Device
	if device != "" {
		device = ", " + device
	}
	fmt.Fprintf(w, "%s%s\n", m.Backend, device)
	if m.Inexact {
		fmt.Fprintln(w, t.red("This device failed its self-test: the numbers below are not exact."))
	}
	fmt.Fprintln(w)

	last := m.Runs[len(m.Runs)-1]
	if len(m.Runs) > 1 {
		fmt.Fprintf(w, "Run %d of %d, from %s to %s:\n", len(m.Runs), len(m.Runs), modelTime(last.StartS), modelTime(last.StartS+last.DurationS))
	} else {
		fmt.Fprintf(w, "Run of %s:\n", modelTime(last.DurationS))
	}
	rows := [][]string{{"", "neurons", "spikes", "rate"}}
	for _, p := range m.Populations {
		row := []string{p.Name, count(p.Value), "-", ""}
		if n, ok := last.Spikes.Get(p.Name); ok {
			row[2] = count(n)
			if p.Value > 0 && last.DurationS > 0 {
				row[3] = fmt.Sprintf("%.3f Hz", float64(n)/(float64(p.Value)*last.DurationS))
			}
		}
		rows = append(rows, row)
	}
	table(w, t, rows)
	if body := charts(spikes, last, t.width); body != "" {
		fmt.Fprintf(w, "\n%s", body)
	}

	fmt.Fprintf(w, "\n%s   run %s, %s (%.3g times real time)", t.bold("time"), duration(last.WallS), perSecond(last), last.RealTimeFactor)
	if last.Events > 0 {
		fmt.Fprintf(w, "; %s synaptic events, %.3g ns each", short(float64(last.Events)), last.WallS/float64(last.Events)*1e9)
	}
	fmt.Fprintf(w, "\n       start %s, compile %s, build %s", duration(m.TimeS.Start), duration(m.TimeS.Compile), duration(m.TimeS.Build))
	if m.TimeS.FirstSpike > 0 {
		fmt.Fprintf(w, ", first spike after %s", duration(m.TimeS.FirstSpike))
	}
	fmt.Fprintln(w)
	if s := shares(profile); s != "" {
		fmt.Fprintf(w, "       %s", s)
		if t := backend.HostTime(profile); t > 0 && last.Steps > 0 {
			fmt.Fprintf(w, "; the device waits %.2g µs a step for the host", t.Seconds()/float64(last.Steps)*1e6)
		}
		fmt.Fprintln(w)
	}
	fmt.Fprintf(w, "%s plan %s, peak %s\n", t.bold("memory"), bytes(m.Bytes.Plan), bytes(m.Bytes.Peak))
	for _, own := range []bool{true, false} {
		var parts []string
		for _, h := range held {
			if h.Own == own && h.Bytes > 0 {
				parts = append(parts, h.Name+" "+bytes(h.Bytes))
			}
		}
		if len(parts) > 0 {
			fmt.Fprintf(w, "       %s: %s\n", map[bool]string{true: "this rank's part", false: "on every rank"}[own], strings.Join(parts, ", "))
		}
	}
	if m.Hash.Spikes != "" {
		fmt.Fprintf(w, "%s   spikes %s  state %s\n", t.bold("hash"), m.Hash.Spikes, m.Hash.State[:min(16, len(m.Hash.State))])
	}
}

// charts draws what was recorded of the last run: a raster where there are few lines to spare, and the rates.
func charts(spikes []term.Spikes, last store.Run, width int) string {
	width = min(width, 100)
	n := 0
	for _, s := range spikes {
		n += len(s.T)
	}
	if n == 0 || len(spikes) > 24 {
		return ""
	}
	stop := last.StartS + last.DurationS
	if len(spikes) == 1 {
		return term.Raster(spikes, last.StartS, stop, width, 10) + "\n" + term.Rates(spikes, last.StartS, stop, width)
	}
	return term.Rates(spikes, last.StartS, stop, width)
}

func perSecond(r store.Run) string {
	if r.WallS <= 0 {
		return "no time"
	}
	return short(float64(r.Steps)/r.WallS) + " steps/s"
}

func modelTime(s float64) string {
	if s == 0 {
		return "0 s"
	}
	return duration(s)
}

// shares tells in which phases the time of all threads went.
func shares(profile []backend.Phase) string {
	var all time.Duration
	for _, p := range profile {
		all += p.Time
	}
	if all <= 0 {
		return ""
	}
	var parts []string
	for _, p := range profile {
		if x := float64(p.Time) / float64(all); x >= 0.005 {
			parts = append(parts, fmt.Sprintf("%s %.0f %%", p.Name, 100*x))
		}
	}
	return strings.Join(parts, ", ")
}

// table prints rows in columns: the first to the left, the others to the right.
func table(w io.Writer, t terminal, rows [][]string) {
	widths := make([]int, len(rows[0]))
	for _, r := range rows {
		for k, c := range r {
			widths[k] = max(widths[k], len([]rune(c)))
		}
	}
	for n, r := range rows {
		var b strings.Builder
		b.WriteString("  ")
		for k, c := range r {
			gap := strings.Repeat(" ", widths[k]-len([]rune(c)))
			if k == 0 {
				b.WriteString(c + gap)
			} else {
				b.WriteString("  " + gap + c)
			}
		}
		line := strings.TrimRight(b.String(), " ")
		if n == 0 {
			line = t.faint(line)
		}
		fmt.Fprintln(w, line)
	}
}
