package eqn

import (
	"math"
	"slices"
	"sort"
	"strconv"
	"strings"
	"sync"
)

// unitFamily is a unit with all its prefixes and powers: Brian2's
// brian2.units.allunits.
type unitFamily struct {
	names  []string
	dim    Dim
	ten    int  // value is 10^ten
	plain  bool // no prefixes
	single bool // no powers
}

var (
	dimVolt  = dimOf(2, 1, -3, -1, 0, 0, 0)
	dimHertz = dimOf(0, 0, -1, 0, 0, 0, 0)
)

func dimOf(m, kg, s, a, k, mol, cd int16) Dim {
	d := Dim{m, kg, s, a, k, mol, cd}
	for i := range d {
		d[i] *= dimUnit
	}
	return d
}

var families = []unitFamily{
	{names: []string{"metre", "meter"}, dim: base(Metre)},
	{names: []string{"kilogram", "kilogramme"}, dim: base(Kilogram), plain: true},
	{names: []string{"gram", "gramme"}, dim: base(Kilogram), ten: -3},
	{names: []string{"second"}, dim: base(Second)},
	{names: []string{"amp", "ampere"}, dim: base(Ampere)},
	{names: []string{"kelvin"}, dim: base(Kelvin), plain: true},
	{names: []string{"mole", "mol"}, dim: base(Mole)},
	{names: []string{"candle"}, dim: base(Candela)},
	{names: []string{"radian", "steradian"}},
	{names: []string{"hertz"}, dim: dimHertz},
	{names: []string{"newton"}, dim: dimOf(1, 1, -2, 0, 0, 0, 0)},
	{names: []string{"pascal"}, dim: dimOf(-1, 1, -2, 0, 0, 0, 0)},
	{names: []string{"joule"}, dim: dimOf(2, 1, -2, 0, 0, 0, 0)},
	{names: []string{"watt"}, dim: dimOf(2, 1, -3, 0, 0, 0, 0)},
	{names: []string{"coulomb"}, dim: dimOf(0, 0, 1, 1, 0, 0, 0)},
	{names: []string{"volt"}, dim: dimVolt},
	{names: []string{"farad"}, dim: dimOf(-2, -1, 4, 2, 0, 0, 0)},
	{names: []string{"ohm"}, dim: dimOf(2, 1, -3, -2, 0, 0, 0)},
	{names: []string{"siemens"}, dim: dimOf(-2, -1, 3, 2, 0, 0, 0)},
	{names: []string{"weber"}, dim: dimOf(2, 1, -2, -1, 0, 0, 0)},
	{names: []string{"tesla"}, dim: dimOf(0, 1, -2, -1, 0, 0, 0)},
	{names: []string{"henry"}, dim: dimOf(2, 1, -2, -2, 0, 0, 0)},
	{names: []string{"lumen"}, dim: base(Candela)},
	{names: []string{"lux"}, dim: dimOf(-2, 0, 0, 0, 0, 0, 1)},
	{names: []string{"becquerel"}, dim: dimHertz},
	{names: []string{"gray", "sievert"}, dim: dimOf(2, 0, -2, 0, 0, 0, 0)},
	{names: []string{"katal"}, dim: dimOf(0, 0, -1, 0, 0, 1, 0)},
	{names: []string{"liter", "litre"}, dim: dimOf(3, 0, 0, 0, 0, 0, 0), ten: -3, single: true},
	{names: []string{"molar"}, dim: dimOf(-3, 0, 0, 0, 0, 1, 0), ten: 3},
}

var prefixes = []struct {
	name string
	ten  int
}{{"", 0}, {"y", -24}, {"z", -21}, {"a", -18}, {"f", -15}, {"p", -12}, {"n", -9}, {"u", -6}, {"m", -3}, {"c", -2}, {"d", -1},
	{"da", 1}, {"h", 2}, {"k", 3}, {"M", 6}, {"G", 9}, {"T", 12}, {"P", 15}, {"E", 18}, {"Z", 21}, {"Y", 24}}

// shortUnits are brian2.units.stdunits.
var shortUnits = map[string]string{
	"mV": "mvolt", "mA": "mamp", "uA": "uamp", "nA": "namp", "pA": "pamp", "pF": "pfarad", "uF": "ufarad",
	"nF": "nfarad", "nS": "nsiemens", "uS": "usiemens", "mS": "msiemens", "ms": "msecond", "us": "usecond", "Hz": "hertz",
	"kHz": "khertz", "MHz": "Mhertz", "cm": "cmetre", "cm2": "cmetre2", "cm3": "cmetre3", "mm": "mmetre",
	"mm2": "mmetre2", "mm3": "mmetre3", "um": "umetre", "um2": "umetre2", "um3": "umetre3", "mM": "mmolar",
	"uM": "umolar", "nM": "nmolar",
}

