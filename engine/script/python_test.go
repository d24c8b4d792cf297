package script

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestPython runs scripts in Python's words and compares with what Python 3 prints
// (testdata/python/*.txt, made by running the same files).
func TestPython(t *testing.T) {
	files, _ := filepath.Glob("testdata/python/*.py")
	if len(files) == 0 {
		t.Fatal("no scripts")
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".py"), func(t *testing.T) {
			src, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			want, err := os.ReadFile(strings.TrimSuffix(file, ".py") + ".txt")
			if err != nil {
				t.Fatal(err)
			}
			got, _, err := runText(t, string(src), Options{})
			if err != nil {
				t.Error(err)
			}
			g, w := strings.Split(got, "\n"), strings.Split(string(want), "\n")
			for k := range max(len(g), len(w)) {
				var a, b string
				if k < len(g) {
					a = g[k]
				}
				if k < len(w) {
					b = w[k]
				}
				if a != b {
					t.Errorf("line %d of the output is %q, Python's is %q", k+1, a, b)
					break
				}
			}
		})
	}
}
