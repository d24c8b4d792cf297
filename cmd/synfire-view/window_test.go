package main

import (
	"bufio"
	"image"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// display starts an X server that nobody sees and returns its name.
func display(t *testing.T) string {
	t.Helper()
	if testing.Short() {
		t.Skip("-short: the window is not built")
	}
	if runtime.GOOS != "linux" {
		t.Skip("Xvfb is a program of Linux")
	}
	if _, err := exec.LookPath("Xvfb"); err != nil {
		t.Skip("Xvfb is missing: apt-get install xvfb")
	}
	for _, h := range []string{"x11", "xcursor", "xrandr", "xinerama", "xi", "xxf86vm", "gl"} {
		if exec.Command("pkg-config", "--exists", h).Run() != nil {
			t.Skipf("the headers of %s are missing: apt-get install pkg-config xorg-dev libgl1-mesa-dev", h)
		}
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	x := exec.Command("Xvfb", "-displayfd", "3", "-screen", "0", "1280x1024x24", "-nolisten", "tcp")
	x.ExtraFiles = []*os.File{w}
	if err := x.Start(); err != nil {
		t.Skip("Xvfb does not start: ", err)
	}
	t.Cleanup(func() { x.Process.Kill(); x.Wait() })
	w.Close()
	number, err := bufio.NewReader(r).ReadString('\n')
	if err != nil {
		t.Skip("Xvfb ended without a display")
	}
	return ":" + strings.TrimSpace(number)
}

// TestWindow runs the viewer and looks at what OpenGL drew.
func TestWindow(t *testing.T) {
	screen := display(t)
	dir := t.TempDir()
	bin, script := filepath.Join(dir, "synfire-view"), filepath.Join(dir, "two.star")
	if out, err := exec.Command("go", "build", "-tags", "viewer", "-o", bin, ".").CombinedOutput(); err != nil {
		t.Fatalf("go build -tags viewer: %v\n%s", err, out)
	}
	if err := os.WriteFile(script, []byte(two), 0o644); err != nil {
		t.Fatal(err)
	}
	shot := func(status int, args ...string) image.Image {
		t.Helper()
		file := filepath.Join(dir, "shot.png")
		cmd := exec.Command(bin, append([]string{script, "--size", "800,500", "--window", "0.05", "--speed", "2", "--screenshot", file}, args...)...)
		cmd.Env = append(os.Environ(), "DISPLAY="+screen)
		out, _ := cmd.CombinedOutput()
		if got := cmd.ProcessState.ExitCode(); got != status {
			if strings.Contains(string(out), "no window") {
				t.Skipf("this display has no OpenGL 3.3: %s", out)
			}
			t.Fatalf("%v: exit status %d, expected %d:\n%s", args, got, status, out)
		}
		f, err := os.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		img, err := png.Decode(f)
		if err != nil {
			t.Fatal(err)
		}
		return img
	}
	img := shot(0, "--against", "ref")
	if img.Bounds().Dx() != 800 || img.Bounds().Dy() != 500 {
		t.Fatalf("the picture is %v", img.Bounds())
	}
	raster, rates := parts(img.Bounds())
	for k := range 2 {
		if n := pixels(img, raster, palette[k]); n < 50 {
			t.Errorf("population %d has %d pixels in the raster", k, n)
		}
		if n := pixels(img, rates, palette[k]); n < 300 {
			t.Errorf("population %d has %d pixels in the rates", k, n)
		}
	}
	if pixels(img, img.Bounds(), background) < 100000 || pixels(img, img.Bounds(), ink) < 200 {
		t.Error("background or text are missing")
	}
	if pixels(img, img.Bounds(), alarm) > 0 {
		t.Error("equal backends are marked DIVERGED")
	}
	if img := shot(1, "--against", "ref", "--inject", "A.v:3:50"); pixels(img, raster, alarm) < 10000 {
		t.Error("backends that differ are not marked")
	}
	shot(2, "--against", "ref", "--inject", "A.w")
}

// TestStub: without its tag the command says how to get a window.
func TestStub(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: nothing is built")
	}
	cmd := exec.Command("go", "run", ".")
	out, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "make view") {
		t.Errorf("%v: %s", err, out)
	}
}
