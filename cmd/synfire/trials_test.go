package main

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"testing"

	"synfire/engine"
	"synfire/engine/backend"
	"synfire/engine/host"
	"synfire/engine/store"
	"synfire/kernels"
)

// counted counts the programs that are loaded.
type counted struct {
	backend.Backend
	loaded *int
}

func (c counted) Load(w host.Work, p *backend.Plan) (backend.Program, error) {
	prog, err := c.Backend.Load(w, p)
	if err == nil {
		*c.loaded++
	}
	return &closing{prog, c.loaded}, err
}

type closing struct {
	backend.Program
	loaded *int
}

func (c *closing) Close() error {
	*c.loaded--
	return c.Program.Close()
}

// TestTrialsGiveBack: a trial that is over, well or not, has nothing on the device that the others use.
func TestTrialsGiveBack(t *testing.T) {
	file := filepath.Join(t.TempDir(), "model.star")
	for name, end := range map[string]string{"well": "", "not": "fail('no')\n"} {
		t.Run(name, func(t *testing.T) {
			src := "N = [Network(NeuronGroup(4, 'v : 1')) for k in range(2)]\nfor n in N:\n    n.run(1*ms)\n" + end
			if err := os.WriteFile(file, []byte(src), 0o666); err != nil {
				t.Fatal(err)
			}
			loaded := 0
			env := &environment{ctx: context.Background(), out: &output{w: io.Discard}, err: io.Discard}
			x := &trials{c: &runCmd{modelFlags: modelFlags{Model: file}}, env: env, pool: engine.Pools(1), bar: newProgress(io.Discard, terminal{}, true), warned: map[string]bool{},
				all: []*trial{{record: &record{m: &store.Manifest{}}}}, open: func() (backend.Backend, error) { return counted{kernels.New(1), &loaded}, nil }}
			x.run(0)
			if err := x.all[0].err; (err != nil) != (end != "") {
				t.Fatal(err)
			}
			if len(x.all[0].m.Runs) != 2 || loaded != 0 {
				t.Errorf("%d runs, %d programs are left", len(x.all[0].m.Runs), loaded)
			}
		})
	}
}
