package array

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.starlark.net/starlark"

	"synfire/engine/script/memory"
)

// specRE is Python's format specification: fill and alignment, sign, #, 0, width,
// separator of thousands, precision, letter.
var specRE = regexp.MustCompile(`^(?:(.)?([<>=^]))?([-+ ]?)z?(#?)(0?)(\d*)([,_]?)(?:\.(\d+))?([a-zA-Z%]?)$`)

// Format is Python's format(value, spec); conversion is the letter after ! in
// '{x!r}', or "".
func Format(v starlark.Value, conversion, spec string) (string, error) {
	if n, err := TextSize(v); err != nil {
		return "", err
	} else if err := memory.Room(n, 2); err != nil {
		return "", err
	}
	if conversion == "r" || conversion == "a" {
		v = starlark.String(Repr(v))
	}
	if spec == "" {
		return Plain(v), nil
	}
	if conversion == "s" {
		v = starlark.String(Plain(v))
	}
	m := specRE.FindStringSubmatch(spec)
	if m == nil {
		return "", fmt.Errorf("%.40q is no format: fill and alignment, sign, width, precision and letter, such as '>8.2f'", spec)
	}
	fill, align, sign, alt, zero, thousands, letter := m[1], m[2], m[3], m[4] != "", m[5] != "", m[7], m[9]
	width, precision := 0, -1
	for _, n := range []struct {
		text string
		to   *int
	}{{m[6], &width}, {m[8], &precision}} {
		if n.text != "" {
			w, err := strconv.Atoi(n.text)
			if err != nil || w > maxWidth {
				return "", fmt.Errorf("the format %.40q is wider than %d", spec, maxWidth)
			}
			*n.to = w
		}
	}
	if err := memory.Room(width+max(precision, 0), 4); err != nil {
		return "", err
	}
	if fill == "" {
		fill = " "
	}
	body, head := "", "" // head: sign and prefix, which zeros follow
	text, isText := starlark.AsString(v)
	if isText {
		if letter != "" && letter != "s" || sign != "" || thousands != "" {
			return "", fmt.Errorf("the format %q is one of numbers, and the value is a text", spec)
		}
		body = text
		if r := []rune(text); precision >= 0 && precision < len(r) {
			body = string(r[:precision])
		}
		if zero {
			fill = "0"
		}
		if align == "" || align == "=" {
			align = "<"
		}
	} else {
		var err error
		if body, err = digits(v, letter, precision, alt); err != nil {
			return "", fmt.Errorf("the format %q: %w", spec, err)
		}
		if strings.HasPrefix(body, "-") {
			body, head = body[1:], "-"
		} else if sign == "+" || sign == " " {
			head = sign
		}
		if alt && letter != "" && strings.Contains("xXob", letter) {
			head += "0" + letter
		}
		if thousands != "" {
			body = grouped(body, thousands)
		}
		if zero && align == "" {
			fill, align = "0", "="
		}
		if align == "" {
			align = ">"
		}
	}
	pad := max(0, width-utf8.RuneCountInString(head+body))
	switch align {
	case "<":
		return head + body + strings.Repeat(fill, pad), nil
	case "^":
		return strings.Repeat(fill, pad/2) + head + body + strings.Repeat(fill, pad-pad/2), nil
	case "=":
		return head + strings.Repeat(fill, pad) + body, nil
	}
	return strings.Repeat(fill, pad) + head + body, nil
}

// digits are a number in a format's letter.
func digits(v starlark.Value, letter string, precision int, alt bool) (string, error) {
	switch letter {
	case "d", "n", "x", "X", "o", "b", "c":
		if o, ok, err := OperandOf(v); err != nil || !ok || !o.One || o.Kind < Ints && letter != "n" {
			return "", fmt.Errorf("'%s' takes a whole number, not %s", letter, Describe(v))
		}
		if letter == "n" {
			return digits(v, "g", precision, alt)
		}
		n, err := toTrunc(v)
		if err != nil {
			return "", err
		}
		if letter == "c" {
			if !n.IsInt64() || n.Int64() < 0 || n.Int64() > utf8.MaxRune {
				return "", fmt.Errorf("%s is no character", n)
			}
			return string(rune(n.Int64())), nil
		}
		return n.Text(map[string]int{"d": 10, "x": 16, "X": 16, "o": 8, "b": 2}[letter]), nil
	case "", "f", "F", "e", "E", "g", "G", "%":
	default:
		return "", fmt.Errorf("there is no letter '%s'", letter)
	}
	if n, ok := v.(starlark.Int); ok && letter == "" {
		if precision >= 0 {
			return "", fmt.Errorf("a whole number has no precision: write 'f' behind it")
		}
		return n.String(), nil
	}
	o, ok, err := OperandOf(v)
	if err != nil {
		return "", err
	}
	if !ok || !o.One {
		return "", fmt.Errorf("it takes a number, not %s", Describe(v))
	}
	x := o.V[0] // of a quantity the value in SI units, as in Brian2
	form, after := byte('g'), ""
	switch letter {
	case "":
		if precision < 0 {
			return floatText(x), nil
		}
	case "%":
		x, form, after = x*100, 'f', "%"
	default:
		form = letter[0] | 0x20
	}
	if math.IsInf(x, 0) || math.IsNaN(x) {
		return strings.ToLower(strings.TrimPrefix(strconv.FormatFloat(x, 'g', -1, 64), "+")), nil
	}
	if precision < 0 {
		precision = 6
	}
	s := ""
	if form == 'g' { // Go's %g has C's rule of the exponent
		s = fmt.Sprintf("%."+strconv.Itoa(max(1, precision))+"g", x)
		if alt {
			s = fmt.Sprintf("%#."+strconv.Itoa(max(1, precision))+"g", x)
		}
	} else {
		s = strconv.FormatFloat(x, form, precision, 64)
	}
	if letter == "E" || letter == "G" || letter == "F" {
		s = strings.ToUpper(s)
	}
	return s + after, nil
}

