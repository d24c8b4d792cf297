package shaders

import (
	"strings"
	"testing"
)

// TestVariant: the environment changes what it names, and what it cannot mean is an error.
func TestVariant(t *testing.T) {
	base := Options{Device: "x"}
	for text, want := range map[string]Options{
		"":                                {Device: "x"},
		"group=128":                       {Device: "x", WorkGroup: 128},
		"apart=1,chunk=32,walk=9,team=16": {Device: "x", Apart: true, Chunk: 32, WalkGroups: 9, Team: 16},
		"block=65536,philox=4,movable=1":  {Device: "x", MaxBlock: 65536, Philox: 4, Movable: true},
		"persistent=fail7,resident=2":     {Device: "x", Persistent: "fail7", Resident: 2},
	} {
		t.Setenv(variable, text)
		if got, err := variant(base); err != nil || got != want {
			t.Errorf("%q: %+v, %v", text, got, err)
		}
	}
	for _, text := range []string{"group", "group=-1", "groups=3", "apart=2", "group=64,", "group=x", "persistent=2", "persistent=", "persistent=failed"} {
		t.Setenv(variable, text)
		if _, err := variant(base); err == nil || !strings.Contains(err.Error(), "expected NAME=N") {
			t.Errorf("%q: %v", text, err)
		}
	}
}
