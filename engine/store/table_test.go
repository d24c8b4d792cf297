package store

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"
	"pgregory.net/rapid"
)

// tableOf writes a text into a file and reads it.
func tableOf(t testing.TB, text string, o TableOptions) (*Table, error) {
	f, err := os.Create(filepath.Join(t.TempDir(), "x.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	f.WriteString(text)
	return ReadTable(f, int64(len(text)), o)
}

func TestReadTable(t *testing.T) {
	got, err := tableOf(t, "\xef\xbb\xbfpre,\"post\" ,where, weight\r\n1,2,\"LAL, left\",0.5\r\n\r\n720575940640978048,-4,x,3e-2\r\n", TableOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got.Names, []string{"pre", "post", "where", "weight"}) || got.Rows != 2 || got.Texts["where"] == "" {
		t.Errorf("%v, %d rows, %v", got.Names, got.Rows, got.Texts)
	}
	if x := got.Columns["pre"].I64; !slices.Equal(x, []int64{1, 720575940640978048}) {
		t.Errorf("integers beyond 2^53: %v", x)
	}
	if x := got.Columns["post"].I32; !slices.Equal(x, []int32{2, -4}) {
		t.Errorf("integers: %v", x)
	}
	if x := got.Columns["weight"].F64; !slices.Equal(x, []float64{0.5, 0.03}) {
		t.Errorf("floats: %v", x)
	}
	for text, want := range map[string]string{
		"a,b\n1,2\n3,x\n5,6\n":        "line 3: column 'b' must be a finite number, not 'x'",
		"a,b\n1,2\n3,\n":              "line 3: column 'b'",
		"a,b\n1,2\n3,nan\n":           "line 3: column 'b'",
		"a,b\n1,2\n3,1e999\n":         "line 3: column 'b'",
		"a,b\n1,2\n3,4,5\n":           "line 3: this row has 3 fields, and there are 2 columns",
		"a,b\n1,2\n\n3":               "line 4: this row has 1 fields",
		"1,2\n3,4\n":                  "must name the columns",
		"a,a\n3,4\n":                  "names two columns 'a'",
		"a\x00,b\n3,4\n":              "a NUL byte",
		strings.Repeat("a", 2<<20):    "this is no table",
		"\n" + strings.Repeat("a", 9): "",
	} {
		if _, err := tableOf(t, text, TableOptions{}); want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%.20q: %v, want %s", text, err, want)
		}
	}
	for columns, want := range map[string]string{"c": "there is no column 'c'; line 1 names a, b", "b": "line 2: column 'b' must be a number, not 'x'", "a": ""} {
		_, err := tableOf(t, "a,b\n1,x\n", TableOptions{Columns: []string{columns}})
		if want == "" && err != nil || want != "" && (err == nil || err.Error() != want) {
			t.Errorf("column %s: %v, want %s", columns, err, want)
		}
	}
	room := errors.New("no room")
	if _, err := tableOf(t, "a,b\n"+strings.Repeat("1,2\n", 1<<19), TableOptions{Room: func(n float64) error {
		if n < 1<<19 || n > 1<<22 {
			t.Errorf("room for %g numbers", n)
		}
		return room
	}}); err != room {
		t.Errorf("a file that is too large: %v", err)
	}
	if _, err := tableOf(t, "a\n1\n", TableOptions{Stop: func() error { return room }}); err != room {
		t.Errorf("interrupted: %v", err)
	}
}

// TestTablePieces: however the file is cut, the same numbers, and the same line of an error.
func TestTablePieces(t *testing.T) {
	defer func(n int64) { pieceBytes = n }(pieceBytes)
	rapid.Check(t, func(r *rapid.T) {
		pieceBytes = int64(rapid.IntRange(1, 200).Draw(r, "bytes"))
		rows := rapid.IntRange(1, 60).Draw(r, "rows")
		bad := rapid.IntRange(-rows, rows-1).Draw(r, "bad")
		var text strings.Builder
		text.WriteString("i,x\n")
		var is []int64
		var xs []float64
		for k := range rows {
			is = append(is, rapid.Int64Range(-1e17, 1e17).Draw(r, "i"))
			xs = append(xs, rapid.OneOf(rapid.Float64Range(-1e3, 1e3), rapid.Map(rapid.IntRange(-9999, 9999), func(n int) float64 { return float64(n) / 100 })).Draw(r, "x"))
			word := strconv.FormatFloat(xs[k], "gf"[rapid.IntRange(0, 1).Draw(r, "format")], -1, 64)
			if k == bad {
				word = "none"
			}
			fmt.Fprintf(&text, "%d,%s%s", is[k], word, rapid.SampledFrom([]string{"\n", "\r\n", "\n\n"}).Draw(r, "end"))
		}
		got, err := tableOf(t, text.String(), TableOptions{})
		if bad > 0 {
			line := 1 + strings.Count(text.String()[:strings.Index(text.String(), "none")], "\n")
			if err == nil || !strings.HasPrefix(err.Error(), fmt.Sprintf("line %d: column 'x'", line)) {
				r.Fatalf("the error is %v, want line %d", err, line)
			}
			return
		}
		if err != nil {
			r.Fatal(err)
		}
		var i []int64
		if c := got.Columns["i"]; c.I32 != nil {
			i = convert[int64](c.I32)
		} else {
			i = c.I64
		}
		if x := got.Columns["x"]; !slices.Equal(i, is) || bad != 0 && !slices.Equal(x.Floats(), xs) {
			r.Fatalf("%v %v, want %v %v", i, x.Floats(), is, xs)
		}
	})
}

func FuzzReadTable(f *testing.F) {
	for _, s := range []string{"a,b\n1,2\n", "a\tb\n1\t2.5\n", "a;b\n\"1\";2\n", "pre post\n1 2\n3\n", "\"a,b\n", "a\n-\n", "a,b\n,\n", "x\n0.1234567890123456\n", "x\n1.2.3\n", "x\n.\n"} {
		f.Add(s)
	}
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, text string) {
		file, err := os.CreateTemp(dir, "x")
		if err != nil {
			t.Fatal(err)
		}
		defer os.Remove(file.Name())
		defer file.Close()
		file.WriteString(text)
		got, err := ReadTable(file, int64(len(text)), TableOptions{})
		if err != nil {
			return
		}
		for n, c := range got.Columns {
			if c.Len() != got.Rows {
				t.Errorf("column %s has %d values in %d rows", n, c.Len(), got.Rows)
			}
			for _, x := range c.Floats() {
				if math.IsNaN(x) || math.IsInf(x, 0) {
					t.Errorf("column %s has %g", n, x)
				}
			}
		}
	})
}

