package array

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"sync"

	"go.starlark.net/starlark"

	"synfire/engine/eqn"
)

// displayUnit is a unit that quantities are printed in.
type displayUnit struct {
	value float64
	name  string
}

// displayUnits holds for each dimension the units that Brian2 prints with; made
// when first needed.
var displayUnits = sync.OnceValue(func() map[eqn.Dim][]displayUnit {
	units := map[eqn.Dim][]displayUnit{}
	dim := func(e ...int) (d eqn.Dim) {
		var m eqn.Dim
		for i, axis := range []int{eqn.Metre, eqn.Kilogram, eqn.Second, eqn.Ampere, eqn.Kelvin, eqn.Mole, eqn.Candela} {
			var one eqn.Dim
			one[axis] = UnitExponent
			p, _ := one.Pow(float64(e[i]))
			m = m.Mul(p)
		}
		return m
	}
	prefixes := []struct {
		name string
		exp  int
	}{{"Y", 24}, {"Z", 21}, {"E", 18}, {"P", 15}, {"T", 12}, {"G", 9}, {"M", 6}, {"k", 3}, {"", 0},
		{"m", -3}, {"u", -6}, {"n", -9}, {"p", -12}, {"f", -15}, {"a", -18}, {"z", -21}, {"y", -24}}
	add := func(name string, d eqn.Dim, ten int) {
		for p := 1; p <= 3; p++ {
			suffix := ""
			if p > 1 {
				suffix = fmt.Sprintf("^%d", p)
			}
			dp, _ := d.Pow(float64(p))
			for _, x := range prefixes {
				v, _ := strconv.ParseFloat(fmt.Sprintf("1e%d", p*(x.exp+ten)), 64)
				units[dp] = append(units[dp], displayUnit{v, x.name + name + suffix})
			}
		}
	}
	add("kat", dim(0, 0, -1, 0, 0, 1, 0), 0)
	add("Gy", dim(2, 0, -2, 0, 0, 0, 0), 0)
	add("Hz", dim(0, 0, -1, 0, 0, 0, 0), 0)
	add("lx", dim(-2, 0, 0, 0, 0, 0, 1), 0)
	add("cd", dim(0, 0, 0, 0, 0, 0, 1), 0)
	add("H", dim(2, 1, -2, -2, 0, 0, 0), 0)
	add("T", dim(0, 1, -2, -1, 0, 0, 0), 0)
	add("Wb", dim(2, 1, -2, -1, 0, 0, 0), 0)
	add("S", dim(-2, -1, 3, 2, 0, 0, 0), 0)
	add("ohm", dim(2, 1, -3, -2, 0, 0, 0), 0)
	add("F", dim(-2, -1, 4, 2, 0, 0, 0), 0)
	add("V", dim(2, 1, -3, -1, 0, 0, 0), 0)
	add("C", dim(0, 0, 1, 1, 0, 0, 0), 0)
	add("W", dim(2, 1, -3, 0, 0, 0, 0), 0)
	add("J", dim(2, 1, -2, 0, 0, 0, 0), 0)
	add("Pa", dim(-1, 1, -2, 0, 0, 0, 0), 0)
	add("N", dim(1, 1, -2, 0, 0, 0, 0), 0)
	add("M", dim(-3, 0, 0, 0, 0, 1, 0), 3)
	add("g", dim(0, 1, 0, 0, 0, 0, 0), -3)
	add("mol", dim(0, 0, 0, 0, 0, 1, 0), 0)
	add("A", dim(0, 0, 0, 1, 0, 0, 0), 0)
	add("s", dim(0, 0, 1, 0, 0, 0, 0), 0)
	add("m", dim(1, 0, 0, 0, 0, 0, 0), 0)
	for _, u := range []struct {
		name string
		d    eqn.Dim
	}{
		{"K", dim(0, 0, 0, 0, 1, 0, 0)}, {"K^2", dim(0, 0, 0, 0, 2, 0, 0)}, {"K^3", dim(0, 0, 0, 0, 3, 0, 0)},
		{"Pa s", dim(-1, 1, -1, 0, 0, 0, 0)}, {"W/(m^2)", dim(0, 1, -3, 0, 0, 0, 0)}, {"J/K", dim(2, 1, -2, 0, -1, 0, 0)},
		{"J/(kg K)", dim(2, 0, -2, 0, -1, 0, 0)}, {"W/(m K)", dim(1, 1, -3, 0, -1, 0, 0)}, {"V/(m^3)", dim(-1, 1, -3, -1, 0, 0, 0)},
		{"C/(m^3)", dim(-3, 0, 1, 1, 0, 0, 0)}, {"C/(m^2)", dim(-2, 0, 1, 1, 0, 0, 0)}, {"F/m", dim(-3, -1, 4, 2, 0, 0, 0)},
		{"H/m", dim(1, 1, -2, -2, 0, 0, 0)}, {"J/mol", dim(2, 1, -2, 0, 0, -1, 0)}, {"J/(mol K)", dim(2, 1, -2, 0, -1, -1, 0)},
		{"C/kg", dim(0, -1, 1, 1, 0, 0, 0)}, {"Gy/s", dim(2, 0, -3, 0, 0, 0, 0)}, {"kat/(m^3)", dim(-3, 0, -1, 0, 0, 1, 0)},
	} {
		units[u.d] = append(units[u.d], displayUnit{1, u.name})
	}
	return units
})

