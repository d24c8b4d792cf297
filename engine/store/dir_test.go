package store

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func example() *Manifest {
	m := &Manifest{
		Version: "v0.1.0", Script: "cuba.star", ScriptSHA256: "ab12", Seed: 1, Status: Complete, Backend: "cpu",
		Device: "2 threads", Threads: 2, SIMD: "avx512", DtS: 0.0001, Neurons: 4000, Synapses: 320134,
		Bytes: Bytes{9183744, 51200000}, TimeS: Times{0.01, 0.004, 0.02, 0.05},
		Hash: Hash{"00ff", "1234"},
	}
	m.Set.Set("duration", "1 s")
	r := Run{DurationS: 1, Steps: 10000, WallS: 0.08, RealTimeFactor: 0.08, Events: 1781000}
	r.Spikes.Set("P", 22274)
	m.Runs = []Run{r}
	m.Populations.Set("P", 4000)
	m.Monitors.Set("S", Monitor{Kind: "spikes", Events: 22274})
	return m
}

// The manifest is a format that other programs read: this is design section 1's example, to the name and the order.
const exampleJSON = `{"version": "v0.1.0", "script": "cuba.star", "script_sha256": "ab12", "seed": 1, "set": {"duration": "1 s"}, "status": "complete",
 "backend": "cpu", "device": "2 threads", "threads": 2, "simd": "avx512", "dt_s": 0.0001, "neurons": 4000, "synapses": 320134,
 "bytes": {"plan": 9183744, "peak": 51200000}, "time_s": {"start": 0.01, "compile": 0.004, "build": 0.02, "first_spike": 0.05},
 "runs": [{"start_s": 0, "duration_s": 1, "steps": 10000, "wall_s": 0.08, "real_time_factor": 0.08, "events": 1781000, "spikes": {"P": 22274}}],
 "populations": {"P": 4000}, "monitors": {"S": {"kind": "spikes", "events": 22274}}, "hash": {"spikes": "00ff", "state": "1234"}}`

func TestManifestIsTheContract(t *testing.T) {
	got, err := example().JSON()
	if err != nil {
		t.Fatal(err)
	}
	squeeze := func(s string) string { return strings.Join(strings.Fields(s), "") }
	if squeeze(string(got)) != squeeze(exampleJSON) {
		t.Errorf("got\n%s\nwant\n%s", squeeze(string(got)), squeeze(exampleJSON))
	}
	var back Manifest
	if err := json.Unmarshal([]byte(exampleJSON), &back); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(&back, example()) {
		t.Errorf("read back: %+v", back)
	}
}

func TestMonitorKinds(t *testing.T) {
	for m, want := range map[*Monitor]string{
		{Kind: "spikes"}: `{"kind":"spikes","events":0}`,
		{Kind: "spikes", Events: 2, Variables: []string{"v"}}: `{"kind":"spikes","events":2,"variables":["v"]}`,
		{Kind: "state", Recorded: 3, Samples: 0, Events: 9}:   `{"kind":"state","recorded":3,"samples":0}`,
		{Kind: "rate", Samples: 4}:                            `{"kind":"rate","samples":4}`,
	} {
		if got, err := json.Marshal(m); err != nil || string(got) != want {
			t.Errorf("%s, %v; want %s", got, err, want)
		}
	}
}

func TestOrderIsKept(t *testing.T) {
	var o Ordered[int]
	for _, n := range []string{"L23E", "L23I", "A", "L23E"} {
		o.Set(n, len(o))
	}
	b, _ := json.Marshal(o)
	if string(b) != `{"L23E":3,"L23I":1,"A":2}` {
		t.Errorf("%s", b)
	}
	var back Ordered[int]
	if err := json.Unmarshal(b, &back); err != nil || !slices.Equal(back, o) {
		t.Errorf("%v, %v", back, err)
	}
	if v, ok := back.Get("A"); v != 2 || !ok {
		t.Errorf("A is %d, %v", v, ok)
	}
	if err := json.Unmarshal([]byte(`[1]`), &back); err == nil {
		t.Error("an array: no error")
	}
}

