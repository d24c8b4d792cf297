package python

import (
	"math/big"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.starlark.net/syntax"
)

// maxDigits bounds a number as it is written: whole numbers end at 2^20 bits.
const maxDigits = 1 << 18

// number is the value of a number.
func (p *parser) number() syntax.Expr {
	t := p.next()
	if len(t.text) > maxDigits {
		p.fail(t.at, "", "a number of %d digits: whole numbers have at most %d bits", len(t.text), 4*maxDigits)
	}
	if p.tok.kind == word && p.tok.off == t.off+len(t.text) && !keywords[p.tok.text] {
		hint := ""
		if p.tok.text == "j" || p.tok.text == "J" {
			hint = "there are no complex numbers: the angle of sum(n*exp(1j*a)) is arctan2(sum(n*sin(a)), sum(n*cos(a)))"
		}
		p.fail(t.at, hint, "'%s%s' is no number", t.text, p.tok.text)
	}
	digits := strings.ReplaceAll(t.text, "_", "")
	l := &syntax.Literal{Token: syntax.INT, TokenPos: t.at, Raw: t.text}
	bad := strings.HasSuffix(t.text, "_") || strings.Contains(t.text, "__")
	if strings.ContainsAny(digits, ".eE") && !strings.HasPrefix(digits, "0x") && !strings.HasPrefix(digits, "0X") {
		f, err := strconv.ParseFloat(digits, 64)
		l.Token, l.Value = syntax.FLOAT, f
		if bad || err != nil && f == 0 { // what is too large is infinite, as in Python
			p.fail(t.at, "", "'%s' is no number", t.text)
		}
		return l
	}
	base := 0
	if trimmed := strings.TrimLeft(digits, "0"); digit(digits[len(digits)-1]) && trimmed == "" {
		digits = "0"
	} else if len(trimmed) < len(digits) && digit(trimmed[0]) && digit(digits[1]) {
		p.fail(t.at, "0o is what numbers to the base of 8 begin with", "'%s': a whole number begins with no 0", t.text)
	}
	n, ok := new(big.Int).SetString(digits, base)
	if !ok || bad {
		p.fail(t.at, "", "'%s' is no number", t.text)
	}
	if l.Value = n; n.IsInt64() {
		l.Value = n.Int64()
	}
	return l
}

// texts are one or several texts side by side, which are one.
func (p *parser) texts() syntax.Expr {
	first := p.tok
	var b strings.Builder
	var pieces []Piece
	var parts []syntax.Expr // of an f-string: text, value, conversion, format, ..., text
	plain, bytes := true, false
	flush := func() {
		l := text(b.String(), first.at)
		parts = append(parts, l)
		b.Reset()
	}
	for n := 0; p.tok.kind == quoted; n++ {
		t := p.next()
		k := strings.IndexAny(t.text, `"'`)
		prefix := strings.ToLower(t.text[:k])
		if n > 0 && bytes != strings.Contains(prefix, "b") {
			p.fail(t.at, "", "bytes and text cannot stand side by side")
		}
		bytes = strings.Contains(prefix, "b")
		quote := 1
		if len(t.text) >= k+6 && t.text[k:k+3] == strings.Repeat(t.text[k:k+1], 3) {
			quote = 3
		}
		body := scanner{name: p.name, src: p.src[:t.off+len(t.text)-quote], off: t.off, line: t.at.Line, col: t.at.Col}
		body.skip(k + quote)
		raw, format := strings.Contains(prefix, "r"), strings.Contains(prefix, "f")
		pieces = append(pieces, Piece{b.Len(), int(body.line), int(body.col)})
		for body.off < len(body.src) {
			r := body.rest()
			stop := strings.IndexAny(r, `\{}`)
			if stop < 0 {
				stop = len(r)
			}
			if stop > 0 {
				b.WriteString(r[:stop])
				body.skip(stop)
				continue
			}
			c := r[0]
			switch {
			case c == '\\' && !raw:
				at := body.here()
				n, ok := escape(&b, r)
				if !ok {
					p.fail(at, "write \\\\ for a \\", "'%.10s' is no character", strings.SplitN(r, "\n", 2)[0])
				}
				body.skip(n)
				pieces = append(pieces, Piece{b.Len(), int(body.line), int(body.col)})
			case c == '\\' && len(r) > 1 || !format: // a backslash keeps what follows
				n := 1
				if c == '\\' && len(r) > 1 && !(format && strings.IndexByte("{}", r[1]) >= 0) {
					_, size := utf8.DecodeRuneInString(r[1:])
					n += size
				}
				b.WriteString(r[:n])
				body.skip(n)
			case strings.HasPrefix(r, "{{"), strings.HasPrefix(r, "}}"):
				b.WriteByte(c)
				body.skip(2)
			case c == '{':
				plain = false
				p.field(&body, &b, func(value, conversion, spec syntax.Expr) {
					flush()
					parts = append(parts, value, conversion, spec)
				}, 0)
			default:
				p.fail(body.here(), "write }} for a }", "a '}' without its '{'")
			}
		}
	}
	if !plain {
		flush()
		return call(Text, first.at, parts...)
	}
	l := text(b.String(), first.at)
	if l.Raw = first.text; bytes {
		l.Token = syntax.BYTES
	}
	if len(pieces) > 1 {
		p.pieces[l] = pieces
	}
	return l
}

