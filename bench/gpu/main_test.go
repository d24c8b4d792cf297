package main

import (
	"strings"
	"testing"
)

func TestSlug(t *testing.T) {
	for in, want := range map[string]string{"NVIDIA H200/PCIe/SSE2": "nvidia-h200", "llvmpipe (LLVM 15.0.6, 256 bits)": "llvmpipe", "AMD Radeon RX 7900 XTX (radeonsi, navi31)": "amd-radeon-rx-7900-xtx"} {
		if got := slug(in); got != want {
			t.Errorf("%q gives %q, expected %q", in, got, want)
		}
	}
}

func TestChoose(t *testing.T) {
	list := []device{{Number: 0, Error: "broken"}, {Number: 1, Software: true}, {Number: 2, Name: "gpu"}}
	for which, want := range map[string]int{"": 2, "1": 1, "2": 2} {
		if d, err := choose(list, which); err != nil || d.Number != want {
			t.Errorf("%q: %+v, %v", which, d, err)
		}
	}
	for _, which := range []string{"0", "7", "gpu"} {
		if _, err := choose(list, which); err == nil {
			t.Errorf("device %q was chosen", which)
		}
	}
}

// TestReport: a difference is told first, and a part that failed with what it said.
func TestReport(t *testing.T) {
	rep := &report{Device: device{Name: "GPU"}, Exact: false, MainScale: "1", Parts: []part{{Name: "verify-cuba", Status: 1, Said: "P.v[3] | differs"}},
		Rows: []row{{Workload: "potjans_diesmann, scale 1", Backend: "gl", Micros: 6.25, Factor: 0.0625}, {Workload: "cuba", Backend: "gl", Micros: 8, Host: 2, Factor: 0.08, Phases: map[string]float64{"deliver": 3, "host: preparing": 1}}}}
	text := string(rep.markdown())
	for _, part := range []string{"**Something differs or failed**", "P.v[3] \\| differs", "| 6.25 | - | 0.0625 |", "| 8 | 2 | 0.08 | deliver 75 %, host: preparing 25 % |", "0.0625 of real time at scale 1", "**not exact**"} {
		if !strings.Contains(text, part) {
			t.Errorf("the report lacks %q:\n%s", part, text)
		}
	}
}

func TestRows(t *testing.T) {
	got := rows("lif", []byte(`{"rows":[{"backend":"gl","samples":[{"run_s":2,"model_s":1,"steps":1000},{"run_s":1,"model_s":1,"steps":1000,"hash":"x","phases_s":{"host: preparing":0.25,"host: between runs":0.25,"deliver":1}}]},{"backend":"cpu"}]}`))
	if len(got) != 1 || got[0].Micros != 1000 || got[0].Host != 500 || got[0].Factor != 1 || got[0].Hash != "x" {
		t.Errorf("%+v", got)
	}
}
