// Command gpu-report measures the gl backend on a machine, a GPU or a software renderer, and writes a
// report: devices and limits, exactness, Potjans and Diesmann's network on cpu and gl with their hashes, time
// by kernel, workloads of the harness, and what dispatches and barriers cost. It needs no Go: it runs what stands beside it.
//
//	make gpu-report                 on a machine with Go
//	make gpu-kit                    bin/gpu, to be copied to one without; there: ./gpu-report -out DIR
package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"time"
)

// device is what is read of `synfire devices --json`.
type device struct {
	Number   int    `json:"number"`
	Name     string `json:"name"`
	Vendor   string `json:"vendor"`
	Version  string `json:"version"`
	Software bool   `json:"software"`
	Error    string `json:"error"`
	SelfTest string `json:"self_test"`
	Meet     int    `json:"meet"` // work groups that wait for one another
}

// part is one command of the report.
type part struct {
	Name    string  `json:"name"`
	Command string  `json:"command"`
	Status  int     `json:"status"` // of the command; -1: it ran past its limit or did not start
	Seconds float64 `json:"seconds"`
	Said    string  `json:"said,omitempty"` // the end of what it said, where it failed
}

// manifest is what is read of `synfire run --json`.
type manifest struct {
	Backend string `json:"backend"`
	Device  string `json:"device"`
	Runs    []struct {
		RealTimeFactor float64 `json:"real_time_factor"`
		Steps          int64   `json:"steps"`
		WallS          float64 `json:"wall_s"`
	} `json:"runs"`
	Hash struct {
		Spikes string `json:"spikes"`
		State  string `json:"state"`
	} `json:"hash"`
}

// row is a case of the harness or of the main job.
type row struct {
	Workload string             `json:"workload"`
	Backend  string             `json:"backend"`
	Micros   float64            `json:"us_per_step"`
	Host     float64            `json:"host_us_per_step,omitempty"` // of these the device waits for the host, as Phases tell
	Factor   float64            `json:"real_time_factor"`
	Events   int64              `json:"events"`
	Hash     string             `json:"hash,omitempty"`
	Phases   map[string]float64 `json:"phases_s,omitempty"`
}

// report is results.json.
type report struct {
	Date      string   `json:"date"`
	Host      string   `json:"host"`
	Cores     int      `json:"cores"`
	Device    device   `json:"device"`
	Devices   []device `json:"devices"`
	Exact     bool     `json:"exact"`    // the self-test, and every comparison that was made
	OneHash   bool     `json:"one_hash"` // cpu and gl agree on the main job
	MainScale string   `json:"main_scale"`
	Rows      []row    `json:"rows"`
	Micro     []string `json:"micro,omitempty"`
	Parts     []part   `json:"parts"`
}

type runner struct {
	kit, out string
	end      time.Time
	rep      *report
}

// run runs a command of the kit in a folder of it, keeps what it says, and gives its standard output.
func (r *runner) run(name string, limit time.Duration, dir string, args ...string) ([]byte, bool) {
	p := part{Name: name, Command: strings.Join(args, " "), Status: -1}
	defer func() {
		r.rep.Parts = append(r.rep.Parts, p)
		fmt.Fprintf(os.Stderr, "%-28s status %d, %.1f s\n", p.Name, p.Status, p.Seconds)
	}()
	left := time.Until(r.end)
	if left < 3*time.Second {
		p.Said = "left out: no time was left"
		return nil, false
	}
	ctx, cancel := context.WithTimeout(context.Background(), min(limit, left))
	defer cancel()
	var env []string
	if strings.HasPrefix(args[0], "SYNFIRE_GL=") {
		env, args = append(os.Environ(), args[0]), args[1:]
	}
	cmd := exec.CommandContext(ctx, filepath.Join(r.kit, args[0]), args[1:]...)
	cmd.Env = env
	cmd.Dir = filepath.Join(r.kit, dir)
	cmd.WaitDelay = 2 * time.Second
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	begin := time.Now()
	err := cmd.Run()
	p.Seconds = time.Since(begin).Seconds()
	var exit *exec.ExitError
	switch {
	case err == nil:
		p.Status = 0
	case errors.As(err, &exit) && ctx.Err() == nil:
		p.Status = exit.ExitCode()
	}
	if p.Status != 0 {
		text := strings.TrimSpace(said.String())
		if text == "" {
			text = strings.TrimSpace(out.String())
		}
		if err != nil && !errors.As(err, &exit) {
			text = err.Error()
		}
		p.Said = text[max(0, len(text)-600):]
	}
	os.WriteFile(filepath.Join(r.out, name+".txt"), append(out.Bytes(), said.Bytes()...), 0o666)
	return out.Bytes(), p.Status == 0
}

