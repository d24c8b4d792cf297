package store

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// ReadCSV reads a table of numbers: fields apart by commas, semicolons, tabs or blanks, rows by lines, '#' to the end of
// the line a comment, empty lines skipped, a first row of names skipped. A table of one column, or of one row, is an
// array of one dimension; others are [rows, columns].
func ReadCSV(path string) (*Array, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	a, err := DecodeCSV(data)
	if err != nil {
		return nil, fmt.Errorf("%s:%w", path, err)
	}
	return a, nil
}

// DecodeCSV decodes the contents of a table. Its errors begin with "row:column: ", counted from 1 as lines and fields.
func DecodeCSV(data []byte) (*Array, error) {
	a := &Array{Kind: 'f'}
	var rows, cols, lineNo, first int
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	if k := bytes.IndexByte(data, 0); k >= 0 {
		return nil, fmt.Errorf("%d:1: a NUL byte: this is no text (a table in UTF-16 must be saved as UTF-8)", 1+bytes.Count(data[:k], []byte("\n")))
	}
	for line := range bytes.Lines(data) {
		lineNo++
		text := string(line)
		if k := strings.IndexByte(text, '#'); k >= 0 {
			text = text[:k]
		}
		text = strings.TrimSpace(text)
		if text == "" {
			continue
		}
		fields := fieldsOf(text)
		if rows == 0 && cols == 0 && first == 0 {
			first = lineNo
			if names(fields) {
				continue
			}
		}
		if rows == 0 {
			cols = len(fields)
		}
		if len(fields) != cols {
			return nil, fmt.Errorf("%d:%d: this row has %d fields, those before have %d", lineNo, min(len(fields), cols)+1, len(fields), cols)
		}
		for k, f := range fields {
			x, err := strconv.ParseFloat(f, 64)
			if err != nil {
				if f == "" {
					return nil, fmt.Errorf("%d:%d: a field is empty", lineNo, k+1)
				}
				return nil, fmt.Errorf("%d:%d: %.40q is not a number", lineNo, k+1, f)
			}
			if i, err := strconv.ParseInt(f, 10, 64); err == nil && int64(x) != i {
				return nil, fmt.Errorf("%d:%d: an array, where whole numbers are exact to 2^53, would round %s: load_table('x.csv').list('name') keeps them as they are", lineNo, k+1, f)
			}
			a.F = append(a.F, x)
		}
		rows++
	}
	if rows == 0 {
		return nil, fmt.Errorf("%d:1: no numbers in this file", max(lineNo, 1))
	}
	switch {
	case cols == 1:
		a.Shape = []int{rows}
	case rows == 1:
		a.Shape = []int{cols}
	default:
		a.Shape = []int{rows, cols}
	}
	return a, nil
}

func fieldsOf(line string) []string {
	for _, sep := range []string{",", ";", "\t"} {
		if strings.Contains(line, sep) {
			f := strings.Split(line, sep)
			for k := range f {
				f[k] = strings.TrimSpace(f[k])
			}
			if f[len(f)-1] == "" && len(f) > 1 { // "1, 2, 3," ends, it has no fourth field
				f = f[:len(f)-1]
			}
			return f
		}
	}
	return strings.Fields(line)
}

// missing are words for a number or for none, which name no column if they stand alone.
var missing = []string{"na", "n/a", "nan", "null", "none", "inf", "infinity", "true", "false"}

// names reports whether a first row holds column names: each field begins as a name does.
func names(fields []string) bool {
	words := 0
	for _, f := range fields {
		f = strings.Trim(f, `"'`)
		r, _ := utf8.DecodeRuneInString(f)
		if _, err := strconv.ParseFloat(f, 64); err == nil || !unicode.IsLetter(r) && r != '_' && r != '$' {
			return false
		}
		if !slices.Contains(missing, strings.ToLower(f)) {
			words++
		}
	}
	return words > 0
}
