package rundir_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"synfire/engine"
	"synfire/engine/rundir"
	"synfire/engine/store"
	"synfire/kernels/ref"
)

// model is a network with every kind of monitor.
func model(t testing.TB) (*engine.Network, []engine.Monitor) {
	t.Helper()
	n := engine.NewNetwork(engine.Options{})
	g, err := n.NeuronGroup(3, "dv/dt = (2 - v)/(10*ms) : 1\nk : integer", engine.GroupOptions{Name: "G", Threshold: "v > 1", Reset: "v = 0", Method: "exact",
		Events: map[string]string{"half": "v > 0.5 and v < 0.52"}})
	if err != nil {
		t.Fatal(err)
	}
	k, err := g.Var("k")
	if err == nil {
		err = k.Set(nil, "16777217 + i")
	}
	var all []engine.Monitor
	add := func(m engine.Monitor, e error) {
		all, err = append(all, m), errors.Join(err, e)
	}
	s, e := n.SpikeMonitor(g, engine.SpikeMonitorOptions{Name: "S"})
	add(s, e)
	s, e = n.SpikeMonitor(g, engine.SpikeMonitorOptions{Name: "C", CountOnly: true})
	add(s, e)
	s, e = n.SpikeMonitor(g, engine.SpikeMonitorOptions{Name: "V", CountOnly: true, Variables: []string{"v", "k"}})
	add(s, e)
	s, e = n.EventMonitor(g, "half", engine.SpikeMonitorOptions{Name: "E"})
	add(s, e)
	s, e = n.EventMonitor(g, "spike", engine.SpikeMonitorOptions{Name: "ES"})
	add(s, e)
	m, e := n.StateMonitor(g, engine.StateMonitorOptions{Name: "M", Variables: []string{"v", "k"}, Record: []int{2, 0}, Dt: 1e-3})
	add(m, e)
	r, e := n.PopulationRateMonitor(g, engine.RateMonitorOptions{Name: "R"})
	add(r, e)
	if err != nil {
		t.Fatal(err)
	}
	return n, all
}

// What monitors give is the same from memory and from disk, between runs too, and the files hold it.
func TestColumnsAreTheSameInMemoryAndOnDisk(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out")
	dir, err := rundir.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	b := ref.New()
	mem, inMemory := model(t)
	disk, onDisk := model(t)
	var runs []*engine.RunResult
	for pass := range 3 {
		if _, err := mem.Run(context.Background(), 0.05, engine.RunOptions{Backend: b}); err != nil {
			t.Fatal(err)
		}
		o := engine.RunOptions{Backend: b, Records: dir}
		if pass == 0 { // what is in memory goes to disk when a later run has a directory
			o.Records = nil
		}
		r, err := disk.Run(context.Background(), 0.05, o)
		if err != nil {
			t.Fatal(err)
		}
		runs = append(runs, r)
		if err := rundir.Ran(&dir.Manifest, disk, b); err != nil {
			t.Fatal(err)
		}
		compare(t, inMemory, onDisk)
	}
	rundir.Describe(&dir.Manifest, runs, disk)
	if err := dir.Finish(nil); err != nil {
		t.Fatal(err)
	}
	compare(t, inMemory, onDisk) // after the end, too

	man, err := store.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[string]string{"S": "spikes", "C": "spikes", "V": "spikes", "E": "events", "ES": "events", "M": "state", "R": "rate"}
	for _, m := range man.Monitors {
		if kinds[m.Name] != m.Value.Kind {
			t.Errorf("%s is of kind %q", m.Name, m.Value.Kind)
		}
		delete(kinds, m.Name)
	}
	if len(kinds) > 0 || man.Status != store.Complete || len(man.Runs) != 3 || man.Hash.State == "" {
		t.Errorf("the manifest lacks %v or says %+v", kinds, man)
	}
	want := []string{"S/i.npy", "S/t.npy", "V/v.npy", "V/k.npy", "E/i.npy", "E/t.npy", "ES/i.npy", "ES/t.npy", "M/t.npy", "M/v.npy", "M/k.npy", "R/t.npy", "R/rate.npy"}
	if !slices.Equal(man.Files, want) {
		t.Errorf("files %v, want %v", man.Files, want)
	}
	a, err := store.ReadNPY(filepath.Join(path, "M", "k.npy"))
	if err != nil || !slices.Equal(a.Shape, []int{2, 150}) || a.I[0] != 16777219 || a.I[150] != 16777217 {
		t.Errorf("M/k.npy: %v, %v", a.Shape, err)
	}
}