func (r *runner) has(name string) bool {
	_, err := os.Stat(filepath.Join(r.kit, name))
	return err == nil
}

func main() {
	out := flag.String("out", filepath.Join("bench", "results"), "where the folder DATE/gpu-NAME is made")
	limit := flag.Duration("limit", 290*time.Second, "time for all parts together")
	which := flag.String("device", "", "number of the device; without it the first that is no software renderer, else the first")
	flag.Parse()
	exe, err := os.Executable()
	if err == nil {
		err = measure(filepath.Dir(exe), *out, *which, *limit)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "gpu-report:", err)
		os.Exit(1)
	}
}

func measure(kit, out, which string, limit time.Duration) error {
	rep := &report{Date: time.Now().UTC().Format("2006-01-02"), Cores: runtime.NumCPU(), Exact: true}
	rep.Host, _ = os.Hostname()
	temp, err := os.MkdirTemp("", "gpu-report-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(temp)
	r := &runner{kit: kit, out: temp, end: time.Now().Add(limit), rep: rep}
	list, _ := r.run("devices", 30*time.Second, "", "synfire", "devices", "--json")
	if err := json.Unmarshal(list, &rep.Devices); err != nil || len(rep.Devices) == 0 {
		return fmt.Errorf("no OpenGL device: %s", rep.Parts[0].Said)
	}
	if rep.Device, err = choose(rep.Devices, which); err != nil {
		return err
	}
	r.out = filepath.Join(out, rep.Date, "gpu-"+slug(rep.Device.Name))
	if err := os.MkdirAll(r.out, 0o777); err != nil {
		return err
	}
	r.all()
	if err := os.WriteFile(filepath.Join(r.out, "report.md"), rep.markdown(), 0o666); err != nil {
		return err
	}
	b, err := json.MarshalIndent(rep, "", "  ")
	if err == nil {
		err = os.WriteFile(filepath.Join(r.out, "results.json"), append(b, '\n'), 0o666)
	}
	fmt.Println(r.out)
	return err
}

// choose is the device to measure.
func choose(list []device, which string) (device, error) {
	var first *device
	for i := range list {
		d := &list[i]
		if d.Error == "" && (which == fmt.Sprint(d.Number) || which == "" && (first == nil || first.Software && !d.Software)) {
			first = d
		}
	}
	if first == nil {
		return device{}, fmt.Errorf("device %q: none that can be opened is called so; see synfire devices", which)
	}
	return *first, nil
}

// slug is a device's name as part of a folder's.
func slug(name string) string {
	name, _, _ = strings.Cut(name, "/")
	name, _, _ = strings.Cut(name, "(")
	return strings.Trim(regexp.MustCompile(`[^a-z0-9]+`).ReplaceAllString(strings.ToLower(name), "-"), "-")
}

// all runs the parts, most telling first. A software renderer takes small networks.
func (r *runner) all() {
	soft, dev := r.rep.Device.Software, fmt.Sprint(r.rep.Device.Number)
	brief, scale, duration := "200*ms", "1", "1*second"
	if soft {
		brief, scale, duration = "10*ms", "0.02", "20*ms"
	}
	r.rep.MainScale = scale
	for _, m := range []string{"cuba", "coba", "stdp"} {
		if _, ok := r.run("verify-"+m, 40*time.Second, "examples", "synfire", "verify", m+".star", "--backends", "cpu,gl", "--device", dev, "--set", "duration="+brief, "--json", "-q"); !ok {
			r.rep.Exact = false
		}
	}
	if list, ok := r.run("self-test", 30*time.Second, "", "synfire", "devices", "--json"); ok { // the first run above made it
		var all []device
		if json.Unmarshal(list, &all) == nil {
			for _, d := range all {
				if d.Number == r.rep.Device.Number {
					r.rep.Device.SelfTest, r.rep.Device.Meet = d.SelfTest, d.Meet
				}
			}
		}
	}
	var hashes []string
	for _, b := range []string{"cpu", "gl"} {
		args := []string{"synfire", "run", "potjans_diesmann.star", "--backend", b, "--set", "scale=" + scale, "--set", "duration=" + duration, "--json"}
		if b == "gl" {
			args = append(args, "--device", dev)
		}
		out, ok := r.run("potjans_diesmann-"+b, 90*time.Second, "examples", args...)
		var m manifest
		if !ok || json.Unmarshal(out, &m) != nil || len(m.Runs) == 0 {
			continue
		}
		last := m.Runs[len(m.Runs)-1]
		hashes = append(hashes, m.Hash.Spikes+" "+m.Hash.State)
		r.rep.Rows = append(r.rep.Rows, row{Workload: "potjans_diesmann, scale " + scale, Backend: b, Micros: last.WallS / float64(max(last.Steps, 1)) * 1e6, Factor: last.RealTimeFactor, Hash: m.Hash.Spikes})
	}
	r.rep.OneHash = len(hashes) == 2 && hashes[0] == hashes[1]
	if len(hashes) == 2 && !r.rep.OneHash {
		r.rep.Exact = false
	}
	if r.has("examples.test") && !soft {
		if _, ok := r.run("golden", 60*time.Second, "examples", "examples.test", "-test.run", "TestGoldenGL"); !ok {
			r.rep.Exact = false
		}
	}
	if r.has("glmicro") {
		out, _ := r.run("micro", 60*time.Second, "", "glmicro", dev)
		for line := range strings.Lines(string(out)) {
			r.rep.Micro = append(r.rep.Micro, strings.TrimRight(line, "\n"))
		}
	}
	for _, w := range []struct{ name, size, small string }{
		{"potjans_diesmann", "1", "0.02"}, {"fly", "138639", "13864"}, {"lif", "1e6", "1e4"}, {"update", "1e6", "1e4"}, {"cuba", "1e5", "4000"}, {"coba", "1e5", "4000"}, {"delivery", "1e5", "1e4"}, {"brunel_stdp", "0.2", "0.1"},
	} {
		size, duration := w.size, "0.5"
		if soft {
			size, duration = w.small, "0.01"
		}
		out, ok := r.run("bench-"+w.name, 40*time.Second, "", "synfire", "bench", w.name, "--backends", "cpu,gl:"+dev, "--sizes", size, "--threads", fmt.Sprint(r.rep.Cores), "--repeats", "2", "--no-warmup", "--duration", duration, "--json")
		if ok {
			r.rep.Rows = append(r.rep.Rows, rows(w.name+", "+size, out)...)
		}
	}
	defer r.variants(scale, brief, dev, hashes) // with the time that is left
	if r.has("shaders.test") && !soft {
		if _, ok := r.run("suite", 120*time.Second, "shaders", "shaders.test", "-test.short", "-test.run", "^(TestBackend|TestAhead|TestManyPasses|TestMeetingsThatFail|TestMutations|TestFaultInSpan)$", "-rapid.checks=15"); !ok {
			r.rep.Exact = false
		}
	}
}

// rows reads what `synfire bench --json` says.
func rows(workload string, out []byte) []row {
	var all struct {
		Rows []struct {
			Backend string `json:"backend"`
			Samples []struct {
				Run    float64            `json:"run_s"`
				Model  float64            `json:"model_s"`
				Steps  int64              `json:"steps"`
				Events int64              `json:"events"`
				Hash   string             `json:"hash"`
				Phases map[string]float64 `json:"phases_s"`
			} `json:"samples"`
		} `json:"rows"`
	}
	if json.Unmarshal(out, &all) != nil {
		return nil
	}
	var list []row
	for _, r := range all.Rows {
		if len(r.Samples) == 0 {
			continue
		}
		best := r.Samples[0]
		for _, s := range r.Samples {
			if s.Run < best.Run {
				best = s
			}
		}
		waits := 0.0
		for name, t := range best.Phases {
			if strings.HasPrefix(name, "host: ") {
				waits += t
			}
		}
		each := 1e6 / float64(max(best.Steps, 1))
		list = append(list, row{workload, r.Backend, best.Run * each, waits * each, best.Run / best.Model, best.Events, best.Hash, best.Phases})
	}
	return list
}

// variants runs Potjans and Diesmann's network with other ways to use the device. Of equal length, all have one hash.
func (r *runner) variants(scale, duration, dev string, hashes []string) {
	if len(hashes) == 0 {
		return // it does not run here
	}
	first := ""
	for _, v := range []string{"", "persistent=0", "persistent=1", "apart=1", "group=128", "group=256", "walk=528", "chunk=1024", "philox=1", "philox=4", "movable=1"} {
		name := "variant-" + strings.ReplaceAll(v, "=", "-")
		args := []string{"SYNFIRE_GL=" + v, "synfire", "run", "potjans_diesmann.star", "--backend", "gl", "--device", dev, "--set", "scale=" + scale, "--set", "duration=" + duration, "--json"}
		out, ok := r.run(name, 40*time.Second, "examples", args...)
		var m manifest
		if !ok || json.Unmarshal(out, &m) != nil || len(m.Runs) == 0 {
			continue
		}
		last, hash := m.Runs[len(m.Runs)-1], m.Hash.Spikes+" "+m.Hash.State
		r.rep.Rows = append(r.rep.Rows, row{Workload: "potjans_diesmann, scale " + scale + ", " + duration, Backend: strings.TrimSuffix("gl, "+v, ", "), Micros: last.WallS / float64(max(last.Steps, 1)) * 1e6, Factor: last.RealTimeFactor, Hash: m.Hash.Spikes})
		if first == "" {
			first = hash
		}
		if hash != first {
			r.rep.Exact = false
		}
	}
}

// markdown is report.md.
func (rep *report) markdown() []byte {
	var b bytes.Buffer
	line := func(format string, a ...any) { fmt.Fprintf(&b, format+"\n", a...) }
	d := rep.Device
	kind := "GPU"
	if d.Software {
		kind = "software renderer; small networks: a check of the report and of exactness, no speed"
	}
	line("# %s\n", d.Name)
	line("%s, %d cores. %s, %s (%s). Self-test: %s; %d work groups wait for one another within a dispatch (row persistent=1; 0: they do not).\n", rep.Date, rep.Cores, d.Vendor, d.Version, kind, d.SelfTest, d.Meet)
	switch {
	case !rep.Exact:
		line("**Something differs or failed**: see the parts below.\n")
	default:
		line("Everything that was compared is equal to the bit.\n")
	}
	if rep.OneHash {
		line("Potjans and Diesmann's network at scale %s: one hash on cpu and gl.\n", rep.MainScale)
	}
	line("| network | backend | µs a step | the device waits for the host | wall / model time | where the time went |")
	line("|---|---|---|---|---|---|")
	for _, r := range rep.Rows {
		host := "-"
		if r.Phases != nil {
			host = fmt.Sprintf("%.2g", r.Host)
		}
		line("| %s | %s | %.4g | %s | %.4g | %s |", r.Workload, r.Backend, r.Micros, host, r.Factor, phases(r.Phases))
	}
	line("\nFor the table of the README:\n")
	line("| %s | %s | %s | %s |\n", d.Name, d.Version, map[bool]string{true: "exact", false: "**not exact**"}[rep.Exact], rep.mainFactor())
	line("| part | status | s | said |")
	line("|---|---|---|---|")
	for _, p := range rep.Parts {
		line("| %s | %d | %.1f | %s |", p.Name, p.Status, p.Seconds, strings.ReplaceAll(strings.ReplaceAll(p.Said, "\n", " "), "|", "\\|"))
	}
	if len(rep.Micro) > 0 {
		line("\nWhat dispatches, barriers and copies cost:\n\n```\n%s\n```", strings.Join(rep.Micro, "\n"))
	}
	return b.Bytes()
}

// phases shows the shares of a profile, the largest first.
func phases(all map[string]float64) string {
	sum := 0.0
	var names []string
	for n, t := range all {
		sum += t
		names = append(names, n)
	}
	slices.SortFunc(names, func(a, b string) int { return cmp.Or(cmp.Compare(all[b], all[a]), cmp.Compare(a, b)) })
	var out []string
	for _, n := range names {
		if share := all[n] / sum; share >= 0.01 {
			out = append(out, fmt.Sprintf("%s %.0f %%", n, 100*share))
		}
	}
	return strings.Join(out, ", ")
}

// mainFactor is wall over model time of the main job on gl.
func (rep *report) mainFactor() string {
	for _, r := range rep.Rows {
		if r.Backend == "gl" && strings.HasPrefix(r.Workload, "potjans_diesmann, scale") {
			return fmt.Sprintf("%.3g of real time at scale %s", r.Factor, rep.MainScale)
		}
	}
	return "not measured"
}
