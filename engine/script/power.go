package script

import (
	"bytes"
	"unicode/utf8"

	"go.starlark.net/syntax"
)

// powers finds Python's ** between operands, which Starlark's grammar does not
// have: each becomes the operator // in the text, of one length with it, and
// its place is told, so that the tree can be put right (see chain).
func powers(src []byte) ([]byte, map[place]bool) {
	if !bytes.Contains(src, []byte("**")) {
		return src, nil
	}
	out, at := bytes.Clone(src), map[place]bool{}
	line, start := int32(1), 0 // the line, and where it begins
	operand := false           // the last token may end an operand
	for k := 0; k < len(src); k++ {
		c := src[k]
		switch {
		case c == '\n':
			line, start = line+1, k+1
		case c == ' ' || c == '\t' || c == '\r' || c == '\\':
		case c == '#':
			for k+1 < len(src) && src[k+1] != '\n' {
				k++
			}
		case c == '"' || c == '\'':
			for end := textEnd(src, k); k < end; k++ {
				if src[k] == '\n' {
					line, start = line+1, k+1
				}
			}
			k--
			operand = true
		case c == '*' && operand && bytes.HasPrefix(src[k:], []byte("**")) && !bytes.HasPrefix(src[k:], []byte("**=")):
			at[place{line, int32(utf8.RuneCount(src[start:k])) + 1}] = true
			out[k], out[k+1] = '/', '/'
			k++
			operand = false
		case wordByte(c):
			from := k
			for k+1 < len(src) && wordByte(src[k+1]) {
				k++
			}
			operand = string(src[from:k+1]) != "lambda"
		default:
			operand = c == ')' || c == ']' || c == '}' || c == '.'
		}
	}
	return out, at
}

func wordByte(c byte) bool {
	return c == '_' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c >= utf8.RuneSelf
}

// textEnd is the place behind the string literal whose quote stands at k.
func textEnd(src []byte, k int) int {
	quote := src[k : k+1]
	if q := src[k:min(k+3, len(src))]; len(q) == 3 && q[1] == q[0] && q[2] == q[0] {
		quote = q
	}
	for e := k + len(quote); e < len(src); e++ {
		switch {
		case src[e] == '\\':
			e++
		case src[e] == '\n' && len(quote) == 1:
			return e // not closed: the parser's to tell
		case bytes.HasPrefix(src[e:], quote):
			return e + len(quote)
		}
	}
	return len(src)
}

// chain puts right a chain of * / // % and **, which the parser has read from
// left to right: ** binds closest, and from the right.
func (s *source) chain(e *syntax.BinaryExpr) syntax.Expr {
	var x []syntax.Expr
	var ops []*syntax.BinaryExpr
	var split func(syntax.Expr)
	split = func(y syntax.Expr) {
		if b, ok := y.(*syntax.BinaryExpr); ok && product(b.Op) {
			split(b.X)
			x, ops = append(x, s.expr(b.Y)), append(ops, b)
			return
		}
		x = append(x, s.expr(y))
	}
	split(e)
	for k := len(ops) - 1; k >= 0; k-- {
		if s.powers[placeOf(ops[k].OpPos)] {
			x[k] = raised(x[k], x[k+1], ops[k].OpPos)
			x, ops = append(x[:k+1], x[k+2:]...), append(ops[:k], ops[k+1:]...)
		}
	}
	r := x[0]
	for k, b := range ops {
		b.X, b.Y = r, x[k+1]
		r = operation(b)
	}
	return r
}

// product says that an operator is of the precedence of *.
func product(op syntax.Token) bool {
	return op == syntax.STAR || op == syntax.SLASH || op == syntax.SLASHSLASH || op == syntax.PERCENT
}

// raised is x ** y: a sign before x is the sign of the power.
func raised(x, y syntax.Expr, at syntax.Position) syntax.Expr {
	if u, ok := x.(*syntax.UnaryExpr); ok && u.X != nil {
		return &syntax.UnaryExpr{OpPos: u.OpPos, Op: u.Op, X: raised(u.X, y, at)}
	}
	return hidden(fnPower, at, x, y)
}