func compare(t *testing.T, a, b []engine.Monitor) {
	t.Helper()
	for k := range a {
		if a[k].Len() != b[k].Len() {
			t.Errorf("%s: %d and %d", a[k].Name(), a[k].Len(), b[k].Len())
		}
		for c, x := range a[k].Columns() {
			y := b[k].Columns()[c]
			u, err1 := x.Floats()
			v, err2 := y.Floats()
			if err1 != nil || err2 != nil || len(u) == 0 || !slices.Equal(u, v) {
				t.Errorf("%s.%s: %d values in memory and %d on disk differ (%v, %v)", a[k].Name(), x.Name, len(u), len(v), err1, err2)
			}
			if x.Rows == 0 {
				continue
			}
			for r := range x.Rows {
				if row, err := y.Row(r); err != nil || !slices.Equal(row, u[r*x.Len():(r+1)*x.Len()]) {
					t.Errorf("%s.%s: row %d differs (%v)", a[k].Name(), x.Name, r, err)
				}
			}
		}
	}
}

// While the run goes on, everything up to the last batch is readable by others.
func TestReadableWhileItRuns(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out")
	dir, err := rundir.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	n, _ := model(t)
	looked := 0
	_, err = n.Run(context.Background(), 0.4, engine.RunOptions{Backend: ref.New(), Records: dir, Progress: func(done, total int64) {
		looked++
		a, err := store.ReadNPY(filepath.Join(path, "R", "rate.npy"))
		if err != nil || done == total && a.Len() == 0 { // a busy machine may flush more rarely than each batch
			t.Errorf("after %d steps: %v, %v", done, a.Len(), err)
		}
		if m, err := store.Open(path); err != nil || m.Status != store.Running {
			t.Errorf("after %d steps: %v, %v", done, m, err)
		}
	}})
	if err != nil || looked == 0 {
		t.Errorf("%v, %d looks", err, looked)
	}
	if a, err := store.ReadNPY(filepath.Join(path, "R", "rate.npy")); err != nil || a.Len() != 4000 {
		t.Errorf("after the run, before Finish: %v, %v", a.Len(), err)
	}
	if err := dir.Finish(errors.New("enough")); err != nil {
		t.Fatal(err)
	}
	if m, err := store.Open(path); err != nil || m.Status != store.Failed || m.Error != "enough" {
		t.Errorf("%+v, %v", m, err)
	}
}

