package script

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"go.starlark.net/starlark"

	"synfire/engine/eqn"
	"synfire/engine/figure"
	"synfire/engine/models"
	"synfire/engine/script/argument"
	"synfire/engine/script/array"
	"synfire/engine/script/python"
)

var update = flag.Bool("update", false, "write docs/reference.md anew")

const (
	referencePage  = "../../docs/reference.md"
	referenceTexts = "testdata/reference/names.txt"
)

// entry is a line of testdata/reference/names.txt: names, what they are, an example.
type entry struct {
	line    int
	names   []string
	form    string // how it is called, where the code has no list of parameters: "(x, y)"
	text    string
	example string
}

// chapter is a heading with what belongs to it.
type chapter struct {
	title  string
	text   []string
	setup  string // runs before the examples
	blocks []*block
}

// block is names of one kind: "builtins", "type group", "module numpy.random", "models", "texts", "python", "units", "none".
type block struct {
	kind, of string
	heading  string
	label    string // what has the attributes of a type
	entries  []*entry
}

// row is an entry for one of its names: all of them where the example is not that of NAME.
type row struct {
	*entry
	name string
}

// readReference reads names.txt.
func readReference(t *testing.T) []*chapter {
	b, err := os.ReadFile(referenceTexts)
	if err != nil {
		t.Fatal(err)
	}
	var all []*chapter
	var c *chapter
	var at *block
	heading, code := "", false
	for k, line := range strings.Split(string(b), "\n") {
		switch {
		case strings.HasPrefix(line, "```"):
			code = line == "```python"
		case code:
			c.setup += line + "\n"
		case strings.HasPrefix(line, "## "):
			c = &chapter{title: line[3:]}
			all, at = append(all, c), nil
		case strings.HasPrefix(line, "### "):
			heading = line[4:]
		case strings.HasPrefix(line, "@"):
			kind, of, _ := strings.Cut(line[1:], " ")
			of, label, _ := strings.Cut(of, ": ")
			at = &block{kind: kind, of: of, heading: heading, label: label}
			heading = ""
			c.blocks = append(c.blocks, at)
		case line == "":
		case at == nil:
			c.text = append(c.text, line)
		case at.kind == "none":
			at.entries = append(at.entries, &entry{line: k + 1, names: strings.Split(line, ", ")})
		default:
			part := strings.Split(line, " :: ")
			if len(part) == 2 && strings.Contains(line, " :: :: ") {
				part = []string{part[0], "", strings.TrimPrefix(part[1], ":: ")}
			}
			if at.kind == "python" && len(part) == 2 {
				part = []string{part[0], "", part[1]}
			}
			if len(part) != 3 {
				t.Fatalf("%s:%d: expected names :: text :: example", referenceTexts, k+1)
			}
			e := &entry{line: k + 1, text: part[1], example: part[2]}
			names, form, called := strings.Cut(part[0], "(")
			if called {
				e.form = "(" + form
			}
			if at.kind == "python" {
				_, names, _ = strings.Cut(names, ": ")
				e.form = strings.TrimSuffix(part[0], ": "+names)
			}
			e.names = strings.Split(names, ", ")
			at.entries = append(at.entries, e)
		}
	}
	return all
}

// probe is a script from which parameters are read; it runs nothing.
func probe() *script {
	x := newScript(context.Background(), Options{File: "testdata/reference/probe.star"})
	x.begin()
	return x
}

var errProbe = errors.New("a probe")

// parametersOf are the parameters of a function, as its call would be matched with them; not, where it looks at its arguments itself.
func parametersOf(x *script, f starlark.Value) (params []argument.Param, listed bool) {
	defer func() { recover() }() // without arguments some have nothing to work on
	argument.Trace = func(p []argument.Param, _ *argument.Call) error {
		if !listed {
			params, listed = p, true
		}
		return errProbe
	}
	defer func() { argument.Trace = nil }()
	starlark.Call(x.thread, f, nil, nil)
	return params, listed
}

// list writes parameters down as argument.Params reads them, without those that are refused.
func listOf(fn string, params []argument.Param) string {
	var l []string
	required, named := true, false
	for _, p := range params {
		if _, refused := absentArgs[fn+"."+p.Name]; refused && p.Name != "method_options" {
			continue
		}
		if !p.Required && required {
			l, required = append(l, "/"), false
		}
		if p.Named && !named {
			l, named = append(l, "*"), true
		}
		if p.Default != "" {
			p.Name += "=" + p.Default
		}
		l = append(l, p.Name)
	}
	return strings.Join(l, " ")
}

