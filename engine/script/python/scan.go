package python

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.starlark.net/syntax"
)

type kind uint8

const (
	end     kind = iota // of the text
	newline             // of a statement
	indent              // of a block
	dedent
	word   // a name or a keyword
	num    // a number
	quoted // a text with its prefix and quotes
	sign   // an operator or a bracket
)

type token struct {
	kind kind
	text string
	at   syntax.Position
	off  int // of its first byte
}

func (t token) String() string {
	switch t.kind {
	case end:
		return "the end of the file"
	case newline:
		return "the end of the line"
	case indent:
		return "an indented line"
	case dedent:
		return "the end of the block"
	case quoted:
		return "a text"
	}
	if len(t.text) > 40 {
		return fmt.Sprintf("%.40s...", t.text)
	}
	return "'" + t.text + "'"
}

var keywords = map[string]bool{}

func init() {
	for _, w := range strings.Fields("and as assert async await break class continue def del elif else except finally for from global if import in is lambda nonlocal not or pass raise return try while with yield") {
		keywords[w] = true
	}
}

// signs are the operators of more than one letter, the longest first.
var signs = strings.Fields("**= //= >>= <<= ... ** // >> << <= >= == != -> := += -= *= /= %= &= |= ^= @=")

// scanner cuts a text into tokens.
type scanner struct {
	name      *string
	src       string
	off       int
	line, col int32
	depth     int   // of brackets: lines end nothing within
	indents   []int // of the blocks around
	dents     int   // blocks that begin (1) or end (negative) before the next token
	fresh     bool  // at the beginning of a line
	last      kind  // of the last token
}

func (s *scanner) here() syntax.Position { return syntax.MakePosition(s.name, s.line, s.col) }

// skip goes n bytes on.
func (s *scanner) skip(n int) {
	for stop := s.off + n; s.off < stop; {
		r, size := utf8.DecodeRuneInString(s.src[s.off:])
		s.off += size
		if s.col++; r == '\n' {
			s.line, s.col = s.line+1, 1
		}
	}
}

func (s *scanner) rest() string { return s.src[s.off:] }

// byteAt is a byte of the text from here, 0 behind its end.
func (s *scanner) byteAt(n int) byte {
	if s.off+n < len(s.src) {
		return s.src[s.off+n]
	}
	return 0
}

const noText = "a NUL byte: this is no text"

// blank passes blanks, comments and, in brackets, ends of lines.
func (s *scanner) blank() {
	for s.off < len(s.src) {
		switch c := s.src[s.off]; {
		case c == ' ', c == '\t', c == '\f', c == '\n' && s.depth > 0:
			s.skip(1)
		case c == '\\' && s.byteAt(1) == '\n':
			s.skip(2)
		case c == '#':
			n := strings.IndexAny(s.rest(), "\n\x00")
			if n < 0 {
				n = len(s.rest())
			}
			if s.skip(n); s.byteAt(0) == 0 && s.off < len(s.src) {
				s.fail(s.here(), "", noText)
			}
		default:
			return
		}
	}
}

// indentation reads the beginning of a line that holds something.
func (s *scanner) indentation() {
	for s.fresh = false; ; s.skip(1) {
		s.blank()
		if s.byteAt(0) == '\n' {
			continue
		}
		width := 0
		if s.off < len(s.src) {
			for k := strings.LastIndexByte(s.src[:s.off], '\n') + 1; k < s.off; k++ {
				switch s.src[k] {
				case '\t':
					width += 8 - width%8
				default:
					width++
				}
			}
		}
		top := len(s.indents) - 1
		switch {
		case width > s.indents[top]:
			s.indents, s.dents = append(s.indents, width), 1
		case width < s.indents[top]:
			for s.indents[top] > width {
				top, s.dents = top-1, s.dents-1
			}
			if s.indents = s.indents[:top+1]; s.indents[top] != width {
				s.fail(s.here(), "", "this line is indented as no line before it")
			}
		}
		return
	}
}

// scan reads the next token.
func (s *scanner) scan() token {
	t := s.token()
	s.last = t.kind
	return t
}