// A run that does not come to its first step leaves the earlier one in place: faults in the model, records that do not fit,
// files in the way.
func TestEarlierRunStaysUntilTheNewOneRuns(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out")
	b := ref.New()
	dir, err := rundir.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	n, _ := model(t)
	if _, err := n.Run(context.Background(), 0.01, engine.RunOptions{Backend: b, Records: dir}); err != nil {
		t.Fatal(err)
	}
	if err := dir.Finish(nil); err != nil {
		t.Fatal(err)
	}
	before, _ := os.ReadFile(filepath.Join(path, "S", "t.npy"))
	os.MkdirAll(filepath.Join(path, "X"), 0o777)
	os.WriteFile(filepath.Join(path, "X", "t.npy"), []byte("mine"), 0o666)
	for what, name := range map[string]string{"a fault of the model": "gone", "a user's file": "X"} {
		dir, err := rundir.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		n := engine.NewNetwork(engine.Options{})
		text := "v : 1"
		if name == "gone" {
			text = "dv/dt = -v/unknown_name : 1"
		}
		g, err := n.NeuronGroup(1, text, engine.GroupOptions{Threshold: "v > 1", Reset: "v = 0"})
		if err == nil {
			_, err = n.SpikeMonitor(g, engine.SpikeMonitorOptions{Name: name})
		}
		if err != nil {
			t.Fatal(err)
		}
		_, err = n.Run(context.Background(), 0.01, engine.RunOptions{Backend: b, Records: dir})
		if err == nil {
			t.Errorf("%s: no error", what)
		}
		if err := dir.Finish(err); err != nil {
			t.Errorf("%s: %v", what, err)
		}
		after, _ := os.ReadFile(filepath.Join(path, "S", "t.npy"))
		if m, err := store.Open(path); err != nil || m.Status != store.Complete || !slices.Equal(before, after) {
			t.Errorf("%s: the earlier run is not what it was: %v, %v", what, m, err)
		}
	}
}

// A name that several monitors have had belongs to the newest; the others go by their automatic names.
func TestNamesSettle(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out")
	dir, err := rundir.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	b := ref.New()
	first := engine.NewNetwork(engine.Options{})
	none := func(any) bool { return false }
	var all []*engine.SpikeMonitor
	net := first
	for k := range 3 {
		if k > 0 {
			if net, err = net.Split(none); err != nil {
				t.Fatal(err)
			}
		}
		g, err := net.NeuronGroup(k+1, "dv/dt = 2/(10*ms) : 1", engine.GroupOptions{Threshold: "v > 1", Reset: "v = 0", Method: "euler"})
		if err != nil {
			t.Fatal(err)
		}
		s, err := net.SpikeMonitor(g, engine.SpikeMonitorOptions{})
		if err != nil {
			t.Fatal(err)
		}
		s.SetAlias("S")
		if _, err := net.Run(context.Background(), 0.02, engine.RunOptions{Backend: b, Records: dir}); err != nil {
			t.Fatal(err)
		}
		all = append(all, s)
	}
	all[0].SetAlias("A") // as a variable that gets its monitor late
	if err := dir.Finish(nil); err != nil {
		t.Fatal(err)
	}
	for k, name := range []string{"A", "spikemonitor_1", "S"} {
		if want := filepath.Join(path, name, "i.npy"); all[k].Column("i").Path() != want {
			t.Errorf("the monitor of network %d is in %s, not %s", k, all[k].Column("i").Path(), want)
		}
		if i := all[k].I(); len(i) == 0 || int(slices.Max(i)) != k {
			t.Errorf("network %d has spikes of %v", k, i)
		}
	}
}

func Example() {
	path := filepath.Join(os.TempDir(), "synfire-example")
	defer os.RemoveAll(path)
	dir, err := rundir.Create(path)
	if err != nil {
		fmt.Println(err)
		return
	}
	dir.Manifest.Version = "my program, 1.0"
	net := engine.NewNetwork(engine.Options{Seed: 1})
	g, _ := net.NeuronGroup(10, "dv/dt = (2 - v)/(10*ms) : 1", engine.GroupOptions{Threshold: "v > 1", Reset: "v = 0", Method: "exact"})
	net.SpikeMonitor(g, engine.SpikeMonitorOptions{Name: "spikes"})
	b := ref.New()
	r, err := net.Run(context.Background(), 0.05, engine.RunOptions{Backend: b, Records: dir})
	if err == nil {
		err = rundir.Ran(&dir.Manifest, net, b)
	}
	rundir.Describe(&dir.Manifest, []*engine.RunResult{r}, net)
	if err := dir.Finish(err); err != nil {
		fmt.Println(err)
		return
	}
	a, err := store.ReadNPY(filepath.Join(path, "spikes", "i.npy"))
	fmt.Println(a.Shape, err)
	// Output: [70] <nil>
}
