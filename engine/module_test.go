package engine_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestOtherModule: the program in the README, and the commands before it, make a
// module that vets and runs.
func TestOtherModule(t *testing.T) {
	if testing.Short() {
		t.Skip("builds a module of its own")
	}
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	readme, err := os.ReadFile(filepath.Join(root, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	program := regexp.MustCompile("(?s)```go\n(.*?)```").FindSubmatch(readme)
	edit := regexp.MustCompile("go mod edit (.*) -replace=synfire=").FindSubmatch(readme)
	if program == nil || edit == nil {
		t.Fatal("the README shows no program, or not how to edit go.mod")
	}
	sums, err := os.ReadFile(filepath.Join(root, "go.sum")) // go mod tidy would ask the network
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for name, text := range map[string][]byte{"main.go": program[1], "go.sum": sums} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, args := range [][]string{
		{"mod", "init", "example.com/other"},
		{"mod", "edit", string(edit[1]), "-replace=synfire=" + root},
		{"vet", "-mod=mod", "."},
		{"run", "-mod=mod", "."},
	} {
		cmd := exec.Command("go", args...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GOWORK=off")
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, out)
		}
		if args[0] == "run" && string(out) != "400 spikes\n" {
			t.Errorf("the program prints %s", out)
		}
	}
}
