package rundir_test

import (
	"bytes"
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"synfire/engine"
	"synfire/engine/backend"
	"synfire/engine/host"
	"synfire/engine/host/hosttest"
	"synfire/engine/rundir"
	"synfire/kernels"
)

// Ranks write the directory of one process, file by file, and give what monitors have to whoever asks on any of them.
func TestRanksWriteTheDirectoryOfOneProcess(t *testing.T) {
	top := t.TempDir()
	run := func(dir *rundir.Dir, b backend.Backend, r host.Ranks) error {
		n, all := model(t)
		g := n.Groups()[0]
		m, err := n.StateMonitor(g, engine.StateMonitorOptions{Name: "all", Variables: []string{"v"}, Record: true})
		if err != nil {
			return err
		}
		var first *engine.Snapshot
		for pass := range 3 {
			if _, err := n.Run(context.Background(), 0.05, engine.RunOptions{Backend: b, Records: dir, Ranks: r}); err != nil {
				return err
			}
			if v, err := all[0].Columns()[1].Floats(); err != nil || len(v) != all[0].Len() {
				t.Errorf("%d of %d times are read, %v", len(v), all[0].Len(), err)
			}
			if pass == 0 {
				if first, err = n.Snapshot(); err != nil {
					return err
				}
			}
			if pass == 1 {
				if err := n.Restore(first, true); err != nil {
					return err
				}
			}
		}
		m.SetAlias("renamed")
		return dir.Finish(nil)
	}
	one, err := rundir.Create(filepath.Join(top, "one"))
	if err == nil {
		err = run(one, kernels.New(1), nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, size := range []int{2, 3} {
		path := filepath.Join(top, "several")
		for k, err := range hosttest.New(size).Each(func(r host.Ranks) error {
			d, err := rundir.Join(path, r)
			if err != nil {
				return err
			}
			return run(d, kernels.Over(r, 1), r)
		}) {
			if err != nil {
				t.Fatalf("%d ranks: rank %d: %v", size, k, err)
			}
		}
		files := 0
		filepath.WalkDir(filepath.Join(top, "one"), func(p string, e fs.DirEntry, err error) error {
			if !strings.HasSuffix(p, ".npy") {
				return err
			}
			files++
			rel, _ := filepath.Rel(filepath.Join(top, "one"), p)
			want, err1 := os.ReadFile(p)
			got, err2 := os.ReadFile(filepath.Join(path, rel))
			if err1 != nil || err2 != nil || !bytes.Equal(want, got) {
				t.Errorf("%d ranks: %s: %d bytes for %d, %v %v", size, rel, len(got), len(want), err1, err2)
			}
			return nil
		})
		if files != 15 {
			t.Errorf("%d files", files)
		}
	}
}
