// Command gallery makes docs/gallery.md and its pictures: `make gallery`, from the root of the repository. Every example
// (examples/*.star and examples/*/*.star whose header says what to expect) is run as a user would run it; its header
// tells what it shows, the source and the expected figures, its picture is the first that it draws, else its raster,
// rates and traces, and what it prints is what was measured. A line of the header
//
//	# Gallery: --set scale=0.1
//
// makes the run smaller than the default. Results are kept in docs/gallery/results.json, and an example runs again when
// its text or a script that it loads has changed, or when it is named:
//
//	make gallery ONLY="cuba hopfield"
package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"image"
	"image/color"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/image/draw"
)

const (
	folder   = "docs/gallery"
	resultsF = folder + "/results.json"
	page     = "docs/gallery.md"
	limit    = 3 << 20               // bytes of all pictures
	widest   = 800                   // pixels of one
	notOurs  = "not part of Synfire" // what an example says whose data are elsewhere
)

// example is a script and what its header says.
type example struct {
	name, file       string
	what             string   // the first paragraph
	source, expected []string // lines
	comment          string   // all of the header
	flags            []string
	text             string // of the script and what it loads
	tests            []string
	group            string // the file of its tests
}

// groups are the parts of the page, by the files in which the examples' tests stand; others follow under the file's name.
var groups = []struct{ file, title string }{
	{"long", "Neurons and networks"},
	{"dynamics", "Dynamics of networks: rhythms, synchrony, disease, stimulation, feedback, sleep, memory"},
	{"isomura", "The self-organisation of cultured neurons that the free-energy principle predicts"},
	{"units", "Between biology and computation: threshold units, rates, associative memory"},
	{"learning", "Learning, from spike-timing-dependent plasticity to gradient descent"},
}

// result is what a run of one gave.
type result struct {
	SHA     string  `json:"sha256"` // of the scripts and flags
	Prints  string  `json:"prints"`
	Seconds float64 `json:"seconds"`
	Date    string  `json:"date"`
	Version string  `json:"version"`
	Picture bool    `json:"picture"`
	Missing string  `json:"missing,omitempty"` // what it needs and the repository does not have
}

func main() {
	command := flag.String("synfire", "bin/synfire", "the command")
	most := flag.Duration("limit", 10*time.Minute, "the longest run")
	flag.Parse()
	if err := run(*command, *most, flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "gallery:", err)
		os.Exit(1)
	}
}

func run(command string, most time.Duration, only []string) error {
	all, err := examples()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(folder, 0o777); err != nil {
		return err
	}
	results := map[string]result{}
	if b, err := os.ReadFile(resultsF); err == nil {
		if err := json.Unmarshal(b, &results); err != nil {
			return fmt.Errorf("%s: %w", resultsF, err)
		}
	}
	for _, name := range only {
		if !slices.ContainsFunc(all, func(e *example) bool { return e.name == name }) {
			return fmt.Errorf("there is no example %s whose header says what to expect", name)
		}
	}
	version, err := exec.Command(command, "version").Output()
	if err != nil {
		return fmt.Errorf("%s: %w", command, err)
	}
	var failed []error
	for _, e := range all {
		sha := fmt.Sprintf("%x", sha256.Sum256([]byte(e.text+strings.Join(e.flags, " "))))
		if r, known := results[e.name]; len(only) > 0 && !slices.Contains(only, e.name) || len(only) == 0 && known && r.SHA == sha {
			continue
		}
		fmt.Fprintf(os.Stderr, "%s ...\n", e.name)
		r, err := measure(command, e, most)
		if err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", e.name, err))
			continue
		}
		r.SHA, r.Version, r.Date = sha, strings.TrimPrefix(strings.TrimSpace(string(version)), "synfire "), time.Now().UTC().Format(time.DateOnly)
		results[e.name] = *r
		if err := write(results); err != nil { // what has run stays when a later one is interrupted
			return err
		}
	}
	for name := range results {
		if !slices.ContainsFunc(all, func(e *example) bool { return e.name == name }) {
			delete(results, name)
			os.Remove(picture(name))
		}
	}
	if err := write(results); err != nil {
		return err
	}
	if err := os.WriteFile(page, []byte(text(all, results)), 0o666); err != nil {
		return err
	}
	if n, err := pictures(); err != nil || n > limit {
		failed = append(failed, fmt.Errorf("the pictures take %d bytes, more than %d (%v)", n, limit, err))
	}
	return errors.Join(failed...)
}

