package bench

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
)

// figures are a row's medians and what follows from them.
type figures struct {
	compile, build, run, first, total float64 // seconds
	spread                            float64 // of run, as a fraction
	rtf                               float64 // wall time over model time
	nsStep                            float64 // wall time for each neuron and step
	nsEvent, nsEventThread            float64 // wall time of delivery for each event; times threads
	perNeuron, perSynapse             float64 // bytes
	peak                              float64 // bytes
	floor                             float64 // seconds
	why                               string
	rate                              float64 // Hz, of all neurons
}

// pick gathers one value of each sample.
func (row *Row) pick(f func(*Sample) float64) []float64 {
	out := make([]float64, len(row.Samples))
	for k := range row.Samples {
		out[k] = f(&row.Samples[k])
	}
	return out
}

// figures works a row out; the zero value if it has no samples.
func (row *Row) figures(m *Machine) figures {
	var f figures
	if len(row.Samples) == 0 {
		return f
	}
	s := &row.Samples[0]
	run := row.pick(func(s *Sample) float64 { return s.Run })
	f.run, f.spread = median(run), spread(run)
	f.compile = median(row.pick(func(s *Sample) float64 { return s.Compile }))
	f.build = median(row.pick(func(s *Sample) float64 { return s.Build }))
	f.first = median(row.pick(func(s *Sample) float64 { return s.FirstSpike }))
	f.total = median(row.pick(func(s *Sample) float64 { return s.Total }))
	f.peak = median(row.pick(func(s *Sample) float64 { return float64(s.Peak) }))
	if s.Model > 0 {
		f.rtf = f.run / s.Model
	}
	if s.Neurons > 0 && s.Steps > 0 {
		f.nsStep = f.run * 1e9 / float64(s.Neurons) / float64(s.Steps)
		f.rate = float64(s.Spikes) / float64(s.Neurons) / s.Model
	}
	if s.Events > 0 {
		f.nsEvent = median(row.pick(func(s *Sample) float64 { return s.delivery() })) * 1e9 / float64(s.Events)
		f.nsEventThread = f.nsEvent * float64(max(row.Threads, 1))
	}
	grown := f.peak - float64(s.Idle)
	switch {
	case s.Idle == 0 || grown <= 0:
	case s.Synapses > 10*s.Neurons:
		f.perSynapse = grown / float64(s.Synapses)
	case s.Neurons > 0:
		f.perNeuron = grown / float64(s.Neurons)
	}
	if row.Backend == "cpu" {
		f.floor, f.why = s.Floor(m, min(row.Threads, max(m.Cores, 1)))
	}
	return f
}

// delivery is the wall time spent on synaptic events: the delivery's share of the
// threads' time, or all of the run where the backend does not tell.
func (s *Sample) delivery() float64 {
	all := 0.0
	for _, t := range s.Phases {
		all += t
	}
	deliver, told := s.Phases["deliver"]
	if all == 0 || !told {
		return s.Run
	}
	return s.Run * deliver / all
}

// column is a column of the tables and of the CSV.
type column struct {
	head string
	part int // 0: in both tables, 1: speed, 2: construction and memory
	text func(row *Row, f *figures) string
}

var columns = []column{
	{"workload", 0, func(r *Row, f *figures) string { return r.Workload }},
	{"size", 0, func(r *Row, f *figures) string { return strconv.FormatFloat(r.Size, 'f', -1, 64) }},
	{"backend", 0, func(r *Row, f *figures) string { return r.where() }},
	{"thr", 0, func(r *Row, f *figures) string {
		if r.Threads == 0 {
			return "-"
		}
		return fmt.Sprint(r.Threads)
	}},
	{"compile", 2, func(r *Row, f *figures) string { return secondsText(f.compile) }},
	{"build", 2, func(r *Row, f *figures) string { return secondsText(f.build) }},
	{"run", 1, func(r *Row, f *figures) string { return secondsText(f.run) }},
	{"±", 1, func(r *Row, f *figures) string { return percentText(f.spread) }},
	{"RTF", 1, func(r *Row, f *figures) string { return numberText(f.rtf) }},
	{"ns/step", 1, func(r *Row, f *figures) string { return numberText(f.nsStep) }},
	{"ns/event", 1, func(r *Row, f *figures) string { return numberText(f.nsEvent) }},
	{"·thr", 1, func(r *Row, f *figures) string { return numberText(f.nsEventThread) }},
	{"B/neuron", 2, func(r *Row, f *figures) string { return numberText(f.perNeuron) }},
	{"B/syn", 2, func(r *Row, f *figures) string { return numberText(f.perSynapse) }},
	{"peak", 2, func(r *Row, f *figures) string { return bytesOrNone(f.peak) }},
	{"1st spike", 2, func(r *Row, f *figures) string { return secondsText(f.first) }},
	{"Hz", 1, func(r *Row, f *figures) string { return numberText(f.rate) }},
	{"floor", 1, func(r *Row, f *figures) string {
		if f.floor == 0 || f.run == 0 {
			return "-"
		}
		return fmt.Sprintf("%.0f%% %s", 100*f.floor/f.run, f.why)
	}},
	{"hash", 2, func(r *Row, f *figures) string {
		if len(r.Samples) == 0 || r.Samples[0].Hash == "" {
			return "-"
		}
		return r.Samples[0].Hash[:min(8, len(r.Samples[0].Hash))]
	}},
}

