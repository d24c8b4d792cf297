package eqn

import (
	"slices"
	"strings"
)

// EqKind says which of the three forms an equation has.
type EqKind uint8

// Kinds of equations.
const (
	Differential EqKind = iota // dx/dt = e : unit
	Sub                        // x = e : unit
	Parameter                  // x : unit
)

func (k EqKind) String() string {
	return [...]string{"differential equation", "subexpression", "parameter"}[k]
}

// Equation is one line of a model.
type Equation struct {
	Name    string
	Kind    EqKind
	X       Expr // nil for a Parameter
	Dim     Dim
	Type    Type
	Flags   []string // "unless refractory", "constant", "shared", ...
	At      Pos      // of the name
	Comment string
}

// Equations is a parsed model. List is in the order of the text.
type Equations struct {
	List []*Equation
	Src  *Source
}

// Flags of equations, those of Brian2 and compensated (design section 3, rule 10).
var knownFlags = []string{"unless refractory", "constant", "shared", "constant over dt", "linked", "summed",
	"event-driven", "clock-driven", "compensated"}

// Has says whether the equation carries the flag.
func (q *Equation) Has(flag string) bool { return slices.Contains(q.Flags, flag) }

// String prints the equation as text.
func (q *Equation) String() string {
	s := q.Name
	if q.Kind == Differential {
		s = "d" + q.Name + "/dt"
	}
	if q.X != nil {
		s += " = " + q.X.String()
	}
	unit := q.Dim.String()
	if q.Type != Float {
		unit = q.Type.String()
	}
	s += " : " + unit
	if len(q.Flags) > 0 {
		s += " (" + strings.Join(q.Flags, ", ") + ")"
	}
	return s
}

// Find is the equation of that name, nil if there is none.
func (e *Equations) Find(name string) *Equation {
	for _, q := range e.List {
		if q.Name == name {
			return q
		}
	}
	return nil
}

// ParseEquations reads a model: "dx/dt = e : unit (flags)", "x = e : unit
// (flags)" and "x : unit (flags)", one after the other; an expression may run
// over several lines, '#' begins a comment. Names are checked as Brian2 does.
func ParseEquations(src *Source) (*Equations, error) {
	toks, err := lex(src)
	if err != nil {
		return nil, err
	}
	p := &parser{toks: toks}
	eqs, first := &Equations{Src: src}, map[string]*Equation{}
	for p.peek().kind != tokEnd {
		q, err := p.equation()
		if err != nil {
			return nil, err
		}
		if old := first[q.Name]; old != nil {
			return nil, At(q.At, "", "'%s' is defined a second time; the first is on line %d", q.Name, At(old.At, "", "").Line)
		}
		first[q.Name] = q
		eqs.List = append(eqs.List, q)
	}
	return eqs, nil
}

func (p *parser) equation() (*Equation, error) {
	t := p.next()
	if t.kind != tokName {
		p.i = max(0, p.i-1)
		return nil, p.unexpected("an equation: 'dx/dt = ... : unit', 'x = ... : unit' or 'x : unit'")
	}
	q := &Equation{Name: t.text, Kind: Parameter, At: t.at}
	if p.op("/") {
		if d := p.next(); d.kind != tokName || d.text != "dt" || len(t.text) < 2 || t.text[0] != 'd' {
			return nil, At(t.at, "a differential equation begins with 'dx/dt ='", "this is no equation")
		}
		q.Name, q.Kind = t.text[1:], Differential
		q.At.Col++
		if !p.op("=") {
			return nil, p.unexpected("'='")
		}
	} else if p.op("=") {
		q.Kind = Sub
	}
	if err := checkName(q.Name, q.At); err != nil {
		return nil, err
	}
	if q.Kind != Parameter {
		x, err := p.expr(0)
		if err != nil {
			return nil, err
		}
		q.X = x
	}
	if !p.op(":") {
		if q.Kind == Parameter {
			return nil, p.unexpected("'=' or ':'")
		}
		return nil, p.unexpected("an operator, or ':' and the unit")
	}
	p.lines, p.units = true, true
	var err error
	q.Dim, q.Type, err = p.unit()
	end := p.i
	p.lines, p.units = false, false
	if err != nil {
		return nil, err
	}
	if q.Kind == Differential && q.Type != Float {
		return nil, At(q.At, "", "a differential equation defines a float variable, not %s", q.Type)
	}
	if p.op("(") {
		if err := p.flags(q); err != nil {
			return nil, err
		}
	} else {
		p.i = end
	}
	if t := p.toks[p.i]; t.kind != tokEnd && t.kind != tokNewline {
		return nil, p.unexpected("the end of the line after the unit")
	}
	q.Comment = p.toks[p.i].note
	return q, nil
}

// flags reads the words up to ')'.
func (p *parser) flags(q *Equation) error {
	for {
		first := p.peek()
		begin := first.off
		for t := p.peek(); t.kind == tokName || t.kind == tokOp && t.text == "-"; t = p.peek() {
			p.i++
		}
		t := p.peek()
		text := first.at.Src.Text[begin:t.off]
		flag := strings.Join(strings.Fields(text), " ")
		switch {
		case flag == "":
			return p.unexpected("a flag such as 'constant'")
		case !slices.Contains(knownFlags, flag):
			return At(first.at, Nearest(flag, knownFlags), "unknown flag '%s'", flag)
		case q.Has(flag):
			return At(first.at, "", "the flag '%s' stands here twice", flag)
		}
		q.Flags = append(q.Flags, flag)
		if p.op(")") {
			return nil
		}
		if !p.op(",") {
			return p.unexpected("',' or ')'")
		}
	}
}

// checkName refuses what Brian2 refuses as the name of a variable.
func checkName(name string, at Pos) error {
	switch {
	case slices.Contains(keywords, name):
		return At(at, "", "'%s' is a keyword and cannot name a variable", name)
	case name[0] == '_':
		return At(at, "", "'%s' begins with an underscore; such names are for internal use", name)
	case digit(name[0]):
		return At(at, "", "'%s' is not a name", name)
	case isNoise(name) || slices.Contains([]string{"t", "dt", "t_in_timesteps", "i", "N"}, name):
		return At(at, "", "'%s' has a meaning of its own in equations and cannot name a variable", name)
	case slices.Contains([]string{"not_refractory", "refractory", "refractory_until"}, name):
		return At(at, "", "'%s' belongs to the refractory mechanism and cannot name a variable", name)
	}
	if _, ok := LookupUnit(name); ok {
		return At(at, "", "'%s' is a unit and cannot name a variable", name)
	}
	if _, ok := functions[name]; ok {
		return At(at, "", "'%s' is a function and cannot name a variable", name)
	}
	if slices.Contains([]string{"pi", "e", "inf"}, name) {
		return At(at, "", "'%s' is a constant and cannot name a variable", name)
	}
	return nil
}

func isNoise(name string) bool { return name == "xi" || strings.HasPrefix(name, "xi_") }