func (s *scanner) token() token {
	if s.fresh && s.depth == 0 {
		s.indentation()
	}
	switch {
	case s.dents > 0:
		s.dents--
		return token{kind: indent, at: s.here(), off: s.off}
	case s.dents < 0:
		s.dents++
		return token{kind: dedent, at: s.here(), off: s.off}
	}
	s.blank()
	t := token{at: s.here(), off: s.off}
	if s.off >= len(s.src) {
		if s.last != end && s.last != newline && s.last != dedent && s.depth == 0 { // the last line has no end of its own
			t.kind, s.fresh = newline, true
		}
		return t
	}
	c := s.src[s.off]
	switch {
	case c == '\n':
		s.skip(1)
		t.kind, s.fresh = newline, true
		return t
	case c == 0:
		s.fail(t.at, "", noText)
	case digit(c), c == '.' && digit(s.byteAt(1)):
		t.kind = num
		s.skip(s.numberLen())
	case c == '"' || c == '\'' || s.prefixed() > 0:
		t.kind = quoted
		s.skip(s.prefixed())
		s.skip(s.textLen(t))
	case letter(c):
		t.kind = word
		s.skip(s.wordLen())
	default:
		t.kind = sign
		s.skip(s.signLen())
	}
	t.text = s.src[t.off:s.off]
	switch {
	case t.kind != sign:
	case strings.Contains("([{", t.text):
		s.depth++
	case strings.Contains(")]}", t.text) && s.depth > 0:
		s.depth--
	}
	return t
}

func digit(c byte) bool { return '0' <= c && c <= '9' }
func letter(c byte) bool {
	return c == '_' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || c >= utf8.RuneSelf
}

// prefixed is the length of the letters before the quote of a text, 0 if there is none.
func (s *scanner) prefixed() int {
	for n := range 3 {
		switch c := s.byteAt(n); {
		case c == '"' || c == '\'':
			return n
		case strings.IndexByte("rRbBuUfF", c) < 0:
			return 0
		}
	}
	return 0
}

func (s *scanner) wordLen() int {
	for n, r := range s.rest() {
		if r == '_' || unicode.IsLetter(r) || n > 0 && (unicode.IsDigit(r) || unicode.Is(unicode.Mn, r)) {
			continue
		}
		if n == 0 {
			hint := ""
			if strings.ContainsRune("‘’“”´`", r) {
				hint = "texts stand in straight quotes: ' or \""
			}
			s.fail(s.here(), hint, "unexpected %q", r)
		}
		return n
	}
	return len(s.rest())
}

// numberLen is the length of what is written as a number; see number for its value.
func (s *scanner) numberLen() int {
	r, n := s.rest(), 0
	if len(r) > 1 && r[0] == '0' && strings.IndexByte("xXoObB", r[1]) >= 0 {
		for n = 2; n < len(r) && (digit(r[n]) || letter(r[n]) && r[n] < utf8.RuneSelf); n++ {
		}
		return n
	}
	digits := func() {
		for n < len(r) && (digit(r[n]) || r[n] == '_') {
			n++
		}
	}
	digits()
	if n < len(r) && r[n] == '.' {
		n++
		digits()
	}
	if n < len(r) && (r[n] == 'e' || r[n] == 'E') {
		k := n + 1
		if k < len(r) && (r[k] == '+' || r[k] == '-') {
			k++
		}
		if k < len(r) && digit(r[k]) {
			n = k
			digits()
		}
	}
	return n
}

func (s *scanner) signLen() int {
	for _, w := range signs {
		if strings.HasPrefix(s.rest(), w) {
			return len(w)
		}
	}
	if c := s.src[s.off]; strings.IndexByte("+-*/%@&|^~<>()[]{},:.;=!", c) < 0 {
		hint := ""
		if c == '\\' {
			hint = "a line goes on after \\ only where nothing follows it"
		}
		s.fail(s.here(), hint, "unexpected %q", rune(c))
	}
	return 1
}

// textLen is the length of a text from its quote on. In an f-string, quotes
// within braces belong to what stands there.
func (s *scanner) textLen(t token) int {
	prefix := s.src[t.off:s.off]
	n := quotedLen(s.rest(), strings.ContainsAny(prefix, "fF"), 0)
	if n < 0 {
		s.fail(t.at, "", "this text has no end")
	}
	return n
}

// quotedLen is the length of a text from its quote on, -1 if it has no end.
func quotedLen(r string, format bool, level int) int {
	quote := r[:1]
	if strings.HasPrefix(r, strings.Repeat(quote, 3)) {
		quote = r[:3]
	}
	braces := 0
	for n := len(quote); n < len(r); n++ {
		switch c := r[n]; {
		case braces == 0 && strings.HasPrefix(r[n:], quote):
			return n + len(quote)
		case c == '\\' && n+1 < len(r):
			n++
		case c == '\n' && len(quote) == 1:
			return -1
		case !format:
		case c == '{' && braces == 0 && strings.HasPrefix(r[n:], "{{"):
			n++
		case c == '{':
			braces++
		case c == '}' && braces > 0:
			braces--
		case braces > 0 && (c == '"' || c == '\'') && level < 8:
			k := quotedLen(r[n:], r[n-1] == 'f' || r[n-1] == 'F', level+1)
			if k < 0 {
				return -1
			}
			n += k - 1
		}
	}
	return -1
}
