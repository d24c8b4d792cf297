package eqn

import (
	"fmt"
	"sort"
	"strings"
	"unicode/utf8"
)

// Error is an error at a place in a model's text.
type Error struct {
	File      string
	Line, Col int    // in File, from 1; 0 where there is no place
	Snippet   string // the line of text
	Caret     int    // column of the caret in Snippet, from 1
	Msg       string
	Hint      string // "did you mean 'taum'?"
	Class     Class  // "": any other
}

// Error prints file:line:col: message, the line with a caret, and the hint.
func (e *Error) Error() string {
	var s strings.Builder
	if e.Line > 0 {
		if e.File != "" {
			s.WriteString(e.File + ":")
		}
		fmt.Fprintf(&s, "%d:%d: ", e.Line, e.Col)
	}
	s.WriteString(e.Msg)
	if e.Snippet != "" {
		pad := make([]rune, 0, e.Caret)
		for i, r := range []rune(e.Snippet) {
			if i >= e.Caret-1 {
				break
			}
			if r != '\t' {
				r = ' '
			}
			pad = append(pad, r)
		}
		fmt.Fprintf(&s, "\n  %s\n  %s^", e.Snippet, string(pad))
	}
	if e.Hint != "" {
		s.WriteString("\n  " + e.Hint)
	}
	return s.String()
}

// At makes an error at a place of a source.
func At(p Pos, hint, format string, args ...any) *Error {
	e := &Error{Msg: fmt.Sprintf(format, args...), Hint: hint}
	if p.Src == nil || p.Line == 0 {
		return e
	}
	e.File, e.Line, e.Col, e.Caret = p.Src.File, p.Line, p.Col, p.Col
	if p.Src.Line > 0 {
		e.Line = p.Src.Line + p.Line - 1
		if p.Line == 1 && p.Src.Col > 0 {
			e.Col = p.Src.Col + p.Col - 1
		}
	}
	lines := strings.Split(p.Src.Text, "\n")
	if len(p.Src.Pieces) > 0 && p.Line <= len(lines) {
		e.Line, e.Col = p.Src.place(lines, p)
	}
	if p.Line <= len(lines) {
		e.Snippet = strings.TrimRight(lines[p.Line-1], "\r \t")
		if cut := len(e.Snippet) - len(strings.TrimLeft(e.Snippet, " \t")); cut > 0 && cut < e.Caret {
			e.Snippet, e.Caret = e.Snippet[cut:], e.Caret-cut
		}
		e.Snippet, e.Caret = Window(e.Snippet, e.Caret)
	}
	return e
}

// Of says of what class the error is.
func (e *Error) Of(c Class) *Error {
	e.Class = c
	return e
}

// place is where the file has a place of a text in pieces.
func (s *Source) place(lines []string, p Pos) (line, col int) {
	at := 0
	for _, l := range lines[:p.Line-1] {
		at += len(l) + 1
	}
	for k := range lines[p.Line-1] {
		if p.Col--; p.Col == 0 {
			at += k
			break
		}
	}
	if p.Col > 0 { // behind the line
		at += len(lines[p.Line-1])
	}
	piece := s.Pieces[0]
	for _, q := range s.Pieces {
		if q.From <= at {
			piece = q
		}
	}
	between := s.Text[piece.From:min(at, len(s.Text))]
	if k := strings.LastIndexByte(between, '\n'); k >= 0 {
		return piece.Line + strings.Count(between, "\n"), 1 + utf8.RuneCountInString(between[k+1:])
	}
	return piece.Line, piece.Col + utf8.RuneCountInString(between)
}

// Window is what an error shows of a long line, around the caret.
func Window(line string, caret int) (string, int) {
	n := utf8.RuneCountInString(line)
	if n <= 120 {
		return line, caret
	}
	r := []rune(line)
	lo := max(0, min(caret-60, n-120))
	return string(r[lo:min(n, lo+120)]), caret - lo
}

// Nearest is the hint "did you mean 'x'?" for the name of names that is closest
// to an unknown one, "" if none is close: at most a third of its letters and one
// differ, and not all. Letters count first, then their case.
func Nearest(name string, names []string) string {
	size := utf8.RuneCountInString(name)
	best, at := "", 4*(size/3+2)
	sorted := append([]string(nil), names...)
	sort.Strings(sorted)
	lower := strings.ToLower(name)
	for _, n := range sorted {
		if n == name {
			continue
		}
		d := distance(lower, strings.ToLower(n))
		if d > 0 && d >= size {
			continue
		}
		d = 4*d + min(3, distance(name, n)-d)
		longer := d == at && best != "" && strings.HasPrefix(n, name) && !strings.HasPrefix(best, name) // of equals the one that goes on
		if d < at || longer {
			best, at = n, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf("did you mean '%s'?", best)
}

// maxCompared bounds the names whose distance is counted; longer ones are far
// from everything.
const maxCompared = 100

// distance is the number of insertions, deletions, replacements and exchanges
// of neighbours from a to b.
func distance(a, b string) int {
	x, y := []rune(a), []rune(b)
	if len(x) > maxCompared || len(y) > maxCompared {
		return max(len(x), len(y))
	}
	var rows [3][]int
	for i := range rows {
		rows[i] = make([]int, len(y)+1)
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(x); i++ {
		prev, cur, before := rows[(i-1)%3], rows[i%3], rows[(i+1)%3]
		cur[0] = i
		for j := 1; j <= len(y); j++ {
			cost := 1
			if x[i-1] == y[j-1] {
				cost = 0
			}
			cur[j] = min(prev[j]+1, cur[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && x[i-1] == y[j-2] && x[i-2] == y[j-1] {
				cur[j] = min(cur[j], before[j-2]+1)
			}
		}
	}
	return rows[len(x)%3][len(y)]
}