func write(results map[string]result) error {
	b, err := json.MarshalIndent(results, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(resultsF, append(b, '\n'), 0o666)
}

func picture(name string) string { return filepath.Join(folder, filepath.Base(link(name))) }

// link is where the page finds the picture.
func link(name string) string { return "gallery/" + strings.ReplaceAll(name, "/", "_") + ".png" }

// anchor is that of a heading, as it is on the web.
func anchor(name string) string { return strings.ReplaceAll(name, "/", "") }

// pictures is how many bytes they have.
func pictures() (n int64, err error) {
	files, err := filepath.Glob(picture("*"))
	for _, f := range files {
		st, err := os.Stat(f)
		if err != nil {
			return 0, err
		}
		n += st.Size()
	}
	return n, err
}

var loadRE = regexp.MustCompile(`(?m)^load\('([^']+)'`)

// examples reads the headers of all examples, by name.
func examples() (all []*example, err error) {
	var files []string
	for _, pattern := range []string{"examples/*.star", "examples/*/*.star"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			return nil, err
		}
		files = append(files, found...)
	}
	tests, fileOf, err := testsOf("examples")
	if err != nil {
		return nil, err
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			return nil, err
		}
		e := header(strings.TrimSuffix(filepath.Base(f), ".star"), string(b))
		if e == nil {
			continue
		}
		e.file = f
		if folder := filepath.Base(filepath.Dir(f)); folder != "examples" {
			e.name = folder + "/" + e.name
		}
		for _, l := range loadRE.FindAllStringSubmatch(e.text, -1) {
			b, err := os.ReadFile(filepath.Join(filepath.Dir(f), l[1]))
			if err != nil {
				return nil, err
			}
			e.text += string(b)
		}
		e.tests, e.group = tests[e.name], "more"
		if len(e.tests) > 0 {
			e.group = fileOf[e.tests[0]]
		}
		all = append(all, e)
	}
	slices.SortFunc(all, func(a, b *example) int { return strings.Compare(a.name, b.name) })
	return all, nil
}

// header reads what the comment at the beginning says; nil where it is no example's.
func header(name, text string) *example {
	e := &example{name: name, text: text}
	var lines []string
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, " \r\n")
		if !strings.HasPrefix(line, "#") {
			break
		}
		lines = append(lines, strings.TrimPrefix(strings.TrimPrefix(line, "#"), " "))
	}
	if len(lines) == 0 {
		return nil
	}
	first, ok := strings.CutPrefix(lines[0], name+".star: ")
	if !ok {
		return nil
	}
	lines[0] = first
	paragraph, part := 0, &[]string{}
	var what []string
	for _, line := range lines {
		if flags, ok := strings.CutPrefix(line, "Gallery:"); ok {
			e.flags = strings.Fields(flags)
			continue
		}
		for from := 0; ; from = len("Source") {
			before, after, at := split(line, from)
			if at == "" {
				break
			}
			*part = append(*part, before)
			part, line = map[string]*[]string{"Source": &e.source, "Expect": &e.expected}[at], after
		}
		if line == "" && paragraph == 0 {
			paragraph = 1
		}
		if paragraph == 0 {
			what = append(what, line)
		}
		*part = append(*part, line)
	}
	e.comment = strings.Join(lines, " ")
	e.what = strings.TrimSpace(strings.Join(what, " "))
	if e.what != "" {
		e.what = strings.ToUpper(e.what[:1]) + e.what[1:]
	}
	if len(e.expected) == 0 {
		return nil
	}
	return e
}

var partRE = regexp.MustCompile(`(^|[.;:] )(Source\b[^:.]*: |Expect\b)`)

