package examples

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/diff"

	"synfire/engine/script"
)

// TestPlans: what `synfire info` says of each example at test size, with every
// stage of the step, is what is committed: a change of the compiler is read in
// the difference. -update rewrites the files.
func TestPlans(t *testing.T) {
	for name, c := range small {
		t.Run(name, func(t *testing.T) {
			var got bytes.Buffer
			if _, err := script.Run(context.Background(), script.Options{File: c.file + ".star", Set: c.set, Info: &got}); err != nil {
				t.Fatal(err)
			}
			file := filepath.Join("testdata", name+".plan")
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
	left, _ := filepath.Glob("testdata/*.plan")
	if len(left) != len(small) {
		t.Errorf("%d plans in testdata, %d cases", len(left), len(small))
	}
}
