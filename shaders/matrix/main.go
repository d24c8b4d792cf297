// Matrix runs the gl backend's conformance suite on every OpenGL implementation
// that this machine can start, and prints a table: one driver proves little.
// It needs Go and the sources: it builds the test binary of package shaders
// once and runs it in several environments, a few at a time. A row is printed when it is
// done; what each test says is in a file from its beginning on.
//
//	go run ./shaders/matrix [-short] [-only NAME]
//
// The exit code is 1 if a case failed anywhere. A row that cannot start says why.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"time"
)

// An implementation is a way to get at a driver: environment variables of Mesa.
type implementation struct {
	name string
	env  []string
	slow bool // fewer random networks
}

// Those that take longest come first.
var implementations = []implementation{
	{"softpipe", []string{"GALLIUM_DRIVER=softpipe", "LIBGL_ALWAYS_SOFTWARE=1", "MESA_GL_VERSION_OVERRIDE=4.3", "MESA_GLSL_VERSION_OVERRIDE=430"}, true},
	{"zink over lavapipe", []string{"LIBGL_ALWAYS_SOFTWARE=1", "MESA_LOADER_DRIVER_OVERRIDE=zink"}, true},
	{"llvmpipe, 512 bits", []string{"GALLIUM_DRIVER=llvmpipe", "LIBGL_ALWAYS_SOFTWARE=1", "LP_NATIVE_VECTOR_WIDTH=512"}, false},
	{"llvmpipe, 256 bits", []string{"GALLIUM_DRIVER=llvmpipe", "LIBGL_ALWAYS_SOFTWARE=1", "LP_NATIVE_VECTOR_WIDTH=256"}, false},
	{"llvmpipe, 128 bits", []string{"GALLIUM_DRIVER=llvmpipe", "LIBGL_ALWAYS_SOFTWARE=1", "LP_NATIVE_VECTOR_WIDTH=128"}, false},
	{"default device", nil, false},
}

// whole and few are the cases of a row and of a short one: the core of the suite.
const (
	whole = "^(TestIdentity|TestSelfTest|TestBackend|TestGoldenCompiles|TestFaultInSpan)$"
	few   = "^(TestIdentity|TestSelfTest|TestBackend)$/^(Operations|Random_programs|Map.*|Scatter|Inject|Deliver,_hand-worked|Deliver,_several_tables|Spikes|Sample|Effect|Faults)$"
)

func main() {
	short := flag.Bool("short", false, "the whole suite on the default device only, its core on the others")
	limit := flag.Duration("limit", 45*time.Minute, "time limit of each implementation")
	only := flag.String("only", "", "run the implementations with this in their names")
	at := flag.Int("at", max(1, runtime.NumCPU()), "implementations at a time: most of the time goes to compilers that use one core")
	logs := flag.String("logs", os.TempDir(), "where what the tests say goes, a file synfire-matrix-NAME.log for each implementation")
	flag.Parse()
	if err := run(*short, *limit, *only, *at, *logs); err != nil {
		fmt.Fprintln(os.Stderr, "matrix:", err)
		os.Exit(1)
	}
}

func run(short bool, limit time.Duration, only string, at int, logs string) error {
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
	fmt.Println("| implementation | device | vendor | version | cases passed | minutes | |")
	fmt.Println("|---|---|---|---|---|---|---|")
	var (
		mu     sync.Mutex
		rows   sync.WaitGroup
		failed int
		places = make(chan bool, at)
	)
	for _, im := range implementations {
		if !strings.Contains(im.name, only) {
			continue
		}
		places <- true
		rows.Go(func() {
			r := im.test(binary, dir, logs, short, limit)
			mu.Lock()
			fmt.Println(r.row(im.name))
			failed += r.failed
			mu.Unlock()
			<-places
		})
	}
	rows.Wait()
	if failed > 0 {
		return fmt.Errorf("%d cases failed", failed)
	}
	return nil
}

// result is a row of the table.
type result struct {
	device                  [3]string
	passed, failed, skipped int
	took                    time.Duration
	note                    string
}

