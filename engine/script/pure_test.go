package script_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"synfire/engine"
	"synfire/engine/backend"
	"synfire/engine/host"
	"synfire/engine/script"
)

// refusing is a backend that cannot load anything.
type refusing struct{ backend.Backend }

var errRefused = errors.New("refused by the test")

func (refusing) Caps() backend.Caps { return backend.Caps{} }

func (refusing) Load(host.Work, *backend.Plan) (backend.Program, error) { return nil, errRefused }

// TestLooking: Info before each run, twice, and a run whose plan no backend
// loads change nothing that the script shows and no hash, over all scripts that
// Brian2's results hold.
func TestLooking(t *testing.T) {
	files, err := filepath.Glob("testdata/brian2/*.star")
	if err != nil || len(files) == 0 {
		t.Fatal("no scripts", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".star"), func(t *testing.T) {
			t.Parallel()
			src, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			run := func(before func(*engine.Network) error) (shown string, hashes []string) {
				shown, _, err := simulate(t, showFunction+string(src), script.Options{BeforeRun: before, AfterRun: func(r *script.Result) error {
					spikes, state, err := r.Net.Hash()
					hashes = append(hashes, spikes+"/"+state)
					return err
				}})
				if err != nil {
					t.Fatal(err)
				}
				return shown, hashes
			}
			shown, hashes := run(nil)
			if hashes == nil {
				t.Skip("has no run()")
			}
			looks := 0
			seen, after := run(func(n *engine.Network) error {
				looks++
				var first, second strings.Builder
				if err := n.Info(host.Work{}, &first); err != nil {
					return err
				}
				if _, err := n.Run(context.Background(), 1e-3, engine.RunOptions{Backend: refusing{}}); !errors.Is(err, errRefused) {
					return err
				}
				if err := n.Info(host.Work{}, &second); err != nil {
					return err
				}
				if first.String() != second.String() {
					t.Errorf("Info says something else the second time:\n%s\n---\n%s", &first, &second)
				}
				return nil
			})
			if looks == 0 {
				t.Fatal("nothing was looked at")
			}
			if seen != shown {
				t.Errorf("after looking the script shows\n%s\nexpected\n%s", seen, shown)
			}
			if strings.Join(after, " ") != strings.Join(hashes, " ") {
				t.Errorf("after looking the hashes are %q, expected %q", after, hashes)
			}
		})
	}
}
