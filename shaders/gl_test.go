//go:build egl && cgo && linux

package shaders

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"synfire/engine/backend"
	"synfire/engine/backend/backendtest"
)

var variants = flag.String("variants", "", "run the suite with other sizes of work groups, shards, passes and submissions, and with each fallback, too: all of them, or half")

// TestMain makes fewer random networks than rapid would by itself, since each
// of them compiles several shaders; -rapid.checks=N on the command line is obeyed.
func TestMain(m *testing.M) {
	flag.Parse()
	given := false
	flag.Visit(func(f *flag.Flag) { given = given || f.Name == "rapid.checks" })
	if !given {
		flag.Set("rapid.checks", "15")
	}
	os.Exit(m.Run())
}

// open opens the gl backend for a test, and skips the test where there is no device.
func open(t testing.TB, opt Options) backend.Backend {
	t.Helper()
	b, err := Open(opt)
	var dev *DeviceError
	if errors.As(err, &dev) && dev.Kind == NoDevice {
		t.Skipf("no device: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestBackend(t *testing.T) {
	backendtest.Run(t, func(t testing.TB) backend.Backend { return open(t, Options{}) })
}

// TestVariants runs the suite with other sizes of work groups, shards, passes
// and submissions: none may change a bit.
func TestVariants(t *testing.T) {
	if *variants == "" {
		t.Skip("takes minutes: make gl-variants runs it, TestBackend runs the suite once")
	}
	old := flag.Lookup("rapid.checks").Value.String()
	flag.Set("rapid.checks", map[bool]string{false: "3", true: "15"}[testing.Short()]) // of which a short test makes a fifth
	defer flag.Set("rapid.checks", old)
	for k, opt := range []Options{
		{WorkGroup: 32, Team: 32, Philox: 4}, {WorkGroup: 96, Team: 32, Apart: true, Movable: true}, {WorkGroup: 256, Span: 3, Philox: 4}, {WorkGroup: 1024, Submit: 7, Team: 1},
		{MaxBlock: 256 << 10}, {Span: 1, Submit: 1},
		{Persistent: "1", Resident: 1}, {Persistent: "1", Resident: 2, WorkGroup: 32, Team: 1}, {Persistent: "fail3", Resident: 1, Philox: 4},
	} {
		if *variants == "half" && (k%2 == 0 || opt.Persistent != "") {
			continue
		}
		name := fmt.Sprintf("group %d, block %d, span %d, submit %d, apart %t, persistent %s", opt.WorkGroup, opt.MaxBlock, opt.Span, opt.Submit, opt.Apart, opt.Persistent)
		t.Run(name, func(t *testing.T) {
			many, failed := dispatchesOfMany.Load(), broken.Load()
			backendtest.Run(t, func(t testing.TB) backend.Backend { return open(t, opt) })
			many, failed = dispatchesOfMany.Load()-many, broken.Load()-failed
			t.Logf("%d dispatches of many passes, %d rendezvous failed", many, failed)
			if on := opt.Persistent != ""; (many > 0) != on || opt.Persistent == "fail3" && failed == 0 {
				t.Error("that is not what was asked for")
			}
		})
	}
	if *variants != "half" {
		t.Run("as a trial", func(t *testing.T) {
			backendtest.Run(t, func(t testing.TB) backend.Backend {
				b := open(t, Options{}).(*glBackend)
				b.alike = true
				return b
			})
		})
	}
}

func TestDevices(t *testing.T) {
	list, err := Devices()
	if err != nil {
		t.Fatal(err)
	}
	for i, d := range list {
		t.Logf("%+v", d)
		if d.Number != i || d.Error == "" && (d.Name == "" || d.MaxBlocks < 8 || d.MaxLocal < 1024) {
			t.Errorf("device %d is %+v", i, d)
		}
	}
	if _, err := Open(Options{Device: "no such device"}); err == nil || !strings.Contains(err.Error(), "none is named like") {
		t.Errorf("a device that does not exist: %v", err)
	}
	if _, err := Open(Options{Device: "99"}); err == nil {
		t.Error("device 99 was opened")
	}
}

// TestIdentity prints the device in a form that program matrix reads.
func TestIdentity(t *testing.T) {
	b := open(t, Options{NoSelfTest: true})
	defer b.Close()
	i := b.(*glBackend).d.info
	t.Logf("device: %s | %s | %s", i.Name, i.Vendor, i.Version)
}