// grouped puts a separator between thousands.
func grouped(s, sep string) string {
	whole, n := s, strings.IndexFunc(s, func(r rune) bool { return r < '0' || r > '9' })
	rest := ""
	if n >= 0 {
		whole, rest = s[:n], s[n:]
	}
	var b strings.Builder
	for k, c := range whole {
		if k > 0 && (len(whole)-k)%3 == 0 {
			b.WriteString(sep)
		}
		b.WriteRune(c)
	}
	return b.String() + rest
}

// Braces is Python's text.format(values): {}, {0}, {name}, each with !r and :spec.
func Braces(format string, args starlark.Tuple, kwargs []starlark.Tuple) (string, error) {
	next := 0
	return braces(format, args, kwargs, &next, 0)
}

func braces(format string, args starlark.Tuple, kwargs []starlark.Tuple, next *int, level int) (string, error) {
	var b strings.Builder
	for i := 0; i < len(format); i++ {
		c := format[i]
		switch {
		case c != '{' && c != '}':
			b.WriteByte(c)
			continue
		case i+1 < len(format) && format[i+1] == c:
			b.WriteByte(c)
			i++
			continue
		case c == '}':
			return "", fmt.Errorf("a '}' without its '{' in the format: write }} for a }")
		}
		depth, j := 1, i+1
		for ; j < len(format); j++ {
			if format[j] == '{' {
				depth++
			} else if format[j] == '}' {
				if depth--; depth == 0 {
					break
				}
			}
		}
		if depth > 0 || level > 1 {
			return "", fmt.Errorf("a '{' without its '}' in the format")
		}
		field, spec, _ := strings.Cut(format[i+1:j], ":")
		field, conversion, _ := strings.Cut(field, "!")
		i = j
		v, err := fieldValue(field, args, kwargs, next)
		if err != nil {
			return "", err
		}
		if strings.Contains(spec, "{") {
			if spec, err = braces(spec, args, kwargs, next, level+1); err != nil {
				return "", err
			}
		}
		s, err := Format(v, conversion, spec)
		if err != nil {
			return "", err
		}
		if err := memory.Room(b.Len()+len(s), 2); err != nil {
			return "", err
		}
		b.WriteString(s)
	}
	return b.String(), nil
}

var fieldRE = regexp.MustCompile(`^(\w*)((?:\.\w+|\[[^\]]*\])*)$`)
var partRE = regexp.MustCompile(`\.(\w+)|\[([^\]]*)\]`)

// fieldValue is what a field of a format names: a number, a name or the next one,
// then attributes and indices.
func fieldValue(field string, args starlark.Tuple, kwargs []starlark.Tuple, next *int) (v starlark.Value, err error) {
	m := fieldRE.FindStringSubmatch(field)
	if m == nil {
		return nil, fmt.Errorf("{%.40s} is no field of a format: {}, {0}, {name}, {name.attribute}, {name[index]}", field)
	}
	n, err := strconv.Atoi(m[1])
	switch {
	case m[1] == "":
		n, err = *next, nil
		*next++
		fallthrough
	case err == nil:
		if n >= len(args) {
			return nil, fmt.Errorf("the format asks for value %d, and there are %d", n, len(args))
		}
		v = args[n]
	default:
		for _, kw := range kwargs {
			if string(kw[0].(starlark.String)) == m[1] {
				v = kw[1]
			}
		}
		if v == nil {
			return nil, fmt.Errorf("the format asks for %s=, which is not given", m[1])
		}
	}
	for _, part := range partRE.FindAllStringSubmatch(m[2], -1) {
		if part[1] != "" {
			h, ok := v.(starlark.HasAttrs)
			if ok {
				v, err = h.Attr(part[1])
			}
			if !ok || err != nil || v == nil {
				return nil, fmt.Errorf("the format asks for .%s, which is not there", part[1])
			}
			continue
		}
		var key starlark.Value = starlark.String(part[2])
		if n, err := strconv.Atoi(part[2]); err == nil {
			key = starlark.MakeInt(n)
		}
		switch w := v.(type) {
		case starlark.Mapping:
			var found bool
			if v, found, err = w.Get(key); err != nil || !found {
				return nil, fmt.Errorf("the format asks for [%s], which is not there", part[2])
			}
		case starlark.Indexable:
			k, err := ElementIndex(key, w.Len())
			if err != nil {
				return nil, err
			}
			v = w.Index(k)
		default:
			return nil, fmt.Errorf("the format asks for [%s] of a %s", part[2], v.Type())
		}
	}
	return v, nil
}
