package engine_test

import (
	"encoding/json"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// allowed lists what each package may import of this module (design: imports
// point one way), and of the libraries that are confined to some packages.
var allowed = map[string][]string{
	"engine/host":    {},
	"engine/philox":  {},
	"engine/num":     {},
	"engine/ir":      {"engine/philox"},
	"engine/vm":      {"engine/ir", "engine/philox"},
	"engine/eqn":     {"engine/ir", "engine/num"},
	"engine/connect": {"engine/host", "engine/philox", "engine/ir", "engine/vm", "engine/num"},
	"engine/backend": {"engine/host", "engine/ir", "engine/connect"},
	"engine/store":   {},
	"engine":         {"engine/host", "engine/eqn", "engine/connect", "engine/backend", "engine/vm", "engine/store", "engine/num", "engine/philox", "engine/ir"},
	"engine/rundir":  {"engine", "engine/backend", "engine/store"},
	"engine/script":  {"engine", "engine/backend", "engine/eqn", "engine/host", "engine/num", "engine/philox", "engine/store"},
	"kernels":        {"engine/host", "engine/backend", "engine/vm", "engine/connect", "engine/ir", "engine/philox"},
	"kernels/ref":    {"engine/host", "engine/backend", "engine/vm", "engine/connect", "engine/ir", "engine/philox"},
	"shaders":        {"engine/host", "engine/backend", "engine/vm", "engine/connect", "engine/ir", "engine/philox"},
}

// confined libraries and the folders that may use them.
var confined = map[string][]string{
	"gonum.org/":           {"engine/analysis", "engine/plot", "bench"},
	"github.com/go-gl/gl":  {"shaders", "cmd/synfire-view"},
	"github.com/go-gl/glf": {"cmd/synfire-view"},
	"go.starlark.net":      {"engine/script"},
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
			if list, known := allowed[pkg]; ok && known && !slices.Contains(list, own) {
				t.Errorf("%s imports %s; allowed are %v", pkg, own, list)
			}
		}
	}
	for pkg := range allowed {
		if !seen[pkg] {
			t.Errorf("package %s does not exist", pkg)
		}
	}
}
