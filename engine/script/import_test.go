package script

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestImportAll: "from module import *" of a script beside the script.
func TestImportAll(t *testing.T) {
	for _, c := range []struct {
		name, want string
		files      map[string]string
	}{
		{"names", "5. ms 1 7 4", map[string]string{
			"main":   "from params import *\nprint(tau, last, twice(3), base)",
			"params": "from brian2 import *\nfrom more import *\ntau = 5*ms\n_own = 1\nfor k in range(2):\n    last = k\ndef twice(x):\n    return 2*x + _own\n",
			"more":   "base = 4"}},
		{"a name that is not assigned", "3", map[string]string{"main": "from params import *\nprint(z)", "params": "if False:\n    q = 1\nz = 3"}},
		{"it is an error where it is used", "main.py:2:7", map[string]string{"main": "from params import *\nprint(q)", "params": "if False:\n    q = 1\nz = 3"}},
		{"own names stay there", "unknown name _own", map[string]string{"main": "from params import *\nprint(_own)", "params": "_own = 1"}},
		{"in a ring", "a.py:1:15: not everything of b", map[string]string{"main": "from a import *", "a": "from b import *", "b": "from a import *"}},
		{"an error there", "params.py:2:3", map[string]string{"main": "from params import *", "params": "x = (1,\ny = 2"}},
		{"no script", "not everything of os", map[string]string{"main": "from os import *"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			for name, text := range c.files {
				if err := os.WriteFile(filepath.Join(dir, name+".py"), []byte(text), 0o666); err != nil {
					t.Fatal(err)
				}
			}
			var out strings.Builder
			_, err := Run(context.Background(), Options{File: filepath.Join(dir, "main.py"), Stdout: &out})
			got := strings.TrimSpace(out.String())
			if err != nil {
				got = err.Error()
			}
			if !strings.Contains(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
