//go:build egl && cgo && linux

package shaders

import (
	"slices"
	"testing"

	"synfire/engine/backend"
	"synfire/engine/host"
)

// TestProfile: each kernel has its time, and what the host does.
func TestProfile(t *testing.T) {
	for _, apart := range []bool{false, true} {
		b := open(t, Options{NoSelfTest: true, Apart: apart})
		defer b.Close()
		prog, err := b.Load(host.Work{}, testNetwork(1, 2, 5))
		if err != nil {
			t.Fatal(err)
		}
		defer prog.Close()
		if _, err := prog.Run(testSteps, nil); err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, p := range prog.(backend.Profiler).Profile() {
			if names = append(names, p.Name); p.Time < 0 {
				t.Errorf("%s took %s", p.Name, p.Time)
			}
		}
		want := []string{"self-test deliver and 4 more", "waiting for the device", "host: preparing", "host: reading records", "host: between runs", "records, beside the device"}
		if apart {
			want = append([]string{"self-test deliver", "self-test update and 3 more"}, want[1:]...)
		}
		if !slices.Equal(names, want) {
			t.Errorf("phases %q, expected %q", names, want)
		}
	}
}