// shown is how a name of a block is called.
func shown(x *script, b *block, e *entry, name string, t *testing.T) string {
	var f starlark.Value
	switch b.kind {
	case "builtins":
		f = x.predeclared[name]
	case "module":
		if m := x.imports[b.of]; m != nil {
			f = m.members[name]
		} else if m, ok := x.predeclared[b.of].(*pymodule); ok {
			f = m.members[name]
		}
	case "models":
		g, err := x.loadModel(name)
		if err != nil {
			t.Error(err)
			return name
		}
		var l []string
		for k := range g.NumParams() {
			p, _ := g.Param(k)
			if d := g.ParamDefault(k); d != nil {
				text := array.ValueText(d)
				if _, is := d.(starlark.String); is {
					text = "'" + text + "'"
				}
				p += "=" + text
			}
			l = append(l, p)
		}
		return name + "(" + strings.Join(l, ", ") + ")"
	case "type":
		bound := slices.Contains(strings.Fields("group synapses monitor spikes rates network nirNetwork"), b.of)
		if params, ok := methodParams[name]; ok && bound && e.form == "" && (name != "stop" || b.of == "network") {
			return signature(name, listOf(name, argument.Params(params)))
		}
		return name + e.form
	default:
		return name
	}
	if _, isFunction := f.(*starlark.Builtin); isFunction {
		params, listed := parametersOf(x, f)
		switch {
		case listed && (e.form != "" && len(e.names) == 1):
			t.Errorf("%s:%d: %s has a list of parameters in the code: write none here", referenceTexts, e.line, name)
		case listed:
			return signature(name, listOf(name, params))
		}
	}
	return name + e.form
}

// attributeCases are the names that the methods Attr of a package's types look for, by type, but for those that they refuse.
func attributeCases(t *testing.T, dir, prefix string) map[string][]string {
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string][]string{}
	for _, file := range files {
		if !strings.HasSuffix(file.Name(), ".go") || strings.HasSuffix(file.Name(), "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), path.Join(dir, file.Name()), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok || fn.Recv == nil || strings.ToLower(fn.Name.Name) != "attr" {
				continue
			}
			recv := fn.Recv.List[0].Type
			if star, ok := recv.(*ast.StarExpr); ok {
				recv = star.X
			}
			of := prefix + recv.(*ast.Ident).Name
			refuses := func(n ast.Node) (r bool) {
				ast.Inspect(n, func(n ast.Node) bool {
					if s, ok := n.(*ast.SelectorExpr); ok && s.Sel.Name == "Unsupported" {
						r = true
					}
					return true
				})
				return r
			}
			literal := func(x ast.Expr) {
				if l, ok := x.(*ast.BasicLit); ok && l.Kind == token.STRING {
					s, _ := strconv.Unquote(l.Value)
					all[of] = append(all[of], s)
				}
			}
			isName := func(x ast.Expr) bool { id, ok := x.(*ast.Ident); return ok && id.Name == "name" }
			ast.Inspect(fn.Body, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.FuncLit:
					return false
				case *ast.SwitchStmt:
					for _, s := range n.Body.List {
						if cc := s.(*ast.CaseClause); n.Tag != nil && isName(n.Tag) && !refuses(cc) {
							for _, x := range cc.List {
								literal(x)
							}
						}
					}
				case *ast.CaseClause: // switch { case name == "dt" && ...: }
					if refuses(n) {
						return false
					}
				case *ast.IfStmt:
					if refuses(n.Body) {
						return false
					}
				case *ast.BinaryExpr:
					if (n.Op == token.EQL || n.Op == token.NEQ) && isName(n.X) {
						literal(n.Y)
					}
				}
				return true
			})
		}
	}
	return all
}

