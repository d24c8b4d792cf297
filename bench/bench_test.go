package bench

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"testing"

	"synfire/engine"
	"synfire/engine/store"
)

// TestMain makes this binary a child of the harness too.
func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == "case" {
		if err := RunCase(context.Background(), os.Args[2], os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// probed is measured once for all tests.
var probed = sync.OnceValue(func() Machine { return Probe(2) })

func runner() *Runner {
	m := probed()
	return &Runner{Child: []string{os.Args[0], "case"}, Version: "test", machine: &m}
}

// small are sizes and durations at which a workload takes a fraction of a second
// and still fires.
var small = map[string]struct{ size, duration float64 }{
	"update": {500, .02}, "lif": {500, .02}, "izhikevich": {300, .02}, "hh": {100, .02}, "cuba": {400, .02}, "coba": {400, .01}, "cobahh": {200, .01},
	"brunel": {2500, .005}, "brunel100": {1000, .01}, "brunel1000": {2000, .005}, "indegree": {100, .002}, "potjans_diesmann": {.005, .02},
	"stdp": {100, .05}, "brunel_stdp": {.1, .02}, "fly": {1000, .05}, "delivery": {2000, .005}, "build": {20000, 1e-4},
}

// TestWorkloads runs every workload on two backends, with one hash, and holds its
// shape against what the script makes.
func TestWorkloads(t *testing.T) {
	for _, w := range Workloads {
		t.Run(w.Name, func(t *testing.T) {
			t.Parallel()
			s, ok := small[w.Name]
			if !ok {
				t.Fatal("no small size for this test")
			}
			o := Options{Workloads: []string{w.Name}, Sizes: []float64{s.size}, Duration: s.duration, Seed: 1, Repeats: 1, Threads: []int{2}, Backends: []string{"cpu", "ref"}}
			if testing.Short() || w.Name == "indegree" || w.Name == "brunel" || w.Name == "brunel1000" {
				o.Backends, o.Threads = []string{"cpu"}, []int{1, 2}
			}
			r, err := runner().Run(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			if f := r.Failed(); len(f) > 0 || len(r.Rows) != 2 {
				t.Fatalf("%d rows, failed: %v", len(r.Rows), f)
			}
			n, k := w.Shape(s.size)
			for _, row := range r.Rows {
				x := row.Samples[0]
				if math.Abs(float64(x.Neurons)-n) > 10 || math.Abs(float64(x.Synapses)-k) > 0.05*k+10 {
					t.Errorf("%s has %d neurons and %d synapses; Shape says %g and %g", row, x.Neurons, x.Synapses, n, k)
				}
				if x.Spikes == 0 && w.Rate > 0 {
					t.Errorf("%s does not fire", row)
				}
				if w.Rate > 0 && x.FirstSpike <= 0 {
					t.Errorf("%s: no time of the first spike", row)
				}
				if k > 0 && x.Events == 0 && w.Name != "build" {
					t.Errorf("%s: no synaptic events", row)
				}
				if x.Run <= 0 || x.Steps <= 0 || x.Total < x.Run || x.Work.StepOps <= 0 && w.Name != "delivery" || k > 0 && x.Work.EventBytes < 2 {
					t.Errorf("%s: %+v", row, x)
				}
				// The harness itself holds arrays of 256 MB: a child must not report them.
				if runtime.GOOS == "linux" && (x.Peak <= 0 || x.Peak > 200e6 || x.Peak < x.Idle) {
					t.Errorf("%s: peak memory %d, idle %d", row, x.Peak, x.Idle)
				}
			}
		})
	}
}

// TestPlan checks what the options ask for.
func TestPlan(t *testing.T) {
	rows, err := plan(Options{Workloads: []string{"cuba"}, Sizes: []float64{100, 200}, Repeats: 1, Threads: []int{1, 2}, Weak: true, Backends: []string{"cpu", "ref"}, Peers: []string{"nest", "brian2-cython"}})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range rows {
		got = append(got, r.String())
	}
	want := "cuba n=100 cpu 1 thr;cuba n=200 cpu 2 thr;cuba n=100 ref 1 thr;cuba n=100 nest 2 thr;cuba n=100 brian2-cython 1 thr;" +
		"cuba n=200 cpu 1 thr;cuba n=400 cpu 2 thr;cuba n=200 ref 1 thr;cuba n=200 nest 2 thr;cuba n=200 brian2-cython 1 thr"
	if s := strings.Join(got, ";"); s != want {
		t.Errorf("got  %s\nwant %s", s, want)
	}
	for _, o := range []Options{
		{Workloads: []string{"cubba"}, Repeats: 1}, {Repeats: 0}, {Repeats: 1, Threads: []int{0}}, {Repeats: 1, Backends: []string{"cuda"}},
		{Repeats: 1, Backends: []string{"cpu:0"}}, {Repeats: 1, Peers: []string{"genn"}}, {Repeats: 1, Sizes: []float64{-1}},
	} {
		if _, err := plan(o); err == nil {
			t.Errorf("%+v is accepted", o)
		}
	}
	for text, want := range map[string]string{"4000,1e5": "[4000 100000] false", "all": "[] true", "": "[] false"} {
		sizes, all, err := ParseSizes(text)
		if got := fmt.Sprint(sizes, all); err != nil || got != want {
			t.Errorf("--sizes %q: %s, %v; want %s", text, got, err, want)
		}
	}
	for _, text := range []string{"x", "0", "-1", "1,,2", "inf", "nan"} {
		if _, _, err := ParseSizes(text); err == nil {
			t.Errorf("--sizes %q is accepted", text)
		}
	}
}

// TestTooLarge checks that a network beyond the memory is a row and is not run.
func TestTooLarge(t *testing.T) {
	r := runner()
	r.available = func() int64 { return 500e6 }
	var log strings.Builder
	r.Log = &log
	res, err := r.Run(t.Context(), Options{Workloads: []string{"brunel1000"}, Sizes: []float64{1e6, 300}, Duration: .001, Repeats: 1, Threads: []int{1}})
	if err != nil {
		t.Fatal(err)
	}
	if s := res.Rows[0].Skipped; !strings.Contains(s, "too large") || !strings.Contains(s, "would fit") || len(res.Rows[0].Samples) > 0 {
		t.Errorf("row: %+v", res.Rows[0])
	}
	if len(res.Rows[1].Samples) != 1 {
		t.Errorf("the small one did not run: %+v", res.Rows[1])
	}
	if a, b := strings.Index(log.String(), "too large"), strings.Index(log.String(), "1/1"); a < 0 || b < a {
		t.Errorf("it is not told before the first case starts:\n%s", log.String())
	}
	if len(res.Failed()) > 0 {
		t.Errorf("a row that was not run fails the benchmark: %v", res.Failed())
	}
}

// TestInterrupted checks that finished rows are kept.
func TestInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	r := runner()
	r.Log = writer(func(s string) {
		if strings.Contains(s, "cpu 2 thr") {
			cancel()
		}
	})
	res, err := r.Run(ctx, Options{Workloads: []string{"update"}, Sizes: []float64{100}, Duration: .01, Repeats: 1, Threads: []int{1, 2, 3}})
	if !errors.Is(err, engine.ErrInterrupted) || res == nil || !res.Interrupted {
		t.Fatalf("%v, %+v", err, res)
	}
	if len(res.Rows) != 1 || len(res.Rows[0].Samples) != 1 {
		t.Errorf("rows: %+v", res.Rows)
	}
}

type writer func(string)

func (w writer) Write(b []byte) (int, error) { w(string(b)); return len(b), nil }

// TestFailures checks that errors of children and differing hashes fail the benchmark.
func TestFailures(t *testing.T) {
	r := runner()
	r.Child = []string{os.Args[0], "-no-such-flag"}
	res, err := r.Run(t.Context(), Options{Workloads: []string{"update"}, Sizes: []float64{100}, Duration: .01, Repeats: 1, Threads: []int{1}})
	if err != nil || len(res.Failed()) != 1 || !strings.Contains(res.Rows[0].Error, "without a result") {
		t.Errorf("%v, %+v", err, res.Rows)
	}
	c := Case{Workload: "cuba", Size: 10, Duration: 1, Backend: "cpu", Threads: 1}
	rows := []Row{{Case: c, Samples: []Sample{{Hash: "aa/01"}}}, {Case: c, Samples: []Sample{{Hash: "aa/01"}, {Hash: "aa/02"}}}, {Case: c, Samples: []Sample{{Hash: "bb/01"}}}}
	rows[1].Threads, rows[2].Size = 2, 20
	seen := map[string]*Row{}
	for k := range rows {
		compareHash(&rows[k], seen)
	}
	got := &Results{Rows: rows}
	if f := got.Failed(); len(f) != 1 || !strings.Contains(f[0], "2 thr") || !strings.Contains(f[0], "hash differs") {
		t.Errorf("failed: %v", f)
	}
}

// TestPeers runs a peer that is a shell script, and one that is missing.
func TestPeers(t *testing.T) {
	dir := t.TempDir()
	fake := filepath.Join(dir, "python")
	script := "#!/bin/sh\n[ \"$1\" = -c ] && case \"$2\" in *brian2*) exit 1;; *) exit 0;; esac\necho chatter\n" +
		"echo '{\"version\":\"9\",\"build_s\":2,\"run_s\":3,\"model_s\":0.02,\"steps\":200,\"neurons\":400,\"synapses\":1,\"spikes\":9,\"rates_hz\":{\"P\":60},\"peak_bytes\":5}'\n"
	if err := os.WriteFile(fake, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	r := runner()
	r.Python = fake
	t.Setenv("SYNFIRE_PEERS", "")
	res, err := r.Run(t.Context(), Options{Workloads: []string{"cuba"}, Sizes: []float64{400}, Duration: .02, Repeats: 1, Threads: []int{1}, Peers: []string{"nest", "brian2"}})
	if err != nil {
		t.Fatal(err)
	}
	if s := res.Rows[1]; len(s.Samples) != 1 || !strings.HasPrefix(s.Note, "RATES DIFFER") {
		t.Errorf("nest: %+v", s)
	}
	if s := res.Rows[2].Skipped; !strings.Contains(s, "not installed") || !strings.Contains(s, "make peers") {
		t.Errorf("brian2: %q", s)
	}
	if q := res.ratios(); len(q) != 1 || q[0].sound || q[0].run <= 1 {
		t.Errorf("ratios: %+v", q)
	}
	if len(res.Failed()) > 0 {
		t.Errorf("peers fail the benchmark: %v", res.Failed())
	}
	for _, c := range []struct {
		ours, theirs map[string]float64
		want         string
	}{
		{map[string]float64{"P": 10}, map[string]float64{"P": 10.9}, "rates agree within 10 %: 10.9 Hz, ours 10"},
		{map[string]float64{"P": 10}, map[string]float64{"P": 11.1}, "RATES DIFFER by more than 10 %: P 11.1 Hz, ours 10"},
		{map[string]float64{"A": .1, "B": 3}, map[string]float64{"A": .19, "B": 3}, "rates of 2 populations agree within 10 %"},
		{map[string]float64{"A": .1}, map[string]float64{"B": 3}, "RATES DIFFER by more than 10 %: B 3 Hz, ours 0"},
	} {
		if got := rateNote(c.ours, c.theirs, .1); got != c.want {
			t.Errorf("got %q, want %q", got, c.want)
		}
	}
}

// TestBand checks that fewer cells and less time widen the band.
func TestBand(t *testing.T) {
	w := Workload{Band: .1, Sizes: []float64{1000}, Time: 1, Shape: perCell(1)}
	for _, c := range []struct{ size, duration, want float64 }{{1000, 1, .1}, {4000, 9, .1}, {250, 1, .2}, {250, .25, .4}} {
		if got := w.band(Case{Size: c.size, Duration: c.duration}); math.Abs(got-c.want) > 1e-12 {
			t.Errorf("size %g, %g s: %g, want %g", c.size, c.duration, got, c.want)
		}
	}
}

// TestPeerModels checks that peers' scripts have the workloads that claim them.
func TestPeerModels(t *testing.T) {
	for _, peer := range []string{"nest", "brian2", "arbor", "neuron"} {
		b, err := peerScripts.ReadFile("peers/" + peer + "_peer.py")
		if err != nil {
			t.Fatal(err)
		}
		models := string(b)[strings.Index(string(b), "MODELS = dict("):]
		models = models[:strings.Index(models, ")")]
		for _, w := range Workloads {
			for _, p := range w.Peers {
				if module(p) == peer && !regexp.MustCompile(`\b`+w.Name+`=`).MatchString(models) {
					t.Errorf("%s_peer.py has no model %s", peer, w.Name)
				}
			}
		}
	}
}

// TestFlyFiles checks the counts and the tail of the surrogate connectome.
func TestFlyFiles(t *testing.T) {
	dir := t.TempDir()
	set, err := flyFiles(dir, 20000)
	if err != nil {
		t.Fatal(err)
	}
	if set["kicked"] != "22" {
		t.Errorf("kicked = %s", set["kicked"])
	}
	degree, in := make([]int, 20000), make([]int, 20000)
	arrays := map[string][]float64{}
	for _, name := range []string{"i", "j", "w"} {
		a, err := store.ReadNPY(filepath.Join(dir, "fly_"+name+".npy"))
		if err != nil {
			t.Fatal(err)
		}
		arrays[name] = a.F
	}
	for k, i := range arrays["i"] {
		degree[int(i)]++
		in[int(arrays["j"][k])]++
	}
	most, none, inhibitory := 0, 0, 0
	for _, d := range degree {
		most = max(most, d)
		if d == 0 {
			none++
		}
	}
	for _, w := range arrays["w"] {
		if w < 0 {
			inhibitory++
		}
		if a := math.Abs(w); a < .27 || a > 60*.276 {
			t.Fatalf("weight %g mV", w)
		}
	}
	edges := len(arrays["i"])
	if want := int(math.Round(flyDegree * 20000)); edges != want {
		t.Errorf("%d edges, want %d", edges, want)
	}
	if most < flyMost-20 || most > flyMost || none > 200 {
		t.Errorf("largest out-degree %d, %d cells without targets", most, none)
	}
	if f := float64(inhibitory) / float64(edges); f < .28 || f > .38 {
		t.Errorf("%.2f of the edges are inhibitory", f)
	}
	for k, d := range in {
		if d < 40 || d > 190 {
			t.Fatalf("in-degree of %d is %d, expected near %.0f", k, d, flyDegree)
		}
	}
}

// results is a made-up benchmark for tests of the output.
func results(scale float64) *Results {
	r := &Results{Version: "v1", Date: "2026-01-02T03:04:05Z", Command: "synfire bench", Machine: Machine{CPU: "cpu", Cores: 2, OS: "linux/amd64", SIMD: "avx2", Lanes: 8, ClockGHz: 3,
		Reads: []Band{{1 << 15, 1, 100}, {1 << 28, 1, 10}, {1 << 15, 2, 180}, {1 << 28, 2, 15}}}}
	for _, size := range []float64{1000, 10000} {
		for threads := 1; threads <= 2; threads++ {
			row := Row{Case: Case{Workload: "cuba", Size: size, Duration: 1, Backend: "cpu", Threads: threads}}
			for k := range 5 {
				t := size * 1e-5 * scale * (1 + .01*float64(k)) / float64(threads)
				row.Samples = append(row.Samples, Sample{Compile: .01, Build: .02, Run: t, Model: 1, Total: t + .05, FirstSpike: .04, Steps: 10000, Neurons: int64(size),
					Synapses: int64(80 * size), Events: uint64(480 * size), Spikes: uint64(6 * size), Rates: map[string]float64{"P": 6}, Hash: fmt.Sprintf("%g/ab", size),
					Phases: map[string]float64{"update": .6 * t * float64(threads), "deliver": .4 * t * float64(threads)}, Idle: 1e7, Peak: 2e7 + int64(k),
					Work: Work{StepBytes: 24 * size, StepOps: 40 * size, EventBytes: 4, StateBytes: 24 * size, TableBytes: 320 * size}})
			}
			r.Rows = append(r.Rows, row)
		}
		r.Rows = append(r.Rows, Row{Case: Case{Workload: "cuba", Size: size, Duration: 1, Backend: "nest", Threads: 2}, Note: "rates agree",
			Samples: []Sample{{Build: 1, Run: size * 5e-5, Model: 1, Total: 3, Steps: 10000, Neurons: int64(size), Rates: map[string]float64{"P": 6}, Version: "3"}}})
	}
	r.Rows = append(r.Rows, Row{Case: Case{Workload: "build", Size: 1e9, Backend: "cpu", Threads: 1}, Skipped: "too large"})
	return r
}

// TestOutput checks every format on the same made-up results.
func TestOutput(t *testing.T) {
	r := results(1)
	var table, csvText, lines strings.Builder
	if err := errors.Join(r.WriteTable(&table), r.WriteCSV(&csvText), r.WriteBenchmarks(&lines)); err != nil {
		t.Fatal(err)
	}
	f := r.Rows[1].figures(&r.Machine)
	near := func(name string, got, want float64) {
		if math.Abs(got-want) > 1e-6*want {
			t.Errorf("%s is %g, want %g", name, got, want)
		}
	}
	near("run", f.run, .0051)
	near("RTF", f.rtf, .0051)
	near("ns per neuron-step", f.nsStep, .51)
	near("ns per event", f.nsEvent, .0051*.4/480e3*1e9)
	near("ns per event and thread", f.nsEventThread, 2*f.nsEvent)
	near("bytes per synapse", f.perSynapse, (10e6+2)/80e3)
	// 240 MB of state at 180 GB/s, 1.92 MB of synapses at 15 GB/s; 400 M operations at 96 G/s take longer.
	near("floor", f.floor, 400e6/(3e9*8*2*2)+480e3*4/15e9)
	for _, want := range []string{"cuba", "not run: too large", "nest takes 9.8", "2 threads are 2.00 times as fast as one", "operations"} {
		if !strings.Contains(table.String(), want) {
			t.Errorf("the table lacks %q:\n%s", want, table.String())
		}
	}
	for _, l := range strings.Split(table.String(), "\n")[1:8] {
		if len([]rune(l)) > 100 {
			t.Errorf("a line of %d columns: %s", len([]rune(l)), l)
		}
	}
	recs, err := csv.NewReader(strings.NewReader(csvText.String())).ReadAll()
	if err != nil || len(recs) != 1+4*5+2+1 {
		t.Errorf("CSV: %v, %d records", err, len(recs))
	}
	line := regexp.MustCompile(`^Benchmark\S+-\d+ 1( [0-9.e+-]+ [A-Za-z/-]+)+$`)
	n := 0
	for _, l := range strings.Split(lines.String(), "\n") {
		if strings.HasPrefix(l, "Benchmark") {
			n++
			if !line.MatchString(l) {
				t.Errorf("no benchmark line: %s", l)
			}
		}
	}
	if n != 22 {
		t.Errorf("%d benchmark lines", n)
	}
	dir := filepath.Join(t.TempDir(), "report")
	if err := r.WriteReport(dir); err != nil {
		t.Fatal(err)
	}
	md, err := os.ReadFile(filepath.Join(dir, "report.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`\]\((\S+)\.svg\)`).FindAllStringSubmatch(string(md), -1) {
		for _, ext := range []string{".svg", ".png"} {
			if s, err := os.Stat(filepath.Join(dir, m[1]+ext)); err != nil || s.Size() < 1000 {
				t.Errorf("%s%s: %v", m[1], ext, err)
			}
		}
	}
	for _, want := range []string{"scaling_cuba.svg", "phases.svg", "peers.svg", "## Speed"} {
		if !strings.Contains(string(md), want) {
			t.Errorf("the report lacks %s", want)
		}
	}
	back, err := Load(filepath.Join(dir, "results.json"))
	if err != nil || len(back.Rows) != len(r.Rows) || back.Rows[0].Samples[3].Run != r.Rows[0].Samples[3].Run {
		t.Errorf("Load: %v", err)
	}
}

// TestComparison checks that changes are told from noise.
func TestComparison(t *testing.T) {
	var same, faster strings.Builder
	if err := errors.Join(WriteComparison(&same, results(1), results(1)), WriteComparison(&faster, results(1), results(.5))); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(same.String(), "%  (") || strings.Contains(same.String(), "-5") || !strings.Contains(same.String(), "~ (p=1.000 n=5+5)") {
		t.Errorf("no change:\n%s", same.String())
	}
	if !strings.Contains(faster.String(), "-50.0% (p=0.008 n=5+5)") || !strings.Contains(faster.String(), "too few repeats") {
		t.Errorf("twice as fast:\n%s", faster.String())
	}
	changed := results(1)
	changed.Rows[0].Samples[0].Hash = "other/ab"
	var hash strings.Builder
	if err := WriteComparison(&hash, results(1), changed); err != nil || !strings.Contains(hash.String(), "DIFFERS") {
		t.Errorf("a changed hash is not told:\n%s", hash.String())
	}
}

// TestProbe checks that the probe gives figures that a machine can have.
func TestProbe(t *testing.T) {
	m := probed()
	if m.ClockGHz < 0.05 || m.ClockGHz > 10 || m.Cores < 1 || m.Lanes < 1 {
		t.Errorf("%+v", m)
	}
	for _, b := range m.Reads {
		if b.GBs < 0.01 || b.GBs > 2000 {
			t.Errorf("reading %d bytes with %d threads: %g GB/s", b.Bytes, b.Threads, b.GBs)
		}
	}
	m.Reads = []Band{{100, 1, 5}, {1000, 1, 2}, {100, 4, 16}, {1000, 4, 6}}
	for _, c := range []struct {
		set     float64
		threads int
		want    float64
	}{{50, 1, 5}, {500, 1, 2}, {5000, 1, 2}, {50, 2, 5}, {50, 4, 16}, {101, 8, 6}} {
		if got := m.bandwidth(c.set, c.threads); got != c.want*1e9 {
			t.Errorf("bandwidth of %g bytes, %d threads: %g, want %g e9", c.set, c.threads, got, c.want)
		}
	}
}
