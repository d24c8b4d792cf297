package python

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"go.starlark.net/syntax"
)

var anything = Modules{
	Known:       func(string) bool { return true },
	Has:         func(_, name string) bool { return len(name)%2 == 0 },
	Bound:       func(_, name, as string) bool { return name == "*" || len(as)%3 == 0 },
	Predeclared: func(name string) bool { return len(name) == 3 },
}

var options = &syntax.FileOptions{TopLevelControl: true, GlobalReassign: true, While: true, Recursion: true, Set: true, LoadBindsGlobally: true}

// FuzzParse reads whatever: no panic, and an error, like every node of a tree,
// stands within the text.
func FuzzParse(f *testing.F) {
	for _, pattern := range []string{"../testdata/python/*.py", "../../../examples/*.star"} {
		files, _ := filepath.Glob(pattern)
		for _, name := range files {
			src, err := os.ReadFile(name)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(string(src))
		}
	}
	for _, s := range []string{"", "x", "x = 1", "\tx\n  y", "f'{a!r:>{w}}{{'", "f'{x=:.1f}' 'b' r'\\d'", "f'''{\n'a'}'''", "f'{'", "f'{}'", "f'{a:{b:{c}}}'", "'\\N{DASH}'", "'\\x4'", "a = b, *c = d[1:2] = e", "x[1:2, ::3, ...]",
		"@d\n@e(1)\ndef f(a, *, b=1, **k) -> c: global x; x = 1", "def f():\n global f\n f = 1\nf()", "lambda: (yield)", "not not in x", "a not in b is not c < d", "{**a, 'b': 1}", "{*a, b}", "[*a for a in b]", "f(*a, b, c=1, **d, **e)",
		"import a.b as c, d\nfrom e import (f as g, h,)\nfrom . import x", "del a, b[0]", "assert a, b; raise c from d", "x: int = 3", "a @ b @= c", "1_000.5e-3j", "0777", "if a:\n\tb\n        c\n else: d", "\\\n", "(\n", ")", "x = '''", "é = “a”", "\ufeffx",
		"for a, (b, c) in d: pass\nelse: e", "sum = sum(x)", "x\n\\", "try:\n pass", "a = 1 if b else", "\x00", "f'\x00'", "x.if", "print 1", "a:b", "(a for b in c if d if e)", "load('a', 'b', c='d')", "def f(): load('a', 'b')"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, src string) {
		if !utf8.ValidString(src) || len(src) > 1<<16 { // refused before
			t.Skip()
		}
		lines := strings.Split(src, "\n")
		within := func(p syntax.Position) bool {
			return p.Line >= 1 && int(p.Line) <= len(lines) && p.Col >= 1 && int(p.Col) <= utf8.RuneCountInString(lines[p.Line-1])+1
		}
		s, err := Parse("fuzz.py", []byte(src), options, anything)
		if err != nil {
			var e *Error
			if !errors.As(err, &e) || e.Msg == "" || !within(e.Pos) {
				t.Fatalf("the error is %#v", err)
			}
			return
		}
		syntax.Walk(s.Tree, func(n syntax.Node) bool {
			switch n := n.(type) {
			case nil:
			case *syntax.Ident:
				if !within(n.NamePos) {
					t.Errorf("the name %s is at %v", n.Name, n.NamePos)
				}
			case *syntax.Literal:
				if !within(n.TokenPos) {
					t.Errorf("the literal %v is at %v", n.Value, n.TokenPos)
				}
			}
			return true
		})
		for _, pieces := range s.Pieces {
			for _, p := range pieces {
				if !within(syntax.MakePosition(nil, int32(p.Line), int32(p.Col))) {
					t.Errorf("a piece of a text is at %d:%d", p.Line, p.Col)
				}
			}
		}
	})
}

// TestPlaces: names stand where the text has them, also behind what was put in
// other words.
func TestPlaces(t *testing.T) {
	src := "a = b = x0\nf'{x1:{x2}} {x3!r}' 'é' f'{x4}'\nx5 < x6 < x7\n@x8\ndef g(): return x9 ** x10\nW[x11, :, x12:x13]\n(*x14, x15)\n{**x16}\nassert x17, x18\ni += x19; del x20[x21]\n"
	s, err := Parse("p.py", []byte(src), options, anything)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	lines := strings.Split(src, "\n")
	syntax.Walk(s.Tree, func(n syntax.Node) bool {
		if id, ok := n.(*syntax.Ident); ok && strings.HasPrefix(id.Name, "x") {
			found[id.Name] = true
			if r := []rune(lines[id.NamePos.Line-1])[id.NamePos.Col-1:]; !strings.HasPrefix(string(r), id.Name) {
				t.Errorf("%s is said to be at %v", id.Name, id.NamePos)
			}
		}
		return true
	})
	if len(found) != 22 {
		t.Errorf("%d names of 22 are in the tree", len(found))
	}
}
