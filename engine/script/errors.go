package script

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"go.starlark.net/resolve"
	"go.starlark.net/starlark"
	"go.starlark.net/syntax"

	"synfire/engine/eqn"
	"synfire/engine/script/argument"
	"synfire/engine/script/memory"
	"synfire/engine/script/python"
)

// failure is an error of a script: where it stands, what caused it, and the
// calls that led there.
type failure struct {
	at    *eqn.Error
	cause error
	trace []string // "called from cuba.star:12", innermost first
}

// Error prints file:line:column, the line, a caret, the hint and the calls.
func (e *failure) Error() string {
	s := e.at.Error()
	for _, t := range e.trace {
		s += "\n" + t
	}
	return s
}

// Unwrap gives the place as *eqn.Error and the cause.
func (e *failure) Unwrap() []error {
	if e.cause == nil {
		return []error{e.at}
	}
	return []error{e.at, e.cause}
}

// Trace is the calls of a script that led to an error, "called from FILE:LINE", innermost first.
func Trace(err error) []string {
	var f *failure
	if errors.As(err, &f) {
		return f.trace
	}
	return nil
}

// hinted is an error with advice.
type hinted struct{ msg, hint string }

func (e *hinted) Error() string {
	if e.hint == "" {
		return e.msg
	}
	return e.msg + " (" + e.hint + ")"
}

func withHint(hint, format string, a ...any) error {
	return &hinted{msg: fmt.Sprintf(format, a...), hint: hint}
}

// explain gives any error of parsing, resolving or running a script its place.
func (x *script) explain(err error) error {
	var (
		f  *failure
		pe *python.Error
		re resolve.ErrorList
		ee *starlark.EvalError
	)
	switch {
	case err == nil:
		return nil
	case errors.As(err, &f):
		return err
	case errors.As(err, &pe):
		return x.fail(pe.Pos, pe.Msg, pe.Hint, eqn.As(eqn.Syntax, err))
	case errors.As(err, &re) && len(re) > 0:
		msg, hint := x.resolveAdvice(re[0].Msg)
		class := eqn.Syntax
		if m := undefinedRE.FindStringSubmatch(re[0].Msg); m != nil {
			class = eqn.UnknownName
			if _, ok := absent[m[1]]; ok {
				class = eqn.Unsupported
			}
		}
		return x.fail(re[0].Pos, msg, hint, eqn.As(class, err))
	case errors.As(err, &ee):
		return x.explainEval(ee)
	}
	return err
}

// fail makes a failure at a position.
func (x *script) fail(pos syntax.Position, msg, hint string, cause error) *failure {
	e := &eqn.Error{File: pos.Filename(), Line: int(pos.Line), Col: int(pos.Col), Msg: msg, Hint: hint, Class: eqn.ClassOf(cause)}
	x.show(e)
	return &failure{at: e, cause: cause}
}

// show fills in the line of the file that an error points at. Tabs become
// blanks, so that the caret stands right.
func (x *script) show(e *eqn.Error) {
	if s := x.sources[e.File]; s != nil && e.Line > 0 && e.Line <= len(s.lines) {
		e.Snippet, e.Caret = eqn.Window(strings.Map(visibly, s.line(e.Line)), e.Col)
	}
}

// visibly shows tabs and what has no shape as blanks.
func visibly(r rune) rune {
	if r < ' ' || r == '\ufeff' {
		return ' '
	}
	return r
}

func (x *script) lineAt(p syntax.Position) string {
	if s := x.sources[p.Filename()]; s != nil {
		return s.line(int(p.Line))
	}
	return ""
}

// explainEval places an error of the running script: at the place that the
// error itself knows (inside an equation), else at the argument it is about,
// else where the innermost function of the script stood.
func (x *script) explainEval(ee *starlark.EvalError) error {
	cause := ee.Unwrap()
	if cause == nil {
		cause = errors.New(ee.Msg)
	}
	var frames []syntax.Position
	for i := range ee.CallStack {
		p := ee.CallStack.At(i).Pos
		if x.sources[p.Filename()] != nil {
			frames = append(frames, p)
		}
	}
	var pos syntax.Position
	if len(frames) > 0 {
		pos = x.refine(frames[0], cause)
	}
	msg, hint := cause.Error(), ""
	var h *hinted
	var m *memory.Error
	var q *eqn.Error
	switch {
	case errors.As(cause, &h):
		msg, hint = h.msg, h.hint
	case errors.As(cause, &m):
		msg, hint = m.Msg, m.Hint
	case errors.As(cause, &q) && q.Line > 0 && q.File != "":
		at := *q
		x.show(&at)
		return x.traced(&failure{at: &at, cause: cause}, frames)
	case errors.As(cause, &q):
		msg, hint = q.Msg, q.Hint
		if q.Snippet != "" && !strings.Contains(msg, q.Snippet) {
			msg += " in '" + strings.TrimSpace(q.Snippet) + "'"
		}
	default:
		if starlarkIndexRE.MatchString(msg) {
			cause = eqn.As(eqn.BadIndex, cause)
		}
		msg, hint = x.evalAdvice(msg)
	}
	return x.traced(x.fail(pos, msg, hint, cause), frames)
}