func percentText(x float64) string {
	if x == 0 {
		return "-"
	}
	return fmt.Sprintf("%.0f%%", 100*x)
}

func bytesOrNone(b float64) string {
	if b == 0 {
		return "-"
	}
	return bytesText(b)
}

// remark is what is to be said of a row beside its figures.
func (row *Row) remark() string {
	switch {
	case row.Error != "":
		return "FAILED: " + row.Error
	case row.Skipped != "":
		return "not run: " + row.Skipped
	}
	return row.Note
}

// WriteTable prints the results for a terminal.
func (r *Results) WriteTable(w io.Writer) error {
	fmt.Fprintln(w, r.Machine.String())
	for part := 1; part <= 2; part++ {
		fmt.Fprintln(w)
		t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		for _, cells := range r.cells(part) {
			fmt.Fprintln(t, strings.Join(cells, "\t"))
		}
		if err := t.Flush(); err != nil {
			return err
		}
	}
	fmt.Fprintln(w)
	for _, l := range r.remarks() {
		fmt.Fprintln(w, l)
	}
	return nil
}

// cells are a table: its head, then its rows.
func (r *Results) cells(part int) [][]string {
	var head []string
	for _, c := range columns {
		if c.part == 0 || c.part == part {
			head = append(head, c.head)
		}
	}
	out := [][]string{head}
	for k := range r.Rows {
		row := &r.Rows[k]
		if len(row.Samples) == 0 && part == 2 {
			continue
		}
		f := row.figures(&r.Machine)
		var cells []string
		for _, c := range columns {
			switch {
			case c.part != 0 && c.part != part:
			case c.part != 0 && len(row.Samples) == 0:
				cells = append(cells, "-")
			default:
				cells = append(cells, c.text(row, &f))
			}
		}
		out = append(out, cells)
	}
	return out
}

// remarks are what the tables do not show: failures, cases that were not run, how
// peers compare, and how cases scale with threads.
func (r *Results) remarks() []string {
	var out []string
	for k := range r.Rows {
		if m := r.Rows[k].remark(); m != "" {
			out = append(out, fmt.Sprintf("%s: %s", r.Rows[k].Case, m))
		}
	}
	for _, q := range r.ratios() {
		out = append(out, q.String())
	}
	return append(out, r.scaling()...)
}

// scaling says what more threads bring: of the same network (strong), or of one
// that grows with them (weak).
func (r *Results) scaling() []string {
	var out []string
	for k := range r.Rows {
		one := &r.Rows[k]
		if one.Backend != "cpu" || one.Threads != 1 || len(one.Samples) == 0 {
			continue
		}
		f1 := one.figures(&r.Machine)
		for i := range r.Rows {
			o := &r.Rows[i]
			if o.Backend != "cpu" || o.Threads < 2 || len(o.Samples) == 0 || o.Workload != one.Workload || o.Duration != one.Duration {
				continue
			}
			f := o.figures(&r.Machine)
			switch t := float64(o.Threads); o.Size {
			case one.Size:
				out = append(out, fmt.Sprintf("%s %s=%g: %d threads are %.2f times as fast as one (strong scaling)", o.Workload, workload(o.Workload).Param, o.Size, o.Threads, over(f1.rtf, f.rtf)))
			case one.Size * t:
				out = append(out, fmt.Sprintf("%s: %d threads on %d times the size keep %.0f %% of one thread's speed (weak scaling)", o.Workload, o.Threads, o.Threads, 100*over(f1.rtf, f.rtf)))
			}
		}
	}
	return out
}

// ratio is how many times faster we are than a peer.
type ratio struct {
	row        *Row // ours: the fastest of the network
	peer       *Row
	run, first float64 // of the peer's time over ours; first: from start to end
	build      float64 // construction without compilation
	sound      bool    // the rates agree
}

func (q ratio) String() string {
	s := fmt.Sprintf("%s size %g: %s takes %.3g times as long to run, %.3g to build, %.3g in all (%s)",
		q.row.Workload, q.row.Size, q.peer.where(), q.run, q.build, q.first, q.row.Case)
	if !q.sound {
		s += "; but its rates differ"
	}
	return s
}

