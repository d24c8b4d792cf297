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
	if p.Src.Flat && p.Line > 1 && p.Line <= len(lines) {
		before := strings.Join(lines[:p.Line-1], "\\n") + "\\n" // as the file has it
		e.Line, e.Col = p.Src.Line, p.Src.Col+utf8.RuneCountInString(before)+p.Col-1
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
// to an unknown one, "" if none is close.
func Nearest(name string, names []string) string {
	best, at := "", 1+len(name)/3
	sorted := append([]string(nil), names...)
	sort.Strings(sorted)
	for _, n := range sorted {
		d := distance(name, n, at)
		longer := d == at && strings.HasPrefix(n, name) && !strings.HasPrefix(best, name) // of equals the one that goes on
		if d < at || d == at && best == "" || longer {
			best, at = n, d
		}
	}
	if best == "" || at >= len(name) {
		return ""
	}
	return fmt.Sprintf("did you mean '%s'?", best)
}

// distance is the number of insertions, deletions, replacements and exchanges
// of neighbours from a to b (case aside counts half a step up), limit+1 if more.
func distance(a, b string, limit int) int {
	if strings.EqualFold(a, b) {
		return 1
	}
	if d := len(a) - len(b); d > limit || -d > limit {
		return limit + 1
	}
	var rows [3][]int
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		prev, cur, before := rows[(i-1)%3], rows[i%3], rows[(i+1)%3]
		cur[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			cur[j] = min(prev[j]+1, cur[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				cur[j] = min(cur[j], before[j-2]+1)
			}
		}
	}
	return rows[len(a)%3][len(b)]
}