// known are the names that the code has, by block: "builtins ", "module random", "type group".
func known(t *testing.T, x *script) map[string]map[string]bool {
	all := map[string]map[string]bool{}
	add := func(of string, names ...string) {
		if all[of] == nil {
			all[of] = map[string]bool{}
		}
		for _, n := range names {
			all[of][n] = true
		}
	}
	units := map[string]bool{}
	for _, u := range eqn.UnitNames() {
		units[u] = true
	}
	for n := range x.predeclared {
		if !strings.HasPrefix(n, "<") && !units[n] && library[n] == "" {
			add("builtins ", n)
		}
	}
	add("builtins ", slices.Collect(maps.Keys(starlark.Universe))...)
	for n := range library {
		add("models ", n)
	}
	for name, m := range x.imports {
		for n, v := range m.members {
			if !same(v, x.predeclared[n]) && !same(v, starlark.Universe[n]) && !strings.HasPrefix(n, "__") || name == "numpy.random" || name == "analysis" {
				add("module "+name, n)
			}
		}
	}
	for n := range surrogates {
		add("module surrogate", n)
	}
	for of, names := range attributeCases(t, ".", "") {
		add("type "+of, names...)
	}
	for of, names := range attributeCases(t, "array", "array.") {
		add("type "+of, names...)
	}
	add("type array.Array", (*array.Array)(nil).AttrNames()...)
	add("type array.Quantity", array.Quantity{}.AttrNames()...)
	for _, n := range eqn.BuiltinNames() {
		if _, constant := eqn.LookupConstant(n); !constant && !units[n] {
			add("texts ", n)
		}
	}
	for n := range pythonMethods {
		add("python ", n)
	}
	for _, v := range []starlark.HasAttrs{starlark.String(""), new(starlark.List), new(starlark.Dict), new(starlark.Set)} {
		add("python ", v.AttrNames()...)
	}
	return all
}

// untold are names that the reference says in a sentence, or elsewhere under another one.
var untold = map[string]string{
	"type pymodule": "names of modules", "type shared": "the language's own", "type made": "results of train(), by their members", "type record": "variables of a StateMonitor",
	"type preferences": "without an effect", "type collected": "a Network", "module matplotlib": "pylab", "module matplotlib.ticker": "without an effect", "module matplotlib.gridspec": "pylab",
	"module matplotlib.pyplot": "the functions of pylab, which are names without a module, too", "module pylab": "the same", "module matplotlib.pylab": "the same", "module warnings": "without an effect", "module numpy": "NumPy's are names without a module, too",
	"module brian2": "all names", "module device": "without an effect", "module multiprocessing.pool": "multiprocessing's", "module matplotlib.animation": "pictures do not move: in docs/language.md",
	"module sys": "in docs/language.md", "module copy": "in docs/language.md", "module brian2tools": "in docs/language.md",
	"type magicNetwork": "the network of all objects, with its functions", "type tableRow": "a row of an array",
}

