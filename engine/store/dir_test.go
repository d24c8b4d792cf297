package store

import (
	"encoding/json"
	"errors"
	"fmt"
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
	if err := d.Start(m, monitor+"/i"); err != nil {
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
	if err := d.Finish(example()); err != nil {
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
	if err := d.Start(&Manifest{Status: Running}); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"../x", "a/b/c", "", "/x", ".hidden", "a b", "S/..", `a\b`, "con\x00", strings.Repeat("n", 101)} {
		if err := d.Announce(name); err == nil {
			t.Errorf("%q: no error", name)
		}
	}
	for _, name := range []string{"S", "S/t", "spikemonitor_1/v", "größe"} {
		if err := d.Announce(name); err != nil {
			t.Errorf("%q: %v", name, err)
		}
		if _, err := d.Vector(name, Int32); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
	if _, err := d.Vector("T", Int32); err == nil {
		t.Error("an array that was not announced: no error")
	}
	if _, err := d.Matrix("M/v", Float32, 0); err == nil {
		t.Error("0 rows: no error")
	}
	if err := d.Save("x", []float64{1, 2}, 3); err == nil {
		t.Error("2 values of shape 3: no error")
	}
	if err := d.Save("S/t", []float64{1, 2}); err == nil {
		t.Error("Save over a monitor's array: no error")
	}
	if err := d.Close(); err != nil {
		t.Error(err)
	}
}

// Faults H1 and M8: until Start, an earlier run stays as it is; then only what its manifest names goes.
func TestEarlierRunAndUsersFilesStay(t *testing.T) {
	for name, old := range map[string]func(dir string){
		"finished": func(dir string) { write(t, dir, "S") },
		"killed": func(dir string) {
			d, err := Create(dir)
			if err != nil {
				t.Fatal(err)
			}
			m := example()
			m.Status = Running
			if err := errors.Join(d.Start(m, "S/i"), d.Announce("weights")); err != nil {
				t.Fatal(err)
			}
			d.Vector("S/i", Int32)
			d.Vector("weights", Int32)
			d.lock.release() // and no Finish
		},
		"of a version that did not list its files": func(dir string) {
			write(t, dir, "S")
			m, _ := Open(dir)
			m.Files = nil
			b, _ := m.JSON()
			os.WriteFile(filepath.Join(dir, ManifestName), b, 0o666)
			os.Remove(filepath.Join(dir, "weights.npy"))
			os.Remove(filepath.Join(dir, "table.npy"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "out")
			old(dir)
			mine := []string{"analysis.npy", "fits/a.npy", "S/mine.npy", "empty/"}
			for _, f := range mine {
				full := filepath.Join(dir, f)
				os.MkdirAll(filepath.Dir(full), 0o777)
				if strings.HasSuffix(f, "/") {
					os.Mkdir(full, 0o777)
				} else {
					os.WriteFile(full, []byte("mine"), 0o666)
				}
			}
			before := tree(dir)
			for _, end := range []func(*Dir){func(d *Dir) { d.Close() }, func(d *Dir) { d.Finish(&Manifest{Version: "v", Status: Failed}) }} {
				d, err := Create(dir)
				if err != nil {
					t.Fatal(err)
				}
				if !d.Earlier() {
					t.Error("the earlier run is not seen")
				}
				end(d)
				if after := tree(dir); !slices.Equal(before, after) {
					t.Fatalf("before a run started: %v became %v", before, after)
				}
			}
			d, err := Create(dir)
			if err != nil {
				t.Fatal(err)
			}
			if err := d.Start(example(), "fits/a"); err == nil || !strings.Contains(err.Error(), "is not of an earlier run") {
				t.Errorf("over a user's file: %v", err)
			}
			if after := tree(dir); !slices.Equal(slices.DeleteFunc(after, func(f string) bool { return strings.HasSuffix(f, lockName) }), before) {
				t.Errorf("a refused Start: %v became %v", before, after)
			}
			d.Close()
			write(t, dir, "R")
			for _, f := range append(mine, "R/i.npy") {
				if _, err := os.Stat(filepath.Join(dir, f)); err != nil {
					t.Error(err)
				}
			}
			if _, err := os.Stat(filepath.Join(dir, "S", "i.npy")); err == nil {
				t.Error("an array of the earlier run is left")
			}
			for _, f := range tree(dir) {
				if strings.Contains(f, "run.json.") {
					t.Error(f + " is left")
				}
			}
		})
	}
}

// Fault H6: two runs in one directory.
func TestSecondRunIsRefused(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "out")
	d, err := Create(dir)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // before the start of the first and after
		if _, err := Create(dir); err == nil || !strings.Contains(err.Error(), "at this moment") || !strings.Contains(err.Error(), fmt.Sprint(os.Getpid())) {
			t.Errorf("a second run: %v", err)
		}
		if err := d.Start(example()); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.Finish(example()); err != nil {
		t.Fatal(err)
	}
	if d, err = Create(dir); err != nil {
		t.Errorf("after the first: %v", err)
	}
	d.Close()
	fresh := filepath.Join(t.TempDir(), "a", "b")
	if d, err = Create(fresh); err != nil {
		t.Fatal(err)
	}
	d.Close()
	if _, err := os.Stat(filepath.Dir(fresh)); err == nil {
		t.Error("directories that nothing was written into are left")
	}
}

// A script that makes more monitors than the process may have files.
func TestMoreArraysThanFiles(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "out")
	d, err := Create(dir)
	if err != nil {
		t.Fatal(err)
	}
	d.spare = 1
	if err := d.Start(example(), "a/t", "b/t", "c/t"); err != nil {
		t.Fatal(err)
	}
	var all []*Writer
	for _, n := range []string{"a/t", "b/t", "c/t"} {
		w, err := d.Vector(n, Float64)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, w)
	}
	if all[0].f == nil || all[1].f != nil || d.spare != 0 {
		t.Error("one file stays open, the others do not")
	}
	for k := range 3 {
		for _, w := range all {
			if err := errors.Join(w.AppendFloat64([]float64{float64(k)}), w.Flush()); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := d.Rename("b", "moved"); err != nil {
		t.Fatal(err)
	}
	if err := all[1].AppendFloat64([]float64{3}); err != nil {
		t.Fatal(err)
	}
	m := example()
	if err := d.Finish(m); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(m.Files, []string{"a/t.npy", "moved/t.npy", "c/t.npy"}) {
		t.Errorf("the manifest names %v", m.Files)
	}
	for n, want := range map[string]int{"a": 3, "moved": 4, "c": 3} {
		if a, err := ReadNPY(filepath.Join(dir, n, "t.npy")); err != nil || a.Len() != want || a.F[2] != 2 {
			t.Errorf("%s: %v, %v", n, a, err)
		}
	}
	var back []byte
	if err := all[1].Read(func(b []byte) error { back = append(back, b...); return nil }); err != nil || len(back) != 32 {
		t.Errorf("read back: %v, %v", back, err)
	}
}

// An array that another program takes away or cuts while the run goes on is no complete run.
func TestArrayTakenAway(t *testing.T) {
	for what, harm := range map[string]func(string) error{"taken away": os.Remove, "changed": func(f string) error { return os.Truncate(f, 130) }} {
		dir := filepath.Join(t.TempDir(), "out")
		d, err := Create(dir)
		if err != nil {
			t.Fatal(err)
		}
		d.Start(example(), "S/t")
		w, err := d.Vector("S/t", Float64)
		if err != nil {
			t.Fatal(err)
		}
		w.AppendFloat64([]float64{1})
		w.Flush()
		if err := harm(filepath.Join(dir, "S", "t.npy")); err != nil {
			t.Fatal(err)
		}
		if err := d.Finish(example()); err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("%s: %v", what, err)
		}
		if m, err := Open(dir); err != nil || m.Status != Failed || !strings.Contains(m.Error, what) {
			t.Errorf("%s: the manifest says %v, %v", what, m, err)
		}
	}
}

func TestUnwritableDirectory(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "out")
	os.Mkdir(dir, 0o555)
	if os.WriteFile(filepath.Join(dir, "probe"), nil, 0o666) == nil {
		t.Skip("permissions do not bind this user (root)")
	}
	if _, err := Create(dir); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("Create: %v", err)
	}
}

func TestVanishedDirectory(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "out")
	d, err := Create(dir)
	if err != nil {
		t.Fatal(err)
	}
	os.RemoveAll(dir)
	if err := d.Start(example()); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), ManifestName) {
		t.Errorf("Start: %v", err)
	}
	if err := d.Save("x", nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Save: %v", err)
	}
}
