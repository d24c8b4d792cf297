package array

import (
	"strconv"
	"strings"
	"unicode"

	"go.starlark.net/starlark"
)

// Repr is the text of a value as Python's repr has it: texts in single quotes,
// also within lists. Of a value that may be large ask TextSize first.
func Repr(v starlark.Value) string {
	var b strings.Builder
	repr(&b, v, nil)
	return b.String()
}

// Plain is the text of a value as print shows it.
func Plain(v starlark.Value) string {
	if s, ok := starlark.AsString(v); ok {
		return s
	}
	if q, ok := v.(Quantity); ok {
		return q.String()
	}
	return Repr(v)
}

func repr(b *strings.Builder, v starlark.Value, around []starlark.Value) {
	for _, w := range around {
		if w == v {
			b.WriteString("...")
			return
		}
	}
	items := func(open, end string, n int, at func(k int)) {
		b.WriteString(open)
		for k := range n {
			if k > 0 {
				b.WriteString(", ")
			}
			at(k)
		}
		b.WriteString(end)
	}
	switch v := v.(type) {
	case starlark.String:
		quoteText(b, string(v))
	case *starlark.List:
		around = append(around, v)
		items("[", "]", v.Len(), func(k int) { repr(b, v.Index(k), around) })
	case starlark.Tuple:
		end := ")"
		if len(v) == 1 {
			end = ",)"
		}
		items("(", end, len(v), func(k int) { repr(b, v[k], around) })
	case *starlark.Dict:
		around = append(around, v)
		all := v.Items()
		items("{", "}", len(all), func(k int) {
			repr(b, all[k][0], around)
			b.WriteString(": ")
			repr(b, all[k][1], around)
		})
	case *starlark.Set:
		if v.Len() == 0 {
			b.WriteString("set()")
			return
		}
		var all []starlark.Value
		for e := range starlark.Elements(v) {
			all = append(all, e)
		}
		items("{", "}", len(all), func(k int) { repr(b, all[k], around) })
	case starlark.Float:
		b.WriteString(floatText(float64(v)))
	case Quantity:
		b.WriteString(reprQuantity(v))
	default:
		b.WriteString(v.String())
	}
}

// floatText is Python's repr of a float: the shortest digits, an exponent from
// 1e16 on and below 1e-4.
func floatText(x float64) string {
	s := strconv.FormatFloat(x, 'g', -1, 64)
	if e := strings.IndexByte(s, 'e'); e >= 0 {
		if n, _ := strconv.Atoi(s[e+1:]); -4 <= n && n < 16 {
			s = strconv.FormatFloat(x, 'f', -1, 64)
		}
	}
	switch {
	case strings.HasSuffix(s, "Inf"):
		return strings.ToLower(strings.TrimPrefix(s, "+"))
	case !strings.ContainsAny(s, ".eN"):
		s += ".0"
	}
	return strings.ReplaceAll(s, "NaN", "nan")
}

func quoteText(b *strings.Builder, s string) {
	quote := '\''
	if strings.Contains(s, "'") && !strings.Contains(s, `"`) {
		quote = '"'
	}
	b.WriteRune(quote)
	for _, r := range s {
		switch {
		case r == quote || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case unicode.IsPrint(r):
			b.WriteRune(r)
		default:
			q := strconv.QuoteRune(r)
			b.WriteString(q[1 : len(q)-1])
		}
	}
	b.WriteRune(quote)
}