// TestReference holds docs/reference.md against the tables of the code: every name that scripts can use is in it, with the
// parameters that calls are matched with, and nothing else is; every example runs; and a function that is given all the
// defaults that the page names does what it does without them. -update (make reference) writes the page.
func TestReference(t *testing.T) {
	chapters := readReference(t)
	x := probe()
	code := known(t, x)

	// names
	told := map[string]map[string]bool{}
	for _, c := range chapters {
		for _, b := range c.blocks {
			key := b.kind + " " + b.of
			if b.kind == "none" {
				key = "builtins "
			}
			if told[key] == nil {
				told[key] = map[string]bool{}
			}
			for _, e := range b.entries {
				for _, n := range e.names {
					told[key][n] = true
					own := code[key][n]
					switch {
					case b.kind == "module" && !own: // one that is a name without the module, too
						m := x.imports[b.of]
						own = m != nil && m.members[n] != nil
					case b.kind == "type" && !own: // variables of a model
						own = n == "i" || n == "j" || n == "get_position"
					}
					if !own {
						t.Errorf("%s:%d: there is no %s (%s)", referenceTexts, e.line, n, key)
					}
					if b.kind != "none" && !strings.Contains(e.example, n) && !strings.Contains(e.example, "NAME") {
						t.Errorf("%s:%d: the example does not use %s", referenceTexts, e.line, n)
					}
				}
				for _, part := range strings.FieldsFunc(e.form, func(r rune) bool { return strings.ContainsRune("(), []", r) }) {
					if strings.HasSuffix(part, "=") && !strings.Contains(e.example, part) {
						t.Errorf("%s:%d: the example does not show %s", referenceTexts, e.line, part)
					}
				}
			}
		}
	}
	for of, names := range code {
		if untold[of] != "" {
			continue
		}
		for _, n := range slices.Sorted(maps.Keys(names)) {
			if !told[of][n] && !lookOnly(n) && !strings.HasPrefix(n, "_") {
				t.Errorf("%s is not in %s (%s)", n, referenceTexts, of)
			}
		}
	}
	if t.Failed() {
		return
	}

	// examples
	results := map[row]string{}
	for _, c := range chapters {
		plain := runExamples(t, c)
		maps.Copy(results, plain)
		if t.Failed() {
			continue
		}
		argument.Trace = giveDefaults(t)
		for r, out := range runExamples(t, c) {
			if out != plain[r] {
				t.Errorf("%s:%d: %s gives %q with the defaults as arguments, %q without", referenceTexts, r.entry.line, r.example, out, plain[r])
			}
		}
		argument.Trace = nil
	}
	if t.Failed() {
		return
	}

	// the page
	page := referenceText(t, x, chapters, results)
	if *update {
		if err := os.WriteFile(referencePage, []byte(page), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(referencePage)
	if err != nil {
		t.Fatal(err)
	}
	if string(have) != page {
		t.Error("docs/reference.md is not what the code says: make reference")
	}
}

// giveDefaults puts the defaults of every call's parameters in as arguments.
func giveDefaults(t *testing.T) func([]argument.Param, *argument.Call) error {
	x := probe()
	values := map[string]starlark.Value{}
	var mu sync.Mutex // a script that an earlier test has left may still come to its end
	return func(params []argument.Param, c *argument.Call) error {
		mu.Lock()
		defer mu.Unlock()
		for _, p := range params {
			if p.Default == "" {
				continue
			}
			v := values[p.Default]
			if v == nil {
				if v = x.evaluate(p.Default); p.Default == "None" {
					v = starlark.None
				} else if _, text := v.(starlark.String); text && !strings.HasPrefix(p.Default, "'") {
					t.Errorf("the default %s=%s of %s() cannot be read", p.Name, p.Default, c.Fn)
				}
				values[p.Default] = v
			}
			c.Val[p.Name] = v
		}
		return nil
	}
}

// runExamples runs a chapter's examples, one after the other, in one script.
func runExamples(t *testing.T, c *chapter) map[row]string {
	src := c.setup
	var order []row
	for _, b := range c.blocks {
		for _, e := range b.entries {
			names := e.names[:1]
			if strings.Contains(e.example, "NAME") {
				names = e.names
			}
			for _, n := range names {
				if e.example == "" {
					continue
				}
				src += "print('\\x01" + strconv.Itoa(len(order)) + "')\n"
				order = append(order, row{e, n})
				parts := strings.Split(strings.ReplaceAll(e.example, "NAME", n), " ;; ")
				for k, p := range parts {
					if k == len(parts)-1 && !strings.HasPrefix(p, "print(") {
						if _, err := python.ParseExpr("", []byte("("+p+",)")); err == nil {
							p = "print(" + p + ", sep='  ')"
						}
					}
					src += p + "\n"
				}
			}
		}
	}
	if len(order) == 0 {
		return nil
	}
	out, _, err := runText(t, src, Options{File: "testdata/reference/reference.star", Open: onRef, Draw: func(*figure.Figure, string) error { return nil }})
	if err != nil {
		for n, line := range strings.Split(src, "\n") {
			if strings.Contains(err.Error(), fmt.Sprintf(".star:%d:", n+1)) {
				t.Errorf("%s: %q:\n%v\n%s", c.title, line, err, out[max(0, len(out)-200):])
				return nil
			}
		}
		t.Errorf("%s: %v", c.title, err)
		return nil
	}
	r := map[row]string{}
	for _, part := range strings.Split(out, "\x01")[1:] {
		k, text, _ := strings.Cut(part, "\n")
		n, err := strconv.Atoi(k)
		if err != nil {
			t.Fatalf("%s: %q", c.title, part)
		}
		r[order[n]] = strings.TrimSpace(text)
	}
	return r
}

// referenceText is the page.
func referenceText(t *testing.T, x *script, chapters []*chapter, results map[row]string) string {
	var b strings.Builder
	b.WriteString("# Reference\n\nEvery name that a script can use, with an example. " +
		"This page is written by a test from the tables of the code (`make reference`): what it says of names, arguments and defaults is what a call is matched with.\n" +
		"An argument without a default (`name=`) may be left out, too. [The language](language.md) tells how things go together; in quotes, equations and conditions may use what stands under Functions in texts.\n")
	for _, c := range chapters {
		fmt.Fprintf(&b, "\n## %s\n", c.title)
		if len(c.text) > 0 {
			fmt.Fprintf(&b, "\n%s\n", strings.Join(c.text, "\n"))
		}
		if c.setup != "" {
			fmt.Fprintf(&b, "\nThe examples go on from here:\n\n```python\n%s```\n", c.setup)
		}
		for _, bl := range c.blocks {
			if bl.heading != "" {
				fmt.Fprintf(&b, "\n### %s\n", bl.heading)
			}
			switch bl.kind {
			case "units":
				b.WriteString(unitText())
				continue
			case "none":
				for _, e := range bl.entries {
					fmt.Fprintf(&b, "\n`%s`\n", strings.Join(e.names, "` `"))
				}
				continue
			case "module":
				fmt.Fprintf(&b, "\nModule `%s`:\n", strings.Replace(bl.of, "numpy", "np", 1))
			case "type":
				if bl.label == "" {
					t.Errorf("%s: @type %s: what it is, in words, is missing", referenceTexts, bl.of)
				}
				fmt.Fprintf(&b, "\nOf %s:\n", bl.label)
			}
			b.WriteString("\n| name | what | example |\n|---|---|---|\n")
			for _, e := range bl.entries {
				text := e.text
				each := [][]string{e.names}
				if strings.Contains(e.example, "NAME") { // a row for each
					each = nil
					for _, n := range e.names {
						each = append(each, []string{n})
					}
				}
				for _, names := range each {
					if bl.kind == "models" {
						text = sentenceOf(t, names[0])
					}
					if bl.kind == "module" && bl.of == "analysis" {
						for _, m := range measures {
							if m.name == names[0] {
								text = m.doc
							}
						}
					}
					if bl.kind == "python" {
						text = "of " + e.form
					}
					var cell []string
					for _, n := range names {
						cell = append(cell, code(shown(x, bl, e, n, t)))
					}
					example := code(strings.ReplaceAll(strings.ReplaceAll(e.example, " ;; ", "; "), "NAME", names[0]))
					if r := results[row{e, names[0]}]; r != "" && r != "None" && !strings.HasPrefix(r, "<") && !strings.Contains(r, "at 0x") {
						example += " gives " + code(strings.Join(strings.Fields(r), " "))
					}
					fmt.Fprintf(&b, "| %s | %s | %s |\n", strings.Join(cell, ", "), strings.ReplaceAll(text, "|", "\\|"), example)
				}
			}
		}
	}
	return b.String()
}

// code is a text as code in a table of Markdown.
func code(s string) string { return "`" + strings.ReplaceAll(s, "|", "\\|") + "`" }

// sentenceOf is the first sentence of a model's file.
func sentenceOf(t *testing.T, name string) string {
	b, err := models.FS.ReadFile(library[name])
	if err != nil {
		t.Fatal(err)
	}
	text := ""
	for _, line := range strings.Split(string(b), "\n") {
		if text += " " + strings.TrimPrefix(line, "# "); strings.HasSuffix(line, ".") && !strings.HasSuffix(line, "al.") || strings.Contains(strings.ReplaceAll(line, "al. ", ""), ". ") {
			break
		}
	}
	_, text, _ = strings.Cut(text, ": ")
	if k := strings.Index(strings.ReplaceAll(text, "al. ", "al  "), ". "); k > 0 {
		text = text[:k]
	}
	return strings.TrimSuffix(text, ".")
}

// unitText tells the units: names with the prefixes that each has.
func unitText() string {
	prefixes := map[string]string{}
	all := map[string]bool{}
	for _, u := range eqn.UnitNames() {
		all[u] = true
	}
	stem := func(u string) string { return strings.TrimRight(u, "23") }
	var base []string
	for _, u := range eqn.UnitNames() {
		if u != stem(u) {
			continue
		}
		found := false
		for _, p := range strings.Fields("da y z a f p n u m c d h k M G T P E Z Y") {
			if rest, ok := strings.CutPrefix(u, p); ok && all[rest] && len(rest) > 2 && rest != "ol" {
				prefixes[rest] += " " + p
				found = true
				break
			}
		}
		if !found {
			base = append(base, u)
		}
	}
	var b strings.Builder
	const every = " E G M P T Y Z a c da d f h k m n p u y z"
	b.WriteString("\n### Units\n\nValues in SI units; `2` and `3` behind most names mean the square and the cube (`cm2`, `metre3`). All prefixes are `" + strings.Join(strings.Fields(every), "` `") + "`: `mvolt`, `usecond`.\n\n| unit | in SI units | with prefixes |\n|---|---|---|\n")
	for _, u := range base {
		q, _ := eqn.LookupUnit(u)
		if prefixes[u] == every {
			prefixes[u] = "all"
		}
		fmt.Fprintf(&b, "| `%s` | %s %s | %s |\n", u, strconv.FormatFloat(q.Value, 'g', 6, 64), q.Dim, strings.TrimSpace(prefixes[u]))
	}
	return b.String()
}