// split cuts a line where it begins to tell the source, or what to expect, behind the first letters.
func split(line string, from int) (before, after, part string) {
	at := partRE.FindStringSubmatchIndex(line[min(from, len(line)):])
	if at == nil || from > 0 && at[4] == 0 {
		return "", line, ""
	}
	k := from + at[4]
	return line[:k], line[k:], line[k : k+6]
}

// testsOf are the tests of a folder, by the texts that stand in them or in functions that they call: those of an
// example name it. fileOf is the file of each test: "learning" of learning_test.go.
func testsOf(folder string) (of map[string][]string, fileOf map[string]string, err error) {
	files, err := filepath.Glob(filepath.Join(folder, "*_test.go"))
	if err != nil {
		return nil, nil, err
	}
	functions := map[string]*ast.FuncDecl{}
	of, fileOf = map[string][]string{}, map[string]string{}
	var tests []string
	for _, f := range files {
		tree, err := parser.ParseFile(token.NewFileSet(), f, nil, 0)
		if err != nil {
			return nil, nil, err
		}
		for _, d := range tree.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Name.Name != "init" {
				functions[fn.Name.Name] = fn
				if strings.HasPrefix(fn.Name.Name, "Test") {
					tests = append(tests, fn.Name.Name)
					fileOf[fn.Name.Name] = strings.TrimSuffix(filepath.Base(f), "_test.go")
				}
			}
		}
	}
	for _, test := range tests {
		seen := map[string]bool{}
		var visit func(name string)
		visit = func(name string) {
			if functions[name] == nil || seen[name] {
				return
			}
			seen[name] = true
			ast.Inspect(functions[name], func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.KeyValueExpr: // a parameter of a script may be called as another script is
					ast.Inspect(n.Value, func(n ast.Node) bool {
						if id, ok := n.(*ast.Ident); ok {
							visit(id.Name)
						}
						return true
					})
					return false
				case *ast.Ident:
					visit(n.Name)
				case *ast.BasicLit:
					if s, err := strconv.Unquote(n.Value); err == nil && test != "TestEveryScriptIsTested" && !slices.Contains(of[s], test) {
						of[s] = append(of[s], test)
					}
				}
				return true
			})
		}
		visit(test)
	}
	return of, fileOf, nil
}

// measure runs an example and puts its picture into the folder.
func measure(command string, e *example, most time.Duration) (*result, error) {
	tmp, err := os.MkdirTemp("", "gallery")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(tmp)
	ctx, cancel := context.WithTimeout(context.Background(), most)
	defer cancel()
	raster := filepath.Join(tmp, "default", "raster.png")
	if err := os.Mkdir(filepath.Dir(raster), 0o777); err != nil {
		return nil, err
	}
	args := append([]string{"run", "-q", e.file, "--plots", tmp}, e.flags...)
	if !strings.Contains(e.text, "savefig(") && !strings.Contains(e.text, "show()") {
		args = append(args, "--plot", raster)
	}
	var out, talk bytes.Buffer
	c := exec.CommandContext(ctx, command, args...)
	c.Stdout, c.Stderr = &out, &talk
	begin := time.Now()
	err = c.Run()
	r := &result{Prints: strings.TrimRight(out.String(), "\n"), Seconds: time.Since(begin).Seconds()}
	switch {
	case ctx.Err() != nil:
		return nil, fmt.Errorf("it ran for more than %s: a line '# Gallery: --set ...' in its header would make it smaller", most)
	case err != nil && strings.Contains(talk.String(), notOurs):
		for line := range strings.Lines(talk.String()) {
			if _, why, ok := strings.Cut(line, "fail: "); ok && r.Missing == "" {
				r.Missing = strings.TrimSpace(why)
			}
		}
		os.Remove(picture(e.name))
		return r, nil
	case err != nil && !strings.Contains(talk.String(), "there is nothing to draw") && !strings.Contains(talk.String(), "too many for a picture"):
		return nil, fmt.Errorf("%w\n%s", err, talk.String())
	}
	drawn, err := filepath.Glob(filepath.Join(tmp, "*.png"))
	if err != nil {
		return nil, err
	}
	slices.SortFunc(drawn, func(a, b string) int { return modified(a).Compare(modified(b)) })
	drawn = append(drawn, raster)
	if _, err := os.Stat(drawn[0]); err != nil {
		fmt.Fprintf(os.Stderr, "%s draws nothing, and records nothing that could be drawn\n", e.name)
		os.Remove(picture(e.name))
		return r, nil
	}
	r.Picture = true
	return r, small(drawn[0], picture(e.name))
}