// write makes a run directory with one monitor and returns its path.
func write(t *testing.T, path string, monitor string) {
	t.Helper()
	d, err := Create(path)
	if err != nil {
		t.Fatal(err)
	}
	m := example()
	m.Status = Running
	if err := d.WriteManifest(m); err != nil {
		t.Fatal(err)
	}
	if got, err := Open(path); err != nil || got.Status != Running {
		t.Fatalf("while it runs: %v, %v", got, err)
	}
	w, err := d.Vector(monitor+"/i", Int32)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.AppendInt32([]int32{3, 4}); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Vector(monitor+"/i", Int32); err == nil {
		t.Error("one file for two arrays: no error")
	}
	if err := d.Save("weights", []float64{1, 2, 3, 4, 5, 6}, 2, 3); err != nil {
		t.Fatal(err)
	}
	if err := d.SaveInts("weights", []int64{7, -1}); err != nil { // replaces
		t.Fatal(err)
	}
	if err := d.Save("table", []float64{1, 2, 3, 4, 5, 6}, 2, 3); err != nil {
		t.Fatal(err)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	if err := d.WriteManifest(example()); err != nil {
		t.Fatal(err)
	}
}

func TestRunDirectory(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a", "out")
	write(t, path, "S")
	a, err := ReadNPY(filepath.Join(path, "S", "i.npy"))
	if err != nil || !slices.Equal(a.I, []int64{3, 4}) {
		t.Errorf("S/i.npy: %v, %v", a, err)
	}
	a, err = ReadNPY(filepath.Join(path, "weights.npy"))
	if err != nil || !slices.Equal(a.I, []int64{7, -1}) {
		t.Errorf("weights.npy: %v, %v", a, err)
	}
	a, err = ReadNPY(filepath.Join(path, "table.npy"))
	if err != nil || !slices.Equal(a.Shape, []int{2, 3}) || a.F[1] != 2 {
		t.Errorf("table.npy: %v, %v", a, err)
	}
	if m, err := Open(path); err != nil || m.Status != Complete {
		t.Errorf("manifest: %v, %v", m, err)
	}

	// A second run replaces the first; a picture that somebody has put there stays.
	os.WriteFile(filepath.Join(path, "raster.png"), nil, 0o666)
	write(t, path, "R")
	for name, want := range map[string]bool{"S": false, "R/i.npy": true, "raster.png": true, "run.json": true, "run.json.part": false} {
		if _, err := os.Stat(filepath.Join(path, name)); (err == nil) != want {
			t.Errorf("%s is there: %v, want %v", name, err == nil, want)
		}
	}
}

func TestCreateRefusesOtherContents(t *testing.T) {
	for name, fill := range map[string]func(dir string){
		"notes.txt":            func(dir string) { os.WriteFile(filepath.Join(dir, "notes.txt"), nil, 0o666) },
		"x.npy":                func(dir string) { os.WriteFile(filepath.Join(dir, "x.npy"), nil, 0o666) },
		"run.json":             func(dir string) { os.WriteFile(filepath.Join(dir, "run.json"), []byte(`{"name": "other"}`), 0o666) },
		"unexpected end":       func(dir string) { os.WriteFile(filepath.Join(dir, "run.json"), nil, 0o666) },
		"S/thesis.docx":        func(dir string) { write(t, dir, "S"); os.WriteFile(filepath.Join(dir, "S", "thesis.docx"), nil, 0o666) },
		"src":                  func(dir string) { write(t, dir, "S"); os.MkdirAll(filepath.Join(dir, "src", "sub"), 0o777) },
		"link.npy":             func(dir string) { write(t, dir, "S"); os.Symlink("/etc/hostname", filepath.Join(dir, "link.npy")) },
		"there is no run.json": func(dir string) { os.MkdirAll(filepath.Join(dir, "S"), 0o777) },
	} {
		dir := t.TempDir()
		fill(dir)
		before := tree(dir)
		_, err := Create(dir)
		if err == nil || !strings.Contains(err.Error(), "something else than an earlier run") || !strings.Contains(filepath.ToSlash(err.Error()), name) {
			t.Errorf("%s: %v", name, err)
		}
		if after := tree(dir); !slices.Equal(before, after) {
			t.Errorf("%s: Create changed the directory: %v, before %v", name, after, before)
		}
	}
	file := filepath.Join(t.TempDir(), "f")
	os.WriteFile(file, nil, 0o666)
	if _, err := Create(file); err == nil || !strings.Contains(err.Error(), "is a file") {
		t.Errorf("a file: %v", err)
	}
	if _, err := Create(filepath.Join(file, "sub")); err == nil {
		t.Error("a directory under a file: no error")
	}
}

func tree(dir string) (names []string) {
	filepath.WalkDir(dir, func(path string, _ fs.DirEntry, _ error) error {
		names = append(names, path)
		return nil
	})
	return names
}

func TestNames(t *testing.T) {
	d, err := Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"../x", "a/b/c", "", "/x", ".hidden", "a b", "S/..", `a\b`, "con\x00"} {
		if _, err := d.Vector(name, Int32); err == nil {
			t.Errorf("%q: no error", name)
		}
	}
	for _, name := range []string{"S", "S/t", "spikemonitor_1/v", "größe"} {
		if _, err := d.Vector(name, Int32); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
	if _, err := d.Matrix("M/v", Float32, 0); err == nil {
		t.Error("0 rows: no error")
	}
	if err := d.Save("x", []float64{1, 2}, 3); err == nil {
		t.Error("2 values of shape 3: no error")
	}
	if err := d.Close(); err != nil {
		t.Error(err)
	}
}

func TestUnwritableDirectory(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "out")
	os.Mkdir(dir, 0o555)
	if os.WriteFile(filepath.Join(dir, "probe"), nil, 0o666) == nil {
		t.Skip("permissions do not bind this user (root)")
	}
	d, err := Create(dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.WriteManifest(example()); !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), ManifestName) {
		t.Errorf("WriteManifest: %v", err)
	}
}

func TestVanishedDirectory(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "out")
	d, err := Create(dir)
	if err != nil {
		t.Fatal(err)
	}
	os.RemoveAll(dir)
	if err := d.WriteManifest(example()); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), ManifestName) {
		t.Errorf("WriteManifest: %v", err)
	}
	if _, err := d.Vector("x", Int32); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Vector: %v", err)
	}
}
