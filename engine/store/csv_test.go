package store

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestReadCSV(t *testing.T) {
	for _, c := range []struct {
		text  string
		shape []int
		want  []float64
	}{
		{"1,2,3\n4,5,6\n", []int{2, 3}, []float64{1, 2, 3, 4, 5, 6}},
		{"1\n2\n3", []int{3}, []float64{1, 2, 3}},
		{"1 2\t", []int{2}, []float64{1, 2}},
		{"pre, post, w\n0, 1, 0.5\n", []int{3}, []float64{0, 1, 0.5}},
		{"# a comment\r\n\r\n1;-2e-3 # and one here\r\n3;4\r\n", []int{2, 2}, []float64{1, -2e-3, 3, 4}},
		{"\ufeff1,2,\n3,4,\n", []int{2, 2}, []float64{1, 2, 3, 4}},
		{"t,Na,K\n1,2,3\n4,5,6\n", []int{2, 3}, []float64{1, 2, 3, 4, 5, 6}},
		{"\"µ\"\n1\n2\n", []int{2}, []float64{1, 2}},
		{"-1.5e3", []int{1}, []float64{-1500}},
	} {
		a, err := DecodeCSV([]byte(c.text))
		if err != nil {
			t.Errorf("%q: %v", c.text, err)
		} else if !slices.Equal(a.Shape, c.shape) || !slices.Equal(a.F, c.want) {
			t.Errorf("%q: shape %v, values %v", c.text, a.Shape, a.F)
		}
	}
}

func TestCSVErrorsNameThePlace(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"", "1:1: no numbers"},
		{"a,b\n", "1:1: no numbers"},
		{"1,2\n3,x\n", `2:2: "x" is not a number`},
		{"1,2\n\n3\n", "3:2: this row has 1 fields, those before have 2"},
		{"1,2\n3,4,5\n", "2:3: this row has 3 fields"},
		{"1,,2\n", "1:2: a field is empty"},
		{"NA\n1\n2\n", `1:1: "NA" is not a number`},
		{"1e400\n1\n2\n", `1:1: "1e400" is not a number`},
		{"0x10\n1\n2\n", `1:1: "0x10" is not a number`},
		{"-\n1\n", `1:1: "-" is not a number`},
		{"null,nan\n1,2\n", `1:1: "null" is not a number`},
		{"\x00\x00\n1\n2\n", "1:1: a NUL byte"},
		{"1\n\x002\n", "2:1: a NUL byte"},
		{"a,b\nc,d\n", `2:1: "c" is not a number`},
	} {
		if a, err := DecodeCSV([]byte(c.text)); err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%q: %v, %v; want an error that begins %q", c.text, a, err, c.want)
		}
	}
	path := filepath.Join(t.TempDir(), "w.csv")
	os.WriteFile(path, []byte("1\none\n"), 0o666)
	if _, err := ReadArray(path); err == nil || !strings.HasPrefix(err.Error(), path+":2:1: ") {
		t.Errorf("the file is not named: %v", err)
	}
}

func FuzzDecodeCSV(f *testing.F) {
	for _, s := range []string{"1,2\n3,4\n", "a b\n1 2", "#\n1;2", "1,\n", "1e999", "\ufeff0x1p-3", "nan,inf"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		a, err := DecodeCSV(b)
		if err != nil {
			return
		}
		n := 1
		for _, d := range a.Shape {
			n *= d
		}
		if n != a.Len() || n == 0 {
			t.Errorf("shape %v, %d values", a.Shape, a.Len())
		}
	})
}
