package shaders

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"synfire/engine/backend"
	"synfire/engine/host"
	"synfire/engine/script"
)

// captured is a backend that takes the plan and runs nothing.
type captured struct{ plan *backend.Plan }

var errCaptured = errors.New("captured")

func (c *captured) Name() string       { return "captured" }
func (c *captured) Caps() backend.Caps { return backend.Caps{Device: "none"} }
func (c *captured) Close() error       { return nil }
func (c *captured) Load(_ host.Work, p *backend.Plan) (backend.Program, error) {
	c.plan = p
	return nil, errCaptured
}

// planOf is the plan of a script's first run.
func planOf(t testing.TB, file string, src []byte, set map[string]string) *backend.Plan {
	t.Helper()
	c := &captured{}
	_, err := script.Run(context.Background(), script.Options{File: file, Src: src, Set: set, Open: func() (backend.Backend, error) { return c, nil }})
	if c.plan == nil {
		t.Fatalf("%s: %v", file, err)
	}
	return c.plan
}

// workloads are networks as people run them, and what a step of theirs takes on a GPU.
// part is the fly's network with its input to cells from 'first' on.
const part = `
P = NeuronGroup(138639, """dv/dt = (-52*mV - v + g)/(20*ms) : volt (unless refractory)
dg/dt = -g/(5*ms) : volt (unless refractory)""", threshold='v > -45*mV', reset='v = -52*mV; g = 0*mV', refractory=2.2*ms, method='exact')
S = Synapses(P, P, on_pre='g += 0.3*mV', delay=1.8*ms)
S.connect(rule='fixed_outdegree', outdegree=10)
first = param('first', 0)
drive = PoissonInput(P[first:first + 150], 'v', 1, 150*Hz, weight=68.75*mV)
M = SpikeMonitor(P)
run(10*ms)
`

// workloads are networks as people run them, and what a step of theirs takes on a GPU.
var workloads = []struct {
	name, file string // without a file: part
	set        map[string]string
	segments   int // dispatches
	waits      int // those of them that wait for others
	span       int // steps that they make
	draws      int // random words that neighbours share, of all bodies
}{
	{name: "potjans_diesmann", file: "examples/potjans_diesmann", set: map[string]string{"scale": "0.1"}, segments: 2, waits: 2, span: 1, draws: 3},
	{name: "cuba", file: "examples/cuba", segments: 3, waits: 2, span: 1},
	{name: "coba", file: "examples/coba", segments: 4, waits: 3, span: 1},
	{name: "cobahh", file: "examples/cobahh", segments: 4, waits: 3, span: 1},
	{name: "lif 10^6", file: "bench/workloads/lif", set: map[string]string{"n": "1000000"}, segments: 1, waits: 1, span: 4, draws: 1},
	{name: "update 10^6", file: "bench/workloads/update", set: map[string]string{"n": "1000000"}, segments: 1, waits: 1, span: 4},
	{name: "delivery 10^5", file: "bench/workloads/delivery", segments: 2, waits: 2, span: 15, draws: 1},
	{name: "fly", segments: 2, waits: 2, span: 18, draws: 1},
	{name: "fly, cells 100 to 249", set: map[string]string{"first": "100"}, segments: 2, waits: 2, span: 18, draws: 1},
}

// TestWorkloads counts what a step of real networks takes: dispatches that wait
// for one another, steps that they make, and random words that neighbours share.
func TestWorkloads(t *testing.T) {
	for _, w := range workloads {
		t.Run(w.name, func(t *testing.T) {
			file, src := filepath.Join("..", filepath.FromSlash(w.file)+".star"), []byte(nil)
			if w.file == "" {
				src = []byte(part)
			}
			p := planOf(t, file, src, w.set)
			sc := cut(p, nil, 32, false)
			l := arrange(p, sc, 1<<28, nil)
			l.together = true
			draws := 0
			var forms []string
			for _, seg := range sc.segments {
				if seg.form != backend.FormMap {
					forms = append(forms, p.Stages[seg.stage].Name)
					continue
				}
				for _, k := range l.mapKernels(nil, seg, 64, 16) {
					forms = append(forms, fmt.Sprintf("%d bodies", len(seg.bodies)))
					draws += strings.Count(k.String(), "= words[")
				}
				for _, b := range seg.bodies {
					forms = append(forms, fmt.Sprintf("  %d lanes: %d stages", b.n, len(b.stages)))
				}
			}
			waits := 0
			for _, wait := range sc.waits() {
				if wait {
					waits++
				}
			}
			if len(sc.segments) != w.segments || waits != w.waits || sc.span != w.span || draws != w.draws {
				t.Errorf("%d dispatches, %d wait, %d steps, %d shared words, expected %d, %d, %d, %d:\n%s", len(sc.segments), waits, sc.span, draws, w.segments, w.waits, w.span, w.draws, strings.Join(forms, "\n"))
			}
		})
	}
}

// TestSharedIsRead says that what a work group writes for its neighbours is read by them.
func TestSharedIsRead(t *testing.T) {
	declared := regexp.MustCompile(`(?m)^shared uint (\w+)`)
	for name, text := range goldens() {
		for _, m := range declared.FindAllStringSubmatch(text, -1) {
			read := false
			for _, line := range strings.Split(text, "\n") {
				for _, part := range strings.SplitAfter(line, ";") {
					_, value, assigned := strings.Cut(part, " = ")
					if !assigned || strings.Contains(part, "==") {
						value = part
					}
					if !strings.Contains(part, "shared ") && strings.Contains(value, m[1]+"[") {
						read = true
					}
				}
			}
			if !read {
				t.Errorf("%s: %s is written and never read", name, m[1])
			}
		}
	}
}

// TestFewTexts: populations whose equations differ in constants alone share a text, so that the eight of
// Potjans and Diesmann's network compile as three; drivers take more than twice as long for twice the text.
func TestFewTexts(t *testing.T) {
	p := planOf(t, filepath.Join("..", "examples", "potjans_diesmann.star"), nil, map[string]string{"scale": "0.1"})
	l := arrange(p, cut(p, nil, 32, true), 1<<28, nil)
	l.together = true
	all := l.sample(64, 32, 16, 2, 0)
	if n := len(all[0].texts); len(all) != 1 || n > 3 || len(all[0].String()) > 28000 {
		t.Errorf("%d kernels, %d texts, %d bytes, expected 1, 3 and 28,000 at most", len(all), n, len(all[0].String()))
	}
}