type edge struct {
	Pre    int64   `parquet:"pre"`
	Post   int32   `parquet:"post"`
	Weight float64 `parquet:"weight"`
	Part   float32 `parquet:"part"`
	On     bool    `parquet:"on"`
	Where  string  `parquet:"where"`
	Maybe  *int32  `parquet:"maybe,optional"`
}

func parquetFile(t testing.TB, rows []edge) *os.File {
	path := filepath.Join(t.TempDir(), "x.parquet")
	if err := parquet.WriteFile(path, rows); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func TestReadParquet(t *testing.T) {
	var rows []edge
	one := int32(1)
	for k := range 20000 {
		e := edge{Pre: int64(k) << 40, Post: int32(-k), Weight: float64(k) / 3, Part: 0.5, On: k%2 == 1, Where: "x"}
		if k > 0 {
			e.Maybe = &one
		}
		rows = append(rows, e)
	}
	f := parquetFile(t, rows)
	st, _ := f.Stat()
	o := TableOptions{Columns: []string{"pre", "post", "weight", "part", "on"}}
	got, err := ReadParquet(f, st.Size(), o)
	if err != nil {
		t.Fatal(err)
	}
	for k, r := range rows {
		if c := got.Columns; c["pre"].I64[k] != r.Pre || c["post"].I32[k] != r.Post || c["weight"].F64[k] != r.Weight || c["part"].F64[k] != 0.5 || (c["on"].I32[k] == 1) != r.On {
			t.Fatalf("row %d differs", k)
		}
	}
	for column, want := range map[string]string{"no": "there is no column 'no'; there are pre, post", "where": "column 'where' must be numbers", "maybe": "column 'maybe': row 1 has no value"} {
		if _, err := ReadParquet(f, st.Size(), TableOptions{Columns: []string{column}}); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("column %s: %v, want %s", column, err, want)
		}
	}
	whole, _ := os.ReadFile(f.Name())
	for _, cut := range []int{0, 3, 100, len(whole) / 2, len(whole) - 9} { // cut short, and damaged in the middle
		os.WriteFile(f.Name(), whole[:cut], 0o666)
		if _, err := ReadParquet(f, int64(cut), o); err == nil {
			t.Errorf("%d of %d bytes: no error", cut, len(whole))
		}
	}
	os.WriteFile(f.Name(), whole, 0o666)
	rapid.Check(t, func(r *rapid.T) { // whatever it is, no panic
		at := rapid.IntRange(0, len(whole)-1).Draw(r, "at")
		f.WriteAt([]byte{whole[at] ^ byte(rapid.IntRange(1, 255).Draw(r, "bits"))}, int64(at))
		ReadParquet(f, st.Size(), o)
		f.WriteAt(whole[at:at+1], int64(at))
	})
}

// BenchmarkReadTable reads edges of 24 bytes in text each.
func BenchmarkReadTable(b *testing.B) {
	var text strings.Builder
	text.WriteString("pre,post,weight\n")
	for k := range 1_000_000 {
		fmt.Fprintf(&text, "%d,%d,%.6f\n", k*7919%100_000, k*104729%100_000, float64(k%1000)/1000)
	}
	f, err := os.Create(filepath.Join(b.TempDir(), "x.csv"))
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	f.WriteString(text.String())
	b.SetBytes(int64(text.Len()))
	for b.Loop() {
		if _, err := ReadTable(f, int64(text.Len()), TableOptions{}); err != nil {
			b.Fatal(err)
		}
	}
}
