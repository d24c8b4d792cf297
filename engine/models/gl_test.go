package models_test

import (
	"errors"
	"testing"

	"synfire/kernels"
	"synfire/shaders"
)

// TestModelsGL: OpenGL gives the bits that cpu gives.
func TestModelsGL(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a minute on a software device")
	}
	each(t, func(t *testing.T, src string) {
		gl, err := shaders.Open(shaders.Options{})
		var dev *shaders.DeviceError
		if errors.As(err, &dev) && dev.Kind == shaders.NoDevice {
			t.Skipf("no device: %v", err)
		}
		if err != nil {
			t.Fatal(err)
		}
		want, _ := play(t, src, kernels.New(1))
		if got, _ := play(t, src, gl); got != want {
			t.Errorf("gl differs from cpu in\n%s", src)
		}
	})
}