// ratios compares each peer's row with the fastest of ours that has as many
// threads, or of any number if none has.
func (r *Results) ratios() []ratio {
	var out []ratio
	for k := range r.Rows {
		p := &r.Rows[k]
		if !p.isPeer() || len(p.Samples) == 0 {
			continue
		}
		var best *Row
		var fb figures
		for i := range r.Rows {
			o := &r.Rows[i]
			if o.isPeer() || o.Backend == "ref" || len(o.Samples) == 0 || o.Error != "" || o.network() != p.network() {
				continue
			}
			f := o.figures(&r.Machine)
			same, sameBest := o.Threads == p.Threads, best != nil && best.Threads == p.Threads
			if best == nil || same && !sameBest || same == sameBest && f.run < fb.run {
				best, fb = o, f
			}
		}
		if best == nil {
			continue
		}
		f := p.figures(&r.Machine)
		q := ratio{row: best, peer: p, sound: !strings.HasPrefix(p.Note, "RATES DIFFER")}
		q.run, q.first = over(f.rtf, fb.rtf), over(f.total, fb.total)
		q.build = over(f.build, fb.build+fb.compile)
		out = append(out, q)
	}
	return out
}

func over(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}

// String is a line about the machine.
func (m *Machine) String() string {
	s := fmt.Sprintf("%s, %d cores, %s, %s, %s, clock %.2f GHz", m.CPU, m.Cores, m.OS, m.SIMD, m.Go, m.ClockGHz)
	for _, b := range m.Reads {
		s += fmt.Sprintf(", %s/%d thr %.1f GB/s", bytesText(float64(b.Bytes)), b.Threads, b.GBs)
	}
	if m.Load > 0.5 {
		s += fmt.Sprintf(" (load %.1f before the benchmark: times are not to be trusted)", m.Load)
	}
	return s
}

// WriteJSON prints all samples.
func (r *Results) WriteJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", " ")
	return e.Encode(r)
}

// WriteCSV prints one line for each sample, its first columns named as beNNch
// names them.
func (r *Results) WriteCSV(w io.Writer) error {
	c := csv.NewWriter(w)
	c.Write(strings.Split("workload,backend,device,size,threads_per_task,rng_seed,repeat,num_nodes,num_neurons,num_connections,model_time_sim,"+
		"wall_time_create,wall_time_connect,wall_time_sim,wall_time_phase_update,wall_time_phase_deliver,total_memory,local_spike_counter,"+
		"synaptic_events,wall_time_total,time_to_first_spike,real_time_factor,floor,hash,remark", ","))
	g := func(x float64) string { return strconv.FormatFloat(x, 'g', 9, 64) }
	for k := range r.Rows {
		row := &r.Rows[k]
		if len(row.Samples) == 0 {
			rec := make([]string, 25)
			rec[0], rec[1], rec[2], rec[3], rec[4], rec[5], rec[24] = row.Workload, row.Backend, row.Device, g(row.Size), fmt.Sprint(row.Threads), fmt.Sprint(row.Seed), row.remark()
			c.Write(rec)
		}
		for i := range row.Samples {
			s := &row.Samples[i]
			floor := 0.0
			if row.Backend == "cpu" {
				floor, _ = s.Floor(&r.Machine, min(row.Threads, max(r.Machine.Cores, 1)))
			}
			share := 1 / float64(max(row.Threads, 1)) // phases are summed over threads
			c.Write([]string{row.Workload, row.Backend, s.Device, g(row.Size), fmt.Sprint(row.Threads), fmt.Sprint(row.Seed), fmt.Sprint(i + 1),
				"1", fmt.Sprint(s.Neurons), fmt.Sprint(s.Synapses), g(s.Model * 1e3), g(s.Compile), g(s.Build), g(s.Run),
				g(s.Phases["update"] * share), g(s.Phases["deliver"] * share), fmt.Sprint(s.Peak), fmt.Sprint(s.Spikes), fmt.Sprint(s.Events),
				g(s.Total), g(s.FirstSpike), g(over(s.Run, s.Model)), g(floor), s.Hash, row.remark()})
		}
	}
	c.Flush()
	return c.Error()
}

// WriteBenchmarks prints lines in Go's benchmark format, for benchstat.
func (r *Results) WriteBenchmarks(w io.Writer) error {
	system, arch, _ := strings.Cut(r.Machine.OS, "/")
	fmt.Fprintf(w, "goos: %s\ngoarch: %s\npkg: synfire/bench\ncpu: %s\n", system, arch, r.Machine.CPU)
	for k := range r.Rows {
		row := &r.Rows[k]
		for i := range row.Samples {
			s := &row.Samples[i]
			fmt.Fprintf(w, "Benchmark%s/%s=%g/backend=%s-%d 1 %.0f ns/op %.6g rtf %.0f build-ns %d peak-B",
				strings.ToUpper(row.Workload[:1])+row.Workload[1:], workload(row.Workload).Param, row.Size, strings.ReplaceAll(row.where(), " ", "_"), max(row.Threads, 1),
				s.Run*1e9, over(s.Run, s.Model), (s.Compile+s.Build)*1e9, s.Peak)
			if s.Steps > 0 && s.Neurons > 0 {
				fmt.Fprintf(w, " %.6g ns/neuron-step", s.Run*1e9/float64(s.Steps)/float64(s.Neurons))
			}
			if s.Events > 0 {
				fmt.Fprintf(w, " %.6g ns/event", s.delivery()*1e9/float64(s.Events))
			}
			if _, err := fmt.Fprintln(w); err != nil {
				return err
			}
		}
	}
	return nil
}