func (r result) row(name string) string {
	cases := fmt.Sprintf("%d of %d", r.passed, r.passed+r.failed)
	if r.skipped > 0 {
		cases += fmt.Sprintf(", %d skipped", r.skipped)
	}
	if r.passed+r.failed == 0 {
		cases = "-"
	}
	return fmt.Sprintf("| %s | %s | %s | %s | %s | %.1f | %s |", name, r.device[0], r.device[1], r.device[2], cases, r.took.Minutes(), r.note)
}

var (
	verdict  = regexp.MustCompile(`(?m)^\x16? *--- (PASS|FAIL|SKIP): (\S+)`)
	begun    = regexp.MustCompile(`(?m)^\x16?=== RUN +(\S+)`)
	identity = regexp.MustCompile(`device: (.*) \| (.*) \| (.*)`)
	noDevice = regexp.MustCompile(`no device: (.*)`)
)

// test runs the binary and counts the leaves among its cases.
func (im implementation) test(binary, dir, logs string, short bool, limit time.Duration) (r result) {
	begin := time.Now()
	defer func() { r.took = time.Since(begin) }()
	name := filepath.Join(logs, "synfire-matrix-"+strings.Map(word, im.name)+".log")
	cases, random := whole, "40" // of which a short test makes a fifth
	if im.slow {
		random = "15"
	}
	if short && im.env != nil {
		cases = few
	}
	if im.env == nil { // without a GPU it is one of the others
		text, _ := im.start(binary, dir, name, "^TestIdentity$", random, limit)
		if m := identity.FindStringSubmatch(text); m != nil && strings.HasPrefix(m[1], "llvmpipe") && !short {
			r.device = [3]string(m[1:4])
			r.note = "has rows of its own"
			return r
		}
	}
	text, err := im.start(binary, dir, name, cases, random, limit)
	if m := identity.FindStringSubmatch(text); m != nil {
		r.device = [3]string(m[1:4])
	}
	ended, parents := map[string]bool{}, map[string]bool{}
	all := verdict.FindAllStringSubmatch(text, -1)
	for _, m := range begun.FindAllStringSubmatch(text, -1) {
		for at, c := range m[1] {
			if c == '/' {
				parents[m[1][:at]] = true // its parts are counted
			}
		}
	}
	for _, m := range all {
		if ended[m[2]] = true; parents[m[2]] {
			continue
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
	if err != nil && r.failed == 0 {
		r.failed++
		r.note = fmt.Sprintf("ended with %v", err)
		for _, m := range begun.FindAllStringSubmatch(text, -1) {
			if !ended[m[1]] && !parents[m[1]] {
				r.note += " in " + m[1]
			}
		}
	}
	if r.failed > 0 {
		r.note += "; log in " + name
	}
	return r
}

// start runs cases, whose output goes to a file as it comes, and returns it.
func (im implementation) start(binary, dir, name, cases, random string, limit time.Duration) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	out, err := os.Create(name)
	if err != nil {
		return "", err
	}
	defer out.Close()
	// In this form a case is told when it ends, not when the last of its neighbours has.
	cmd := exec.CommandContext(ctx, binary, "-test.v=test2json", "-test.short", "-test.timeout=0", "-test.run", cases, "-rapid.checks="+random)
	cmd.Dir = dir
	// Mesa's disk cache of compiled shaders does not know the width of vectors: each implementation has one of its own, as it has
	// one of ours. The user's stay out of it.
	own := filepath.Join(dir, strings.Map(word, im.name))
	if err := os.MkdirAll(own, 0o755); err != nil {
		return "", err
	}
	cmd.Env = append(append(os.Environ(), "MESA_SHADER_CACHE_DIR="+own, "XDG_CACHE_HOME="+own, "XDG_RUNTIME_DIR="+dir), im.env...)
	cmd.Stdout, cmd.Stderr = out, out
	err = cmd.Run()
	if ctx.Err() != nil {
		err = fmt.Errorf("no end within %v", limit)
	}
	text, e := os.ReadFile(name)
	if err == nil {
		err = e
	}
	return string(text), err
}

func word(c rune) rune {
	if c >= 'a' && c <= 'z' || c >= '0' && c <= '9' {
		return c
	}
	return '-'
}
