package array

import (
	"fmt"
	"math/big"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.starlark.net/starlark"

	"synfire/engine/eqn"
	"synfire/engine/script/memory"
)

// formatSpec is what stands between % and the letter: flags, width, precision.
var formatSpec = regexp.MustCompile(`^%[-+ #0]*(\d*)(?:\.(\d*))?$`)

// maxWidth bounds widths and precisions, as Go does.
const maxWidth = 1000000

// Percent is Python's % between a text and values, with widths and precisions.
func Percent(format string, v starlark.Value) (string, error) {
	args := starlark.Tuple{v}
	if t, ok := v.(starlark.Tuple); ok {
		args = t
	}
	var b strings.Builder
	used := 0
	for i := 0; i < len(format); i++ {
		if format[i] != '%' {
			b.WriteByte(format[i])
			continue
		}
		j := i + 1
		for j < len(format) && strings.IndexByte("+- #0123456789.", format[j]) >= 0 {
			j++
		}
		if j >= len(format) {
			return "", fmt.Errorf("the format ends in the middle of %.40q", format[i:])
		}
		spec, verb := format[i:j], format[j]
		m := formatSpec.FindStringSubmatch(spec)
		if m == nil {
			return "", fmt.Errorf("%.40q is no format: flags, width, point and precision stand before its letter", format[i:j+1])
		}
		for _, n := range m[1:] {
			if w, err := strconv.Atoi(n); n != "" && (err != nil || w > maxWidth) {
				return "", fmt.Errorf("the format %.40q is wider than %d", format[i:j+1], maxWidth)
			}
		}
		i = j
		if verb == '%' {
			b.WriteByte('%')
			continue
		}
		if used >= len(args) {
			return "", fmt.Errorf("not enough values for the format %q", format)
		}
		a := args[used]
		used++
		if err := memory.Room(b.Len()+maxWidth, 2); err != nil {
			return "", err
		}
		switch verb {
		case 's', 'r':
			n, err := TextSize(a)
			if err == nil {
				err = memory.Room(b.Len()+n, 2)
			}
			if err != nil {
				return "", err
			}
			s := Repr(a)
			if verb == 's' {
				s = Plain(a)
			}
			fmt.Fprintf(&b, spec+"s", s)
		case 'd', 'i', 'x', 'X', 'o':
			n, err := toTrunc(a)
			if err != nil {
				return "", fmt.Errorf("%%%c %w", verb, err)
			}
			if verb == 'i' {
				verb = 'd'
			}
			fmt.Fprintf(&b, spec+string(verb), n)
		case 'f', 'F', 'e', 'E', 'g', 'G':
			if o, ok, err := OperandOf(a); err == nil && ok && o.One && o.Dim.IsOne() && !Finite(o.V) {
				s := floatText(o.V[0]) // Go writes NaN and +Inf
				if strings.Contains(spec, "+") && s[0] != '-' {
					s = "+" + s
				}
				if verb < 'a' {
					s = strings.ToUpper(s)
				}
				width := m[1]
				if strings.Contains(spec, "-") {
					width = "-" + width
				}
				fmt.Fprintf(&b, "%"+width+"s", s)
				break
			}
			f, err := ToMeasure(a, eqn.Dim{})
			if err != nil {
				return "", fmt.Errorf("%%%c %w (divide a quantity by its unit: x/mV)", verb, err)
			}
			if (verb == 'g' || verb == 'G') && !strings.Contains(spec, ".") {
				spec += ".6"
			}
			fmt.Fprintf(&b, spec+string(verb), f)
		case 'c':
			s, ok := starlark.AsString(a)
			if n, err := ToInt(a); err == nil && 0 <= n && n <= unicode.MaxRune {
				s, ok = string(rune(n)), true
			}
			if !ok || utf8.RuneCountInString(s) != 1 {
				return "", fmt.Errorf("%%c takes one letter, not %s", Describe(a))
			}
			fmt.Fprintf(&b, spec+"s", s)
		default:
			return "", fmt.Errorf("unknown format %%%c", verb)
		}
	}
	if used < len(args) {
		return "", fmt.Errorf("%d values for the format %q, which takes %d", len(args), format, used)
	}
	return b.String(), nil
}

// toTrunc is a number without what stands behind its point.
func toTrunc(v starlark.Value) (*big.Int, error) {
	if n, ok := v.(starlark.Int); ok {
		return n.BigInt(), nil
	}
	f, err := ToMeasure(v, eqn.Dim{})
	if err != nil {
		return nil, err
	}
	n, _ := big.NewFloat(f).Int(nil)
	return n, nil
}