// field reads {value!conversion:format} of an f-string.
func (p *parser) field(body *scanner, b *strings.Builder, add func(value, conversion, spec syntax.Expr), level int) {
	open := body.here()
	if p.enter(); level > 1 {
		p.fail(open, "", "braces within braces within braces")
	}
	defer p.leave()
	body.skip(1)
	q := &parser{scanner: *body, mods: p.mods, pieces: p.pieces, absent: p.absent, globals: p.globals, level: p.level, declared: p.declared}
	q.depth, q.last = 1, end
	begin := q.off
	q.next()
	if q.is("}") || q.tok.kind == end {
		p.fail(open, "", "nothing stands in the braces")
	}
	// A lone ! is no token of Python's: what stands before it ends there.
	value := q.tuple()
	at := q.tok.at
	conversion := ""
	shown := q.src[begin:q.tok.off]
	if q.is("=") { // {x=} shows the text, too
		*body = q.scanner
		body.blank()
		shown = q.src[begin:body.off]
		b.WriteString(shown)
		conversion = "r"
		q.scanner = *body
		q.next()
	}
	if q.is("!") {
		q.next()
		if q.tok.kind != word || len(q.tok.text) != 1 || strings.IndexByte("rsa", q.tok.text[0]) < 0 {
			p.fail(q.tok.at, "", "after ! stands r, s or a")
		}
		conversion = q.next().text
	}
	var spec syntax.Expr = text("", at)
	switch {
	case q.is(":"), q.is(":="):
		*body = q.scanner
		body.off, body.line, body.col = q.tok.off+1, q.tok.at.Line, q.tok.at.Col+1 // behind the colon
		if conversion == "r" && strings.HasSuffix(strings.TrimRight(shown, " "), "=") {
			conversion = ""
		}
		spec = p.spec(body, level)
	case q.is("}"):
		*body = q.scanner
	default:
		p.fail(q.tok.at, "", "expected '}', got %s", q.tok)
	}
	add(value, text(conversion, at), spec)
}

// spec reads a format up to the brace that ends it; it may hold fields.
func (p *parser) spec(body *scanner, level int) syntax.Expr {
	at := body.here()
	var b strings.Builder
	var parts []syntax.Expr
	for {
		if body.off >= len(body.src) {
			p.fail(at, "", "a '{' without its '}'")
		}
		switch c := body.src[body.off]; c {
		case '}':
			body.skip(1)
			last := text(b.String(), at)
			if parts == nil {
				return last
			}
			return call(Text, at, append(parts, last)...)
		case '{':
			p.field(body, &b, func(value, conversion, spec syntax.Expr) {
				parts = append(parts, text(b.String(), at), value, conversion, spec)
				b.Reset()
			}, level+1)
		default:
			b.WriteByte(c)
			body.off++
			if c < utf8.RuneSelf || utf8.RuneStart(c) {
				body.col++
			}
			if c == '\n' {
				body.line, body.col = body.line+1, 1
			}
		}
	}
}

var plainEscapes = map[byte]string{'\n': "", '\\': "\\", '\'': "'", '"': "\"", 'a': "\a", 'b': "\b", 'f': "\f", 'n': "\n", 'r': "\r", 't': "\t", 'v': "\v"}

// escape writes what a backslash and the letters after it mean; it returns their
// length. What Python does not know stays as it is.
func escape(b *strings.Builder, r string) (n int, ok bool) {
	if len(r) < 2 {
		b.WriteByte('\\')
		return 1, true
	}
	c := r[1]
	if s, known := plainEscapes[c]; known {
		b.WriteString(s)
		return 2, true
	}
	code := func(from, size, base int) (int, bool) {
		if len(r) < from+size {
			return 0, false
		}
		v, err := strconv.ParseUint(r[from:from+size], base, 32)
		if err != nil || v > utf8.MaxRune {
			return 0, false
		}
		b.WriteRune(rune(v))
		return from + size, true
	}
	switch c {
	case 'x':
		return code(2, 2, 16)
	case 'u':
		return code(2, 4, 16)
	case 'U':
		return code(2, 8, 16)
	case 'N':
		return 0, false
	case '0', '1', '2', '3', '4', '5', '6', '7':
		size := 1
		for size < 3 && len(r) > 1+size && '0' <= r[1+size] && r[1+size] <= '7' {
			size++
		}
		return code(1, size, 8)
	}
	b.WriteByte('\\')
	return 1, true
}