func modified(path string) time.Time {
	if st, err := os.Stat(path); err == nil {
		return st.ModTime()
	}
	return time.Time{}
}

// small writes a picture with the colours that it has most, 64 of them and greys, in place of all, and at most 800 pixels wide.
func small(from, to string) error {
	f, err := os.Open(from)
	if err != nil {
		return err
	}
	defer f.Close()
	src, err := png.Decode(f)
	if err != nil {
		return err
	}
	if b := src.Bounds(); b.Dx() > widest {
		scaled := image.NewRGBA(image.Rect(0, 0, widest, b.Dy()*widest/b.Dx()))
		draw.CatmullRom.Scale(scaled, scaled.Rect, src, b, draw.Src, nil)
		src = scaled
	}
	b := src.Bounds()
	count := map[color.RGBA]int{}
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			count[coarse(src.At(x, y))]++
		}
	}
	var colors []color.RGBA
	for c := range count {
		colors = append(colors, c)
	}
	slices.SortFunc(colors, func(a, b color.RGBA) int {
		if d := count[b] - count[a]; d != 0 {
			return d
		}
		return bytes.Compare([]byte{a.R, a.G, a.B}, []byte{b.R, b.G, b.B})
	})
	var p color.Palette
	for k := range 16 { // of texts and lines
		g := step(uint32(k * 17 << 8))
		p = append(p, color.RGBA{g, g, g, 255})
	}
	for _, c := range colors[:min(len(colors), 64)] {
		p = append(p, c)
	}
	dst := image.NewPaletted(b, p)
	near := map[color.RGBA]uint8{}
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			c := coarse(src.At(x, y))
			k, known := near[c]
			if !known {
				k = uint8(p.Index(c))
				near[c] = k
			}
			dst.SetColorIndex(x, y, k)
		}
	}
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	err = (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(out, dst)
	return errors.Join(err, out.Close())
}

func step(x uint32) uint8 { return uint8(min(255, (x>>8+8)/16*16)) }

// coarse is a colour in steps of sixteen.
func coarse(c color.Color) color.RGBA {
	r, g, b, _ := c.RGBA()
	return color.RGBA{step(r), step(g), step(b), 255}
}

