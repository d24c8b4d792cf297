//go:build egl && cgo && linux

package shaders

import (
	"debug/elf"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestEGLIsLoadedWhenAskedFor has no program with this backend need libEGL to start.
func TestEGLIsLoadedWhenAskedFor(t *testing.T) {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	f, err := elf.Open(exe)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	libs, err := f.ImportedLibraries()
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range libs {
		if strings.HasPrefix(l, "libEGL") || strings.HasPrefix(l, "libGL") {
			t.Errorf("the program is bound to %s", l)
		}
	}
}

// TestNoDevice opens the backend in processes where that cannot be: without the library, with something else in its
// place, and where memory may not be made executable. Each is an error of kind NoDevice that says so.
func TestNoDevice(t *testing.T) {
	const key = "SYNFIRE_TEST_NO_DEVICE"
	if how := os.Getenv(key); how != "" {
		if how == "no executable memory" {
			const set, refuse = 65, 1 // PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN
			if _, _, e := syscall.RawSyscall(syscall.SYS_PRCTL, set, refuse, 0); e != 0 {
				t.Skipf("PR_SET_MDWE: %v", e)
			}
		}
		_, err := Open(Options{})
		var d *DeviceError
		if !errors.As(err, &d) || d.Kind != NoDevice {
			t.Fatalf("%s: %v", how, err)
		}
		_, _ = Devices()
		t.Logf("said: %v", err)
		return
	}
	for how, want := range map[string]string{"a broken library": "libEGL", "no executable memory": "make memory executable"} {
		cmd := exec.Command(os.Args[0], "-test.run", "TestNoDevice$", "-test.v")
		cmd.Env = append(os.Environ(), key+"="+how)
		if how == "a broken library" {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "libEGL.so.1"), []byte("no library"), 0o644); err != nil {
				t.Fatal(err)
			}
			cmd.Env = append(cmd.Env, "LD_LIBRARY_PATH="+dir)
		}
		out, err := cmd.CombinedOutput()
		if err == nil && strings.Contains(string(out), "SKIP") {
			t.Logf("%s: not tried: %s", how, out)
		} else if err != nil || !strings.Contains(string(out), want) {
			t.Errorf("%s: %v, lacks %q:\n%s", how, err, want, out)
		}
	}
}