// traced adds the calls that led to an error inside a function.
func (x *script) traced(f *failure, frames []syntax.Position) *failure {
	frames = frames[min(1, len(frames)):]
	for k, p := range frames {
		if len(frames) > 20 && k == 10 { // of a recursion
			f.trace = append(f.trace, fmt.Sprintf("... and %d calls more", len(frames)-11))
		}
		if len(frames) > 20 && k >= 10 && k < len(frames)-1 {
			continue
		}
		f.trace = append(f.trace, fmt.Sprintf("called from %s:%d", p.Filename(), p.Line))
	}
	return f
}

// refine moves the position that Starlark reports (a parenthesis, a dot) to
// what the reader looks for: the argument, the called name, the attribute.
func (x *script) refine(p syntax.Position, cause error) syntax.Position {
	s := x.sources[p.Filename()]
	if s == nil {
		return p
	}
	if c := s.calls[placeOf(p)]; c != nil {
		var a *argument.Error
		if errors.As(cause, &a) {
			if arg := argumentAt(c, a); arg != nil {
				return syntax.Start(arg)
			}
		}
		if d, ok := c.Fn.(*syntax.DotExpr); ok {
			return d.Name.NamePos
		}
		return syntax.Start(c.Fn)
	}
	if r := []rune(s.line(int(p.Line))); int(p.Col) <= len(r) && p.Col > 0 && r[p.Col-1] == '.' {
		p.Col++
	}
	return p
}

// argumentAt finds the value of an argument in a call.
func argumentAt(c *syntax.CallExpr, a *argument.Error) syntax.Expr {
	pos := 0
	for _, e := range c.Args {
		if b, ok := e.(*syntax.BinaryExpr); ok && b.Op == syntax.EQ {
			if id, ok := b.X.(*syntax.Ident); ok && id.Name == a.Name {
				return b.Y
			}
			continue
		}
		if _, star := e.(*syntax.UnaryExpr); !star || e.(*syntax.UnaryExpr).Op == syntax.MINUS {
			if pos == a.Index {
				return e
			}
			pos++
		}
	}
	return nil
}

var (
	starlarkIndexRE = regexp.MustCompile(`^\w+ index -?\d+ out of range`)

	undefinedRE = regexp.MustCompile(`^undefined: (\w+)`)
	beforeRE    = regexp.MustCompile(`^(global|local) variable (\w+) referenced before assignment`)
	truthRE     = regexp.MustCompile(`^unknown \w+ op: (bool \S+ (bool|int|float)|((int|float) )?\S+ bool)$|index: got bool, want int$`)
	argRE       = regexp.MustCompile(`^(\w+): unexpected keyword argument "?(\w+)"?`)
)

const belowHint = "it is assigned further down: a name that is assigned anywhere in a script is the script's own everywhere"

// resolveAdvice is about names.
func (x *script) resolveAdvice(msg string) (string, string) {
	if m := undefinedRE.FindStringSubmatch(msg); m != nil {
		return x.unknownName(m[1])
	}
	if strings.Contains(msg, "can't assign to") {
		return msg, "assign to a name, an attribute or an index"
	}
	return msg, ""
}

// evalAdvice is about Starlark's own errors at run time.
func (x *script) evalAdvice(msg string) (string, string) {
	switch {
	case strings.Contains(msg, "too many steps"):
		return fmt.Sprintf("the script has made %d computation steps and was stopped: is there an endless loop?", x.opt.maxOps()), "the limit is on the script's own loops, not on run()"
	case strings.Contains(msg, "cancelled: "):
		_, why, _ := strings.Cut(msg, "cancelled: ")
		return why, ""
	case strings.Contains(msg, "division by zero"), strings.Contains(msg, "modulo by zero"):
		return "division by zero", ""
	case truthRE.MatchString(msg):
		return msg, "a truth value in a variable is no number: int(x) makes one of it"
	}
	if m := beforeRE.FindStringSubmatch(msg); m != nil {
		return m[2] + " has no value yet", belowHint
	}
	if m := argRE.FindStringSubmatch(msg); m != nil {
		return fmt.Sprintf("%s() has no argument %s", m[1], m[2]), ""
	}
	return msg, ""
}
