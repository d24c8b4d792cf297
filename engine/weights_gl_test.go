//go:build egl && cgo && linux

package engine_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"

	"synfire/engine/backend"
	"synfire/engine/script"
	"synfire/shaders"
)

func init() {
	everyBackend["gl"] = func(t testing.TB) backend.Backend {
		b, err := shaders.Open(shaders.Options{})
		var dev *shaders.DeviceError
		if errors.As(err, &dev) && dev.Kind == shaders.NoDevice {
			t.Skipf("no device: %v", err)
		}
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
}

// TestManyDeliveriesAtOnce: where all of many sources fire in one step, none of
// their synapses is left out (llvmpipe ends a lane's loops after 65,535 rounds).
func TestManyDeliveriesAtOnce(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds on a software device")
	}
	var out bytes.Buffer
	res, err := script.Run(context.Background(), script.Options{File: "many.star", Stdout: &out, Src: []byte(`
N = 140000
A = NeuronGroup(N, '', threshold='t < dt/2')
B = NeuronGroup(N, 'g : 1')
S = Synapses(A, B, on_pre='g_post += 1 + j % 1000'); S.connect(j='i')
run(0.3*ms)
print(sum(B.g[:] != 1 + arange(N) % 1000))
`), Open: func() (backend.Backend, error) { return everyBackend["gl"](t), nil }})
	if err != nil {
		t.Fatal(err)
	}
	res.Net.Close()
	if out.String() != "0\n" {
		t.Errorf("%s of 140000 neurons did not receive what they should", &out)
	}
}

// TestOrderedOnGL: synapses that read what others write in the same step give on
// gl what they give on the reference, and the user hears that it is slow.
func TestOrderedOnGL(t *testing.T) {
	run := func(name string) (printed string, warned []string) {
		var out bytes.Buffer
		_, err := script.Run(context.Background(), script.Options{File: "ordered.star", Stdout: &out, Src: []byte(`
P = NeuronGroup(50, 'x : 1', threshold='rand() < 0.3', reset='')
P.x = 'i'
S = Synapses(P, P, on_pre='x_post = 0.5*x_pre + 1')
S.connect(j='(7*i + 3) % 50')
run(3*ms)
print(P.x[:])
`), Warn: func(m string) { warned = append(warned, m) }, Open: func() (backend.Backend, error) { return everyBackend[name](t), nil }})
		if err != nil {
			t.Fatal(err)
		}
		return out.String(), warned
	}
	want, _ := run("ref")
	got, warned := run("gl")
	if got != want || got == "" {
		t.Errorf("%s, expected %s", got, want)
	}
	if len(warned) != 1 || !strings.Contains(warned[0], "one after the other") {
		t.Errorf("warnings: %q", warned)
	}
}