// bestUnit chooses the unit in which the values are closest to 10, as Brian2 does.
func bestUnit(v []float64, d eqn.Dim) displayUnit {
	units := displayUnits()[d]
	best, least := displayUnit{1, baseUnits(d)}, math.Inf(1)
	for _, u := range units {
		sum, any := 0.0, false
		for _, x := range v {
			if x != 0 && x == x {
				e := math.Log10(math.Abs(x)/u.value) - 1
				sum, any = sum+float64(e*e), true
			}
		}
		if !any && u.value != 1 {
			continue // all zeros: the base unit
		}
		if sum < least {
			best, least = u, sum
		}
	}
	return best
}

// baseUnits is a dimension in SI base units: "m^2 kg s^-3 A^-1".
func baseUnits(d eqn.Dim) string {
	var parts []string
	for _, b := range []struct {
		axis int
		name string
	}{{eqn.Metre, "m"}, {eqn.Kilogram, "kg"}, {eqn.Second, "s"}, {eqn.Ampere, "A"}, {eqn.Kelvin, "K"}, {eqn.Mole, "mol"}, {eqn.Candela, "cd"}} {
		switch e := float64(d[b.axis]) / UnitExponent; {
		case e == 1:
			parts = append(parts, b.name)
		case e != 0:
			parts = append(parts, fmt.Sprintf("%s^%g", b.name, e))
		}
	}
	return strings.Join(parts, " ")
}

// UnitExponent is the exponent 1 in a Dim.
const UnitExponent = 120

// UnitName names a dimension for messages: "V", "A/s" in base units, "a pure number".
func UnitName(d eqn.Dim) string {
	if d.IsOne() {
		return "1"
	}
	for _, u := range displayUnits()[d] {
		if u.value == 1 {
			return u.name
		}
	}
	return baseUnits(d)
}

func formatQuantity(q Quantity) string {
	if q.unit != "" {
		return q.unit
	}
	u := bestUnit([]float64{q.Value}, q.Dim)
	return floatTexts([]float64{q.Value / u.value}, digitsOf(q.single))[0] + " " + u.name
}

// reprQuantity is a quantity as Brian2's repr() writes it, an expression that gives it: 20. * mvolt.
func reprQuantity(q Quantity) string {
	if q.unit != "" {
		return spelled(q.unit)
	}
	u := bestUnit([]float64{q.Value}, q.Dim)
	return floatTexts([]float64{q.Value / u.value}, digitsOf(q.single))[0] + " * " + spelled(u.name)
}

// spelledUnits are the units by the names that expressions have for them.
var spelledUnits = map[string]string{"V": "volt", "A": "amp", "s": "second", "Hz": "hertz", "S": "siemens", "ohm": "ohm", "F": "farad", "m": "metre", "g": "gram", "kg": "kilogram",
	"mol": "mole", "M": "molar", "N": "newton", "J": "joule", "W": "watt", "Pa": "pascal", "C": "coulomb", "H": "henry", "T": "tesla", "Wb": "weber", "K": "kelvin", "cd": "candle", "kat": "katal", "Gy": "gray", "lx": "lux"}

