package engine_test

import (
	"encoding/json"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// arrows are the imports of this module between its packages: exactly those that
// there are (design: imports point one way).
var arrows = map[string][]string{
	"engine/host":                {},
	"engine/host/hosttest":       {"engine/host"},
	"engine/philox":              {},
	"engine/num":                 {},
	"engine/ir":                  {"engine/philox"},
	"engine/vm":                  {"engine/ir", "engine/philox"},
	"engine/eqn":                 {"engine/ir", "engine/num"},
	"engine/connect":             {"engine/host", "engine/ir", "engine/num", "engine/philox", "engine/vm"},
	"engine/backend":             {"engine/connect", "engine/host", "engine/ir"},
	"engine/backend/backendtest": {"engine/backend", "engine/connect", "engine/host", "engine/ir", "engine/ir/irtest", "kernels/ref"}, // ref is the definition
	"engine/ir/irtest":           {"engine/ir"},
	"engine/store":               {},
	"engine/models":              {},
	"engine/model":               {"engine/backend" /* Trap: what a text that goes wrong says */, "engine/connect", "engine/eqn", "engine/host", "engine/ir", "engine/num", "engine/philox", "engine/store", "engine/vm"},
	"engine/compile":             {"engine/backend", "engine/connect", "engine/eqn", "engine/host", "engine/ir", "engine/model"},
	"engine":                     {"engine/backend", "engine/compile", "engine/connect", "engine/eqn", "engine/host", "engine/ir", "engine/model"},
	"engine/serve":               {"engine", "engine/backend", "engine/eqn", "engine/ir", "engine/script", "engine/script/array", "engine/script/memory", "engine/store"},
	"engine/train":               {"engine", "engine/backend", "engine/compile", "engine/connect", "engine/eqn", "engine/ir", "engine/model", "engine/num", "engine/philox", "engine/vm"},
	"engine/nir":                 {"engine", "engine/eqn", "engine/model"},
	"engine/rundir":              {"engine", "engine/backend", "engine/eqn", "engine/host", "engine/store"},
	"engine/compare":             {"engine/backend", "engine/host", "engine/ir"},
	"engine/analysis":            {},
	"engine/plot":                {"engine/figure"},
	"engine/plot/term":           {},
	"engine/script/argument":     {"engine/eqn"},
	"engine/figure":              {},
	"engine/script/memory":       {},
	"engine/script/python":       {},
	"engine/script/array":        {"engine/eqn", "engine/num", "engine/script/argument", "engine/script/memory"},
	"engine/script":              {"engine", "engine/analysis", "engine/backend", "engine/eqn", "engine/figure", "engine/host", "engine/models", "engine/nir", "engine/num", "engine/philox", "engine/script/argument", "engine/script/array", "engine/script/memory", "engine/script/python", "engine/store", "engine/train"},
	"kernels":                    {"engine/backend", "engine/connect", "engine/host", "engine/ir", "engine/vm"},
	"kernels/mpi":                {},
	"kernels/ref":                {"engine/backend", "engine/connect", "engine/host", "engine/ir"},
	"shaders":                    {"engine/backend", "engine/connect", "engine/host", "engine/ir"},
}

// confined libraries and the folders that may use them.
var confined = map[string][]string{
	"gonum.org/":           {"engine/analysis", "engine/plot", "bench"},
	"github.com/go-gl/gl":  {"shaders", "cmd/synfire-view"},
	"github.com/go-gl/glf": {"cmd/synfire-view"},
	"go.starlark.net":      {"engine/script", "engine/serve" /* values of a session */},
}

// TestImports keeps the directions of imports: a backend knows nothing of
// equations, the engine nothing of concrete backends.
func TestImports(t *testing.T) {
	out, err := exec.Command("go", "list", "-tags", "egl", "-json=ImportPath,Imports", "synfire/...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	seen := map[string]bool{}
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p struct {
			ImportPath string
			Imports    []string
		}
		if err := d.Decode(&p); err == io.EOF {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		pkg := strings.TrimPrefix(p.ImportPath, "synfire/")
		seen[pkg] = true
		for _, imp := range p.Imports {
			for lib, folders := range confined {
				if strings.HasPrefix(imp, lib) && !slices.ContainsFunc(folders, func(f string) bool { return pkg == f || strings.HasPrefix(pkg, f+"/") }) {
					t.Errorf("%s imports %s, which only %v may", pkg, imp, folders)
				}
			}
			own, ok := strings.CutPrefix(imp, "synfire/")
			if list, known := arrows[pkg]; ok && known && !slices.Contains(list, own) {
				t.Errorf("%s imports %s, beside %v", pkg, own, list)
			}
		}
		for _, own := range arrows[pkg] {
			if !slices.Contains(p.Imports, "synfire/"+own) {
				t.Errorf("%s does not import %s any more: take the arrow out", pkg, own)
			}
		}
		if _, known := arrows[pkg]; !known && (strings.HasPrefix(pkg, "engine") || strings.HasPrefix(pkg, "kernels")) {
			t.Errorf("package %s has no arrows here", pkg)
		}
	}
	for pkg := range arrows {
		if !seen[pkg] {
			t.Errorf("package %s does not exist", pkg)
		}
	}
}
