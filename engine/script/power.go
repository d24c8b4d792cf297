package script

import (
	"bytes"
	"fmt"
	"slices"
	"unicode/utf8"

	"go.starlark.net/syntax"
)

// maxNesting bounds how deep a script nests brackets, signs, conditions and
// terms, since Starlark's parser and compiler call themselves for each level.
const maxNesting = 10000

const tooDeep = "this is nested more than 10000 deep"

// scan goes through a text before Starlark's parser does: it refuses a NUL byte
// outside a string, which the parser takes for the end of the file, and what is
// nested too deep for it, and finds Python's ** between operands, which
// Starlark's grammar does not have. Each ** becomes the operator // in the text,
// of one length with it, and its place is told, so that the tree can be put
// right (see chain).
func scan(name string, src []byte) ([]byte, map[place]bool, error) {
	out, at := src, map[place]bool{}
	line, col, from := int32(1), int32(1), 0 // the line, and the column of the byte from
	here := func(k int) place {
		col += int32(utf8.RuneCount(src[from:k]))
		from = k
		return place{line, col}
	}
	refuse := func(k int, msg string) error {
		p := here(k)
		return syntax.Error{Pos: syntax.MakePosition(&name, p.line, p.col), Msg: msg}
	}
	open, deep := []int{0}, 0 // words that nest since the last comma, in each bracket, and all that is open
	operand := false          // the last token may end an operand
	for k := 0; k < len(src); k++ {
		c := src[k]
		nests := false
		switch {
		case c == '\n':
			line, col, from = line+1, 1, k+1
			if len(open) == 1 {
				open[0], deep = 0, 0
			}
		case c == ' ' || c == '\t' || c == '\\':
		case c == 0:
			return nil, nil, refuse(k, "a NUL byte: this is no text")
		case c == '#':
			for k+1 < len(src) && src[k+1] != '\n' {
				if k++; src[k] == 0 {
					return nil, nil, refuse(k, "a NUL byte: this is no text")
				}
			}
		case c == '"' || c == '\'':
			for end := textEnd(src, k); k < end; k++ {
				if src[k] == '\n' {
					line, col, from = line+1, 1, k+1
				}
			}
			k--
			operand = true
		case c == '*' && operand && bytes.HasPrefix(src[k:], []byte("**")) && !bytes.HasPrefix(src[k:], []byte("**=")):
			if len(at) == 0 {
				out = bytes.Clone(src)
			}
			at[here(k)] = true
			out[k], out[k+1] = '/', '/'
			k++
			operand = false
		case wordByte(c):
			begin := k
			for k+1 < len(src) && wordByte(src[k+1]) {
				k++
			}
			if n := k + 1 - begin; n > maxBits/4 && '0' <= c && c <= '9' { // a digit has less than four bits
				return nil, nil, refuse(begin, fmt.Sprintf("a number of %d digits: whole numbers have at most %d bits", n, maxBits))
			}
			switch string(src[begin : k+1]) {
			case "lambda":
				operand, nests = false, true
			case "not", "else", "for":
				operand, nests = true, true
			default:
				operand = true
			}
		case c == '(' || c == '[' || c == '{':
			open, nests, operand = append(open, -1), true, false // -1: the bracket itself counts
		case c == ')' || c == ']' || c == '}':
			if n := len(open) - 1; n > 0 {
				deep -= open[n] + 1
				open = open[:n]
			}
			operand = true
		case c == ',' || c == ';':
			n := len(open) - 1
			deep, open[n] = deep-open[n], 0
			operand = false
		default:
			nests = c == '-' || c == '+' || c == '~'
			operand = c == '.'
		}
		if nests {
			open[len(open)-1]++
			if deep++; deep > maxNesting {
				return nil, nil, refuse(k, tooDeep)
			}
		}
	}
	return out, at, nil
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
	for y := syntax.Expr(e); ; {
		b, ok := y.(*syntax.BinaryExpr)
		if !ok || !product(b.Op) {
			x = append(x, s.expr(y))
			break
		}
		x, ops, y = append(x, s.expr(b.Y)), append(ops, b), b.X
	}
	slices.Reverse(x)
	slices.Reverse(ops)
	if len(ops) > maxNesting {
		if s.deep == nil {
			s.deep = &ops[0].OpPos
		}
		return e
	}
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
