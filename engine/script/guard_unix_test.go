//go:build unix

package script

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestFilesThatAreNone gives pipes, folders and huge files where a file of the
// script's folder is read.
func TestFilesThatAreNone(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	for _, name := range []string{"pipe.npy", "pipe.csv", "pipe.star"} {
		if err := syscall.Mkfifo(at(name), 0o666); err != nil {
			t.Skip(err)
		}
	}
	os.Mkdir(at("folder.npy"), 0o777)
	for _, name := range []string{"huge.csv", "huge.npy", "huge.star"} {
		f, err := os.Create(at(name))
		if err != nil {
			t.Fatal(err)
		}
		if err := f.Truncate(20e9); err != nil { // a hole, which takes no room on the disk
			t.Skip(err)
		}
		f.Close()
	}
	for _, c := range []struct{ src, want string }{
		{"load_array('pipe.npy')", "is not a file"}, {"load_array('pipe.csv')", "is not a file"}, {"load('pipe.star', 'x')", "is not a file"}, {"load_array('folder.npy')", "is not a file"},
		{"load_array('huge.csv')", "memory"}, {"load_array('huge.npy')", "memory"}, {"load('huge.star', 'x')", "too many for a script"},
	} {
		if _, _, err := runText(t, c.src, Options{File: at("m.star")}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: the error is %v", c.src, err)
		}
	}
	for name, want := range map[string]string{"pipe.star": "is not a file", "huge.star": "too many for a script", "folder.npy": "is not a file", "/dev/zero": "is not a file"} {
		if !filepath.IsAbs(name) {
			name = at(name)
		}
		if _, err := run(context.Background(), Options{File: name}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: the error is %v", name, err)
		}
	}
}
