//go:build egl && cgo && linux

package shaders

import (
	"strings"
	"testing"
)

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