// constants are brian2.units.constants (CODATA 2014), and pi, e and inf.
var constants = map[string]Quantity{
	"avogadro_constant":   {6.022140857e23, dimOf(0, 0, 0, 0, 0, -1, 0)},
	"boltzmann_constant":  {1.38064852e-23, dimOf(2, 1, -2, 0, -1, 0, 0)},
	"electric_constant":   {8.854187817e-12, dimOf(-3, -1, 4, 2, 0, 0, 0)},
	"electron_mass":       {9.10938356e-31, dimOf(0, 1, 0, 0, 0, 0, 0)},
	"elementary_charge":   {1.6021766208e-19, dimOf(0, 0, 1, 1, 0, 0, 0)},
	"faraday_constant":    {96485.33289, dimOf(0, 0, 1, 1, 0, -1, 0)},
	"gas_constant":        {8.3144598, dimOf(2, 1, -2, 0, -1, -1, 0)},
	"magnetic_constant":   {1.2566370614359173e-06, dimOf(1, 1, -2, -2, 0, 0, 0)},
	"molar_mass_constant": {0.001, dimOf(0, 1, 0, 0, 0, -1, 0)},
	"zero_celsius":        {273.15, dimOf(0, 0, 0, 0, 1, 0, 0)},
	"pi":                  {math.Pi, Dim{}},
	"e":                   {math.E, Dim{}},
	"inf":                 {math.Inf(1), Dim{}},
}

// dimNames are the dimensions that print as one unit.
var dimNames = func() map[Dim]string {
	m := map[Dim]string{}
	for i := len(families) - 1; i >= 0; i-- {
		if f := families[i]; f.ten == 0 && !f.dim.IsOne() {
			m[f.dim] = f.names[0]
		}
	}
	return m
}()

// unitTable holds every unit by name, made when first asked for.
var unitTable = sync.OnceValue(func() map[string]Quantity {
	m := make(map[string]Quantity, 2200)
	for _, f := range families {
		for _, name := range f.names {
			for _, p := range prefixes {
				for pow := 1; pow <= 3; pow++ {
					full := p.name + name
					if pow > 1 {
						full += strconv.Itoa(pow)
					}
					d, _ := f.dim.Pow(float64(pow))
					if v, err := strconv.ParseFloat("1e"+strconv.Itoa(pow*(f.ten+p.ten)), 64); err == nil {
						m[full] = Quantity{v, d}
					}
					if f.single {
						break
					}
				}
				if f.plain {
					break
				}
			}
		}
	}
	for short, long := range shortUnits {
		m[short] = m[long]
	}
	return m
})

// LookupUnit finds a unit of brian2.units by name: volt, mV, umetre2, radian.
func LookupUnit(name string) (Quantity, bool) {
	q, ok := unitTable()[name]
	return q, ok
}

// LookupConstant finds a constant of brian2.units.constants, pi, e or inf.
func LookupConstant(name string) (Quantity, bool) {
	q, ok := constants[name]
	return q, ok
}

// Text is the value with digits digits (-1: all) in the unit of a script that
// leaves it between 1 and 1000: -0.009 volt is "-9 mV". A dimension without such a
// unit stands in SI units.
func (q Quantity) Text(digits int) string {
	if q.Dim.IsOne() || q.Value == 0 || math.IsInf(q.Value, 0) || math.IsNaN(q.Value) {
		return plainText(q, digits)
	}
	mantissa, exp, _ := strings.Cut(strconv.FormatFloat(q.Value, 'e', max(digits-1, -1), 64), "e")
	ten, _ := strconv.Atoi(exp)
	above := (ten%3 + 3) % 3 // digits before the point but one
	unit := prefixed(q.Dim, ten-above)
	if unit == "" {
		return plainText(q, digits)
	}
	sign := ""
	if mantissa[0] == '-' {
		sign, mantissa = "-", mantissa[1:]
	}
	whole := strings.Replace(mantissa, ".", "", 1)
	for len(whole) < above+1 {
		whole += "0"
	}
	rest := strings.TrimRight(whole[above+1:], "0")
	if rest != "" {
		rest = "." + rest
	}
	return sign + whole[:above+1] + rest + " " + unit
}

func plainText(q Quantity, digits int) string {
	s := strconv.FormatFloat(q.Value, 'g', digits, 64)
	if !q.Dim.IsOne() {
		s += " " + q.Dim.String()
	}
	return s
}

// prefixed is the unit of 10^ten of a dimension, as scripts write it: mV, nS,
// uvolt; "" if there is none.
func prefixed(d Dim, ten int) string {
	for _, p := range prefixes {
		name := p.name + d.String()
		if _, ok := unitTable()[name]; !ok || p.ten != ten {
			continue
		}
		for short, long := range shortUnits {
			if long == name {
				return short
			}
		}
		return name
	}
	return ""
}

// UnitNames lists the names of all units, sorted.
func UnitNames() []string { return sortedKeys(unitTable()) }

func sortedKeys[T any](m map[string]T) []string {
	names := make([]string, 0, len(m))
	for n := range m {
		names = append(names, n)
	}
	sort.Strings(names)
	return names
}

