package bench

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestBeside measures a stand-in for synfire whose times are known.
func TestBeside(t *testing.T) {
	fake := func(two, free, hash string) string {
		name := filepath.Join(t.TempDir(), "synfire")
		text := `#!/bin/sh
case "$*" in
*--threads=1*) t=2;;
*--threads=0*) t=` + free + `;;
*!*) t=1; [ "$1" = run ] || exit 2;;
*) t=` + two + `;;
esac
echo "{\"runs\": [{\"wall_s\": $t}], \"hash\": {\"spikes\": \"` + hash + `\"}}"
`
		if err := os.WriteFile(name, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
		return name
	}
	for _, c := range []struct {
		exe, before, want string
	}{
		{fake("1.04", "1.02", "x"), "", ""},
		{fake("1.04", "1.02", "x"), fake("9", "9", "another"), ""}, // an earlier one's hash may differ, its times are no bar
		{fake("1.2", "1.02", "x"), "", "quiet, --threads"},
		{fake("1.0", "1.3", "x"), "", "busy, --threads 0: 1.30"},
		{fake("1.0", "1.0", "x$t"), "", "hash"},
	} {
		var out strings.Builder
		b := Beside{Exe: c.exe, Before: c.before, Workloads: []string{"cuba"}, Repeats: 2}
		err := b.Run(t.Context(), &out)
		switch {
		case c.want == "" && (err == nil || errors.Is(err, ErrBar) && !strings.Contains(err.Error(), "--threads")): // two at once take what they take here
		case c.want != "" && err != nil && strings.Contains(err.Error(), c.want):
		default:
			t.Errorf("%q expected, got %v\n%s", c.want, err, out.String())
		}
		if c.want == "" && !strings.Contains(out.String(), "1.04") {
			t.Errorf("the table lacks a ratio:\n%s", out.String())
		}
	}
}