// spelled is the name of a unit that is printed as an expression has it: "mV" as mvolt, "mV^2" as
// mvolt2, "m^-2 A" as metre ** -2 * amp.
func spelled(name string) string {
	words := strings.FieldsFunc(name, func(r rune) bool { return strings.ContainsRune(" /()", r) })
	var b strings.Builder
	rest := name
	for k, w := range words {
		at := strings.Index(rest, w)
		between := rest[:at]
		if k > 0 && between == " " {
			between = " * "
		}
		b.WriteString(strings.ReplaceAll(between, "/", " / "))
		rest = rest[at+len(w):]
		unit, exponent, power := strings.Cut(w, "^")
		full := spelledUnits[unit]
		if full == "" && len(unit) > 1 {
			full = unit[:1] + spelledUnits[unit[1:]]
		}
		b.WriteString(full)
		switch {
		case power && len(words) == 1 && len(exponent) == 1 && spelledUnits[unit] != "metre":
			b.WriteString(exponent) // one of Brian2's units: mvolt2
		case power:
			b.WriteString(" ** " + exponent)
		}
	}
	return b.String() + rest
}

// BestUnit is the unit in which values print; nil of pure numbers.
func BestUnit(v []float64, d eqn.Dim) starlark.Value {
	if d.IsOne() {
		return nil
	}
	u := bestUnit(v, d)
	return Quantity{Value: u.value, Dim: d, unit: u.name}
}

// Unit is a unit under a name that the language has for it.
func Unit(name string, value float64, d eqn.Dim) starlark.Value {
	q, ok := Scalar(value, d, Floats).(Quantity)
	if !ok {
		return Scalar(value, d, Floats)
	}
	q.unit = name
	if rest, ok := strings.CutPrefix(name, "cmet"); ok { // in which nothing else is printed
		q.unit = "cm"
		if n := rest[len(rest)-1]; n == '2' || n == '3' {
			q.unit += "^" + string(n)
		}
	}
	for _, u := range displayUnits()[d] {
		if u.value == value {
			q.unit = u.name
			break
		}
	}
	return q
}

// ValueText is a value as a person writes it: "1 s", "0.1", "20 mV".
func ValueText(v starlark.Value) string {
	switch v := v.(type) {
	case Quantity:
		u := bestUnit([]float64{v.Value}, v.Dim)
		if v.single {
			return strconv.FormatFloat(v.Value/u.value, 'g', -1, 32) + " " + u.name
		}
		return strconv.FormatFloat(v.Value/u.value, 'g', 10, 64) + " " + u.name
	case starlark.Float:
		return strconv.FormatFloat(float64(v), 'g', 10, 64)
	case starlark.String:
		return string(v)
	}
	if n, err := TextSize(v); err != nil || n > 1<<16 {
		return "a " + v.Type()
	}
	return v.String()
}

// NumPy's printing: at most 1000 elements whole, lines of 75 characters.
const (
	printThreshold = 1000
	printEdge      = 3
	printWidth     = 75
)

func formatArray(a *Array) string {
	shown, unit, factor := a.shown(), "", 1.0
	if !a.Dim.IsOne() {
		u := bestUnit(shown, a.Dim)
		factor, unit = u.value, " "+u.name
	}
	scaled := make([]float64, len(shown))
	for k, x := range shown {
		scaled[k] = x / factor
	}
	texts := elementTexts(scaled, a.Kind)
	if !a.Table || a.Size() == 0 {
		return printRow(texts, a.Size() > printThreshold, "") + unit
	}
	cut := a.Size() > printThreshold
	cols, rows := a.Cols, a.Len()
	if cut {
		cols, rows = min(cols, 2*printEdge), min(rows, 2*printEdge)
	}
	var b strings.Builder
	b.WriteString("[")
	for r := range rows {
		if r > 0 {
			b.WriteString("\n ")
		}
		if cut && r == printEdge && a.Len() > 2*printEdge {
			b.WriteString("...\n ")
		}
		b.WriteString(printRow(texts[r*cols:(r+1)*cols], cut && a.Cols > 2*printEdge, " "))
	}
	return b.String() + "]" + unit
}

