// Matrix runs the gl backend's conformance suite on every OpenGL implementation
// that this machine can start, and prints a table: one driver proves little.
// It needs Go and the sources: it builds the test binary of package shaders
// once and runs it in several environments.
//
//	go run ./shaders/matrix [-short]
//
// The exit code is 1 if a case failed anywhere. A row that cannot start says why.
package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// An implementation is a way to get at a driver: environment variables of Mesa.
type implementation struct {
	name string
	env  []string
	slow bool // fewer random networks
}

var implementations = []implementation{
	{"default device", nil, false},
	{"llvmpipe, 128 bits", []string{"GALLIUM_DRIVER=llvmpipe", "LIBGL_ALWAYS_SOFTWARE=1", "LP_NATIVE_VECTOR_WIDTH=128"}, false},
	{"llvmpipe, 256 bits", []string{"GALLIUM_DRIVER=llvmpipe", "LIBGL_ALWAYS_SOFTWARE=1", "LP_NATIVE_VECTOR_WIDTH=256"}, false},
	{"llvmpipe, 512 bits", []string{"GALLIUM_DRIVER=llvmpipe", "LIBGL_ALWAYS_SOFTWARE=1", "LP_NATIVE_VECTOR_WIDTH=512"}, false},
	{"softpipe", []string{"GALLIUM_DRIVER=softpipe", "LIBGL_ALWAYS_SOFTWARE=1", "MESA_GL_VERSION_OVERRIDE=4.3", "MESA_GLSL_VERSION_OVERRIDE=430"}, true},
	{"zink over lavapipe", []string{"LIBGL_ALWAYS_SOFTWARE=1", "MESA_LOADER_DRIVER_OVERRIDE=zink"}, true},
}

// few are the cases of a short run: the core of the suite.
const few = "^(TestIdentity|TestSelfTest|TestBackend)$/^(Operations|Random_programs|Map.*|Scatter|Inject|Deliver,_hand-worked|Deliver,_several_tables|Spikes|Sample|Effect|Faults)$"

func main() {
	short := flag.Bool("short", false, "the whole suite on the default device only, its core on the others")
	limit := flag.Duration("limit", 20*time.Minute, "time limit of each implementation")
	only := flag.String("only", "", "run the implementations with this in their names")
	flag.Parse()
	if err := run(*short, *limit, *only); err != nil {
		fmt.Fprintln(os.Stderr, "matrix:", err)
		os.Exit(1)
	}
}

func run(short bool, limit time.Duration, only string) error {
	dir, err := os.MkdirTemp("", "synfire-matrix-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	binary := filepath.Join(dir, "shaders.test")
	build := exec.Command("go", "test", "-c", "-tags", "egl", "-o", binary, "synfire/shaders")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		return fmt.Errorf("building the tests: %w (are the EGL headers installed? apt-get install libegl-dev)", err)
	}
	fmt.Println("| implementation | device | vendor | version | cases passed | |")
	fmt.Println("|---|---|---|---|---|---|")
	failed := 0
	for _, im := range implementations {
		if !strings.Contains(im.name, only) {
			continue
		}
		r := im.test(binary, dir, short, limit)
		fmt.Println(r.row(im.name))
		failed += r.failed
	}
	if failed > 0 {
		return fmt.Errorf("%d cases failed", failed)
	}
	return nil
}

// result is a row of the table.
type result struct {
	device                  [3]string
	passed, failed, skipped int
	note                    string
}

func (r result) row(name string) string {
	cases := fmt.Sprintf("%d of %d", r.passed, r.passed+r.failed)
	if r.skipped > 0 {
		cases += fmt.Sprintf(", %d skipped", r.skipped)
	}
	if r.device[0] == "" {
		cases = "-"
	}
	return fmt.Sprintf("| %s | %s | %s | %s | %s | %s |", name, r.device[0], r.device[1], r.device[2], cases, r.note)
}

var (
	verdict  = regexp.MustCompile(`(?m)^ *--- (PASS|FAIL|SKIP): (\S+)`)
	identity = regexp.MustCompile(`device: (.*) \| (.*) \| (.*)`)
	noDevice = regexp.MustCompile(`no device: (.*)`)
)

// test runs the binary and counts the leaves among its cases.
func (im implementation) test(binary, dir string, short bool, limit time.Duration) result {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	args := []string{"-test.v", "-test.short", "-test.run", "^(TestIdentity|TestSelfTest|TestBackend|TestGoldenCompiles|TestFaultInSpan)$", "-rapid.checks=8"}
	if im.slow {
		args[len(args)-1] = "-rapid.checks=3"
	}
	if short && im.env != nil {
		args[3] = few
	}
	cmd := exec.CommandContext(ctx, binary, args...)
	cmd.Dir = dir
	// A disk cache of shaders does not know the width of vectors; the user's own cache stays out of it.
	cmd.Env = append(append(os.Environ(), "MESA_SHADER_CACHE_DISABLE=true", "XDG_CACHE_HOME="+filepath.Join(dir, strings.Map(word, im.name)), "XDG_RUNTIME_DIR="+dir), im.env...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	text := out.String()
	var r result
	if m := identity.FindStringSubmatch(text); m != nil {
		r.device = [3]string(m[1:4])
	}
	all := verdict.FindAllStringSubmatch(text, -1)
	for i, m := range all {
		if i+1 < len(all) && strings.HasPrefix(all[i+1][2], m[2]+"/") {
			continue // its parts are counted
		}
		switch m[1] {
		case "PASS":
			r.passed++
		case "FAIL":
			r.failed++
		case "SKIP":
			r.skipped++
		}
	}
	if m := noDevice.FindStringSubmatch(text); m != nil && r.device[0] == "" {
		r.note = "cannot start: " + m[1]
		return r
	}
	switch {
	case ctx.Err() != nil:
		r.failed++
		r.note = fmt.Sprintf("not finished within %v", limit)
	case err != nil && r.failed == 0:
		r.failed++
		r.note = "ended with " + err.Error()
	}
	if r.failed > 0 {
		os.WriteFile(filepath.Join(os.TempDir(), "synfire-matrix-"+strings.Map(word, im.name)+".log"), out.Bytes(), 0o644)
		r.note += "; log in " + os.TempDir()
	}
	return r
}

func word(c rune) rune {
	if c >= 'a' && c <= 'z' || c >= '0' && c <= '9' {
		return c
	}
	return '-'
}
