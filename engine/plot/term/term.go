// Package term draws spikes in a terminal: a raster in Braille dots and a chart of each population's rate in block
// characters. Everything returns a string of lines and takes the width in columns; nothing here looks at a terminal.
package term

import (
	"fmt"
	"math"
	"strings"
	"unicode/utf8"
)

// Spikes are the spikes of one population: the indices of the neurons that fired, the times in seconds, and the number
// of neurons.
type Spikes struct {
	Name string
	I    []int32
	T    []float64
	N    int
}

const (
	minWidth = 20 // of the part that is drawn
	maxName  = 14
)

// layout returns the width of the names' column and of the drawing.
func layout(pops []Spikes, width, right int) (names, body int) {
	for _, p := range pops {
		names = max(names, min(utf8.RuneCountInString(p.Name), maxName))
	}
	return names, max(width-names-3-right, minWidth)
}

func pad(s string, n int) string {
	r := []rune(s)
	if len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return s + strings.Repeat(" ", n-len(r))
}

// Raster draws spikes between start and stop (seconds) as dots, in about the given number of lines, which the populations
// share in proportion to their neurons. A row of dots is one neuron: of a population that has more, neurons at equal
// distances are shown, and the last line says how many.
func Raster(pops []Spikes, start, stop float64, width, lines int) string {
	if len(pops) == 0 || !(stop > start) {
		return ""
	}
	names, body := layout(pops, width, 0)
	total := 0
	for _, p := range pops {
		total += p.N
	}
	var b strings.Builder
	shown := 0
	for _, p := range pops {
		rows := int(math.Round(float64(lines) * float64(p.N) / float64(max(total, 1))))
		rows = max(1, min(rows, (p.N+3)/4))
		cells := make([]byte, rows*body)
		step := max((p.N+4*rows-1)/(4*rows), 1)
		shown += (p.N + step - 1) / step
		for k, t := range p.T {
			x := int((t - start) / (stop - start) * float64(2*body))
			y := int(p.I[k]) / step
			if int(p.I[k])%step != 0 || x < 0 || x >= 2*body || y < 0 || y >= 4*rows {
				continue
			}
			cells[y/4*body+x/2] |= dots[y%4][x%2]
		}
		for r := range rows {
			name := ""
			if r == rows/2 {
				name = p.Name
			}
			b.WriteString(pad(name, names) + " │")
			end := body
			for end > 0 && cells[r*body+end-1] == 0 {
				end--
			}
			for _, c := range cells[r*body : r*body+end] {
				if c == 0 {
					b.WriteByte(' ')
				} else {
					b.WriteRune(0x2800 + rune(c))
				}
			}
			b.WriteByte('\n')
		}
	}
	note := ""
	if shown < total {
		note = fmt.Sprintf("%d of %d neurons", shown, total)
	}
	b.WriteString(axis(names, body, start, stop, note))
	return b.String()
}

// dots are the bits of a Braille character, by row and column.
var dots = [4][2]byte{{1, 8}, {2, 16}, {4, 32}, {64, 128}}

// Rates draws one line for each population: its rate over time in eighths of a block, scaled to its own peak, which
// stands at the end of the line with the mean.
func Rates(pops []Spikes, start, stop float64, width int) string {
	if len(pops) == 0 || !(stop > start) {
		return ""
	}
	const right = 26 // "  12.3 Hz, peak 45.6 Hz"
	names, body := layout(pops, width, right)
	var b strings.Builder
	for _, p := range pops {
		bin := (stop - start) / float64(body)
		count := make([]int, body)
		all := 0
		for _, t := range p.T {
			if k := int((t-start)/bin + 1e-6); t >= start && k >= 0 && k < body {
				count[k]++
				all++
			}
		}
		peak := 0
		for _, c := range count {
			peak = max(peak, c)
		}
		b.WriteString(pad(p.Name, names) + " │")
		for _, c := range count {
			if c == 0 {
				b.WriteByte(' ')
			} else {
				b.WriteRune([]rune("▁▂▃▄▅▆▇█")[(c*8-1)/peak])
			}
		}
		n := float64(max(p.N, 1))
		fmt.Fprintf(&b, " %s, peak %s\n", hertz(float64(all)/(n*(stop-start))), hertz(float64(peak)/(n*bin)))
	}
	b.WriteString(axis(names, body, start, stop, ""))
	return b.String()
}

func hertz(r float64) string {
	switch {
	case r >= 999.5:
		return fmt.Sprintf("%.0f Hz", r)
	case r == 0:
		return "0 Hz"
	}
	return fmt.Sprintf("%.3g Hz", r)
}

// axis is the line of times under a drawing, with a note in its middle.
func axis(names, body int, start, stop float64, note string) string {
	unit, scale := "s", 1.0
	if stop-start < 2 {
		unit, scale = "ms", 1e3
	}
	left := fmt.Sprintf("%.6g", start*scale)
	right := fmt.Sprintf("%.6g %s", stop*scale, unit)
	gap := max(body-len(left)-len(right), 1)
	if len(note)+2 > gap {
		note = ""
	}
	a := (gap - len(note)) / 2
	return strings.Repeat(" ", names+1) + "└" + strings.Repeat("─", body) + "\n" +
		strings.Repeat(" ", names+2) + left + strings.Repeat(" ", a) + note + strings.Repeat(" ", gap-len(note)-a) + right + "\n"
}
