package examples

import (
	"errors"
	"testing"

	"synfire/engine/backend"
	"synfire/shaders"
)

// TestGoldenGL: OpenGL gives the bits that ref and cpu give. $SYNFIRE_GL has it used in other ways (make gl-goldens), of
// which -v shows what they could not do.
func TestGoldenGL(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a minute on a software device")
	}
	want := goldens(t)
	for name, c := range small {
		t.Run(name, func(t *testing.T) {
			gl, err := backend.Open("gl", backend.Options{})
			var dev *shaders.DeviceError
			if errors.As(err, &dev) && dev.Kind == shaders.NoDevice {
				t.Skipf("no device: %v", err)
			}
			if err != nil {
				t.Fatal(err)
			}
			got, _ := play(t, c.file, c.set, gl, nil)
			if err := same(got, want[name]); err != nil {
				t.Errorf("gl differs from what ref and cpu give:\n%v", err)
			}
		})
	}
}
