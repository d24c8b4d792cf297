package shaders

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// TestKeptFiles damages what is kept in every way that was ever seen: it must be as good as none, at once, and be
// replaced by the next that is kept.
func TestKeptFiles(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	data := []byte("bit-exact")
	keep("devices", "mine", data)
	keep("devices", "other", []byte("another"))
	name, other := cacheFile("devices", "mine"), cacheFile("devices", "other")
	whole, err := os.ReadFile(name)
	if err != nil || !bytes.Equal(kept("devices", "mine"), data) {
		t.Fatalf("what was kept is %q (%v)", whole, err)
	}
	if kept("shaders", "mine") != nil || kept("devices", "nothing") != nil {
		t.Error("what was not kept is there")
	}
	flip := func(k int) []byte {
		b := bytes.Clone(whole)
		b[k] ^= 1
		return b
	}
	damage := map[string][]byte{"empty": {}, "old": data, "line": append(bytes.Clone(whole), '\n'), "nul": append(bytes.Clone(whole), 0),
		"noise": bytes.Repeat([]byte("noise"), 1<<20), "header": flip(30), "kind": flip(9), "data": flip(len(whole) - 1)}
	for k := range whole {
		damage["cut"+string(rune('0'+k%10))] = whole[:k]
	}
	for what, b := range damage {
		if err := os.WriteFile(name, b, 0o644); err != nil {
			t.Fatal(err)
		}
		if got := kept("devices", "mine"); got != nil {
			t.Errorf("%s: %q is taken", what, got)
		}
	}
	swapped, _ := os.ReadFile(other)
	os.WriteFile(name, swapped, 0o644)
	if got := kept("devices", "mine"); got != nil {
		t.Errorf("the file of another key: %q is taken", got)
	}

	for what, mk := range map[string]func() error{
		"folder":   func() error { return os.Mkdir(name, 0o755) },
		"dangling": func() error { return os.Symlink(filepath.Join(t.TempDir(), "none"), name) },
		"pipe":     func() error { return exec.Command("mkfifo", name).Run() },
	} {
		os.RemoveAll(name)
		if err := mk(); err != nil {
			t.Logf("%s: %v", what, err)
			continue
		}
		done := make(chan []byte, 1)
		go func() { done <- kept("devices", "mine") }()
		select {
		case got := <-done:
			if got != nil {
				t.Errorf("%s: %q is taken", what, got)
			}
		case <-time.After(5 * time.Second):
			t.Fatalf("%s: waits", what)
		}
		keep("devices", "mine", data)
		if what != "folder" && !bytes.Equal(kept("devices", "mine"), data) {
			t.Errorf("%s: is not replaced", what)
		}
	}
}
