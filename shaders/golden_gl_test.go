//go:build egl && cgo && linux

package shaders

import "testing"

// TestGoldenCompiles gives the kept shaders to the driver.
func TestGoldenCompiles(t *testing.T) {
	b := open(t, Options{NoSelfTest: true, NoCache: true})
	defer b.Close()
	d := b.(*glBackend).d
	for name, text := range goldens() {
		d.do(func() error {
			if _, err := d.compile(name, text, func(int) string { return "" }); err != nil {
				t.Error(err)
			}
			return nil
		})
	}
}