// text is the page.
func text(all []*example, results map[string]result) string {
	var b strings.Builder
	b.WriteString(`# Gallery

Every example, run: what it shows, where it comes from, what to expect, and what it printed. ` + "`make gallery`" + ` makes this page from the headers of the
examples; the figures are those of the runs below, on the cpu backend (the other backends give the same bits), with times on two cores that other programs used, too. The tests named hold the figures
against their gates, those whose name has Long under ` + "`make long`" + `.
`)
	cell := strings.NewReplacer("<", "&lt;", ">", "&gt;", "|", "\\|").Replace
	parts := slices.Clone(groups)
	for _, e := range all {
		known := false
		for _, p := range parts {
			known = known || p.file == e.group
		}
		if !known {
			parts = append(parts, struct{ file, title string }{e.group, strings.ToUpper(e.group[:1]) + e.group[1:]})
		}
	}
	var ordered []*example
	for _, p := range parts {
		begun := false
		for _, e := range all {
			if e.group != p.file {
				continue
			}
			if !begun {
				fmt.Fprintf(&b, "\n## %s\n\n| | example | shows | source | expected | measured |\n|---|---|---|---|---|---|\n", p.title)
			}
			begun = true
			thumb := ""
			if results[e.name].Picture {
				thumb = fmt.Sprintf(`<img src="%s" width="120" alt="">`, link(e.name))
			}
			measured := "not yet"
			if r, ran := results[e.name]; ran && r.Missing == "" {
				measured = short(strings.ReplaceAll(r.Prints, "\n", "; "))
			} else if ran {
				measured = "its data are not part of Synfire"
			}
			expected := strings.TrimLeft(strings.TrimPrefix(strings.Join(trim(e.expected), " "), "Expect"), " :,")
			fmt.Fprintf(&b, "| %s | [%s](#%s) | %s | %s | %s | %s |\n", thumb, e.name, anchor(e.name), cell(e.what), cell(e.from()), cell(short(expected)), cell(measured))
			ordered = append(ordered, e)
		}
	}
	b.WriteString("\n## One by one\n")
	for _, e := range ordered {
		fmt.Fprintf(&b, "\n### %s\n\n%s\n", e.name, e.what)
		r, ran := results[e.name]
		if r.Picture {
			fmt.Fprintf(&b, "\n![%s](%s)\n", e.name, link(e.name))
		}
		fmt.Fprintf(&b, "\n**Script** [%s](../%s)", e.file, filepath.ToSlash(e.file))
		if s := e.from(); s != "" {
			fmt.Fprintf(&b, "  \n**Source** %s", s)
		}
		if len(e.tests) > 0 {
			fmt.Fprintf(&b, "  \n**Held by** %s", strings.Join(e.tests, ", "))
		}
		fmt.Fprintf(&b, "\n\n**Expected**\n\n```\n%s\n```\n", strings.Join(trim(append(rest(e.source), e.expected...)), "\n"))
		if !ran {
			b.WriteString("\n**Measured** not yet: `make gallery`\n")
			continue
		}
		if r.Missing != "" {
			fmt.Fprintf(&b, "\n**Not measured here** %s\n", r.Missing)
			continue
		}
		fmt.Fprintf(&b, "\n**Measured** by `synfire run %s`, %s (%s, version %s)\n\n```\n%s\n```\n", strings.Join(append([]string{e.file}, e.flags...), " "), seconds(r.Seconds), r.Date, r.Version, r.Prints)
	}
	return b.String()
}

var sentenceRE = regexp.MustCompile(`[^.A-Z]\. [A-Z]`)

var citationRE = regexp.MustCompile(`\p{Lu}\pL+(?:(?:, | and )\p{Lu}\pL+)*(?: et al\.)?,? \(?(?:19|20)\d\d\)?`)

// from is the source in one line: the first sentence, or who is cited.
func (e *example) from() string {
	s := strings.Join(strings.Fields(strings.Join(paragraph(e.source), " ")), " ")
	if s == "" {
		var all []string
		for _, c := range citationRE.FindAllString(e.comment, -1) {
			if c = strings.NewReplacer("(", "", ")", "").Replace(c); !slices.Contains(all, c) {
				all = append(all, c)
			}
		}
		return strings.Join(all, "; ")
	}
	if _, after, ok := strings.Cut(s, ": "); ok && strings.HasPrefix(s, "Source") {
		s = after
	}
	if at := sentenceRE.FindStringIndex(strings.ReplaceAll(s, "et al. ", "et al, ")); at != nil {
		s = s[:at[0]+2]
	}
	s, _, _ = strings.Cut(s, " --set ")
	return strings.TrimRight(s, ":")
}

// paragraph is what stands before the first empty line.
func paragraph(lines []string) []string {
	if k := slices.Index(lines, ""); k >= 0 {
		return lines[:k]
	}
	return lines
}

// rest is what stands behind it.
func rest(lines []string) []string {
	if k := slices.Index(lines, ""); k >= 0 {
		return slices.Clone(lines[k:])
	}
	return nil
}

func trim(lines []string) []string {
	return strings.Split(strings.Trim(strings.Join(lines, "\n"), "\n"), "\n")
}

// short is the beginning of a text, in one line.
func short(s string) string {
	r := []rune(strings.Join(strings.Fields(s), " "))
	if len(r) <= 150 {
		return string(r)
	}
	return strings.TrimRight(string(r[:148]), " ,;") + " …"
}

func seconds(s float64) string {
	if s < 10 {
		return fmt.Sprintf("%.1f s", s)
	}
	return fmt.Sprintf("%.0f s", s)
}