var builtins = sync.OnceValue(func() map[string]*Symbol {
	m := map[string]*Symbol{}
	for name, q := range unitTable() {
		m[name] = &Symbol{Name: name, Kind: Constant, Dim: q.Dim, Value: q.Value, ReadOnly: true}
	}
	for name, q := range constants {
		m[name] = &Symbol{Name: name, Kind: Constant, Dim: q.Dim, Value: q.Value, ReadOnly: true}
	}
	for name := range functions {
		if name == binomialName { // each has numbers of its own
			continue
		}
		m[name] = &Symbol{Name: name, Kind: Function, ReadOnly: true}
	}
	m["t"] = &Symbol{Name: "t", Kind: Time, Dim: base(Second), ReadOnly: true}
	m["t_in_timesteps"] = &Symbol{Name: "t_in_timesteps", Kind: Time, Type: Integer, ReadOnly: true}
	return m
})

// Builtin is the meaning of a unit, a constant, a function, t or
// t_in_timesteps; nil if there is none.
func Builtin(name string) *Symbol { return builtins()[name] }

// BuiltinNames lists all of them, sorted.
var BuiltinNames = sync.OnceValue(func() []string { return sortedKeys(builtins()) })

// Resolve looks in Symbols, then among the built-in names.
func (m MapScope) Resolve(name string) *Symbol {
	if s := m.Symbols[name]; s != nil || m.Bare {
		return s
	}
	return Builtin(name)
}

// Names lists what Resolve knows.
func (m MapScope) Names() []string {
	names := sortedKeys(m.Symbols)
	if !m.Bare {
		names = append(names, BuiltinNames()...)
	}
	return names
}

// ParseUnit reads a unit of a model: base units with '*', '/' and '**'
// ("volt/metre**2"), "1", "boolean" or "integer".
func ParseUnit(src *Source) (Dim, Type, error) {
	toks, err := lex(src)
	if err != nil {
		return Dim{}, 0, err
	}
	p := &parser{toks: toks, units: true}
	d, t, err := p.unit()
	if err == nil && p.peek().kind != tokEnd {
		err = p.unexpected("the end of the unit")
	}
	return d, t, err
}

// unit reads a unit up to the end of the line or a '('.
func (p *parser) unit() (Dim, Type, error) {
	if t := p.peek(); t.kind == tokName {
		typ := Float
		switch t.text {
		case "boolean":
			typ = Boolean
		case "integer":
			typ = Integer
		case "bool":
			return Dim{}, 0, At(t.at, "write 'boolean'", "'bool' is not a unit")
		}
		if typ != Float {
			p.i++
			return Dim{}, typ, nil
		}
	}
	if t := p.peek(); t.kind == tokEnd || t.kind == tokNewline {
		return Dim{}, 0, p.unexpected("a unit such as volt or 1")
	}
	e, err := p.expr(0)
	if err != nil {
		return Dim{}, 0, err
	}
	d, err := unitDim(e)
	return d, Float, err
}

func unitDim(e Expr) (Dim, error) {
	switch e := e.(type) {
	case *Num:
		if e.Value != 1 {
			return Dim{}, At(e.At, "write the unit alone, as in 'siemens/metre**2'", "a number stands in a unit")
		}
		return Dim{}, nil
	case *Name:
		q, ok := LookupUnit(e.ID)
		if !ok {
			return Dim{}, At(e.At, Nearest(e.ID, baseUnitNames()), "unknown unit '%s'", e.ID).Of(UnknownName)
		}
		if q.Value != 1 || !slices.Contains(baseUnitNames(), e.ID) {
			return Dim{}, At(e.At, "write '"+q.Dim.String()+"'", "'%s' is not a base unit: a variable's unit sets its dimension only", e.ID)
		}
		return q.Dim, nil
	case *Binary:
		x, err := unitDim(e.X)
		if err != nil {
			return Dim{}, err
		}
		if e.Op == "**" {
			n, err := EvalHost(e.Y, MapScope{Bare: true})
			if err != nil {
				return Dim{}, err
			}
			d, ok := x.Pow(n.Value)
			if !ok {
				return Dim{}, At(e.At, "", "a unit cannot have the power %v", n.Value)
			}
			return d, nil
		}
		y, err := unitDim(e.Y)
		if err != nil {
			return Dim{}, err
		}
		switch e.Op {
		case "*":
			return x.Mul(y), nil
		case "/":
			return x.Div(y), nil
		}
	}
	return Dim{}, At(e.Pos(), "units are made of names, '*', '/' and '**'", "'%s' is not a unit", e)
}

// baseUnitNames are the units that Brian2 accepts in a model.
var baseUnitNames = sync.OnceValue(func() []string {
	names := []string{"Hz", "kgram", "kgramme", "kliter", "klitre", "mmolar", "mM"}
	for _, f := range families {
		if f.ten == 0 {
			names = append(names, f.names...)
		}
	}
	sort.Strings(names)
	return names
})
