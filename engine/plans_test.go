package engine_test

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/diff"

	"synfire/engine"
	"synfire/engine/backend"
	"synfire/engine/script"
)

var update = flag.Bool("update", false, "rewrite testdata/*.plan")

// TestPlans: what Info says before each run of a scenario, with every stage of
// the step, is what is committed.
func TestPlans(t *testing.T) {
	for name, src := range scenarios {
		t.Run(name, func(t *testing.T) {
			var got bytes.Buffer
			runs := 0
			_, err := script.Run(context.Background(), script.Options{File: "test.star", Src: []byte(src), Open: func() (backend.Backend, error) { return onCPU(1)(), nil },
				BeforeRun: func(n *engine.Network) error {
					runs++
					fmt.Fprintf(&got, "== run %d\n", runs)
					return n.Info(engine.Work{}, &got)
				}})
			if err != nil {
				t.Fatal(err)
			}
			file := filepath.Join("testdata", strings.NewReplacer(",", "", " ", "_").Replace(name)+".plan")
			if *update {
				if err := os.WriteFile(file, got.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if d := diff.Diff(file, want, "now", got.Bytes()); d != nil {
				t.Errorf("the plan differs (-update rewrites it):\n%s", d)
			}
		})
	}
	if left, _ := filepath.Glob("testdata/*.plan"); len(left) != len(scenarios) {
		t.Errorf("%d plans in testdata, %d scenarios", len(left), len(scenarios))
	}
}
