package eqn

import (
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

type tokenKind uint8

const (
	tokEnd tokenKind = iota
	tokNewline
	tokName
	tokNumber
	tokOp
)

type token struct {
	kind  tokenKind
	text  string
	at    Pos
	off   int // byte offset in the text
	value float64
	whole bool // a number without point and exponent
	note  string
}

// MaxText bounds the size of a source in bytes, so that no text makes the compiler run
// out of memory.
const MaxText = 1 << 20

// operators, longest first.
var operators = []string{"//=", "**=", "**", "//", "<=", ">=", "==", "!=", "+=", "-=", "*=", "/=", "%=",
	"+", "-", "*", "/", "%", "<", ">", "=", "(", ")", ",", ":", ";"}

// lex splits a source into tokens. Newlines are tokens; comments are kept as the
// note of the newline (or end) that follows them.
func lex(src *Source) ([]token, error) {
	if len(src.Text) > MaxText {
		return nil, At(Pos{}, "split the model", "the text has %d bytes; the limit is %d", len(src.Text), MaxText).Of(Syntax)
	}
	var toks []token
	text, line, start, col, note := src.Text, 1, 0, 1, "" // col: the column of the byte start
	at := func(off int) Pos {
		if off > start {
			col, start = col+utf8.RuneCountInString(text[start:off]), off
		}
		return Pos{src, line, col}
	}
	for i := 0; i < len(text); {
		c := text[i]
		switch {
		case c == '\n':
			toks = append(toks, token{kind: tokNewline, text: "end of line", at: at(i), off: i, note: note})
			i, line, start, col, note = i+1, line+1, i+1, 1, ""
		case c == ' ' || c == '\t' || c == '\r':
			i++
		case c == '\\' && (strings.HasPrefix(text[i:], "\\\n") || strings.HasPrefix(text[i:], "\\\r\n")):
			i = i + strings.IndexByte(text[i:], '\n') + 1
			line, start, col = line+1, i, 1
		case c == '#':
			end := i
			for end < len(text) && text[end] != '\n' {
				end++
			}
			note, i = strings.TrimSpace(text[i+1:end]), end
		case letter(c):
			end := i
			for end < len(text) && (letter(text[end]) || digit(text[end])) {
				end++
			}
			toks = append(toks, token{kind: tokName, text: text[i:end], at: at(i), off: i})
			i = end
		case digit(c) || c == '.' && i+1 < len(text) && digit(text[i+1]):
			t, end, err := number(text, i, at(i))
			if err != nil {
				return nil, err
			}
			t.off = i
			toks, i = append(toks, t), end
		default:
			op := ""
			for _, o := range operators {
				if strings.HasPrefix(text[i:], o) {
					op = o
					break
				}
			}
			if op == "" {
				r, _ := utf8.DecodeRuneInString(text[i:])
				hint := ""
				switch r {
				case '&', '|', '!', '~':
					hint = "write 'and', 'or', 'not' for truth values"
				case '^':
					hint = "write '**' for powers"
				case '.', '[', ']', '{', '}', '"', '\'':
					hint = "equations know names, numbers, operators and calls only"
				case '−', '–':
					hint = "write the minus sign as '-'"
				}
				return nil, At(at(i), hint, "unexpected character %q", r).Of(Syntax)
			}
			toks = append(toks, token{kind: tokOp, text: op, at: at(i), off: i})
			i += len(op)
		}
	}
	return append(toks, token{kind: tokEnd, text: "end of text", at: at(len(text)), off: len(text), note: note}), nil
}

func number(text string, i int, at Pos) (token, int, error) {
	end, whole := i, true
	for end < len(text) && digit(text[end]) {
		end++
	}
	if end < len(text) && text[end] == '.' {
		whole = false
		for end++; end < len(text) && digit(text[end]); end++ {
		}
	}
	if end < len(text) && (text[end] == 'e' || text[end] == 'E') {
		exp := end + 1
		if exp < len(text) && (text[exp] == '+' || text[exp] == '-') {
			exp++
		}
		if exp < len(text) && digit(text[exp]) {
			whole = false
			for end = exp; end < len(text) && digit(text[end]); end++ {
			}
		}
	}
	if end < len(text) && letter(text[end]) {
		return token{}, 0, At(at, "write '*' between a number and a unit", "a name follows the number %s directly", text[i:end]).Of(Syntax)
	}
	v, err := strconv.ParseFloat(text[i:end], 64)
	if err != nil || math.IsInf(v, 0) {
		return token{}, 0, At(at, "", "the number %s is out of range", clip(text[i:end])).Of(Syntax)
	}
	return token{kind: tokNumber, text: text[i:end], at: at, value: v, whole: whole && v < 1<<53}, end, nil
}

func letter(c byte) bool { return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }
func digit(c byte) bool  { return c >= '0' && c <= '9' }

func clip(s string) string {
	if len(s) > 40 {
		return s[:40] + "..."
	}
	return s
}