// shown are the elements that printing shows.
func (a *Array) shown() []float64 {
	if a.Size() <= printThreshold {
		return a.Floats()
	}
	ends := func(n int) []int {
		var r []int
		for k := range min(n, 2*printEdge) {
			if n > 2*printEdge && k >= printEdge {
				k += n - 2*printEdge
			}
			r = append(r, k)
		}
		return r
	}
	var r []float64
	if !a.Table {
		for _, k := range ends(a.Size()) {
			r = append(r, a.Floats()[k])
		}
		return r
	}
	cols := ends(a.Cols)
	for _, row := range ends(a.Len()) {
		for _, c := range cols {
			r = append(r, a.Floats()[row*a.Cols+c])
		}
	}
	return r
}

// printRow joins texts, with "..." in the middle if some were left out.
func printRow(texts []string, cut bool, indent string) string {
	var b strings.Builder
	line := indent + "["
	for k, t := range texts {
		word := t
		if cut && k == printEdge {
			word = "... " + t
		}
		if k > 0 {
			if len(line)+1+len(word) >= printWidth {
				b.WriteString(strings.TrimRight(line, " ") + "\n")
				line = indent + " " + word
				continue
			}
			line += " "
		}
		line += word
	}
	b.WriteString(line + "]")
	return strings.TrimPrefix(b.String(), indent)
}

// elementTexts formats numbers to one width.
func elementTexts(v []float64, k Kind) []string {
	var r []string
	switch k {
	case Singles, Floats:
		return floatTexts(v, digitsOf(k == Singles))
	case Ints:
		for _, x := range v {
			r = append(r, strconv.FormatFloat(x, 'f', -1, 64))
		}
	case Bools:
		for _, x := range v {
			if x != 0 {
				r = append(r, " True") // as wide as False, which need not be there
			} else {
				r = append(r, "False")
			}
		}
	}
	return padLeft(r)
}

func digitsOf(single bool) int {
	if single {
		return 32
	}
	return 64
}

func padLeft(r []string) []string {
	w := 0
	for _, s := range r {
		w = max(w, len(s))
	}
	for k, s := range r {
		r[k] = strings.Repeat(" ", w-len(s)) + s
	}
	return r
}

// floatTexts formats floats as NumPy does: the shortest digits that tell them
// apart (as float64 or float32, by bits), at most eight after the point, one
// layout for all.
func floatTexts(v []float64, bits int) []string {
	lo, hi := math.Inf(1), 0.0
	for _, x := range v {
		if m := math.Abs(x); m != 0 && m <= math.MaxFloat64 {
			lo, hi = min(lo, m), max(hi, m)
		}
	}
	scientific := hi >= 1e8 || hi > 0 && (lo < 1e-4 || hi/lo > 1000)
	whole, frac := make([]string, len(v)), make([]string, len(v))
	tail := make([]string, len(v)) // exponent
	right := 0
	for k, x := range v {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			whole[k] = map[bool]string{true: "nan", false: "inf"}[x != x]
			if x < 0 {
				whole[k] = "-inf"
			}
			continue
		}
		form := byte('f')
		if scientific {
			form = 'e'
		}
		s := strconv.FormatFloat(x, form, -1, bits)
		mant, exp, _ := strings.Cut(s, "e")
		if _, f, _ := strings.Cut(mant, "."); len(f) > 8 {
			mant, exp, _ = strings.Cut(strconv.FormatFloat(x, form, 8, bits), "e")
			mant = strings.TrimRight(mant, "0")
		}
		whole[k], frac[k], _ = strings.Cut(mant, ".")
		if scientific {
			tail[k] = "e" + exp
		}
		right = max(right, len(frac[k]))
	}
	for k, x := range v {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			continue
		}
		fill := " "
		if scientific {
			fill = "0"
		}
		whole[k] += "." + frac[k] + strings.Repeat(fill, right-len(frac[k])) + tail[k]
	}
	r := padLeft(whole)
	if len(r) == 1 {
		r[0] = strings.TrimSpace(r[0])
	}
	return r
}
