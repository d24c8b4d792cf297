//go:build egl && cgo && linux

package shaders

import (
	"strings"
	"testing"

	"synfire/engine/backend"
	"synfire/engine/host"
	"synfire/kernels/ref"
)

// TestNetworksOfSelfTest has the reference run what the self-test does: the hashes that devices are
// held against are its, some steps are delivered from masks and some from lists.
func TestNetworksOfSelfTest(t *testing.T) {
	for _, n := range testNetworks {
		p := testNetwork(n.delays...)
		prog, err := ref.New().Load(host.Work{}, p)
		if err != nil {
			t.Fatal(err)
		}
		defer prog.Close()
		if done, err := prog.Run(testSteps, nil); done != testSteps || err != nil {
			t.Fatal(done, err)
		}
		if got, err := hashOf(p, prog.Read); got != n.hash || err != nil {
			t.Errorf("%s: hash %#016x, kept is %#016x; %v", n.name, got, n.hash, err)
		}
		dense, sparse := 0, 0
		for id := range p.Bufs {
			if p.Bufs[id].Name != "count0" {
				continue
			}
			counts := make([]uint32, testSteps)
			prog.Read(backend.BufID(id), counts)
			for _, k := range counts {
				if k > 64 {
					dense++
				} else if k > 0 {
					sparse++
				}
			}
		}
		if dense == 0 || sparse < 30 {
			t.Errorf("%s: %d steps with many spikes, %d with few", n.name, dense, sparse)
		}
	}
}

// TestSelfTestDelivers has a device that delivers wrongly: the self-test says so.
func TestSelfTestDelivers(t *testing.T) {
	for _, inject := range []string{"deliver-index", "delay"} {
		_, err := Open(Options{Inject: inject, NoCache: true})
		if err == nil {
			t.Skip("no device")
		}
		if !strings.Contains(err.Error(), "a network with delays of") {
			t.Errorf("%s: %v", inject, err)
		}
	}
}

// TestKeyOfSelfTest: what is kept of a self-test is found again by the same kernels only.
func TestKeyOfSelfTest(t *testing.T) {
	keys := map[string]bool{}
	for _, opt := range []Options{{}, {}, {WorkGroup: 128}, {Team: 4}, {Philox: 4}} {
		opt.NoSelfTest = true
		b := open(t, opt)
		keys[b.(*glBackend).d.testKey()] = true
		b.Close()
	}
	if len(keys) != 4 {
		t.Errorf("%d keys for four kinds of kernels", len(keys))
	}
}

// TestResetStatus: the function is called only where a driver has it.
func TestResetStatus(t *testing.T) {
	for _, c := range []struct {
		version    int
		extensions []string
		has        bool
	}{{43, nil, false}, {44, []string{"GL_ARB_compute_shader"}, false}, {45, nil, true}, {43, []string{"GL_KHR_robustness"}, true}, {43, []string{"GL_ARB_robustness"}, true}} {
		if got := resetStatus(c.version, c.extensions) != nil; got != c.has {
			t.Errorf("OpenGL %d with %v: %t", c.version, c.extensions, got)
		}
	}
}

func TestBlockLimit(t *testing.T) {
	for in, want := range map[int64]int64{0: 1 << 27, -1: 1 << 27, 1 << 20: 1 << 20, 1 << 31: 1 << 31} {
		if got := blockLimit(in); got != want {
			t.Errorf("%d gives %d, expected %d", in, got, want)
		}
	}
}

// TestPassedOver: hardware that EGL leaves out without a word is told.
func TestPassedOver(t *testing.T) {
	soft := DeviceInfo{Name: "llvmpipe", Software: true}
	for _, c := range []struct {
		files []string
		list  []DeviceInfo
		says  string
	}{
		{nil, []DeviceInfo{soft}, ""},
		{[]string{"/dev/nvidia0", "/dev/nvidiactl"}, []DeviceInfo{soft}, "ldd"},
		{[]string{"/dev/nvidia0"}, []DeviceInfo{{Name: "NVIDIA H200", Vendor: "NVIDIA Corporation"}, soft}, ""},
		{[]string{"/dev/dri/renderD128"}, []DeviceInfo{{Node: "/dev/dri/renderD128", Error: "eglInitialize failed"}, soft}, "eglInitialize failed"},
		{[]string{"/dev/dri/renderD128"}, []DeviceInfo{{Node: "/dev/dri/renderD128", Name: "AMD"}, soft}, ""},
	} {
		if got := passedOver(c.files, c.list); (got == "") != (c.says == "") || !strings.Contains(got, c.says) {
			t.Errorf("%v and %+v: %q, expected %q", c.files, c.list, got, c.says)
		}
	}
}

// TestSelfTest runs the self-test afresh, then with a wrong expectation: it
// must name the operation, the inputs and both results.
func TestSelfTest(t *testing.T) {
	b := open(t, Options{NoCache: true})
	if got := b.(*glBackend).d.info.SelfTest; got != exact {
		t.Errorf("self-test says %q", got)
	}
	b.Close()
	_, err := Open(Options{Inject: "selftest"})
	if err == nil {
		t.Fatal("a difference was not found")
	}
	for _, part := range []string{"a*b+c of 0x", "expected 0x", "--allow-inexact"} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q lacks %q", err, part)
		}
	}
	b, err = Open(Options{Inject: "selftest", AllowInexact: true})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if !b.Caps().Inexact {
		t.Error("an inexact device is not marked")
	}
}
